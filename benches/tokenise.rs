//! Reads the answer of one enumeration from the socket and only tokenises it: the yardstick of `rows`.
//!
//! `tokenise PORT NAMESPACE CLASS [wsman]`: over CIM-XML, or WS-Man page by page on one connection; the same HTTP library with the same policies, slices cut at the ends of items, and every slice
//! read through quick-xml with nothing kept but a count of its events.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{process::ExitCode, sync::Arc};

use quick_xml::{Reader, events::Event};

/// What ends an item of EnumerateInstances.
const END: &str = "</VALUE.NAMEDINSTANCE>";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (Some(port), Some(namespace), Some(class)) = (arguments.next(), arguments.next(), arguments.next()) else {
        println!("tokenise: nothing to do; benches/run starts it");
        return ExitCode::SUCCESS;
    };
    let wsman = arguments.next().as_deref() == Some("wsman");
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        eprintln!("tokenise: no runtime");
        return ExitCode::FAILURE;
    };
    let reading = runtime.spawn(async move {
        let outcome =
            if wsman { pages(&port, &namespace, &class).await } else { tokenise(&port, &namespace, &class).await };
        outcome.map_err(|e| e.to_string())
    });
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
    let (items, events, _) = slices(&mut response, END, 0).await?;
    Ok((items, events))
}

/// Reads one answer: how many items there are with those `before`, how many events, and what stands around the items.
async fn slices(response: &mut reqwest::Response, end: &str, before: u64) -> Outcome<(u64, u64, String)> {
    let (mut buffer, mut items, mut events, mut head) = (Vec::new(), 0, 0, String::new());
    let end = memchr::memmem::Finder::new(end);
    while let Some(chunk) = response.chunk().await? {
        buffer.extend_from_slice(&chunk);
        let mut start = 0;
        while let Some(found) = end.find(&buffer[start..]) {
            let item = &buffer[start..start + found + end.needle().len()];
            start += item.len();
            let item = std::str::from_utf8(item)?;
            // What stands before the first item is not an item's: containers are opened there.
            events += tokens(item, items > 0)?;
            if items == 0 {
                head.push_str(&item[..item.len().min(2_048)]);
            }
            items += 1;
        }
        buffer.drain(..start);
    }
    head.push_str(std::str::from_utf8(&buffer)?);
    Ok((before + items, events, head))
}

/// Enumerates and pulls to the end, as the client of a script does, with the most elements the replay server gives at once.
async fn pages(port: &str, namespace: &str, class: &str) -> Outcome<(u64, u64)> {
    let client = client()?;
    let uri = format!("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/{class}");
    let end = format!("</p:{class}>");
    let (mut items, mut events, mut context) = (0, 0, None);
    loop {
        let body = match &context {
            None => "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>".to_owned(),
            Some(context) => {
                format!("<n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>1000</n:MaxElements>")
            }
        };
        let action = if context.is_none() { "Enumerate" } else { "Pull" };
        let mut response = client
            .post(format!("http://127.0.0.1:{port}/wsman"))
            .header("Content-Type", "application/soap+xml;charset=UTF-8")
            .body(envelope(action, &uri, namespace, &body))
            .send()
            .await?;
        let (all, read, around) = slices(&mut response, &end, items).await?;
        items = all;
        events += read;
        if around.contains("EndOfSequence") {
            return Ok((items, events));
        }
        let begins = around.find("EnumerationContext>").ok_or("no context")? + "EnumerationContext>".len();
        context = Some(around[begins..].split('<').next().unwrap_or_default().to_owned());
    }
}

fn envelope(action: &str, uri: &str, namespace: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" \
         xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><s:Header>\
         <a:Action>http://schemas.xmlsoap.org/ws/2004/09/enumeration/{action}</a:Action>\
         <a:MessageID>uuid:1</a:MessageID><w:ResourceURI>{uri}</w:ResourceURI>\
         <w:SelectorSet><w:Selector Name=\"__cimnamespace\">{namespace}</w:Selector></w:SelectorSet>\
         </s:Header><s:Body><n:{action}>{body}</n:{action}></s:Body></s:Envelope>"
    )
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
