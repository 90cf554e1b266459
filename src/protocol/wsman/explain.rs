//! What went wrong, explained: faults, and answers that cannot be read, made [`OpError`]s.
//!
//! Owns: which row of [`crate::op::explain`] an error of this protocol is. Must not know operations, nor hold the words.

use std::sync::Arc;

use super::decode::{SoapFault, fault::FaultKind};
use crate::{
    cim::{CimError, CimStatus},
    op::{
        ErrorKind, OpError, Phase,
        explain::{
            self, Explanation,
            answer::{body, content, soap},
            detail, wsman,
        },
    },
    protocol::xml::{explain::plain, fault::Fault},
};

/// The most texts of details told of.
const TEXTS: usize = 8;

/// The fault a server answered: its code and words, what its details say, what that means. Faults that amount to a CIM
/// status are CIM errors, as every protocol has them.
pub fn fault(target: String, fault: SoapFault) -> OpError {
    let row = row_of_fault(&fault);
    let subcode = fault.subcode.as_ref().map(|(_, local)| local.as_str());
    let name = plain(subcode.unwrap_or(if fault.code.is_empty() { "fault" } else { &fault.code }));
    let first = match fault.reason.as_str() {
        "" => name,
        reason => format!("{name}: {}", plain(reason)),
    };
    let mut notes = Vec::new();
    let is_new = |text: &&String| !text.is_empty() && !fault.reason.contains(text.as_str());
    notes.extend(fault.messages.iter().filter(is_new).take(TEXTS).map(|text| plain(text)));
    notes.extend(wsman::not_understood(fault.not_understood.iter().map(|name| plain(name))));
    notes.extend(fault.fault_detail.as_deref().map(|detail| format!("detail: {}", plain(detail))));
    notes.extend(fault.code_number.map(wsman::named));
    notes.extend(fault.provider.as_deref().map(|provider| format!("told by {}", plain(provider))));
    notes.extend(detail::told(&fault.details));
    let recommended = detail::recommended(&fault.details);
    let mut error = row.told(Phase::Receive, target, kind_of(fault), first);
    error.causes.extend(notes);
    if let Some(recommended) = recommended {
        error.hint = recommended;
    }
    error
}

/// The row that says most: the CIM status, a code of Windows, the subcode, the code.
fn row_of_fault(fault: &SoapFault) -> Explanation {
    let status = match fault.kind() {
        // Which row that is does not depend on how the server spells it.
        FaultKind::EnumerationGone => Some(CimStatus(21)),
        FaultKind::AccessDenied => Some(CimStatus(2)),
        // "A general error" says less than a code of Windows.
        _ => fault.status().filter(|status| *status != CimStatus::FAILED || fault.code_number.is_none()),
    };
    if let Some(status) = status {
        return explain::cim::status(status);
    }
    let number = fault.code_number.and_then(wsman::number).map(|(_, row)| row);
    let subcode = fault.subcode.as_ref().and_then(|(_, local)| wsman::subcode(local));
    number.or(subcode).unwrap_or_else(|| wsman::code(&fault.code))
}

/// What the fault is to whoever looks at kinds.
fn kind_of(fault: SoapFault) -> ErrorKind {
    let status = match fault.kind() {
        FaultKind::EnumerationGone => CimStatus(21),
        FaultKind::AccessDenied => CimStatus(2),
        FaultKind::Cim(status) => status,
        FaultKind::Unsupported | FaultKind::NotUnderstood => return ErrorKind::NotSupported,
        FaultKind::EnvelopeSize | FaultKind::Busy => CimStatus(27),
        FaultKind::TimedOut | FaultKind::Other => CimStatus::FAILED,
    };
    ErrorKind::Cim(Arc::new(CimError { status, description: fault.reason, details: fault.details }))
}

/// An answer of more than `most` bytes where `agreed` were to be the most.
pub fn oversized(target: String, agreed: u32, most: u64) -> OpError {
    let kind = ErrorKind::BadAnswer { offset: most, item: None };
    let parts = [("agreed", agreed.to_string()), ("limit", most.to_string())];
    content::OVERSIZED.with(Phase::Receive, target, kind, &parts.each_ref().map(|(name, text)| (*name, text.as_str())))
}

/// The row of a fault of the XML.
pub const fn row_of(fault: Fault) -> Explanation {
    match fault {
        Fault::IllFormed => body::ILL_FORMED,
        Fault::Misplaced => soap::MISPLACED,
        Fault::WrongBytes(_) => body::WRONG_BYTES,
        Fault::Subset => body::SUBSET,
        Fault::Empty => body::EMPTY,
        Fault::NoResponse => soap::NO_RESPONSE,
        Fault::CutShort => body::CUT_SHORT,
        Fault::Html => soap::HTML,
        Fault::Json => soap::JSON,
        Fault::Soap => soap::VERSION,
        Fault::CimXml => soap::CIM_XML,
        Fault::Text => soap::TEXT,
        Fault::OtherXml => soap::OTHER_XML,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wsman::namespaces::{ADDRESSING, WSMAN};

    #[test]
    fn a_fault_is_told_by_what_says_most_of_it() {
        let subcode = |namespace: &str, local: &str| Some((namespace.to_owned(), local.to_owned()));
        let status = |error: &OpError| match &error.kind {
            ErrorKind::Cim(error) => error.status.0,
            _ => 0,
        };
        let gone = SoapFault {
            code: "Sender".to_owned(),
            subcode: subcode(ADDRESSING, "DestinationUnreachable"),
            reason: "Enumeration context not found".to_owned(),
            ..SoapFault::default()
        };
        let error = fault("h:1".to_owned(), gone);
        assert_eq!((status(&error), error.hint.as_str()), (21, "start the enumeration again"));
        assert!(error.cause().starts_with("DestinationUnreachable: Enumeration context not found: "));
        let windows = SoapFault {
            code: "Receiver".to_owned(),
            subcode: subcode(WSMAN, "InternalError"),
            code_number: Some(0x8004_1003),
            provider: Some("WMI Pro\u{1b}vider".to_owned()),
            messages: vec!["Access denied".to_owned()],
            ..SoapFault::default()
        };
        let error = fault("h:1".to_owned(), windows);
        let cause = error.cause();
        assert_eq!(status(&error), 2);
        assert!(cause.contains("Access denied") && cause.contains("WBEM_E_ACCESS_DENIED (0x80041003)"), "{cause}");
        assert!(!cause.contains('\u{1b}'), "{cause:?}");
        let not_understood = vec!["MaxEnvelopeSize".to_owned(), "Lo\u{1b}cale".to_owned()];
        let refused = SoapFault { code: "MustUnderstand".to_owned(), not_understood, ..SoapFault::default() };
        let error = fault("h:1".to_owned(), refused);
        assert_eq!(error.kind, ErrorKind::NotSupported);
        assert!(error.cause().contains("not understood: MaxEnvelopeSize, Lo\u{fffd}cale"), "{error}");
    }
}
