//! The envelope of a request: SOAP 1.2 with the headers of WS-Management (DSP0226) and Windows (MS-WSMV section 2.2.4).
//!
//! Owns: which headers there are and their order, which is one every server takes: `ResourceURI` before `SelectorSet`, all
//! namespaces declared on the envelope. Must not know what is asked.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};

use super::{request::Request, uuid::Uuid};
use crate::{
    protocol::xml::escape::{self, escape},
    wire::HttpRequest,
};

/// The role an answer goes back to, and the address of every endpoint reference: whoever asked knows where.
pub const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

/// Every prefix a request uses. `p` is Windows' own; servers that do not know it skip its headers.
const PREFIXES: &str = "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
    xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" \
    xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\" \
    xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/08/eventing\" \
    xmlns:p=\"http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd\" \
    xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"";

/// The whole message of Identify (DSP0226 section 11), the one request without headers.
const IDENTIFY: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:wsmid=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\">\
    <s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>";

/// What is the same in every request of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The URL of the server, as `a:To` names it.
    pub to: String,
    /// The live session.
    pub session: Uuid,
    /// The language texts are wanted in.
    pub locale: Option<String>,
    /// How long the server may work on a request.
    pub timeout: Duration,
    /// The most bytes of an answer.
    pub envelope_bytes: u32,
}

/// The HTTP request for the path `path`. Names the message and the operation anew each time: servers refuse an
/// `OperationID` they have seen (MS-WSMV section 3.1.4.1.4).
///
/// # Errors
/// A character no XML document can hold, or no random numbers: in words.
pub fn build(request: &Request, addressing: &Addressing, path: &str) -> Result<HttpRequest, String> {
    let body = text(request, addressing, Uuid::random()?, Uuid::random()?)?;
    let content_type = HeaderValue::from_static("application/soap+xml;charset=UTF-8");
    Ok(HttpRequest {
        method: Method::POST,
        path: path.to_owned(),
        headers: vec![(header::CONTENT_TYPE, content_type)],
        body: Bytes::from(body),
        is_write: false,
        takes: request.takes(),
    })
}

/// The HTTP request that asks who is there; `anonymous` without credentials, as Windows allows it for this alone.
pub fn identify(path: &str, anonymous: bool) -> HttpRequest {
    let content_type = HeaderValue::from_static("application/soap+xml;charset=UTF-8");
    let mut headers = vec![(header::CONTENT_TYPE, content_type)];
    if anonymous {
        let value = HeaderValue::from_static("unauthenticated");
        headers.push((HeaderName::from_static("wsmanidentify"), value));
    }
    let body = Bytes::from_static(IDENTIFY.as_bytes());
    HttpRequest { method: Method::POST, path: path.to_owned(), headers, body, is_write: false, takes: false }
}

/// The same request in UTF-16, little-endian with a byte order mark, as Windows sends it.
pub fn in_utf16(mut request: HttpRequest) -> HttpRequest {
    let text = String::from_utf8_lossy(&request.body);
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    request.body = units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>().into();
    for (name, value) in &mut request.headers {
        if *name == header::CONTENT_TYPE {
            *value = HeaderValue::from_static("application/soap+xml;charset=UTF-16");
        }
    }
    request
}

fn text(request: &Request, addressing: &Addressing, message: Uuid, operation: Uuid) -> Result<String, String> {
    let mut unsendable = request.unsendable();
    let mut escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        escape(text, &mut out, &mut unsendable);
        out
    };
    let (to, resource) = (escaped(&addressing.to), escaped(request.resource()));
    let locale = addressing.locale.as_deref().map(escaped).map_or_else(String::new, |locale| {
        format!(
            "<w:Locale xml:lang=\"{locale}\" s:mustUnderstand=\"false\"/>\
             <p:DataLocale xml:lang=\"{locale}\" s:mustUnderstand=\"false\"/>"
        )
    });
    if let Some(odd) = unsendable {
        return Err(escape::refusal(odd));
    }
    let Addressing { session, timeout, envelope_bytes, .. } = addressing;
    let (action, selectors, options, last, body) = request.parts();
    Ok(format!(
        "<s:Envelope {PREFIXES}><s:Header><a:To>{to}</a:To>\
         <w:ResourceURI s:mustUnderstand=\"true\">{resource}</w:ResourceURI>\
         <a:ReplyTo><a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo>\
         <a:Action s:mustUnderstand=\"true\">{action}</a:Action>\
         <w:MaxEnvelopeSize s:mustUnderstand=\"true\">{envelope_bytes}</w:MaxEnvelopeSize>\
         <a:MessageID>{message}</a:MessageID>{locale}\
         <p:SessionId s:mustUnderstand=\"false\">{session}</p:SessionId>\
         <p:OperationID s:mustUnderstand=\"false\">{operation}</p:OperationID>\
         <p:SequenceId s:mustUnderstand=\"false\">1</p:SequenceId>\
         {selectors}{options}<w:OperationTimeout>PT{}.{:03}S</w:OperationTimeout>{last}</s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>",
        timeout.as_secs(),
        timeout.subsec_millis(),
    ))
}
