//! Rows of answers that cannot be read, hold something else than was asked for, or reach a limit.
//!
//! Owns: their words. Must not know XML.

use super::{Explanation, fill, page::Section};

/// The body is not what the protocol has.
pub mod body {
    section! {
        "Answers that cannot be read (receive)",
        "The rows before the fault are kept. Where the fault stands is told in bytes, and in which item, counted from 0.",
        HTML = "the answer is not CIM-XML (looks like HTML)", "a web server or a proxy answered",
            "check protocol, port and path: CIM-XML servers mostly listen on 5989 (https) or 5988 (http) at /cimom";
        JSON = "the answer is not CIM-XML (looks like JSON)", "another interface answered, Redfish perhaps",
            "check protocol, port and path: CIM-XML servers mostly listen on 5989 (https) or 5988 (http) at /cimom";
        SOAP = "the answer is not CIM-XML (looks like SOAP, as WS-Man sends it)", "WS-Man or another web service answered",
            "check protocol, port and path: use wsman for WS-Man, or the port of CIM-XML (5989, 5988)";
        TEXT = "the answer is not CIM-XML (it begins with text)", "another service answered",
            "check protocol, port and path: CIM-XML servers mostly listen on 5989 (https) or 5988 (http) at /cimom";
        OTHER_XML = "the answer is not CIM-XML: its root element is another", "another service that speaks XML answered",
            "check protocol, port and path: CIM-XML servers mostly listen on 5989 (https) or 5988 (http) at /cimom";
        EMPTY = "the answer is empty", "the server said that all is well and sent nothing",
            "look at the server's log: what was to answer may have died";
        NO_RESPONSE = "the answer holds no response", "the frame of CIM-XML is there, with nothing in it",
            "look at the server's log: what was to answer may have died";
        CUT_SHORT = "the answer ends in the middle", "the server stopped writing and said that it was done",
            "try again; if it ends there again, ask for fewer properties to leave the broken one out";
        ILL_FORMED = "ill-formed XML", "the server sent something broken: a character it should have escaped, mostly",
            "ask for fewer properties to leave the broken one out; E or -v shows its raw text";
        MISPLACED = "something CIM-XML does not have there", "the server sent something broken: XML, but not by DSP0201",
            "ask for fewer properties to leave the broken one out; E or -v shows its raw text";
        WRONG_BYTES = "bytes that are not {encoding}", "the server sent something broken: text in another encoding than it says",
            "ask for fewer properties to leave the broken one out; E or -v shows its raw text";
        SUBSET = "a DOCTYPE with an internal subset, which is refused",
            "the server sent something broken: entities of its own could grow without end",
            "check that this is a CIM server: none sends that";
    }
}

/// The body is not what WS-Man has. What both protocols share is in [`body`].
pub mod soap {
    section! {
        "Answers that are not WS-Man (receive)", "As above, where WS-Man was asked for.",
        HTML = "the answer is not WS-Man (looks like HTML)", "a web server or a proxy answered",
            "check protocol, port and path: WS-Man servers mostly listen on 5986 (https) or 5985 (http) at /wsman";
        JSON = "the answer is not WS-Man (looks like JSON)", "another interface answered, Redfish perhaps",
            "check protocol, port and path: WS-Man servers mostly listen on 5986 (https) or 5985 (http) at /wsman";
        CIM_XML = "the answer is not WS-Man (it is CIM-XML)", "a CIM-XML server answered",
            "use cimxml as the protocol, or the port of WS-Man (5986, 5985)";
        TEXT = "the answer is not WS-Man (it begins with text)", "another service answered",
            "check protocol, port and path: WS-Man servers mostly listen on 5986 (https) or 5985 (http) at /wsman";
        VERSION = "the answer is SOAP, but not of version 1.2", "another web service answered",
            "check protocol, port and path: WS-Man servers mostly listen on 5986 (https) or 5985 (http) at /wsman";
        OTHER_XML = "the answer is not WS-Man: its root element is another", "another service that speaks XML answered",
            "check protocol, port and path: WS-Man servers mostly listen on 5986 (https) or 5985 (http) at /wsman";
        ENCODING_REFUSED = "the server does not take requests in UTF-16", "it refused the first one it was sent",
            "write wsman.encoding = \"utf-8\", which every server takes";
        NO_RESPONSE = "the envelope holds no response", "its body is empty where something was asked for",
            "look at the server's log: what was to answer may have died";
        MISPLACED = "something WS-Man does not have there", "the server sent something broken: XML, but not by DSP0226",
            "ask for fewer properties to leave the broken one out; E or -v shows its raw text";
    }
}

/// The body is well, what it holds is not what was asked for.
pub mod content {
    section! {
        "Answers without what was asked for (receive)", "The answer can be read.",
        ODD_VALUE = "a value is none of its type; it is shown as it was sent", "the server does not keep to the class, or the class to it",
            "look at the class for the property's type";
        NO_INSTANCE = "the server answered no instance", "it said that all is well and sent nothing",
            "enumerate the class to see whether the instance is there";
        NO_CLASS = "the server answered no class", "it said that all is well and sent nothing",
            "enumerate the class: its columns can be told from its instances";
        NO_QUALIFIER = "the server answered no qualifier type", "it said that all is well and sent nothing",
            "enumerate the qualifier types to see whether it is declared";
        NO_FILTER = "the server applies no filter queries here", "it does not pull, or does not know the filter's language",
            "leave the filter out, and filter what comes";
        FILTER_WITHOUT_PULL = "a filter query needs a pulled enumeration, and the session pulls none",
            "the session says so", "set pull = \"auto\" for the session";
        NO_PULL = "the server does not pull enumerations", "the session asks for nothing else",
            "let the session pull only where the server can (pull = \"auto\")";
        NO_CONTEXT = "the answer to {operation} names no enumeration context and no end", "nobody can say how it would go on",
            "set pull = \"off\" for the session, so that everything comes in one answer";
        LONG_CONTEXT = "the enumeration context is longer than {limit} bytes", "it would go out again with each request",
            "set pull = \"off\" for the session, so that everything comes in one answer";
        NO_PROGRESS = "{count} batches in a row brought no object and no end", "the server's provider may be stuck",
            "look at the server's log; then try again";
        NO_END = "the answer to {operation} has neither an enumeration context nor an end marker", "nobody can say how it would go on",
            "look at the server's log; what came before is kept";
        OVERLONG_CONTEXT = "the enumeration context has more than {limit} bytes", "it would go out again with each request",
            "check that this is a WS-Man server: none sends that";
        OVERSIZED = "the answer is larger than {limit} bytes, and {agreed} were agreed",
            "the server does not keep to MaxEnvelopeSize; what came before is kept",
            "ask for less, or agree to more (wsman.max_envelope_size of the session) if the server is to be trusted";
        NO_CLASS_LIST = "the server does not list its classes", "many WS-Man servers have no such list",
            "name the class: what has a name can be fetched all the same";
        NO_TYPES = "values are shown without their types", "the server does not tell its classes",
            "use cimxml as the protocol, where the server speaks it too";
        CLASS_NOT_TOLD = "values are shown without their types: {cause}", "the class was asked for and did not come",
            "read the rows again: a refresh asks for the class once more";
        NOT_IN_WSMAN = "WS-Man does not have this operation", "it knows instances, and associations of instances",
            "use cimxml as the protocol, where the server speaks it too";
        NOT_IN_CIMXML = "CIM-XML has no subscriptions whose events are pulled", "it sends events to a listener, and lazycim is none",
            "use wsman as the protocol, where the server speaks it too";
        SUBSCRIPTION_OVER = "the server does not know the subscription any more", "its time ran out, or the server was started again",
            "subscribe again: what happens until then is missed";
        CUT_NAMESPACES = "not all namespaces are listed", "the server names more than {limit}, or keeps nesting them",
            "give the namespace in the session or with -n";
        OTHER_CLASS = "the server answers with {other} where {class} was asked for", "it does not tell one class from another there",
            "give the namespace in the session or with -n";
        NO_NAMESPACES = "namespaces cannot be listed", "the server has neither CIM_Namespace nor __Namespace where lazycim looks",
            "give the namespace in the session or with -n";
    }
}

const RAISE: &str = "raise limits.{key} in config.toml if the answer is to be trusted";
const RAISE_HEADER: &str = "is this a CIM server? If so, raise limits.{key}";

/// A limit by its key in the configuration: what is seen, what it means, what to try.
const LIMITS: &[(&str, Explanation)] = &[
    ("xml_depth", row("elements are nested deeper than {limit}", "no CIM server needs that depth", RAISE)),
    ("embedded_depth", row("objects are embedded deeper than {limit}", "no CIM server needs that depth", RAISE)),
    ("name_bytes", row("a name is longer than {limit} bytes", "no class or property is called that", RAISE)),
    ("value_bytes", row("a value is longer than {limit} bytes", "it would fill this computer's memory", RAISE)),
    ("buffer_bytes", row("an element is longer than {limit} bytes", "it would fill this computer's memory", RAISE)),
    (
        "header_bytes",
        row(
            "the answer's header block has {bytes} bytes, the limit is {limit}",
            "no CIM server needs that much",
            RAISE_HEADER,
        ),
    ),
    (
        "header_fields",
        row(
            "the answer has {count} header fields, the limit is {limit}",
            "no CIM server needs that many",
            RAISE_HEADER,
        ),
    ),
    // The one limit that is no key of the configuration.
    (
        "shapes",
        row(
            "the rows have more than {limit} columns",
            "they differ from each other more than a table can show",
            "ask for the instances of one class alone (--shallow), or of a class with fewer below it",
        ),
    ),
];

const fn row(seen: &'static str, means: &'static str, hint: &'static str) -> Explanation {
    Explanation { seen, means, hint }
}

/// The row of a limit, by its key in the configuration. What is seen is told by whoever reached it.
pub fn limit(key: &str) -> Explanation {
    let other = row("a limit was reached", "the answer is larger than lazycim takes", RAISE);
    LIMITS.iter().find(|known| known.0 == key).map_or(other, |known| known.1)
}

pub(super) fn limits() -> Section {
    let about = "lazycim holds what any server sends to limits, so that none can fill this computer's memory.";
    let rows = LIMITS.iter().map(|(key, Explanation { seen, means, hint })| {
        [(*seen).to_owned(), (*means).to_owned(), fill(hint, &[("key", key)])]
    });
    Section::told("Limits (wait, receive)", about, rows)
}
