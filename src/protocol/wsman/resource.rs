//! Resource URIs: how a class is named to a server.
//!
//! Owns: the styles of URI and the prefixes vendors use for their classes. Must not know which style a server takes.

use crate::{
    cim::{CimName, Namespace},
    session::{UriStyle, VendorNamespace},
};

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

    /// Those worth trying where classes are named in the style `fixed`.
    pub const fn of(fixed: UriStyle) -> &'static [Self] {
        match fixed {
            UriStyle::Auto => &Self::EVERY,
            UriStyle::Dmtf => &[Self::Schema, Self::OfClass],
            UriStyle::Wmi => &[Self::Wmi],
        }
    }

    /// Its URI, where `class` is known to be queried.
    pub fn uri(self, namespace: &Namespace, class: Option<&CimName>, vendors: &[VendorNamespace]) -> Option<String> {
        match self {
            Self::Schema => Some(Style::Schema.all_classes(namespace)),
            Self::OfClass => class.map(|class| Naming { style: Style::Schema, vendors }.class(namespace, class)),
            Self::Wmi => Some(Style::Wmi.all_classes(namespace)),
        }
    }
}

impl Style {
    /// The style a session fixes, if it does.
    pub const fn fixed(style: UriStyle) -> Option<Self> {
        match style {
            UriStyle::Auto => None,
            UriStyle::Dmtf => Some(Self::Schema),
            UriStyle::Wmi => Some(Self::Wmi),
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

/// How single classes are named to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Naming<'v> {
    /// The style.
    pub style: Style,
    /// Vendors that go before those known anyway.
    pub vendors: &'v [VendorNamespace],
}

impl From<Style> for Naming<'static> {
    fn from(style: Style) -> Self {
        Self { style, vendors: &[] }
    }
}

impl Naming<'_> {
    /// The URI of `class`.
    pub fn class(self, namespace: &Namespace, class: &CimName) -> String {
        match self.style {
            Style::Schema => {
                let schema = class.schema().unwrap_or_default();
                if let Some(vendor) = self.vendors.iter().find(|vendor| vendor.has(schema)) {
                    return vendor.class(class.as_str());
                }
                let known = VENDORS.iter().find(|(prefix, _)| schema.eq_ignore_ascii_case(prefix));
                format!("{}{class}", known.map_or(DMTF, |(_, uri)| uri))
            }
            Style::Wmi => format!("{WMI}{namespace}/{class}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
            assert_eq!(Naming::from(Style::Schema).class(&namespace, &CimName::new(class)), uri);
        }
        let wmi = Naming::from(Style::Wmi).class(&namespace, &CimName::new("Win32_Service"));
        assert_eq!(wmi, "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service");
        assert_eq!(Style::Wmi.all_classes(&namespace), "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*");
        assert_eq!(Style::Schema.all_classes(&namespace), "http://schemas.dmtf.org/wbem/wscim/1/*");
    }

    #[test]
    fn vendors_of_the_session_go_before_those_known_anyway_and_not_into_the_uris_of_wmi() {
        let vendor = |prefix, uri| VendorNamespace::new(prefix, uri).unwrap();
        let vendors = [vendor("LAB_", "http://lab.example/2"), vendor("AMT", "http://other.example/amt/")];
        let named = |style, class| {
            let naming = Naming { style, vendors: &vendors };
            naming.class(&Namespace::new("root/x"), &CimName::new(class))
        };
        assert_eq!(named(Style::Schema, "lab_Disk"), "http://lab.example/2/lab_Disk");
        assert_eq!(named(Style::Schema, "AMT_A"), "http://other.example/amt/AMT_A");
        assert_eq!(named(Style::Schema, "IPS_A"), "http://intel.com/wbem/wscim/1/ips-schema/1/IPS_A");
        assert_eq!(named(Style::Schema, "Plain"), "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Plain");
        assert_eq!(named(Style::Wmi, "LAB_Disk"), "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/x/LAB_Disk");
        let of_class = AllClasses::OfClass.uri(&Namespace::new("root/x"), Some(&CimName::new("LAB_Disk")), &vendors);
        assert_eq!(of_class.as_deref(), Some("http://lab.example/2/LAB_Disk"));
    }
}
