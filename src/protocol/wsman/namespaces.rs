//! The XML namespaces of WS-Man (DSP0226, DSP0227, DSP0230, MS-WSMV) and what is told from them.
//!
//! Owns: their names. Must not know messages.

/// SOAP 1.2.
pub const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// WS-Addressing 2004/08.
pub const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// WS-Management.
pub const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
/// WS-Enumeration 2004/09.
pub const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
/// WS-Transfer 2004/09.
pub const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
/// WS-Eventing 2004/08.
pub const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
/// The CIM binding (DSP0227).
pub const CIM_BINDING: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd";
/// What the CIM types of DSP0230 are in.
pub const CIM: &str = "http://schemas.dmtf.org/wbem/wscim/1/common";
/// Microsoft's headers.
pub const MICROSOFT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
/// Microsoft's details of faults.
pub const MICROSOFT_FAULT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";
/// Identify.
pub const IDENTITY: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";
/// Identify as OpenPegasus spells it.
pub const IDENTIFY: &str = "http://schemas.dmtf.org/wbem/wsman/identify/1/wsmanidentity.xsd";
/// XML Schema's attributes for instances.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// XML Schema's types.
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema";
