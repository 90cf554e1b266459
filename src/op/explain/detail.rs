//! `CIM_Error` instances: what a server says about an error beyond its status code.
//!
//! Owns: their properties (class `CIM_Error` of the DMTF's CIM Schema, sent inside ERROR by DSP0201) in a sentence. Must not
//! know how they were sent. Texts are the server's: made plain, bounded in length and number.

use super::super::plain;
use crate::cim::{CimInstance, CimValue};

/// The most instances told of.
const INSTANCES: usize = 8;
/// The most characters of one text.
const TEXT: usize = 1_000;
/// The most recommended actions, and arguments of a message, told of.
const ITEMS: usize = 6;

/// `CIM_Error.ErrorType`, by value.
const ERROR_TYPES: [&str; 11] = [
    "",
    "",
    "communications error",
    "quality of service error",
    "software error",
    "hardware error",
    "environmental error",
    "security error",
    "oversubscription error",
    "unavailable resource error",
    "unsupported operation error",
];

/// `CIM_Error.PerceivedSeverity`, by value.
const SEVERITIES: [&str; 8] = ["", "", "information", "warning", "minor", "major", "critical", "fatal"];

/// `CIM_Error.ProbableCause`, by value.
#[rustfmt::skip]
const PROBABLE_CAUSES: [&str; 131] = [
    "Unknown", "Other", "Adapter/Card Error", "Application Subsystem Failure", "Bandwidth Reduced",
    "Connection Establishment Error", "Communications Protocol Error", "Communications Subsystem Failure",
    "Configuration/Customization Error", "Congestion", "Corrupt Data", "CPU Cycles Limit Exceeded",
    "Dataset/Modem Error", "Degraded Signal", "DTE-DCE Interface Error", "Enclosure Door Open",
    "Equipment Malfunction", "Excessive Vibration", "File Format Error", "Fire Detected", "Flood Detected",
    "Framing Error", "HVAC Problem", "Humidity Unacceptable", "I/O Device Error", "Input Device Error", "LAN Error",
    "Non-Toxic Leak Detected", "Local Node Transmission Error", "Loss of Frame", "Loss of Signal",
    "Material Supply Exhausted", "Multiplexer Problem", "Out of Memory", "Output Device Error",
    "Performance Degraded", "Power Problem", "Pressure Unacceptable", "Processor Problem (Internal Machine Error)",
    "Pump Failure", "Queue Size Exceeded", "Receive Failure", "Receiver Failure", "Remote Node Transmission Error",
    "Resource at or Nearing Capacity", "Response Time Excessive", "Retransmission Rate Excessive", "Software Error",
    "Software Program Abnormally Terminated", "Software Program Error (Incorrect Results)",
    "Storage Capacity Problem", "Temperature Unacceptable", "Threshold Crossed", "Timing Problem",
    "Toxic Leak Detected", "Transmit Failure", "Transmitter Failure", "Underlying Resource Unavailable",
    "Version Mismatch", "Previous Alert Cleared", "Login Attempts Failed", "Software Virus Detected",
    "Hardware Security Breached", "Denial of Service Detected", "Security Credential Mismatch",
    "Unauthorized Access", "Alarm Received", "Loss of Pointer", "Payload Mismatch", "Transmission Error",
    "Excessive Error Rate", "Trace Problem", "Element Unavailable", "Element Missing", "Loss of Multi Frame",
    "Broadcast Channel Failure", "Invalid Message Received", "Routing Failure", "Backplane Failure",
    "Identifier Duplication", "Protection Path Failure", "Sync Loss or Mismatch", "Terminal Problem",
    "Real Time Clock Failure", "Antenna Failure", "Battery Charging Failure", "Disk Failure",
    "Frequency Hopping Failure", "Loss of Redundancy", "Power Supply Failure", "Signal Quality Problem",
    "Battery Discharging", "Battery Failure", "Commercial Power Problem", "Fan Failure", "Engine Failure",
    "Sensor Failure", "Fuse Failure", "Generator Failure", "Low Battery", "Low Fuel", "Low Water", "Explosive Gas",
    "High Winds", "Ice Buildup", "Smoke", "Memory Mismatch", "Out of CPU Cycles", "Software Environment Problem",
    "Software Download Failure", "Element Reinitialized", "Timeout", "Logging Problems", "Leak Detected",
    "Protection Mechanism Failure", "Protecting Resource Failure", "Database Inconsistency",
    "Authentication Failure", "Breach of Confidentiality", "Cable Tamper", "Delayed Information",
    "Duplicate Information", "Information Missing", "Information Modification", "Information Out of Sequence",
    "Key Expired", "Non-Repudiation Failure", "Out of Hours Activity", "Out of Service", "Procedural Error",
    "Unexpected Information",
];

/// What `details` say, a sentence each, and how many more there are.
pub fn told(details: &[CimInstance]) -> Vec<String> {
    let mut told: Vec<String> = details.iter().take(INSTANCES).map(sentence).collect();
    if details.len() > INSTANCES {
        told.push(format!("and {} more errors", details.len() - INSTANCES));
    }
    told
}

/// What `details` recommend to do, if they recommend anything.
pub fn recommended(details: &[CimInstance]) -> Option<String> {
    let actions: Vec<String> =
        details.iter().take(INSTANCES).flat_map(|detail| texts(detail, "RecommendedActions")).take(ITEMS).collect();
    (!actions.is_empty()).then(|| format!("the server recommends: {}", actions.join("; ")))
}

/// `OWNER ID: MESSAGE (TYPE, SEVERITY; probable cause: ...; source: ...)`, as far as it is there.
fn sentence(detail: &CimInstance) -> String {
    let name = [text(detail, "OwningEntity"), text(detail, "MessageID")].into_iter().flatten().collect::<Vec<_>>();
    let message = text(detail, "Message").or_else(|| {
        let arguments = texts(detail, "MessageArguments");
        (!arguments.is_empty()).then(|| arguments.join(", "))
    });
    let mut out = match (name.is_empty(), message) {
        (false, Some(message)) => format!("{}: {message}", name.join(" ")),
        (false, None) => name.join(" "),
        (true, Some(message)) => message,
        (true, None) => format!("a {} without a message", plain(detail.class.as_str(), TEXT)),
    };
    let notes = notes(detail);
    if !notes.is_empty() {
        out.push_str(&format!(" ({})", notes.join("; ")));
    }
    out
}

fn notes(detail: &CimInstance) -> Vec<String> {
    let kind = text(detail, "OtherErrorType").or_else(|| named(detail, "ErrorType", &ERROR_TYPES));
    let kind = [kind, named(detail, "PerceivedSeverity", &SEVERITIES)].into_iter().flatten().collect::<Vec<_>>();
    let cause = named(detail, "ProbableCause", &PROBABLE_CAUSES);
    let cause = [cause, text(detail, "ProbableCauseDescription")].into_iter().flatten().collect::<Vec<_>>();
    let mut notes = Vec::new();
    if !kind.is_empty() {
        notes.push(kind.join(", "));
    }
    if !cause.is_empty() {
        notes.push(format!("probable cause: {}", cause.join(", ")));
    }
    if let Some(source) = text(detail, "ErrorSource") {
        let form =
            text(detail, "OtherErrorSourceFormat").map(|form| format!(" in the form {form}")).unwrap_or_default();
        notes.push(format!("source: {source}{form}"));
    }
    notes.extend(text(detail, "CIMStatusCodeDescription"));
    notes
}

fn value<'a>(detail: &'a CimInstance, name: &str) -> Option<&'a CimValue> {
    detail.property(name).map(|property| &property.value.value)
}

fn text(detail: &CimInstance, name: &str) -> Option<String> {
    value(detail, name).and_then(said)
}

fn said(value: &CimValue) -> Option<String> {
    match value {
        CimValue::String(text) | CimValue::Untyped(text) if !text.trim().is_empty() => Some(plain(text.trim(), TEXT)),
        _ => None,
    }
}

fn texts(detail: &CimInstance, name: &str) -> Vec<String> {
    match value(detail, name) {
        Some(CimValue::Array(items)) => items.iter().filter_map(said).take(ITEMS).collect(),
        Some(value) => said(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The name of a value that is one of `names`; values that say nothing (unknown, other) have none.
fn named(detail: &CimInstance, name: &str, names: &[&str]) -> Option<String> {
    let Some(CimValue::UInt(number)) = value(detail, name) else { return None };
    let named = names.get(usize::try_from(*number).ok()?)?;
    let says = *number > 1 && !named.is_empty();
    says.then(|| (*named).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::{CimName, CimType, InstanceProperty, TypedValue};

    fn error(properties: &[(&str, CimType, CimValue)]) -> CimInstance {
        let mut error = CimInstance::new("CIM_Error");
        error.properties = properties
            .iter()
            .map(|(name, ty, value)| InstanceProperty {
                name: CimName::new(name),
                value: TypedValue { ty: *ty, is_array: matches!(value, CimValue::Array(_)), value: value.clone() },
                is_typed: true,
                embedded: None,
                reference_class: None,
            })
            .collect();
        error
    }

    fn string(name: &'static str, text: &str) -> (&'static str, CimType, CimValue) {
        (name, CimType::String, CimValue::string(text))
    }

    fn number(name: &'static str, number: u64) -> (&'static str, CimType, CimValue) {
        (name, CimType::UInt16, CimValue::UInt(number))
    }

    #[test]
    fn a_whole_error_becomes_a_sentence() {
        let actions =
            CimValue::Array(vec![CimValue::string("replace the disk"), CimValue::Null, CimValue::string("reboot")]);
        let whole = error(&[
            string("OwningEntity", "DMTF"),
            string("MessageID", "WIPG0228"),
            string("Message", "the disk\n\u{1b}[31mfailed"),
            number("ErrorType", 5),
            number("PerceivedSeverity", 6),
            number("ProbableCause", 86),
            string("ProbableCauseDescription", "it fell"),
            string("ErrorSource", "root/cimv2:LC_Disk.Id=1"),
            ("RecommendedActions", CimType::String, actions),
        ]);
        assert_eq!(
            told(std::slice::from_ref(&whole)),
            [
                "DMTF WIPG0228: the disk \u{fffd}[31mfailed (hardware error, critical; probable cause: Disk Failure, it fell; \
              source: root/cimv2:LC_Disk.Id=1)"
            ]
        );
        let recommends = recommended(&[error(&[]), whole]);
        assert_eq!(recommends.as_deref(), Some("the server recommends: replace the disk; reboot"));
    }

    #[test]
    fn what_is_missing_or_unknown_is_left_out() {
        let sparse = [
            error(&[string("MessageID", "X1"), number("ErrorType", 0), number("ProbableCause", 9_999)]),
            error(&[number("ErrorType", 1), string("OtherErrorType", "bad luck"), string("Message", "oh")]),
            error(&[]),
        ];
        assert_eq!(told(&sparse), ["X1", "oh (bad luck)", "a CIM_Error without a message"]);
        assert_eq!(recommended(&sparse), None);
    }

    #[test]
    fn number_and_length_are_bounded() {
        let long = error(&[string("Message", &"x".repeat(4_000))]);
        let told = told(&vec![long; 100]);
        assert_eq!(told.len(), INSTANCES + 1);
        assert!(told.iter().all(|text| text.chars().count() <= TEXT + 1), "cut with an ellipsis");
        assert_eq!(told.last().map(String::as_str), Some("and 92 more errors"));
        let action = CimValue::Array(vec![CimValue::string(&"y".repeat(4_000)); 100]);
        let eager = error(&[("RecommendedActions", CimType::String, action)]);
        let recommends = recommended(&[eager.clone(), eager]).unwrap_or_default();
        assert!(recommends.chars().count() < (TEXT + 3) * ITEMS + 30, "{}", recommends.len());
    }
}
