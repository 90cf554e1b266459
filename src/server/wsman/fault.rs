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

/// WinRM's numbers of its faults (MS-ERREF section 2.1), as they stand in `WSManFault`.
pub(super) mod number {
    pub(in crate::server::wsman) const ACCESS_DENIED: u32 = 5;
    pub(in crate::server::wsman) const RESOURCE_NOT_FOUND: u32 = 0x8033_8000;
    pub(in crate::server::wsman) const PROVIDER_FAILURE: u32 = 0x8033_8003;
    pub(in crate::server::wsman) const VERSION_MISMATCH: u32 = 0x8033_800D;
    pub(in crate::server::wsman) const MUST_UNDERSTAND: u32 = 0x8033_8010;
    pub(in crate::server::wsman) const HEADER_REQUIRED: u32 = 0x8033_8011;
    pub(in crate::server::wsman) const ACTION_NOT_SUPPORTED: u32 = 0x8033_8013;
    pub(in crate::server::wsman) const FILTER_DIALECT: u32 = 0x8033_8019;
    pub(in crate::server::wsman) const CANNOT_PROCESS_FILTER: u32 = 0x8033_801A;
    pub(in crate::server::wsman) const INVALID_CONTEXT: u32 = 0x8033_801B;
    pub(in crate::server::wsman) const INVALID_PARAMETER: u32 = 0x8033_803A;
    pub(in crate::server::wsman) const INVALID_SELECTORS: u32 = 0x8033_803D;
    pub(in crate::server::wsman) const QUOTA_LIMIT: u32 = 0x8033_803F;
    pub(in crate::server::wsman) const SCHEMA_VALIDATION: u32 = 0x8033_8041;
    pub(in crate::server::wsman) const UNSUPPORTED_FEATURE: u32 = 0x8033_8042;
    pub(in crate::server::wsman) const ENVELOPE_EXCEEDED: u32 = 0x8033_8048;
    pub(in crate::server::wsman) const ENVELOPE_TOO_SMALL: u32 = 0x8033_807E;
}

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
        Self::sender("w:SchemaValidationError", number::SCHEMA_VALIDATION, format!("The message is not valid: {what}."))
    }

    /// `s:VersionMismatch`: another version of SOAP.
    pub(super) fn version() -> Self {
        let reason = "The message is not of SOAP 1.2.".to_owned();
        let (detail, cim, header) = (None, None, None);
        Self { code: "VersionMismatch", subcode: None, reason, detail, number: number::VERSION_MISMATCH, cim, header }
    }

    /// `s:MustUnderstand`: a header that must be understood and is not.
    pub(super) fn not_understood(namespace: &str, name: &str) -> Self {
        Self {
            code: "MustUnderstand",
            subcode: None,
            reason: format!("The header {name} must be understood and is not."),
            detail: None,
            number: number::MUST_UNDERSTAND,
            cim: None,
            header: Some(Box::new((namespace.to_owned(), name.to_owned()))),
        }
    }

    /// `w:UnsupportedFeature`: what DSP0226 allows and this server does not do.
    pub(super) fn unsupported(detail: &'static str, what: &str) -> Self {
        Self::sender("w:UnsupportedFeature", number::UNSUPPORTED_FEATURE, what).about(detail)
    }

    /// `w:EncodingLimit`: the answer does not fit the envelope.
    pub(super) fn too_large(what: &str) -> Self {
        Self::sender("w:EncodingLimit", number::ENVELOPE_EXCEEDED, what).about("MaxEnvelopeSizeExceeded")
    }

    /// `w:EncodingLimit`: no answer fits an envelope of at most `least` bytes.
    pub(super) fn too_small(least: usize) -> Self {
        let what = format!("MaxEnvelopeSize is at least {least} bytes.");
        Self::sender("w:EncodingLimit", number::ENVELOPE_TOO_SMALL, what).about("MinimumEnvelopeLimit")
    }

    /// `w:InvalidSelectors`
    pub(super) fn selectors(detail: &'static str, reason: impl Into<String>) -> Self {
        Self::sender("w:InvalidSelectors", number::INVALID_SELECTORS, reason).about(detail)
    }

    /// `n:CannotProcessFilter`
    pub(super) fn filter(reason: impl Into<String>) -> Self {
        Self::sender("n:CannotProcessFilter", number::CANNOT_PROCESS_FILTER, reason)
    }

    /// `a:DestinationUnreachable`: there is no such resource.
    pub(super) fn no_resource(reason: impl Into<String>) -> Self {
        Self::sender("a:DestinationUnreachable", number::RESOURCE_NOT_FOUND, reason).about("InvalidResourceURI")
    }

    /// `n:InvalidEnumerationContext`
    pub(super) fn no_context() -> Self {
        let reason = "The enumeration context is not valid: it was released, read to its end, or not read in time.";
        Self::sender("n:InvalidEnumerationContext", number::INVALID_CONTEXT, reason)
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
            CimStatus::ACCESS_DENIED => ("w:AccessDenied", None, number::ACCESS_DENIED),
            CimStatus::INVALID_NAMESPACE | CimStatus::INVALID_CLASS | CimStatus::NOT_FOUND => {
                ("a:DestinationUnreachable", Some("InvalidResourceURI"), number::RESOURCE_NOT_FOUND)
            }
            CimStatus::INVALID_PARAMETER => ("w:InvalidParameter", None, number::INVALID_PARAMETER),
            CimStatus::INVALID_QUERY => ("n:CannotProcessFilter", None, number::CANNOT_PROCESS_FILTER),
            CimStatus::NOT_SUPPORTED => ("w:UnsupportedFeature", None, number::UNSUPPORTED_FEATURE),
            CimStatus::SERVER_LIMITS_EXCEEDED => ("w:QuotaLimit", None, number::QUOTA_LIMIT),
            _ => ("w:InternalError", None, number::PROVIDER_FAILURE),
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
        CimStatus::SERVER_LIMITS_EXCEEDED => 0x8004_106C,
        _ => 0x8004_1001,
    }
}
