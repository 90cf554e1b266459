//! Requests in, answers out, without a socket. Requests are shaped as those that real servers were seen to take.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod enumeration;
mod instance;

use super::*;

const CLASSES: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2";
const SCHEMA: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";
const ALL: &str = "http://schemas.dmtf.org/wbem/wscim/1/*";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";

fn service() -> WsMan {
    WsMan::new(Arc::new(Repository::embedded().expect("the embedded schema")), Arc::default())
}

/// A request on its way to be asked.
struct Asking {
    action: String,
    uri: String,
    selectors: Vec<(&'static str, String)>,
    headers: String,
    body: String,
}

impl Asking {
    fn new(action: &str, uri: &str) -> Self {
        let selectors = vec![("__cimnamespace", "root/cimv2".to_owned())];
        Self { action: action.to_owned(), uri: uri.to_owned(), selectors, headers: String::new(), body: String::new() }
    }

    fn get(class: &str) -> Self {
        Self::new(&format!("{TRANSFER}/Get"), &format!("{CLASSES}/{class}"))
    }

    fn enumerate(uri: &str, inner: &str) -> Self {
        let asking = Self::new(&format!("{ENUMERATION}/Enumerate"), uri);
        asking.body(&format!("<n:Enumerate>{inner}</n:Enumerate>"))
    }

    fn pull(class: &str, context: &str, max: usize) -> Self {
        let inner =
            format!("<n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>{max}</n:MaxElements>");
        Self::new(&format!("{ENUMERATION}/Pull"), &format!("{CLASSES}/{class}"))
            .body(&format!("<n:Pull>{inner}</n:Pull>"))
    }

    fn release(class: &str, context: &str) -> Self {
        let inner = format!("<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>");
        Self::new(&format!("{ENUMERATION}/Release"), &format!("{CLASSES}/{class}")).body(&inner)
    }

    fn within(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.selectors[0].1);
        self
    }

    fn selector(mut self, name: &'static str, value: &str) -> Self {
        self.selectors.push((name, value.to_owned()));
        self
    }

    fn header(mut self, header: &str) -> Self {
        self.headers.push_str(header);
        self
    }

    fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    fn text(&self) -> String {
        let selectors: String = self
            .selectors
            .iter()
            .map(|(name, value)| format!("<w:Selector Name=\"{name}\">{value}</w:Selector>"))
            .collect();
        let (action, uri, headers, body) = (&self.action, &self.uri, &self.headers, &self.body);
        format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
             xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
             xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" \
             xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\" \
             xmlns:p=\"http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd\"><s:Header><a:To>http://h:5985/wsman</a:To>\
             <w:ResourceURI s:mustUnderstand=\"true\">{uri}</w:ResourceURI><a:ReplyTo><a:Address s:mustUnderstand=\"true\">\
             http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
             <a:Action s:mustUnderstand=\"true\">{action}</a:Action><a:MessageID>uuid:1</a:MessageID>\
             <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/><p:SequenceId s:mustUnderstand=\"false\">1</p:SequenceId>\
             {headers}<w:SelectorSet>{selectors}</w:SelectorSet></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
    }

    fn ask(&self, service: &WsMan) -> Answered {
        answered(service, self.text().as_bytes())
    }
}

/// An answer, read.
struct Answered {
    status: u16,
    root: Element,
}

fn answered(service: &WsMan, body: &[u8]) -> Answered {
    let reply = service.answer(body, false).unwrap();
    let text = Charset::of(&reply.body).read(&reply.body).unwrap();
    let root = envelope::read(&text).unwrap_or_else(|fault| panic!("{fault:?}: {text}"));
    Answered { status: reply.status, root }
}

/// The elements below `element` and itself, in the order of the document.
fn all(element: &Element) -> Vec<&Element> {
    std::iter::once(element).chain(element.children.iter().flat_map(all)).collect()
}

impl Answered {
    /// Every element of that local name.
    fn named(&self, name: &str) -> Vec<&Element> {
        all(&self.root).into_iter().filter(|element| element.name == name).collect()
    }

    /// The text of the first element of that local name.
    fn text(&self, name: &str) -> Option<&str> {
        self.named(name).first().map(|element| element.trimmed())
    }

    /// Subcode and detail of a fault, the numbers of its `WSManFault`s.
    fn fault(&self) -> (String, String, Vec<String>) {
        assert_eq!(self.status, 500, "{:?}", self.root);
        let subcode = self.named("Subcode").first().map(|code| code.children[0].trimmed().to_owned());
        let detail = self.text("FaultDetail").and_then(|uri| uri.rsplit('/').next()).unwrap_or_default().to_owned();
        let numbers =
            self.named("WSManFault").iter().map(|fault| fault.attribute("Code").unwrap().to_owned()).collect();
        (subcode.unwrap_or_default(), detail, numbers)
    }

    /// The elements in `Items`, which is in WS-Management or WS-Enumeration.
    fn items(&self) -> Vec<&Element> {
        assert_eq!(self.status, 200, "{:?}", self.root);
        self.named("Items").first().map(|items| items.children.iter().collect()).unwrap_or_default()
    }

    fn context(&self) -> Option<&str> {
        self.text("EnumerationContext").filter(|context| !context.is_empty())
    }

    fn is_end(&self) -> bool {
        !self.named("EndOfSequence").is_empty()
    }
}

const IDENTIFY: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>";

#[test]
fn nobody_may_ask_who_is_there_and_nothing_else() {
    let service = service();
    let reply = service.answer(IDENTIFY.as_bytes(), true).unwrap();
    assert_eq!((reply.status, reply.media), (200, "application/soap+xml;charset=UTF-8"));
    let known = answered(&service, IDENTIFY.as_bytes());
    assert_eq!(known.text("ProductVendor"), Some("lazycim"));
    assert_eq!(known.text("ProtocolVersion"), Some("http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"));
    for other in [Asking::get("LC_Process").text(), "no XML".to_owned(), String::new()] {
        assert!(service.answer(other.as_bytes(), true).is_none(), "{other}");
    }
}

#[test]
fn a_request_in_utf_16_is_answered_in_utf_16() {
    let service = service();
    for charset in [Charset::Utf16Le, Charset::Utf16Be] {
        let reply = service.answer(&charset.write(IDENTIFY), false).unwrap();
        assert_eq!((reply.status, reply.media), (200, "application/soap+xml;charset=UTF-16"));
        assert_eq!(Charset::of(&reply.body), charset);
        assert!(charset.read(&reply.body).unwrap().contains("IdentifyResponse"));
    }
}

#[test]
fn headers_that_must_be_understood_are_or_end_the_request() {
    let service = service();
    let odd = "<z:Odd xmlns:z=\"urn:z\" s:mustUnderstand=\"true\"/>";
    let refused = Asking::get("LC_ComputerSystem").header(odd).ask(&service);
    assert_eq!(refused.status, 500);
    assert_eq!(refused.named("Value")[0].trimmed(), "s:MustUnderstand");
    let block = refused.named("NotUnderstood")[0];
    assert_eq!(block.attribute("qname"), Some("h:Odd"));
    let insisting = "<w:Locale xml:lang=\"de\" s:mustUnderstand=\"1\"/>";
    let refused = Asking::get("LC_ComputerSystem").header(insisting).ask(&service);
    assert_eq!(refused.fault().1, "Locale");
    let taken = Asking::get("LC_ComputerSystem").header("<z:Odd xmlns:z=\"urn:z\"/>").ask(&service).fault();
    assert_eq!(taken.0, "w:InvalidSelectors", "what need not be understood is passed over");
}

#[test]
fn what_every_request_has_is_missed() {
    let service = service();
    let whole = Asking::get("LC_ComputerSystem").text();
    let without = |name: &str| {
        let start = whole.find(&format!("<{name}")).unwrap();
        let end = whole.find(&format!("</{name}>")).unwrap() + name.len() + 3;
        format!("{}{}", &whole[..start], &whole[end..])
    };
    for (name, subcode) in [
        ("a:MessageID", "a:MessageInformationHeaderRequired"),
        ("a:Action", "a:MessageInformationHeaderRequired"),
        ("a:ReplyTo", "a:MessageInformationHeaderRequired"),
        ("w:ResourceURI", "a:DestinationUnreachable"),
        ("s:Body", "w:SchemaValidationError"),
    ] {
        assert_eq!(answered(&service, without(name).as_bytes()).fault().0, subcode, "{name}");
    }
    let elsewhere = whole.replace("role/anonymous", "role/other");
    assert_eq!(answered(&service, elsewhere.as_bytes()).fault().1, "AddressingMode");
    let write = Asking::new(&format!("{TRANSFER}/Put"), &format!("{CLASSES}/LC_Process"));
    assert_eq!(write.ask(&service).fault().0, "a:ActionNotSupported");
    let relates = Asking::get("LC_Nothing").ask(&service);
    assert_eq!(relates.text("RelatesTo"), Some("uuid:1"));
}

#[test]
fn what_is_no_envelope_is_a_fault_and_no_panic() {
    let service = service();
    let old = IDENTIFY.replace("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/");
    let refused = answered(&service, old.as_bytes());
    assert_eq!(refused.named("Value")[0].trimmed(), "s:VersionMismatch");
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    for broken in [
        "",
        "<",
        "<a/>",
        "<s:Envelope/>",
        "<!DOCTYPE s [<!ENTITY a \"b\">]><s/>",
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"/>",
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body/></s:Envelope>",
        &deep,
    ] {
        assert_eq!(answered(&service, broken.as_bytes()).fault().0, "w:SchemaValidationError", "{broken}");
    }
    assert_eq!(answered(&service, b"<s:E\xff/>").fault().0, "w:SchemaValidationError");
    let whole = Asking::enumerate(&format!("{CLASSES}/LC_Process"), "<w:OptimizeEnumeration/>").text();
    for end in 0..whole.len() {
        let reply = service.answer(&whole.as_bytes()[..end], false).unwrap();
        assert_eq!(reply.status, 500, "cut at {end}");
    }
}

#[test]
fn scenarios_know_operations_by_name() {
    let name = |asking: &Asking| operation(asking.text().as_bytes());
    assert_eq!(operation(IDENTIFY.as_bytes()), Some("Identify"));
    assert_eq!(name(&Asking::get("LC_Process")), Some("Get"));
    assert_eq!(name(&Asking::new(&format!("{TRANSFER}/Get"), SCHEMA)), Some("GetClass"));
    assert_eq!(name(&Asking::enumerate(ALL, "")), Some("Enumerate"));
    assert_eq!(name(&Asking::enumerate(SCHEMA, "")), Some("EnumerateClasses"));
    assert_eq!(name(&Asking::pull("LC_Process", "c", 1)), Some("Pull"));
    assert_eq!(name(&Asking::release("LC_Process", "c")), Some("Release"));
    assert_eq!(operation(b"<CIM/>"), None);
}
