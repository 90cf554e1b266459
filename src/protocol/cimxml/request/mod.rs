//! Requests: intrinsic operations as DSP0200 section 5.4 names them, in the XML of DSP0201.
//!
//! Owns: the request body and its HTTP headers; which parameters an operation has is in `intrinsic`. Must not know
//! connections or what the answer looks like.

mod intrinsic;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
pub use intrinsic::*;

use crate::{
    cim::{CimName, CimType, KeyBinding, KeyValue, Namespace, ObjectPath, text::real_text},
    protocol::xml::escape::{self, escape},
    wire::HttpRequest,
};

/// The extension an M-POST declares (RFC 2774, DSP0200 section 6.2.2), and the prefix of its fields.
const MAN: &str = "http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=73";

/// An intrinsic operation being written.
#[derive(Clone, Debug)]
pub struct Request {
    operation: &'static str,
    namespace: Namespace,
    parameters: String,
    locale: Option<String>,
    unsendable: Option<char>,
}

impl Request {
    /// The operation `operation` on `namespace`, without parameters yet.
    pub fn new(operation: &'static str, namespace: &Namespace) -> Self {
        Self { operation, namespace: namespace.clone(), parameters: String::new(), locale: None, unsendable: None }
    }

    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The namespace it is aimed at.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Adds a boolean parameter.
    #[must_use]
    pub fn flag(mut self, name: &str, value: bool) -> Self {
        let value = if value { "TRUE" } else { "FALSE" };
        self.push(&format!("<IPARAMVALUE NAME=\"{name}\"><VALUE>{value}</VALUE></IPARAMVALUE>"));
        self
    }

    /// Adds a parameter that is the name of a class.
    #[must_use]
    pub fn class(mut self, name: &str, class: &CimName) -> Self {
        self.push(&format!("<IPARAMVALUE NAME=\"{name}\"><CLASSNAME NAME=\""));
        self.text(class.as_str());
        self.push("\"/></IPARAMVALUE>");
        self
    }

    /// Adds a parameter that is a text.
    #[must_use]
    pub fn value(mut self, name: &str, value: &str) -> Self {
        self.push(&format!("<IPARAMVALUE NAME=\"{name}\"><VALUE>"));
        self.text(value);
        self.push("</VALUE></IPARAMVALUE>");
        self
    }

    /// Adds a parameter that is the name of an instance or, where `path` has no keys, of a class.
    #[must_use]
    pub fn object(self, name: &str, path: &ObjectPath) -> Self {
        if path.keys.is_empty() { self.class(name, &path.class) } else { self.instance(name, path) }
    }

    /// Adds a parameter that is a list of names; an empty list is sent as one.
    #[must_use]
    pub fn list(mut self, name: &str, items: &[CimName]) -> Self {
        self.push(&format!("<IPARAMVALUE NAME=\"{name}\"><VALUE.ARRAY>"));
        for item in items {
            self.push("<VALUE>");
            self.text(item.as_str());
            self.push("</VALUE>");
        }
        self.push("</VALUE.ARRAY></IPARAMVALUE>");
        self
    }

    /// Adds a parameter that is the name of an instance: namespace and host of `path` are left out.
    #[must_use]
    pub fn instance(mut self, name: &str, path: &ObjectPath) -> Self {
        self.push(&format!("<IPARAMVALUE NAME=\"{name}\">"));
        self.instance_name(path);
        self.push("</IPARAMVALUE>");
        self
    }

    /// Asks for texts in this language.
    #[must_use]
    pub fn locale(mut self, locale: Option<&str>) -> Self {
        self.locale = locale.map(str::to_owned);
        self
    }

    fn push(&mut self, markup: &str) {
        self.parameters.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        escape(text, &mut self.parameters, &mut self.unsendable);
    }

    fn instance_name(&mut self, path: &ObjectPath) {
        self.push("<INSTANCENAME CLASSNAME=\"");
        self.text(path.class.as_str());
        self.push("\">");
        for KeyBinding { name, value } in &path.keys {
            let named = !name.as_str().is_empty();
            if named {
                self.push("<KEYBINDING NAME=\"");
                self.text(name.as_str());
                self.push("\">");
            }
            self.key(value);
            if named {
                self.push("</KEYBINDING>");
            }
        }
        self.push("</INSTANCENAME>");
    }

    fn key(&mut self, value: &KeyValue) {
        let (kind, text) = match value {
            KeyValue::Bool(value) => ("boolean", if *value { "TRUE" } else { "FALSE" }.to_owned()),
            KeyValue::UInt(value) => ("numeric", value.to_string()),
            KeyValue::SInt(value) => ("numeric", value.to_string()),
            KeyValue::Real(value) => ("numeric", real_text(*value, CimType::Real64)),
            KeyValue::String(text) => ("string", text.to_string()),
            KeyValue::Reference(path) => return self.reference(path),
        };
        self.push(&format!("<KEYVALUE VALUETYPE=\"{kind}\">"));
        self.text(&text);
        self.push("</KEYVALUE>");
    }

    /// A reference as it came: with as much of host and namespace as it has.
    fn reference(&mut self, path: &ObjectPath) {
        self.push("<VALUE.REFERENCE>");
        match (&path.host, &path.namespace) {
            (Some(host), Some(namespace)) => {
                self.push("<INSTANCEPATH><NAMESPACEPATH><HOST>");
                self.text(host);
                self.push("</HOST>");
                self.namespace_path(namespace);
                self.push("</NAMESPACEPATH>");
                self.instance_name(path);
                self.push("</INSTANCEPATH>");
            }
            (None, Some(namespace)) => {
                self.push("<LOCALINSTANCEPATH>");
                self.namespace_path(namespace);
                self.instance_name(path);
                self.push("</LOCALINSTANCEPATH>");
            }
            _ => self.instance_name(path),
        }
        self.push("</VALUE.REFERENCE>");
    }

    fn namespace_path(&mut self, namespace: &Namespace) {
        let mut markup = String::new();
        write_namespace(namespace, &mut markup, &mut self.unsendable);
        self.push(&markup);
    }

    /// The request body.
    pub fn body(&self) -> String {
        let mut path = String::new();
        write_namespace(&self.namespace, &mut path, &mut None);
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\
             <MESSAGE ID=\"1001\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"{}\">{path}{}</IMETHODCALL>\
             </SIMPLEREQ></MESSAGE></CIM>",
            self.operation, self.parameters
        )
    }

    /// The request for the HTTP path `path`, as POST or as M-POST (DSP0200 section 6.2.2).
    ///
    /// # Errors
    /// A character no XML document can hold, or a header that cannot be sent: in words.
    pub fn build(&self, path: &str, m_post: bool) -> Result<HttpRequest, String> {
        let mut unsendable = self.unsendable;
        write_namespace(&self.namespace, &mut String::new(), &mut unsendable);
        if let Some(odd) = unsendable {
            return Err(escape::refusal(odd));
        }
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|_| format!("{text:?} cannot be sent in a header"));
        let mut headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8")),
            (header::ACCEPT, HeaderValue::from_static("application/xml, text/xml")),
        ];
        let [operation, method, object] = if m_post {
            headers.push((HeaderName::from_static("man"), HeaderValue::from_static(MAN)));
            ["73-cimoperation", "73-cimmethod", "73-cimobject"]
        } else {
            ["cimoperation", "cimmethod", "cimobject"]
        };
        headers.push((HeaderName::from_static(operation), HeaderValue::from_static("MethodCall")));
        headers.push((HeaderName::from_static(method), HeaderValue::from_static(self.operation)));
        headers.push((HeaderName::from_static(object), value(&encoded(self.namespace.as_str()))?));
        if let Some(locale) = &self.locale {
            headers.push((header::ACCEPT_LANGUAGE, value(locale)?));
        }
        let body = Bytes::from(self.body());
        let method =
            if m_post { Method::from_bytes(b"M-POST").map_err(|error| error.to_string())? } else { Method::POST };
        // A batch that was pulled and lost on its way back is gone: pulling again would leave it out and say nothing.
        let takes = self.operation.starts_with("Pull");
        Ok(HttpRequest { method, path: path.to_owned(), headers, body, is_write: false, takes })
    }
}

fn write_namespace(namespace: &Namespace, out: &mut String, unsendable: &mut Option<char>) {
    out.push_str("<LOCALNAMESPACEPATH>");
    for part in namespace.parts() {
        out.push_str("<NAMESPACE NAME=\"");
        escape(part, out, unsendable);
        out.push_str("\"/>");
    }
    out.push_str("</LOCALNAMESPACEPATH>");
}

/// The value of a CIMObject header: what a header cannot hold is percent-encoded as UTF-8 (DSP0200 section 7.2.6).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~:!".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::op::OperationOptions;

    fn key(name: &str, value: KeyValue) -> KeyBinding {
        KeyBinding { name: CimName::new(name), value }
    }

    #[test]
    fn keys_carry_their_value_type_and_only_entities() {
        let text = |text: &str| KeyValue::String(Box::from(text));
        let inner = ObjectPath::new(Some(Namespace::new("root/x")), CimName::new("B"), vec![key("", text("y"))]);
        let keys = vec![
            key("S", text("a<&\">'\t\u{e4}]]>")),
            key("U", KeyValue::UInt(u64::MAX)),
            key("N", KeyValue::SInt(i64::MIN)),
            key("T", KeyValue::Bool(true)),
            key("F", KeyValue::Real(1e16)),
            key("R", KeyValue::Reference(Box::new(inner))),
        ];
        let path = ObjectPath::new(None, CimName::new("A"), keys);
        let body = get_instance(&Namespace::new("root/cimv2"), &path, &OperationOptions::default()).body();
        for part in [
            "<KEYBINDING NAME=\"S\"><KEYVALUE VALUETYPE=\"string\">a&lt;&amp;&quot;&gt;&apos;&#9;\u{e4}]]&gt;</KEYVALUE>",
            "<KEYVALUE VALUETYPE=\"numeric\">18446744073709551615</KEYVALUE>",
            "<KEYVALUE VALUETYPE=\"numeric\">-9223372036854775808</KEYVALUE>",
            "<KEYVALUE VALUETYPE=\"boolean\">TRUE</KEYVALUE>",
            "<KEYVALUE VALUETYPE=\"numeric\">1.0e16</KEYVALUE>",
            "<VALUE.REFERENCE><LOCALINSTANCEPATH><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"x\"/>\
             </LOCALNAMESPACEPATH><INSTANCENAME CLASSNAME=\"B\"><KEYVALUE VALUETYPE=\"string\">y</KEYVALUE>\
             </INSTANCENAME></LOCALINSTANCEPATH></VALUE.REFERENCE>",
        ] {
            assert!(body.contains(part), "{part}\nnot in\n{body}");
        }
        assert!(!body.contains("CDATA"));
    }

    #[test]
    fn headers_agree_with_the_body_and_are_encoded() {
        let request = get_class(&Namespace::new("root/b\u{e4}r x"), &CimName::new("A")).build("/cimom", false).unwrap();
        let header = |name: &str| request.headers.iter().find(|header| header.0 == name).unwrap().1.to_str().unwrap();
        assert_eq!(header("cimoperation"), "MethodCall");
        assert_eq!(header("cimmethod"), "GetClass");
        assert_eq!(header("cimobject"), "root/b%C3%A4r%20x");
        assert_eq!(header("content-type"), "application/xml; charset=utf-8");
        assert!(request.headers.iter().all(|header| header.0 != "te"));
        assert!(!request.is_write && !request.takes);
        assert!(pull("PullInstances", &Namespace::new("root"), "7", 1).build("/cimom", false).unwrap().takes);
    }

    #[test]
    fn what_xml_cannot_hold_is_refused_before_it_is_sent() {
        let request = get_class(&Namespace::new("root"), &CimName::new("A\u{1b}[2J"));
        assert_eq!(request.build("/cimom", false).unwrap_err(), "the character U+001B cannot be sent in XML");
    }
}
