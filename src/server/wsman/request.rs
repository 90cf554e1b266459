//! Requests: what the headers of an envelope say.
//!
//! Owns: the headers that are known, which must be understood, and their limits. Must not know what an operation does.

use super::{
    Charset,
    envelope::{
        ADDRESSING, ANONYMOUS, ENUMERATION, EVENTING, Element, IDENTITY, MANAGEMENT, MICROSOFT, SOAP, TRANSFER,
    },
    fault::{Fault, number},
    resource::{self, Named, Resource},
};
use crate::cim::Namespace;

/// The smallest envelope a client may ask for (DSP0226 R13.1-2).
const ENVELOPE_MIN: usize = 8_192;
/// The largest envelope written, whatever is asked for.
const ENVELOPE_MAX: usize = 4 << 20;
/// The size where none is asked for: WinRM's.
const ENVELOPE: usize = 153_600;
/// The most selectors and options of a request.
const PAIRS: usize = 64;
/// The namespace where neither selector nor URI names one.
const DEFAULT_NAMESPACE: &str = "root/cimv2";

/// Headers that are known, by namespace.
const KNOWN: &[(&str, &[&str])] = &[
    (ADDRESSING, &["To", "Action", "ReplyTo", "FaultTo", "From", "MessageID", "RelatesTo"]),
    (
        MANAGEMENT,
        &[
            "ResourceURI",
            "SelectorSet",
            "OptionSet",
            "OperationTimeout",
            "MaxEnvelopeSize",
            "Locale",
            "FragmentTransfer",
            "RequestEPR",
            "RequestTotalItemsCountEstimate",
        ],
    ),
    (MICROSOFT, &["DataLocale", "SessionId", "OperationID", "SequenceId", "ActivityId", "CorrelationId"]),
];

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Identify,
    Get,
    Enumerate,
    Pull,
    Release,
}

impl Action {
    fn of(uri: &str) -> Option<Self> {
        let (namespace, name) = uri.rsplit_once('/')?;
        Some(match (namespace, name) {
            (TRANSFER, "Get") => Self::Get,
            (ENUMERATION, "Enumerate") => Self::Enumerate,
            (ENUMERATION, "Pull") => Self::Pull,
            (ENUMERATION, "Release") => Self::Release,
            _ => return None,
        })
    }
}

/// The value of a selector.
#[derive(Debug)]
pub(super) enum Selected {
    Text(String),
    /// The endpoint reference of a key that is a reference.
    Reference(Element),
}

/// A selector: the name of a key and its value.
pub(super) type Selector = (String, Selected);

/// A request whose headers are understood.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) action: Action,
    /// `MessageID`, which the answer relates to.
    pub(super) message: Option<String>,
    /// What it is about; Identify is about nothing.
    pub(super) named: Option<Named>,
    pub(super) namespace: Namespace,
    /// The selectors without the namespace.
    pub(super) selectors: Vec<Selector>,
    options: Vec<(String, String)>,
    /// The largest answer, in bytes.
    pub(super) envelope: usize,
    /// `FragmentTransfer`: the one property that is wanted.
    pub(super) fragment: Option<String>,
    /// The first element of the body.
    pub(super) body: Option<Element>,
}

/// Whether the envelope asks who is there, which needs no headers (DSP0226 section 11).
pub(super) fn is_identify(envelope: &Element) -> bool {
    envelope.child(SOAP, "Body").is_some_and(|body| body.child(IDENTITY, "Identify").is_some())
}

/// The operation an envelope asks for, as scenarios name it.
pub(super) fn operation(envelope: &Element) -> Option<&'static str> {
    if is_identify(envelope) {
        return Some("Identify");
    }
    let header = envelope.child(SOAP, "Header")?;
    let named = header.child(MANAGEMENT, "ResourceURI").and_then(|uri| resource::read(uri.trimmed()));
    let is_schema = matches!(named, Some(Named { resource: Resource::Schema(_), .. }));
    let action = header.child(ADDRESSING, "Action")?.trimmed();
    // Scenarios tell of events; there are none otherwise.
    if let Some((EVENTING, name)) = action.rsplit_once('/') {
        return ["Subscribe", "Unsubscribe"].into_iter().find(|known| *known == name);
    }
    Some(match Action::of(action)? {
        Action::Identify => "Identify",
        Action::Get if is_schema => "GetClass",
        Action::Get => "Get",
        Action::Enumerate if is_schema => "EnumerateClasses",
        Action::Enumerate => "Enumerate",
        Action::Pull => "Pull",
        Action::Release => "Release",
    })
}

impl Request {
    /// The request in an envelope.
    pub(super) fn new(mut envelope: Element, charset: Charset) -> Result<Self, Fault> {
        if is_identify(&envelope) {
            return Ok(Self::bare(Action::Identify));
        }
        let is_body = |child: &Element| child.is(SOAP, "Body");
        let body = envelope.children.iter().position(is_body).map(|at| envelope.children.swap_remove(at));
        let body = body.ok_or_else(|| Fault::schema("the envelope has no body"))?.children.into_iter().next();
        let header = envelope.child(SOAP, "Header").ok_or_else(|| Fault::schema("the envelope has no header"))?;
        understand(header)?;
        let action = required(header, "Action")?;
        let action = Action::of(action).ok_or_else(|| {
            let reason = "The action is not supported: this server only reads.";
            Fault::sender("a:ActionNotSupported", number::ACTION_NOT_SUPPORTED, reason)
        })?;
        let mut request = Self { body, ..Self::bare(action) };
        request.message = Some(required(header, "MessageID")?.to_owned());
        required_reply(header)?;
        let uri = header.child(MANAGEMENT, "ResourceURI").map(Element::trimmed).unwrap_or_default();
        let named = resource::read(uri).ok_or_else(|| {
            Fault::no_resource("The resource URI is missing, or is of no spelling this server knows.")
        })?;
        request.select(header)?;
        if let Some(namespace) = &named.namespace {
            request.namespace = namespace.clone();
        }
        request.named = Some(named);
        if let Some(set) = header.child(MANAGEMENT, "OptionSet") {
            request.options =
                pairs(set, "Option")?.into_iter().map(|(name, option)| (name, option.trimmed().to_owned())).collect();
        }
        // What is written is measured before it becomes UTF-16, where a character takes at least two bytes.
        request.envelope = envelope_size(header)? / if charset == Charset::Utf8 { 1 } else { 2 };
        request.fragment = header.child(MANAGEMENT, "FragmentTransfer").map(|one| one.trimmed().to_owned());
        Ok(request)
    }

    fn bare(action: Action) -> Self {
        Self {
            action,
            message: None,
            named: None,
            namespace: Namespace::new(DEFAULT_NAMESPACE),
            selectors: Vec::new(),
            options: Vec::new(),
            envelope: ENVELOPE,
            fragment: None,
            body: None,
        }
    }

    /// Takes the selectors, the namespace among them.
    fn select(&mut self, header: &Element) -> Result<(), Fault> {
        let Some(set) = header.child(MANAGEMENT, "SelectorSet") else { return Ok(()) };
        let (namespace, selectors) = selectors(set)?;
        self.selectors = selectors;
        if let Some(namespace) = namespace {
            self.namespace = namespace;
        }
        Ok(())
    }

    /// Whether the option `name` is set.
    pub(super) fn has_option(&self, name: &str) -> bool {
        let mut options = self.options.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        options.next().is_some_and(|(_, value)| value.eq_ignore_ascii_case("true") || value == "1")
    }
}

/// The namespace and the other selectors of a set (DSP0227 section 6).
pub(super) fn selectors(set: &Element) -> Result<(Option<Namespace>, Vec<Selector>), Fault> {
    let (mut namespace, mut selectors) = (None, Vec::new());
    for (name, selector) in pairs(set, "Selector")? {
        if name.eq_ignore_ascii_case("__cimnamespace") {
            namespace = Some(Namespace::new(selector.trimmed()));
        } else if let Some(reference) = selector.child(ADDRESSING, "EndpointReference") {
            selectors.push((name, Selected::Reference(reference.clone())));
        } else {
            selectors.push((name, Selected::Text(selector.text)));
        }
    }
    Ok((namespace, selectors))
}

/// The elements `name` of a set with their names; none twice.
fn pairs(set: &Element, name: &str) -> Result<Vec<(String, Element)>, Fault> {
    let mut found: Vec<(String, Element)> = Vec::new();
    for child in set.children.iter().filter(|child| child.is(MANAGEMENT, name)) {
        let key = child.attribute("Name").ok_or_else(|| Fault::schema("a selector or option has no name"))?;
        if found.len() == PAIRS {
            return Err(Fault::schema("more selectors or options than any request has"));
        }
        if name == "Selector" && found.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return Err(Fault::selectors("DuplicateSelectors", format!("The selector {key} is given twice.")));
        }
        found.push((key.to_owned(), child.clone()));
    }
    Ok(found)
}

/// Refuses a header that must be understood and is not (SOAP 1.2 part 1 section 5.2.3).
fn understand(header: &Element) -> Result<(), Fault> {
    for block in &header.children {
        let must = block.attribute_in(SOAP, "mustUnderstand").map(str::trim);
        if !must.is_some_and(|must| must == "true" || must == "1") {
            continue;
        }
        if !KNOWN.iter().any(|(space, names)| *space == block.namespace && names.contains(&block.name.as_str())) {
            return Err(Fault::not_understood(&block.namespace, &block.name));
        }
        // MS-WSMV section 2.2.4.19: no language is promised.
        if matches!(block.name.as_str(), "Locale" | "DataLocale") {
            return Err(Fault::unsupported("Locale", "A language cannot be insisted on."));
        }
    }
    Ok(())
}

/// The text of a header of WS-Addressing that every request has.
fn required<'h>(header: &'h Element, name: &str) -> Result<&'h str, Fault> {
    let found = header.child(ADDRESSING, name).map(Element::trimmed).filter(|text| !text.is_empty());
    found.ok_or_else(|| missing(name))
}

fn required_reply(header: &Element) -> Result<(), Fault> {
    let address = header.child(ADDRESSING, "ReplyTo").and_then(|to| to.child(ADDRESSING, "Address"));
    match address.map(Element::trimmed) {
        None => Err(missing("ReplyTo")),
        Some(ANONYMOUS) => Ok(()),
        Some(_) => Err(Fault::unsupported("AddressingMode", "Answers go to who asks and to nobody else.")),
    }
}

fn missing(name: &str) -> Fault {
    let reason = format!("The header {name} is missing.");
    Fault::sender("a:MessageInformationHeaderRequired", number::HEADER_REQUIRED, reason)
}

fn envelope_size(header: &Element) -> Result<usize, Fault> {
    let Some(asked) = header.child(MANAGEMENT, "MaxEnvelopeSize") else { return Ok(ENVELOPE) };
    let size = asked.trimmed().parse::<u64>().map_err(|_| Fault::schema("MaxEnvelopeSize is no number"))?;
    if size < ENVELOPE_MIN as u64 {
        return Err(Fault::too_small(ENVELOPE_MIN));
    }
    Ok(usize::try_from(size).unwrap_or(ENVELOPE_MAX).min(ENVELOPE_MAX))
}
