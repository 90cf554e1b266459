//! Requests: the operations of WS-Transfer, WS-Enumeration and WS-Eventing as DSP0226 profiles them.
//!
//! Owns: the action, the selectors, the options and the body of a request; filters are in `filter`. Must not know
//! connections, the headers that are the same everywhere, or what the answer looks like.

mod filter;
#[cfg(test)]
mod tests;

pub use filter::{Along, Filter, dialect};

use super::{
    envelope::ANONYMOUS,
    namespaces::{ENUMERATION, EVENTING, TRANSFER},
    resource::{self, NAMESPACE, Naming},
};
use crate::{
    cim::{CimName, CimType, KeyBinding, KeyValue, Namespace, ObjectPath, text::real_text},
    protocol::xml::escape::escape,
};

/// Events are fetched by Pull (DSP0226 section 10.2.9.5).
const PULLED: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull";

/// What is said of a class beside its own elements (MS-WSMV section 3.1.4.8): without them neither inherited elements nor
/// the `key` qualifier come.
const WHOLE: &[&str] = &["IncludeInheritanceHierarchy", "IncludeInheritedElements", "IncludeQualifiers"];

/// What an enumeration answers for each instance (DSP0226 section 8.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The instance.
    #[default]
    Object,
    /// Its endpoint reference.
    Epr,
    /// Both.
    ObjectAndEpr,
}

/// What an enumeration does with instances of subclasses (DSP0227 section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polymorphism {
    /// They come as what they are.
    Include,
    /// They come with the properties of the class asked for.
    Exclude,
    /// They do not come.
    Without,
}

/// How to enumerate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enumeration<'a> {
    /// What comes of each instance.
    pub mode: Mode,
    /// What is done with subclasses; `None` leaves it to the server.
    pub polymorphism: Option<Polymorphism>,
    /// Which instances.
    pub filter: Option<Filter<'a>>,
}

/// A request being written.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    name: &'static str,
    action: String,
    namespace: Namespace,
    resource: String,
    selectors: String,
    options: String,
    /// Headers behind the common ones.
    last: String,
    body: Body,
    unsendable: Option<char>,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    Text(String),
    /// An Enumerate, whose elements are counted last.
    Enumerate {
        most: u32,
        rest: String,
    },
}

impl Request {
    fn new(name: &'static str, of: &str, namespace: &Namespace, resource: impl Into<String>) -> Self {
        let (mut selectors, mut unsendable) = (String::new(), None);
        if !namespace.is_empty() {
            push_selector(NAMESPACE, namespace.as_str(), &mut selectors, &mut unsendable);
        }
        Self {
            name,
            action: format!("{of}/{name}"),
            namespace: namespace.clone(),
            resource: resource.into(),
            selectors,
            options: String::new(),
            last: String::new(),
            body: Body::Text(String::new()),
            unsendable,
        }
    }

    /// The last word of its action: `Enumerate`, `Get` and so on.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The CIM namespace it is aimed at.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The resource URI it is aimed at.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The first character in it that cannot be sent.
    pub(super) fn unsendable(&self) -> Option<char> {
        self.unsendable
    }

    /// Whether it takes something out of the server: what was pulled and lost on its way back is gone. Of a subscription that
    /// was made and lost on its way back nobody knows.
    pub(super) fn takes(&self) -> bool {
        matches!(self.name, "Pull" | "Subscribe")
    }

    /// Action, selectors, options, further headers and body, as they are written.
    pub(super) fn parts(&self) -> (&str, String, &str, &str, String) {
        let selectors = match self.selectors.as_str() {
            "" => String::new(),
            selectors => format!("<w:SelectorSet>{selectors}</w:SelectorSet>"),
        };
        let body = match &self.body {
            Body::Text(text) => text.clone(),
            Body::Enumerate { most, rest } => format!(
                "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{most}</w:MaxElements>{rest}</n:Enumerate>"
            ),
        };
        (&self.action, selectors, &self.options, &self.last, body)
    }

    /// The same with at most `most` elements in the first answer.
    #[must_use]
    pub fn most(mut self, elements: u32) -> Self {
        if let Body::Enumerate { most, .. } = &mut self.body {
            *most = elements;
        }
        self
    }

    fn selector(&mut self, name: &str, value: &str) {
        push_selector(name, value, &mut self.selectors, &mut self.unsendable);
    }

    fn keys(&mut self, path: &ObjectPath, naming: Naming<'_>) {
        let namespace = path.namespace.as_ref().unwrap_or(&self.namespace);
        write_keys(path, namespace, naming, &mut self.selectors, &mut self.unsendable);
    }

    /// Asks for whole classes.
    fn whole(mut self) -> Self {
        let options = WHOLE.iter().map(|name| format!("<w:Option Name=\"{name}\" Type=\"xs:boolean\">true</w:Option>"));
        self.options = format!("<w:OptionSet s:mustUnderstand=\"true\">{}</w:OptionSet>", options.collect::<String>());
        self
    }

    fn enumeration(mut self, how: &Enumeration<'_>, naming: Naming<'_>) -> Self {
        let mut rest = match how.mode {
            Mode::Object => "",
            Mode::Epr => "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>",
            Mode::ObjectAndEpr => "<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>",
        }
        .to_owned();
        rest.push_str(match how.polymorphism {
            None => "",
            Some(Polymorphism::Include) => "<b:PolymorphismMode>IncludeSubClassProperties</b:PolymorphismMode>",
            Some(Polymorphism::Exclude) => "<b:PolymorphismMode>ExcludeSubClassProperties</b:PolymorphismMode>",
            Some(Polymorphism::Without) => "<b:PolymorphismMode>None</b:PolymorphismMode>",
        });
        if let Some(filter) = &how.filter {
            filter.write(&self.namespace, naming, &mut rest, &mut self.unsendable);
        }
        self.body = Body::Enumerate { most: 1, rest };
        self
    }

    /// A body that is one element around an enumeration context and what follows it.
    fn on_context(mut self, context: &str, rest: &str) -> Self {
        let mut body = format!("<n:{}><n:EnumerationContext>", self.name);
        escape(context, &mut body, &mut self.unsendable);
        body.push_str(&format!("</n:EnumerationContext>{rest}</n:{}>", self.name));
        self.body = Body::Text(body);
        self
    }

    /// The Pull that goes on with this Enumerate (DSP0226 section 8.4).
    #[must_use]
    pub fn pull(&self, context: &str, most: u32) -> Self {
        let pull = Self { name: "Pull", action: format!("{ENUMERATION}/Pull"), last: String::new(), ..self.clone() };
        pull.on_context(context, &format!("<n:MaxElements>{most}</n:MaxElements>"))
    }
}

fn push_selector(name: &str, value: &str, out: &mut String, unsendable: &mut Option<char>) {
    begin_selector(name, out, unsendable);
    escape(value, out, unsendable);
    out.push_str("</w:Selector>");
}

fn begin_selector(name: &str, out: &mut String, unsendable: &mut Option<char>) {
    out.push_str("<w:Selector Name=\"");
    escape(name, out, unsendable);
    out.push_str("\">");
}

/// The keys of `path`, which is in `namespace`, as selectors (DSP0227 section 6.4). So is what a key refers to, unless it says
/// otherwise.
fn write_keys(
    path: &ObjectPath,
    namespace: &Namespace,
    naming: Naming<'_>,
    out: &mut String,
    unsendable: &mut Option<char>,
) {
    for KeyBinding { name, value } in &path.keys {
        let text = match value {
            KeyValue::Bool(value) => value.to_string(),
            KeyValue::UInt(value) => value.to_string(),
            KeyValue::SInt(value) => value.to_string(),
            KeyValue::Real(value) => real_text(*value, CimType::Real64),
            KeyValue::String(text) => text.to_string(),
            KeyValue::Reference(to) => {
                begin_selector(name.as_str(), out, unsendable);
                out.push_str("<a:EndpointReference>");
                write_reference(to, to.namespace.as_ref().unwrap_or(namespace), naming, out, unsendable);
                out.push_str("</a:EndpointReference></w:Selector>");
                continue;
            }
        };
        push_selector(name.as_str(), &text, out, unsendable);
    }
}

/// What an endpoint reference to `path` holds.
fn write_reference(
    path: &ObjectPath,
    namespace: &Namespace,
    naming: Naming<'_>,
    out: &mut String,
    unsendable: &mut Option<char>,
) {
    out.push_str(&format!("<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>"));
    escape(&naming.class(namespace, &path.class), out, unsendable);
    out.push_str("</w:ResourceURI><w:SelectorSet>");
    push_selector(NAMESPACE, namespace.as_str(), out, unsendable);
    write_keys(path, namespace, naming, out, unsendable);
    out.push_str("</w:SelectorSet></a:ReferenceParameters>");
}

/// Enumerate on a resource.
pub fn enumerate<'n>(
    namespace: &Namespace,
    resource: &str,
    how: &Enumeration<'_>,
    naming: impl Into<Naming<'n>>,
) -> Request {
    Request::new("Enumerate", ENUMERATION, namespace, resource).enumeration(how, naming.into())
}

/// Release of an enumeration that was opened on `resource` (DSP0226 section 8.5).
pub fn release(namespace: &Namespace, resource: &str, context: &str) -> Request {
    Request::new("Release", ENUMERATION, namespace, resource).on_context(context, "")
}

/// Get of the instance `path` names, whole.
pub fn get<'n>(namespace: &Namespace, resource: &str, path: &ObjectPath, naming: impl Into<Naming<'n>>) -> Request {
    let mut request = Request::new("Get", TRANSFER, namespace, resource);
    request.keys(path, naming.into());
    request
}

/// Get of one property of it (DSP0226 section 7.7).
pub fn get_fragment<'n>(
    namespace: &Namespace,
    resource: &str,
    path: &ObjectPath,
    property: &CimName,
    naming: impl Into<Naming<'n>>,
) -> Request {
    let mut request = get(namespace, resource, path, naming);
    request.last.push_str("<w:FragmentTransfer s:mustUnderstand=\"true\">");
    escape(property.as_str(), &mut request.last, &mut request.unsendable);
    request.last.push_str("</w:FragmentTransfer>");
    request
}

/// Get of a class, whole.
pub fn get_class(namespace: &Namespace, class: &CimName) -> Request {
    let mut request = Request::new("Get", TRANSFER, namespace, resource::CLASSES);
    request.selector("ClassName", class.as_str());
    request.whole()
}

/// Enumerate of the classes below `parent`, whole, or of all.
pub fn enumerate_classes(namespace: &Namespace, parent: Option<&CimName>) -> Request {
    let mut request = Request::new("Enumerate", ENUMERATION, namespace, resource::CLASSES);
    request.selector("ClassName", parent.map_or("", CimName::as_str));
    request.whole().enumeration(&Enumeration::default(), Naming::default())
}

/// Subscribe to what `filter` selects, for the time `expires` in seconds; events are pulled from the context answered.
pub fn subscribe(namespace: &Namespace, resource: &str, filter: &Filter<'_>, expires: u32) -> Request {
    let mut request = Request::new("Subscribe", EVENTING, namespace, resource);
    let mut body = format!("<e:Subscribe><e:Delivery Mode=\"{PULLED}\"/><e:Expires>PT{expires}S</e:Expires>");
    filter.write(namespace, Naming::default(), &mut body, &mut request.unsendable);
    body.push_str("</e:Subscribe>");
    request.body = Body::Text(body);
    request
}

/// Unsubscribe; the identifier is what the answer to Subscribe named.
pub fn unsubscribe(namespace: &Namespace, resource: &str, identifier: &str) -> Request {
    let mut request = Request::new("Unsubscribe", EVENTING, namespace, resource);
    request.last.push_str("<e:Identifier>");
    escape(identifier, &mut request.last, &mut request.unsendable);
    request.last.push_str("</e:Identifier>");
    request.body = Body::Text("<e:Unsubscribe/>".to_owned());
    request
}
