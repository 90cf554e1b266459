//! SOAP faults, as WS-Man servers fill them in (SOAP 1.2 part 1 section 5.4, DSP0226 section 14, MS-WSMV section 2.2.4).
//!
//! Owns: code, subcode, reason, and every kind of detail that was seen; what kind of fault it is, so that a client can decide.
//! Must not know the words it is explained with.

use quick_xml::events::BytesStart;

use super::value;
use crate::{
    cim::{CimInstance, CimName, CimStatus, CimValue},
    protocol::{
        wsman::namespaces::{ADDRESSING, CIM_BINDING, ENUMERATION, EVENTING, MICROSOFT_FAULT, SOAP, WSMAN},
        xml::{
            reader::Read,
            scope::{Qualified, split},
        },
    },
};

/// The most instances and the most texts kept of one fault.
const MAX_DETAILS: usize = 16;
/// How deep details are looked into.
const MAX_DEPTH: usize = 16;
/// What stands before the code of MI in OMI's messages.
const MI_RESULT: &str = "OMI:MI_Result:";

/// A fault.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoapFault {
    /// The code's local name: `Sender`, `Receiver`, `MustUnderstand`.
    pub code: String,
    /// The innermost subcode: its XML namespace and local name.
    pub subcode: Option<(String, String)>,
    /// The headers of the request that had to be understood and were not, by their local names (SOAP 1.2 part 1 section 5.4.8).
    pub not_understood: Vec<String>,
    /// The reason, as sent.
    pub reason: String,
    /// What `wsman:FaultDetail` names: the last part of its URI.
    pub fault_detail: Option<String>,
    /// The innermost code of a `WSManFault`: an HRESULT or a Win32 error.
    pub code_number: Option<u32>,
    /// The computer a `WSManFault` names.
    pub machine: Option<String>,
    /// The provider a `ProviderFault` names.
    pub provider: Option<String>,
    /// Texts of the details, the outermost first; none twice.
    pub messages: Vec<String>,
    /// `CIM_Error`, `OMI_Error`, `MSFT_WmiError`, `__ExtendedStatus` and the like.
    pub details: Vec<CimInstance>,
}

/// What kind of fault it is, as far as that matters to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The enumeration is not open any more.
    EnumerationGone,
    /// The server does not offer what was asked, or how.
    Unsupported,
    /// A header that must be understood was not.
    NotUnderstood,
    /// The answer, or what was asked, does not fit the agreed size.
    EnvelopeSize,
    /// The user may not do that.
    AccessDenied,
    /// The server ran out of the time it was given.
    TimedOut,
    /// The server has no room for more just now.
    Busy,
    /// A CIM error with its status.
    Cim(CimStatus),
    /// Something else.
    Other,
}

impl SoapFault {
    /// The CIM status it carries: what a CIM error in the details says, else what the code means.
    pub fn status(&self) -> Option<CimStatus> {
        self.details.iter().find_map(status_of).or_else(|| self.code_number.and_then(status_of_code))
    }

    /// The number of OMI's `MI_Result`, which says more than its subcodes.
    pub fn mi_result(&self) -> Option<u32> {
        self.details.iter().find_map(|detail| {
            let text = text_of(detail, "MessageID")?;
            text.strip_prefix(MI_RESULT)?.parse().ok()
        })
    }

    /// Whether the subcode is `local` of `namespace`.
    fn is(&self, namespace: &str, local: &str) -> bool {
        self.subcode.as_ref().is_some_and(|(known, name)| known == namespace && name == local)
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        let says = |text: &str| self.reason.to_ascii_lowercase().contains(text);
        // OMI says no more of a context it does not know than that.
        let is_gone = self.is(ENUMERATION, "InvalidEnumerationContext")
            || says("enumeration context not found")
            || matches!(self.code_number, Some(0x8033_8007 | 0x8033_801B | 0x8033_8084));
        if is_gone {
            return FaultKind::EnumerationGone;
        }
        if self.is(WSMAN, "AccessDenied") || matches!(self.code_number, Some(5 | 0x8007_0005)) {
            return FaultKind::AccessDenied;
        }
        if let Some(status) = self.status() {
            return if status == CimStatus(2) { FaultKind::AccessDenied } else { FaultKind::Cim(status) };
        }
        if self.code == "MustUnderstand" {
            return FaultKind::NotUnderstood;
        }
        match self.subcode.as_ref().map(|(namespace, local)| (namespace.as_str(), local.as_str())) {
            Some((WSMAN, "UnsupportedFeature"))
            | Some((CIM_BINDING, "PolymorphismModeNotSupported"))
            | Some((ADDRESSING, "ActionNotSupported"))
            | Some((ENUMERATION, "FilteringNotSupported" | "FilterDialectRequestedUnavailable"))
            | Some((EVENTING, "DeliveryModeRequestedUnavailable" | "FilteringNotSupported"))
            | Some((EVENTING, "FilteringRequestedUnavailable")) => FaultKind::Unsupported,
            // URIs, options and character sets have limits too.
            Some((WSMAN, "EncodingLimit")) if self.fault_detail.as_deref().is_none_or(|it| it.contains("Envelope")) => {
                FaultKind::EnvelopeSize
            }
            Some((WSMAN | ENUMERATION, "TimedOut")) => FaultKind::TimedOut,
            // `ERROR_WSMAN_OPERATION_TIMEDOUT`
            _ if self.code_number == Some(0x8033_8029) => FaultKind::TimedOut,
            Some((WSMAN, "Concurrency" | "QuotaLimit")) => FaultKind::Busy,
            _ => FaultKind::Other,
        }
    }

    fn say(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() && self.messages.len() < MAX_DETAILS && !self.messages.iter().any(|known| known == text) {
            self.messages.push(text.to_owned());
        }
    }
}

/// The status a detail tells; zero and a class without one tell none.
fn status_of(detail: &CimInstance) -> Option<CimStatus> {
    let number = ["CIMStatusCode", "CIM_StatusCode"].iter().find_map(|name| number_of(detail, name));
    number.filter(|code| (1..=28).contains(code)).map(CimStatus).or_else(|| {
        // `__ExtendedStatus.StatusCode` and `MSFT_WmiError.error_Code` are HRESULTs of WMI.
        ["StatusCode", "error_Code"].iter().find_map(|name| number_of(detail, name)).and_then(status_of_code)
    })
}

fn number_of(detail: &CimInstance, name: &str) -> Option<u32> {
    match detail.property(name)?.value.value {
        CimValue::UInt(number) => u32::try_from(number).ok(),
        CimValue::SInt(number) => Some(number as u32),
        CimValue::Untyped(ref text) | CimValue::String(ref text) => {
            let text = text.trim();
            text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(|number| number as u32))
        }
        _ => None,
    }
}

fn text_of<'d>(detail: &'d CimInstance, name: &str) -> Option<&'d str> {
    match &detail.property(name)?.value.value {
        CimValue::Untyped(text) | CimValue::String(text) => Some(text),
        _ => None,
    }
}

/// The CIM status an HRESULT or Win32 error amounts to (MS-WMI section 2.2.11, `wsmerror.h`).
pub const fn status_of_code(code: u32) -> Option<CimStatus> {
    Some(CimStatus(match code {
        5 | 0x8007_0005 | 0x8004_1003 => 2,
        0x8004_100E => 3,
        0x8004_1008 | 0x8033_803A => 4,
        0x8004_1010 => 5,
        0x8004_1002 | 0x8033_8000 => 6,
        0x8004_100C | 0x8004_1024 | 0x8033_8042 => 7,
        0x8004_1019 | 0x8033_8033 => 11,
        0x8004_1031 => 12,
        0x8004_1005 => 13,
        0x8004_1018 => 14,
        0x8004_1017 | 0x8004_1058 => 15,
        0x8004_1055 => 16,
        0x8004_102E => 17,
        0x8004_1001 => 1,
        _ => return None,
    }))
}

/// Reads the header the cursor is in, up to its end: the headers of the request the server says it does not understand.
///
/// # Errors
/// As [`read`].
pub fn not_understood(xml: &mut Qualified<'_>) -> Read<Vec<String>> {
    let mut headers = Vec::new();
    while let Some(tag) = xml.child()? {
        if xml.is(&tag, &[SOAP], "NotUnderstood") && headers.len() < MAX_DETAILS {
            let name = xml.xml.attribute(&tag, "qname")?;
            headers.extend(name.map(|name| split(name.trim()).1.to_owned()).filter(|name| !name.is_empty()));
        }
        xml.skip(&tag)?;
    }
    Ok(headers)
}

/// Reads the fault the cursor is in, up to its end, into `fault`: what was read stays when an error ends it.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn read(xml: &mut Qualified<'_>, fault: &mut SoapFault) -> Read<()> {
    while let Some(tag) = xml.child()? {
        match local(&tag).as_str() {
            "Code" => code(xml, fault, 0)?,
            "Reason" => reason(xml, fault)?,
            "Detail" => details(xml, fault, 0)?,
            _ => xml.skip(&tag)?,
        }
    }
    Ok(())
}

fn local(tag: &BytesStart<'_>) -> String {
    split(tag.name().as_ref()).1.to_owned()
}

/// `Value`, and `Subcode` which is made the same way.
fn code(xml: &mut Qualified<'_>, fault: &mut SoapFault, depth: usize) -> Read<()> {
    while let Some(tag) = xml.child()? {
        match local(&tag).as_str() {
            "Value" => {
                let (namespace, name) = xml.name(&tag)?;
                if depth == 0 {
                    fault.code = name;
                } else {
                    fault.subcode = Some((namespace, name));
                }
            }
            "Subcode" if depth < MAX_DEPTH => code(xml, fault, depth + 1)?,
            _ => xml.skip(&tag)?,
        }
    }
    Ok(())
}

/// The first text that says something, English before others.
fn reason(xml: &mut Qualified<'_>, fault: &mut SoapFault) -> Read<()> {
    let mut is_english = false;
    while let Some(tag) = xml.child()? {
        let language = xml.xml.attribute(&tag, "xml:lang")?.unwrap_or_default();
        if xml.xml.has_child() {
            xml.skip(&tag)?;
            continue;
        }
        let text = xml.content(&tag)?;
        let is_better = fault.reason.is_empty() || !is_english && language.starts_with("en");
        if is_better && !text.trim().is_empty() {
            fault.reason = text.trim().to_owned();
            is_english = language.starts_with("en");
        }
    }
    Ok(())
}

/// What stands in Detail, and in the elements Microsoft nests there, up to the end.
fn details(xml: &mut Qualified<'_>, fault: &mut SoapFault, depth: usize) -> Read<()> {
    while let Some(tag) = xml.child()? {
        let local = local(&tag);
        let is_microsoft = xml.is(&tag, &[MICROSOFT_FAULT], &local);
        if is_microsoft && local == "WSManFault" {
            fault.code_number = xml.xml.attribute(&tag, "Code")?.and_then(|code| number(&code)).or(fault.code_number);
            fault.machine = xml.xml.attribute(&tag, "Machine")?.or(fault.machine.take());
        } else if is_microsoft && local == "ProviderFault" {
            fault.provider = xml.xml.attribute(&tag, "provider")?.or(fault.provider.take());
        }
        if !xml.xml.has_child() {
            let text = xml.content(&tag)?.into_owned();
            if local == "FaultDetail" {
                fault.fault_detail = text.trim().rsplit('/').next().map(str::to_owned).filter(|name| !name.is_empty());
            } else {
                fault.say(&text);
            }
        } else if is_microsoft && depth < MAX_DEPTH {
            details(xml, fault, depth + 1)?;
        } else if fault.details.len() < MAX_DETAILS && depth < MAX_DEPTH {
            let detail = value::properties(xml, CimName::new(&local), None, None)?;
            fault.details.push(detail);
        } else {
            xml.skip(&tag)?;
        }
    }
    Ok(())
}

/// A code, decimal as WinRM writes it or hexadecimal; a negative one is the same bits.
fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok().or_else(|| text.parse::<i32>().ok().map(|code| code as u32)),
    }
}

/// Whether `tag` begins a fault.
pub fn is_fault(xml: &Qualified<'_>, tag: &BytesStart<'_>) -> bool {
    xml.is(tag, &[SOAP], "Fault")
}
