//! Decodes WS-Man pages to rows that can be browsed, and next to it only tokenises them: the ratio of the two.
//!
//! `wsman ITEMS [CLASS-KEYS]`: ITEMS is a file of bare items, as `gen_instances.py --shapes winrm` writes them. Both sides
//! get the same envelopes in the same pieces; the yardstick cuts slices at the ends of items and reads each through
//! quick-xml with nothing kept but a count of its events. Times are of the fastest of five rounds.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use lazycim::{
    cim::{
        CimClass, CimName, CimType, CimValue, ClassProperty, Flavor, Namespace, Qualifier, TypedValue, rows::RowStore,
    },
    op::Limits,
    protocol::wsman::decode::{Decoder, Expect},
};
use quick_xml::{Reader, events::Event};

/// What ends an item, and how many items a page holds.
const END: &[u8] = b"</p:LC_Process>";
const PAGE: usize = 1_000;
/// How much comes from the socket at once.
const PIECE: usize = 16 << 10;
const HEAD: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><s:Header></s:Header><s:Body><n:PullResponse>\
    <n:EnumerationContext>uuid:1</n:EnumerationContext><n:Items>";
const TAIL: &str = "</n:Items></n:PullResponse></s:Body></s:Envelope>";

fn main() -> ExitCode {
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("wsman: nothing to do; give it a file of items");
        return ExitCode::SUCCESS;
    };
    let Ok(items) = std::fs::read(&path) else {
        eprintln!("wsman: cannot read {path}");
        return ExitCode::FAILURE;
    };
    let pages = pages(&items);
    let yardstick = fastest(|| tokenise(&pages));
    for (name, class) in [("with the class", Some(Arc::new(class()))), ("without it", None)] {
        let decoded = fastest(|| decode(&pages, class.as_ref()));
        let ratio = decoded.1.as_secs_f64() / yardstick.1.as_secs_f64();
        println!(
            "{name}: rows {} ({} foreseen) in {:?}, events {} in {:?}, ratio {ratio:.2}",
            decoded.0.0, decoded.0.1, decoded.1, yardstick.0, yardstick.1
        );
    }
    ExitCode::SUCCESS
}

/// Envelopes around so many items each.
fn pages(items: &[u8]) -> Vec<Vec<u8>> {
    let (mut pages, mut page, mut count, mut from) = (Vec::new(), Vec::new(), 0, 0);
    for at in memchr::memmem::find_iter(items, END) {
        page.extend_from_slice(&items[from..at + END.len()]);
        from = at + END.len();
        count += 1;
        if count % PAGE == 0 {
            pages.push(std::mem::take(&mut page));
        }
    }
    pages.push(page);
    pages.iter().map(|page| [HEAD.as_bytes(), page, TAIL.as_bytes()].concat()).collect()
}

fn fastest<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let mut best: Option<(T, Duration)> = None;
    for _ in 0..5 {
        let begun = Instant::now();
        let result = run();
        let took = begun.elapsed();
        if best.as_ref().is_none_or(|best| took < best.1) {
            best = Some((result, took));
        }
    }
    best.unwrap_or_else(|| unreachable!("five rounds were run"))
}

fn tokenise(pages: &[Vec<u8>]) -> u64 {
    let end = memchr::memmem::Finder::new(END);
    let mut events = 0;
    for page in pages {
        let mut buffer = Vec::new();
        for piece in page.chunks(PIECE) {
            buffer.extend_from_slice(piece);
            let mut start = 0;
            while let Some(found) = end.find(&buffer[start..]) {
                let item = &buffer[start..start + found + END.len()];
                start += item.len();
                events += tokens(std::str::from_utf8(item).unwrap_or_default());
            }
            buffer.drain(..start);
        }
    }
    events
}

fn tokens(item: &str) -> u64 {
    let mut reader = Reader::from_str(item);
    // What stands before the first item is not an item's: containers are opened there.
    reader.config_mut().check_end_names = false;
    let mut count = 0;
    while let Ok(event) = reader.read_event() {
        if matches!(event, Event::Eof) {
            break;
        }
        std::hint::black_box(&event);
        count += 1;
    }
    count
}

fn decode(pages: &[Vec<u8>], class: Option<&Arc<CimClass>>) -> (usize, u64) {
    let (mut store, mut previous) = (RowStore::default(), None::<Decoder>);
    for page in pages {
        let decoder = Decoder::new(Expect::Instances, Limits::default(), Some(Namespace::new("root/bench")), None);
        let decoder = class.into_iter().fold(decoder, |decoder, class| decoder.with_class(class.clone()));
        let mut decoder = previous.take().into_iter().fold(decoder, Decoder::after);
        for piece in page.chunks(PIECE) {
            if decoder.feed(piece).is_err() {
                return (0, 0);
            }
            let decoded = decoder.take();
            decoded.shapes.into_iter().for_each(|(id, shape)| store.add_shape(id, shape));
            decoded.rows.into_iter().for_each(|batch| {
                store.push(batch);
            });
        }
        previous = Some(decoder);
    }
    (store.len(), previous.map_or(0, |decoder| decoder.predicted()))
}

/// The class as its provider would declare it.
fn class() -> CimClass {
    let strings = ["CSCreationClassName", "CSName", "OSCreationClassName", "OSName", "CreationClassName", "Handle"];
    let key = || {
        let value = TypedValue::scalar(CimType::Boolean, CimValue::Bool(true));
        Qualifier { name: CimName::new("Key"), value, flavor: Flavor::default(), propagated: false }
    };
    let keys = strings
        .iter()
        .map(|name| ClassProperty { qualifiers: vec![key()], ..ClassProperty::new(name, CimType::String) });
    let others = [
        ("Name", CimType::String, false),
        ("Caption", CimType::String, false),
        ("CommandLine", CimType::String, false),
        ("ExecutablePath", CimType::String, false),
        ("Parameters", CimType::String, true),
        ("Priority", CimType::UInt32, false),
        ("ExecutionState", CimType::UInt16, false),
        ("OperationalStatus", CimType::UInt16, true),
        ("StatusDescriptions", CimType::String, true),
        ("CreationDate", CimType::DateTime, false),
        ("TerminationDate", CimType::DateTime, false),
        ("KernelModeTime", CimType::UInt64, false),
        ("UserModeTime", CimType::UInt64, false),
        ("WorkingSetSize", CimType::UInt64, false),
        ("VirtualSize", CimType::UInt64, false),
        ("ThreadCount", CimType::UInt32, false),
        ("HandleCount", CimType::UInt32, false),
        ("Foreground", CimType::Boolean, false),
        ("Parent", CimType::Reference, false),
    ];
    let others =
        others.into_iter().map(|(name, ty, is_array)| ClassProperty { is_array, ..ClassProperty::new(name, ty) });
    CimClass { properties: keys.chain(others).collect(), ..CimClass::new("LC_Process") }
}
