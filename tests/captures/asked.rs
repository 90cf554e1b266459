//! The captured requests of WS-Man clients, asked of the embedded server.
//!
//! It has none of the classes they are about: what is asserted is that it reads every one of them as far as that, and answers
//! with the fault that says so.

use std::path::{Path, PathBuf};

use lazycim::server::{self, ServerLimits, ServerOptions, TlsIdentity};
use libtest_mimic::{Failed, Trial};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const NOT_THERE: &str = "a:DestinationUnreachable";
const NOT_OFFERED: &str = "a:ActionNotSupported";

/// The code a request is answered with: the subcode, or what stands alone. Empty where the answer is no fault.
fn wanted(stem: &str, action: &str) -> &'static str {
    // What is wrong with the request itself comes before what it is about.
    let number = stem.split('-').next().unwrap_or_default();
    match number {
        // It has namespaces below root.
        "12" => return "",
        "58" => return "w:EncodingLimit",
        "70" | "71" | "72" | "73" | "75" | "163" => return "n:CannotProcessFilter",
        "76" => return "n:FilterDialectRequestedUnavailable",
        "123" => return "s:MustUnderstand",
        "124" => return "w:SchemaValidationError",
        _ => {}
    }
    match action {
        "" => "",
        "Get" | "Enumerate" => NOT_THERE,
        "Pull" | "Release" => "n:InvalidEnumerationContext",
        _ => NOT_OFFERED,
    }
}

/// The last part of the URI in `a:Action`; empty where there is none.
fn action_of(text: &str) -> &str {
    let after = text.split("<a:Action").nth(1).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest);
    after.split('<').next().unwrap_or_default().rsplit('/').next().unwrap_or_default()
}

async fn asked(body: &str) -> String {
    let options = ServerOptions {
        credentials: None,
        scenario: None,
        tls: None::<TlsIdentity>,
        limits: ServerLimits::default(),
        ..ServerOptions::loopback(server::Credentials { user: String::new(), secret: String::new().into() })
    };
    let running = server::start(options).await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(running.addr()).await.unwrap();
    let head =
        "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nConnection: close\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(*running.enumerations().borrow(), 0);
    answer
}

fn exchange(stem: &str, request: &Path) -> Result<(), Failed> {
    let bytes = std::fs::read(request).unwrap();
    let end = memchr::memmem::find(&bytes, b"\r\n\r\n").ok_or("no head")?;
    let body = String::from_utf8(bytes[end + 4..].to_vec()).map_err(|_| "not UTF-8")?;
    let action = action_of(&body);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(asked(&body));
    let (head, told) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    // The code, and the subcode behind it where there is one.
    let codes = told.split("<s:Value>").skip(1).filter_map(|rest| rest.split('<').next());
    let code = codes.last().unwrap_or_default();
    let status = if code.is_empty() { "HTTP/1.1 200" } else { "HTTP/1.1 500" };
    if code != wanted(stem, action) || !head.starts_with(status) {
        return Err(format!("{action}: {code}: {told}").into());
    }
    Ok(())
}

/// One trial for each captured request that holds an envelope in clear.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let files = std::fs::read_dir(folder.join("omi")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().ends_with(".req.http")).collect();
    files.sort();
    let holds_one = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let body = memchr::memmem::find(&bytes, b"\r\n\r\n").map(|end| bytes[end + 4..].to_vec()).unwrap_or_default();
        body.starts_with(b"<s:Envelope") && memchr::memmem::find(&bytes, b"chunked").is_none_or(|at| at >= 400)
    };
    files.retain(holds_one);
    assert!(files.len() >= 100, "{} requests", files.len());
    let trial = |path: PathBuf| {
        let stem = path.file_name().unwrap().to_string_lossy().trim_end_matches(".req.http").to_owned();
        Trial::test(format!("asked of us/{stem}"), move || exchange(&stem, &path))
    };
    files.into_iter().map(trial).collect()
}
