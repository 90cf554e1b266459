//! Rows of the faults of WS-Man, and of the codes Windows puts into them.
//!
//! Owns: subcodes (DSP0226 section 14, WS-Addressing, WS-Enumeration, WS-Eventing), and HRESULTs of WinRM (`wsmerror.h`),
//! WMI (MS-WMI section 2.2.11) and Windows in plain words. Must not know protocols.

use super::{Explanation, page::Section};

/// A subcode by its local name, what it means, what to try.
const SUBCODES: &[(&str, &str, &str)] = &[
    ("AccessDenied", "this user may not do that", "ask for the rights of this user, or use another user"),
    (
        "ActionNotSupported",
        "the server does not offer this operation here",
        "try another operation for the same data; this server does not have this one",
    ),
    ("AlreadyExists", "the object exists already", "choose another key, or modify the object that is there"),
    ("CannotProcessFilter", "the query is not valid", "check the query's syntax and the names in it"),
    ("Concurrency", "someone else works on the same object", "try again"),
    (
        "DeliveryModeRequestedUnavailable",
        "the server does not deliver events that way",
        "this server has no pulled subscriptions; look at its event log instead",
    ),
    (
        "DestinationUnreachable",
        "the server has nothing at this resource URI and these selectors",
        "check the class and its namespace; a vendor's classes may need the vendor's resource URI",
    ),
    ("EncodingLimit", "what was asked, or its answer, does not fit the size or the encoding the server takes", LESS),
    ("EndpointUnavailable", "the server cannot be asked just now", "wait until the service behind it is back"),
    (
        "FilterDialectRequestedUnavailable",
        "the server does not know the query language",
        "try another query language: WQL or CQL",
    ),
    ("FilteringNotSupported", "the server does not filter enumerations", "enumerate without a filter and filter here"),
    (
        "FilteringRequestedUnavailable",
        "the server does not know the query language of the subscription",
        "try another query language: WQL or CQL",
    ),
    (
        "InternalError",
        "the server failed for a reason of its own",
        "look into the server's log: it says why the provider failed",
    ),
    ("InvalidEnumerationContext", "the enumeration is not open any more", "start the enumeration again"),
    ("InvalidMessage", "the server does not understand the request", "look at the request with E or -v"),
    (
        "InvalidMessageInformationHeader",
        "the server does not take a header of the request",
        "check the resource URI and the selectors",
    ),
    ("InvalidOptions", "the server does not take an option of the request", "leave the option out"),
    (
        "InvalidParameter",
        "a parameter is missing, misspelt or wrong",
        "check the names and values given; an older server may not know a parameter",
    ),
    (
        "InvalidRepresentation",
        "the server does not take the values given",
        "look at the class for the properties' types",
    ),
    ("InvalidSelectors", "the keys are not those of the class", "look at the class for its keys"),
    ("MessageInformationHeaderRequired", "the server misses a header in the request", "check the resource URI"),
    (
        "PolymorphismModeNotSupported",
        "the server cannot leave out instances of subclasses",
        "ask without --shallow, and filter what comes",
    ),
    ("QuotaLimit", "a limit of the server was reached", "wait, or close other sessions to this server; then try again"),
    ("SchemaValidationError", "the server does not understand the request's XML", "look at the request with E or -v"),
    (
        "TimedOut",
        "the server did not finish in the time it was given",
        "give it more time (timeouts.first_byte, wsman.operation_timeout), or ask for less",
    ),
    ("UnableToRenew", "the subscription cannot be renewed", "subscribe again"),
    ("UnsupportedFeature", "the server does not offer this operation here", "try another operation for the same data"),
];

/// Faults by their code, where no subcode says more.
const CODES: &[(&str, &str, &str)] = &[
    (
        "MustUnderstand",
        "the server does not know a header that it must understand",
        "leave out what needs it: a fragment, an option or a locale",
    ),
    ("VersionMismatch", "the server speaks another version of SOAP", "check protocol, port and path"),
    ("DataEncodingUnknown", "the server does not know the encoding of the request", "check protocol, port and path"),
    ("Sender", "the server refuses the request", "check the class, its namespace and the keys"),
    ("Receiver", "the server failed for a reason of its own", "look into the server's log: it says why"),
];

/// What a fault without a known code means, and what to try.
const UNKNOWN: (&str, &str) = ("a fault DSP0226 does not define", "look into the server's log");

/// A code of Windows, its name, what it means, what to try.
type Code = (u32, &'static str, &'static str, &'static str);

const LOG: &str = "look into the server's log: it says why the provider failed";
const CLASSES: &str = "list the classes of the namespace: the class may live in another one";
const RIGHTS: &str = "ask for the rights of this user on the namespace, or use another user";
const LESS: &str = "ask for less: fewer properties, or allow more (wsman.max_envelope_size)";
const URI: &str = "check the class, its namespace and the keys";
const AGAIN: &str = "start the enumeration again";
const LATER: &str = "wait, or close other sessions to this server; then try again";

const NUMBERS: &[Code] = &[
    (5, "ERROR_ACCESS_DENIED", "this user may not do that", RIGHTS),
    (995, "ERROR_OPERATION_ABORTED", "the server gave the operation up", "try again"),
    (1223, "ERROR_CANCELLED", "the server cancelled the operation", "try again"),
    (0x8004_1001, "WBEM_E_FAILED", "WMI failed for a reason of its own", LOG),
    (0x8004_1002, "WBEM_E_NOT_FOUND", "the object does not exist", "refresh: it may have gone since it was listed"),
    (0x8004_1003, "WBEM_E_ACCESS_DENIED", "this user may not do that in WMI", RIGHTS),
    (0x8004_1004, "WBEM_E_PROVIDER_FAILURE", "the provider of the class failed", LOG),
    (
        0x8004_1005,
        "WBEM_E_TYPE_MISMATCH",
        "a value does not have the property's type",
        "look at the class for its types",
    ),
    (0x8004_1006, "WBEM_E_OUT_OF_MEMORY", "the server has no memory left", LATER),
    (
        0x8004_1008,
        "WBEM_E_INVALID_PARAMETER",
        "a parameter is missing, misspelt or wrong",
        "check the names and values given",
    ),
    (
        0x8004_100C,
        "WBEM_E_NOT_SUPPORTED",
        "WMI does not offer this operation here",
        "try another operation for the same data",
    ),
    (
        0x8004_100E,
        "WBEM_E_INVALID_NAMESPACE",
        "the namespace does not exist",
        "list the namespaces and pick one of them",
    ),
    (0x8004_1010, "WBEM_E_INVALID_CLASS", "the class does not exist in this namespace", CLASSES),
    (0x8004_1013, "WBEM_E_PROVIDER_LOAD_FAILURE", "the provider of the class cannot be loaded", LOG),
    (0x8004_1017, "WBEM_E_INVALID_QUERY", "the query is not valid", "check the query's syntax and the names in it"),
    (0x8004_1018, "WBEM_E_INVALID_QUERY_TYPE", "WMI does not know the query language", "ask in WQL"),
    (0x8004_1019, "WBEM_E_ALREADY_EXISTS", "the object exists already", "choose another key"),
    (
        0x8004_1024,
        "WBEM_E_PROVIDER_NOT_CAPABLE",
        "the provider of the class does not offer this",
        "try another operation for the same data",
    ),
    (0x8004_102E, "WBEM_E_INVALID_METHOD", "the method does not exist", "look at the class for its methods"),
    (0x8004_1031, "WBEM_E_INVALID_PROPERTY", "the property does not exist", "look at the class for its properties"),
    (0x8004_1033, "WBEM_E_SHUTTING_DOWN", "WMI is shutting down", "wait until the server is back"),
    (
        0x8004_1055,
        "WBEM_E_METHOD_NOT_IMPLEMENTED",
        "the method is not available",
        "look whether its provider is installed",
    ),
    (0x8004_1058, "WBEM_E_UNPARSABLE_QUERY", "the query is not valid", "check the query's syntax and the names in it"),
    (0x8004_106C, "WBEM_E_QUOTA_VIOLATION", "a limit of WMI was reached", LATER),
    (0x8007_0005, "E_ACCESSDENIED", "this user may not do that", RIGHTS),
    (0x8007_000E, "E_OUTOFMEMORY", "the server has no memory left", LATER),
    (0x8033_8000, "ERROR_WSMAN_RESOURCE_NOT_FOUND", "nothing is at this resource URI and these selectors", URI),
    (0x8033_8003, "ERROR_WSMAN_PROVIDER_FAILURE", "the provider failed", LOG),
    (0x8033_8007, "ERROR_WSMAN_ENUMERATION_CLOSED", "the enumeration is not open any more", AGAIN),
    (0x8033_8012, "ERROR_WSMAN_DESTINATION_UNREACHABLE", "nothing is at this resource URI and these selectors", URI),
    (
        0x8033_8013,
        "ERROR_WSMAN_ACTION_NOT_SUPPORTED",
        "WinRM does not offer this operation here",
        "try another operation for the same data",
    ),
    (
        0x8033_801A,
        "ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER",
        "the query is not valid",
        "check the query's syntax and the names in it",
    ),
    (0x8033_801B, "ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT", "the enumeration is not open any more", AGAIN),
    (0x8033_8026, "ERROR_WSMAN_ENVELOPE_TOO_LARGE", "the answer is larger than was agreed", LESS),
    (
        0x8033_8029,
        "ERROR_WSMAN_OPERATION_TIMEDOUT",
        "the server did not finish in the time it was given",
        "give it more time (timeouts.first_byte, wsman.operation_timeout), or ask for less",
    ),
    (0x8033_8032, "ERROR_WSMAN_CONCURRENCY", "someone else works on the same object", "try again"),
    (0x8033_8033, "ERROR_WSMAN_ALREADY_EXISTS", "the object exists already", "choose another key"),
    (0x8033_8035, "ERROR_WSMAN_ENCODING_LIMIT", "the request or its answer breaks a limit of the server", LESS),
    (
        0x8033_803A,
        "ERROR_WSMAN_INVALID_PARAMETER",
        "a parameter is missing, misspelt or wrong",
        "check the names and values given",
    ),
    (0x8033_803B, "ERROR_WSMAN_INVALID_RESOURCE_URI", "the resource URI is missing or wrong", URI),
    (
        0x8033_803D,
        "ERROR_WSMAN_INVALID_SELECTORS",
        "the keys are not those of the class",
        "look at the class for its keys",
    ),
    (0x8033_803F, "ERROR_WSMAN_QUOTA_LIMIT", "the server is busy with other requests", LATER),
    (
        0x8033_8041,
        "ERROR_WSMAN_SCHEMA_VALIDATION_ERROR",
        "the server does not understand the request's XML",
        "look at the request with E or -v",
    ),
    (
        0x8033_8042,
        "ERROR_WSMAN_UNSUPPORTED_FEATURE",
        "the server does not offer this operation here",
        "try another operation for the same data",
    ),
    (0x8033_8048, "ERROR_WSMAN_MAX_ENVELOPE_SIZE_EXCEEDED", "the answer is larger than was agreed", LESS),
    (0x8033_805A, "ERROR_WSMAN_INSUFFCIENT_SELECTORS", "keys are missing", "look at the class for its keys"),
    (
        0x8033_805B,
        "ERROR_WSMAN_UNEXPECTED_SELECTORS",
        "there are keys the class does not have",
        "look at the class for its keys",
    ),
    (0x8033_8084, "ERROR_WSMAN_ENUMERATION_INVALID", "the enumeration is not open any more", AGAIN),
];

/// The row of a subcode by its local name.
pub fn subcode(local: &str) -> Option<Explanation> {
    find(SUBCODES, local)
}

/// The row of a fault by its code's local name; there is one for every code.
pub fn code(local: &str) -> Explanation {
    find(CODES, local).unwrap_or(row(UNKNOWN.0, UNKNOWN.1))
}

fn find(rows: &'static [(&str, &str, &str)], local: &str) -> Option<Explanation> {
    rows.iter().find(|known| known.0 == local).map(|known| row(known.1, known.2))
}

const fn row(means: &'static str, hint: &'static str) -> Explanation {
    Explanation { seen: "a fault the WS-Man server answered", means, hint }
}

/// The row of a code of Windows and its name.
pub fn number(number: u32) -> Option<(&'static str, Explanation)> {
    NUMBERS.iter().find(|known| known.0 == number).map(|known| (known.1, row(known.2, known.3)))
}

/// A code of Windows as it is told: HRESULTs in hexadecimal, with the name where it is known.
pub fn named(code: u32) -> String {
    let name = number(code).map(|(name, _)| format!("{name} ")).unwrap_or_default();
    if code < 0x1_0000 { format!("{name}({code})") } else { format!("{name}(0x{code:08X})") }
}

/// The headers a server says it does not understand, as they are told; `None` where it names none.
pub fn not_understood(headers: impl Iterator<Item = String>) -> Option<String> {
    let names = headers.collect::<Vec<_>>();
    (!names.is_empty()).then(|| format!("not understood: {}", names.join(", ")))
}

pub(super) fn sections() -> [Section; 2] {
    let about = "The server took the request and answered with a fault. Its own words follow the code. Where the fault carries \
                 a CIM error, the row of its CIM status explains it.";
    let mut faults = Section::keyed("WS-Man faults (receive)", about, SUBCODES, |name| format!("fault {name}"));
    faults.extend(Section::keyed("", "", CODES, |name| format!("fault {name} without another code")));
    faults.extend(Section::keyed("", "", &[(0, UNKNOWN.0, UNKNOWN.1)], |_| "any other fault".to_owned()));
    let about = "What `WSManFault`, `MSFT_WmiError` and `__ExtendedStatus` tell inside faults of Windows.";
    let rows = NUMBERS.iter().map(|known| [named(known.0), known.2.to_owned(), known.3.to_owned()]);
    [faults, Section::told("Codes of Windows in WS-Man faults (receive)", about, rows)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_none_is_there_twice() {
        assert!(NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(SUBCODES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(named(5), "ERROR_ACCESS_DENIED (5)");
        assert_eq!(named(0x8033_8029), "ERROR_WSMAN_OPERATION_TIMEDOUT (0x80338029)");
        assert_eq!(named(0x8000_0000), "(0x80000000)");
    }
}
