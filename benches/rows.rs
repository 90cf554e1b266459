//! Reads one full enumeration with the product's engine and keeps its rows as the terminal UI does.
//!
//! `rows PORT NAMESPACE CLASS [wsman]`: over CIM-XML, or WS-Man; prints how many rows came, the bytes kept for each and how long the first took from the
//! moment the head of its answer was read. CPU and memory of the process are for `benches/run` to measure.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use lazycim::{
    cim::{CimName, Namespace, rows::RowStore},
    engine::{Engine, Settings},
    op::{OpEventKind, Operation, OperationKind, Phase, SessionId},
    session::{PullUse, Target, url::Scheme},
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (Some(port), Some(namespace), Some(class)) = (arguments.next(), arguments.next(), arguments.next()) else {
        // `cargo bench` runs every program without arguments.
        println!("rows: nothing to do; benches/run starts it");
        return ExitCode::SUCCESS;
    };
    let (Ok(port), Ok(runtime)) = (port.parse(), tokio::runtime::Builder::new_multi_thread().enable_all().build())
    else {
        eprintln!("usage: rows PORT NAMESPACE CLASS [wsman]");
        return ExitCode::FAILURE;
    };
    let over = if arguments.next().as_deref() == Some("wsman") { Scheme::WsMan } else { Scheme::CimXml };
    let target = Target {
        protocol: over.name().to_owned(),
        path: over.default_path().to_owned(),
        computer: Some("127.0.0.1".to_owned()),
        port,
        namespace: Namespace::new(&namespace),
        // WS-Man has no other way.
        pull: if over == Scheme::CimXml { PullUse::Never } else { PullUse::Auto },
        ..Target::this_computer()
    };
    match runtime.block_on(enumerate(target, CimName::new(&class))) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("rows: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Enumerates `class` and tells what came of it.
async fn enumerate(target: Target, class: CimName) -> Result<String, String> {
    let engine = Engine::new(Settings::default());
    let session = SessionId(1);
    engine.open(session, target);
    let (sender, mut events) = tokio::sync::mpsc::channel(64);
    let asked = std::time::Instant::now();
    let operation = Operation::new(OperationKind::EnumerateInstances { class });
    engine.start(session, engine.ids().next(), operation, sender);
    let (mut store, mut read_from, mut first) = (RowStore::default(), None, None);
    while let Some(event) = events.recv().await {
        match event.kind {
            // The class is asked for before; the last answer that began is the one with the rows.
            OpEventKind::PhaseStarted { phase: Phase::Receive, .. } if first.is_none() => read_from = Some(event.at),
            OpEventKind::Shape(id, shape) => store.add_shape(id, shape),
            OpEventKind::Rows(batch) => {
                store.push(batch);
                first.get_or_insert_with(|| asked.elapsed());
            }
            OpEventKind::Finished(_) => {
                let kept = store.size().checked_div(store.len()).unwrap_or_default();
                let (first, begun) = (first.unwrap_or_default(), read_from.unwrap_or_default());
                let late = first.saturating_sub(begun).as_micros();
                return Ok(format!(
                    "rows {} kept {kept} bytes_per_row first_row_us {late} since_asked_us {}",
                    store.len(),
                    first.as_micros()
                ));
            }
            OpEventKind::Failed(error) => return Err(error.to_string()),
            _ => {}
        }
    }
    Err("the operation did not end".to_owned())
}
