//! Reads the answer of one enumeration from the socket and only tokenises it: the yardstick of `rows`.
//!
//! `tokenise PORT NAMESPACE CLASS`: the same HTTP library with the same policies, slices cut at the ends of items, and every slice
//! read through quick-xml with nothing kept but a count of its events.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{process::ExitCode, sync::Arc};

use quick_xml::{Reader, events::Event};

/// What ends an item of EnumerateInstances.
const END: &[u8] = b"</VALUE.NAMEDINSTANCE>";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (Some(port), Some(namespace), Some(class)) = (arguments.next(), arguments.next(), arguments.next()) else {
        println!("tokenise: nothing to do; benches/run starts it");
        return ExitCode::SUCCESS;
    };
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        eprintln!("tokenise: no runtime");
        return ExitCode::FAILURE;
    };
    let reading = runtime.spawn(async move { tokenise(&port, &namespace, &class).await.map_err(|e| e.to_string()) });
    match runtime.block_on(reading) {
        Ok(Ok((items, events))) => {
            println!("items {items} events {events}");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            eprintln!("tokenise: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tokenise: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

async fn tokenise(port: &str, namespace: &str, class: &str) -> Outcome<(u64, u64)> {
    let mut response = client()?
        .post(format!("http://127.0.0.1:{port}/cimom"))
        .header("Content-Type", "application/xml; charset=\"utf-8\"")
        .header("CIMOperation", "MethodCall")
        .header("CIMMethod", "EnumerateInstances")
        .body(request(namespace, class))
        .send()
        .await?;
    let (mut buffer, mut items, mut events) = (Vec::new(), 0, 0);
    let end = memchr::memmem::Finder::new(END);
    while let Some(chunk) = response.chunk().await? {
        buffer.extend_from_slice(&chunk);
        let mut start = 0;
        while let Some(found) = end.find(&buffer[start..]) {
            let item = &buffer[start..start + found + END.len()];
            start += item.len();
            // What stands before the first item is not an item's: containers are opened there.
            events += tokens(std::str::from_utf8(item)?, items > 0)?;
            items += 1;
        }
        buffer.drain(..start);
    }
    Ok((items, events))
}

/// How many events quick-xml reads in `item`.
fn tokens(item: &str, check: bool) -> Outcome<u64> {
    let mut reader = Reader::from_str(item);
    reader.config_mut().check_end_names = check;
    let mut count = 0;
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(count),
            event => {
                std::hint::black_box(&event);
                count += 1;
            }
        }
    }
}

fn client() -> Outcome<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1);
    Ok(client.build()?)
}

fn request(namespace: &str, class: &str) -> String {
    let parts = namespace.split('/').map(|part| format!("<NAMESPACE NAME=\"{part}\"/>")).collect::<String>();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\
         <MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"EnumerateInstances\">\
         <LOCALNAMESPACEPATH>{parts}</LOCALNAMESPACEPATH>\
         <IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"{class}\"/></IPARAMVALUE>\
         </IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
    )
}
