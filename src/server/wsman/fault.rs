//! Faults, in the shape WinRM gives them.
//!
//! Owns: the codes of DSP0226 section 14, DSP0227 section 11 and MS-WSMV section 2.2.4.43, and what a CIM status becomes. Must
//! not know what went wrong.

use super::{
    envelope::{ADDRESSING, ANONYMOUS, ENUMERATION, MANAGEMENT, MICROSOFT, SOAP, TRANSFER},
    write::message_id,
};
use crate::{
    cim::{CimError, CimStatus},
    server::{
        instances::Stop,
        xml::{escape, put},
    },
};

/// `http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/` and what follows it.
const DETAIL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail";
/// The namespace of `WSManFault`.
const WSMAN_FAULT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";

/// The HTTP status of every fault (DSP0226 section 13.3).
pub(super) const STATUS: u16 = 500;

/// A fault that is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// `Sender`, `Receiver`, `MustUnderstand` or `VersionMismatch`.
    code: &'static str,
    /// With the prefix of our envelopes.
    subcode: Option<&'static str>,
    reason: String,
    detail: Option<&'static str>,
    /// `Code` of `WSManFault`.
    number: u32,
    /// What CIM says, as the provider's own fault.
    cim: Option<Box<CimError>>,
    /// The header that was not understood: namespace and name.
    header: Option<Box<(String, String)>>,
}

impl Fault {
    /// A fault of whoever asks. `number` is what WinRM numbers it.
    pub(super) fn sender(subcode: &'static str, number: u32, reason: impl Into<String>) -> Self {
        let (code, subcode, reason) = ("Sender", Some(subcode), reason.into());
        Self { code, subcode, reason, detail: None, number, cim: None, header: None }
    }

    /// With what exactly is wrong, as DSP0226 names it.
    pub(super) fn about(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// `w:SchemaValidationError`: it is not an envelope as DSP0226 has it.
    pub(super) fn schema(what: &str) -> Self {
        Self::sender("w:SchemaValidationError", 2_150_858_817, format!("The message is not valid: {what}."))
    }

    /// `s:VersionMismatch`: another version of SOAP.
    pub(super) fn version() -> Self {
        let reason = "The message is not of SOAP 1.2.".to_owned();
        let (detail, cim, header) = (None, None, None);
        Self { code: "VersionMismatch", subcode: None, reason, detail, number: 2_150_858_801, cim, header }
    }

    /// `s:MustUnderstand`: a header that must be understood and is not.
    pub(super) fn not_understood(namespace: &str, name: &str) -> Self {
        Self {
            code: "MustUnderstand",
            subcode: None,
            reason: format!("The header {name} must be understood and is not."),
            detail: None,
            number: 2_150_858_802,
            cim: None,
            header: Some(Box::new((namespace.to_owned(), name.to_owned()))),
        }
    }

    /// `w:UnsupportedFeature`: what DSP0226 allows and this server does not do.
    pub(super) fn unsupported(detail: &'static str, what: &str) -> Self {
        Self::sender("w:UnsupportedFeature", 2_150_858_788, what).about(detail)
    }

    /// `w:EncodingLimit`: the answer does not fit the envelope.
    pub(super) fn too_large(detail: &'static str, what: &str) -> Self {
        Self::sender("w:EncodingLimit", 2_150_858_813, what).about(detail)
    }

    /// `n:InvalidEnumerationContext`
    pub(super) fn no_context() -> Self {
        let reason = "The enumeration context is not valid: it was released, read to its end, or not read in time.";
        Self::sender("n:InvalidEnumerationContext", 2_150_858_831, reason)
    }

    fn action(&self) -> String {
        let namespace = match self.subcode.and_then(|subcode| subcode.split_once(':')) {
            Some(("n", _)) => ENUMERATION,
            Some(("x", _)) => TRANSFER,
            Some(("w", _)) => "http://schemas.dmtf.org/wbem/wsman/1/wsman",
            _ => ADDRESSING,
        };
        format!("{namespace}/fault")
    }

    /// The envelope, in answer to `message`.
    pub(super) fn envelope(&self, machine: &str, message: Option<&str>) -> String {
        let mut out = format!(
            "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\" xmlns:x=\"{TRANSFER}\" \
             xmlns:n=\"{ENUMERATION}\" xmlns:w=\"{MANAGEMENT}\" xmlns:p=\"{MICROSOFT}\"><s:Header><a:Action>{}</a:Action>\
             <a:MessageID>{}</a:MessageID><a:To>{ANONYMOUS}</a:To>",
            self.action(),
            message_id()
        );
        if let Some(message) = message {
            out.push_str("<a:RelatesTo>");
            escape(&mut out, message);
            out.push_str("</a:RelatesTo>");
        }
        if let Some((namespace, name)) = self.header.as_deref() {
            out.push_str("<s:NotUnderstood qname=\"h:");
            escape(&mut out, name);
            out.push_str("\" xmlns:h=\"");
            escape(&mut out, namespace);
            out.push_str("\"/>");
        }
        put!(out, "</s:Header><s:Body><s:Fault><s:Code><s:Value>s:{}</s:Value>", self.code);
        if let Some(subcode) = self.subcode {
            put!(out, "<s:Subcode><s:Value>{subcode}</s:Value></s:Subcode>");
        }
        out.push_str("</s:Code><s:Reason><s:Text xml:lang=\"en-US\">");
        escape(&mut out, &self.reason);
        out.push_str("</s:Text></s:Reason><s:Detail>");
        if let Some(detail) = self.detail {
            put!(out, "<w:FaultDetail>{DETAIL}/{detail}</w:FaultDetail>");
        }
        wsman_fault(&mut out, self.number, machine, |out| match &self.cim {
            None => escape(out, &self.reason),
            Some(error) => {
                out.push_str("<f:ProviderFault provider=\"lazycim\" path=\"lazycim\">");
                wsman_fault(out, hresult(error.status), machine, |out| escape(out, &error.description));
                out.push_str("</f:ProviderFault>");
            }
        });
        out.push_str("</s:Detail></s:Fault></s:Body></s:Envelope>");
        out
    }
}

/// `WSManFault` (MS-WSMV section 2.2.4.43) with what `message` writes.
fn wsman_fault(out: &mut String, number: u32, machine: &str, message: impl FnOnce(&mut String)) {
    put!(out, "<f:WSManFault xmlns:f=\"{WSMAN_FAULT}\" Code=\"{number}\" Machine=\"");
    escape(out, machine);
    out.push_str("\"><f:Message>");
    message(out);
    out.push_str("</f:Message></f:WSManFault>");
}

/// What a failure of an operation is over WS-Man: subcode and detail of DSP0227 section 11, WinRM's number.
impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        let Stop::Error(error) = stop else { return Self::schema("nobody reads the answer") };
        let (subcode, detail, number) = match error.status {
            CimStatus::ACCESS_DENIED => ("w:AccessDenied", None, 5),
            CimStatus::INVALID_NAMESPACE | CimStatus::INVALID_CLASS | CimStatus::NOT_FOUND => {
                ("a:DestinationUnreachable", Some("InvalidResourceURI"), 2_150_858_752)
            }
            CimStatus::INVALID_PARAMETER => ("w:InvalidParameter", None, 2_150_858_843),
            CimStatus::INVALID_QUERY => ("n:CannotProcessFilter", None, 2_150_858_769),
            CimStatus::QUERY_LANGUAGE_NOT_SUPPORTED => ("n:FilterDialectRequestedUnavailable", None, 2_150_858_771),
            CimStatus::NOT_SUPPORTED => ("w:UnsupportedFeature", None, 2_150_858_788),
            CimStatus::SERVER_LIMITS_EXCEEDED => ("w:QuotaLimit", None, 2_150_859_174),
            _ => ("w:InternalError", None, 2_150_858_793),
        };
        let code = if subcode == "w:InternalError" || subcode == "w:QuotaLimit" { "Receiver" } else { "Sender" };
        let reason = error.description.clone();
        Self { code, subcode: Some(subcode), reason, detail, number, cim: Some(Box::new(error)), header: None }
    }
}

/// The number WMI has for a CIM status (MS-WMI section 2.2.11).
const fn hresult(status: CimStatus) -> u32 {
    match status {
        CimStatus::ACCESS_DENIED => 0x8004_1003,
        CimStatus::INVALID_NAMESPACE => 0x8004_100E,
        CimStatus::INVALID_PARAMETER => 0x8004_1008,
        CimStatus::INVALID_CLASS => 0x8004_1010,
        CimStatus::NOT_FOUND => 0x8004_1002,
        CimStatus::NOT_SUPPORTED => 0x8004_100C,
        CimStatus::INVALID_QUERY => 0x8004_1017,
        CimStatus::QUERY_LANGUAGE_NOT_SUPPORTED => 0x8004_1018,
        CimStatus::SERVER_LIMITS_EXCEEDED => 0x8004_106C,
        _ => 0x8004_1001,
    }
}
