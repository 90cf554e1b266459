//! Resource URIs: how a class is named to a server.
//!
//! Owns: the styles of URI and the prefixes vendors use for their classes. Must not know which style a server takes.

use crate::cim::{CimName, Namespace};

/// What the classes of CIM begin with, and those of nearly everybody (DSP0227 section 6.1).
pub const DMTF: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
/// All classes of a namespace (DSP0227 section 6.2): for queries and associations.
pub const ALL_CLASSES: &str = "http://schemas.dmtf.org/wbem/wscim/1/*";
/// The classes themselves instead of their instances, as CIM-XML (MS-WSMV section 3.1.4.8).
pub const CLASSES: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";
/// What WMI's classes begin with; namespace and class follow (MS-WSMV section 3.1.4.1.1).
pub const WMI: &str = "http://schemas.microsoft.com/wbem/wsman/1/wmi/";
/// The selector that names the CIM namespace (DSP0227 section 6.3). Servers differ in what they take where it is missing.
pub const NAMESPACE: &str = "__cimnamespace";

/// Vendors whose servers know their classes by URIs of their own, by what the classes' names begin with.
const VENDORS: &[(&str, &str)] = &[
    ("AMT", "http://intel.com/wbem/wscim/1/amt-schema/1/"),
    ("IPS", "http://intel.com/wbem/wscim/1/ips-schema/1/"),
    ("DCIM", "http://schemas.dell.com/wbem/wscim/1/cim-schema/2/"),
];

/// How a server wants classes to be named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// By the URI of their schema; the namespace is a selector.
    #[default]
    Schema,
    /// By namespace and class, as Windows did before it took the other.
    Wmi,
}

/// What queries and associations are asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllClasses {
    /// All classes, as DSP0227 names them.
    Schema,
    /// The class that is queried, or that of the object.
    OfClass,
    /// All classes of a namespace of WMI.
    Wmi,
}

impl AllClasses {
    /// Every one, what most servers take first.
    pub const EVERY: [Self; 3] = [Self::Schema, Self::OfClass, Self::Wmi];

    /// Its URI, where `class` is known to be queried.
    pub fn uri(self, namespace: &Namespace, class: Option<&CimName>) -> Option<String> {
        match self {
            Self::Schema => Some(Style::Schema.all_classes(namespace)),
            Self::OfClass => class.map(|class| Style::Schema.class(namespace, class)),
            Self::Wmi => Some(Style::Wmi.all_classes(namespace)),
        }
    }
}

impl Style {
    /// The URI of `class`.
    pub fn class(self, namespace: &Namespace, class: &CimName) -> String {
        match self {
            Self::Schema => {
                let vendor = class.schema().and_then(|schema| {
                    VENDORS.iter().find(|(prefix, _)| schema.eq_ignore_ascii_case(prefix)).map(|(_, uri)| *uri)
                });
                format!("{}{class}", vendor.unwrap_or(DMTF))
            }
            Self::Wmi => format!("{WMI}{namespace}/{class}"),
        }
    }

    /// The URI of all classes.
    pub fn all_classes(self, namespace: &Namespace) -> String {
        match self {
            Self::Schema => ALL_CLASSES.to_owned(),
            Self::Wmi => format!("{WMI}{namespace}/*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_by_their_schema_or_their_namespace() {
        let namespace = Namespace::new("root/cimv2");
        let cases = [
            ("CIM_Processor", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Processor"),
            ("Win32_Service", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Win32_Service"),
            ("__Namespace", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/__Namespace"),
            ("AMT_GeneralSettings", "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings"),
            (
                "IPS_KVMRedirectionSettingData",
                "http://intel.com/wbem/wscim/1/ips-schema/1/IPS_KVMRedirectionSettingData",
            ),
            ("DCIM_NICView", "http://schemas.dell.com/wbem/wscim/1/cim-schema/2/DCIM_NICView"),
            ("AMTX_Other", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/AMTX_Other"),
        ];
        for (class, uri) in cases {
            assert_eq!(Style::Schema.class(&namespace, &CimName::new(class)), uri);
        }
        let wmi = Style::Wmi.class(&namespace, &CimName::new("Win32_Service"));
        assert_eq!(wmi, "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service");
        assert_eq!(Style::Wmi.all_classes(&namespace), "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*");
        assert_eq!(Style::Schema.all_classes(&namespace), "http://schemas.dmtf.org/wbem/wscim/1/*");
    }
}
