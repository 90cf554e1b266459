//! The qualifiers DSP0004 defines, for texts that use them without declaring them.
//!
//! Owns: their types and flavours (DSP0004 section 5.6.3). Must not know what they mean.

use crate::cim::{CimName, CimType, Flavor};

/// The type, arrayness and flavour of a qualifier.
#[derive(Clone, Copy, Debug)]
pub(super) struct QualifierType {
    pub(super) ty: CimType,
    pub(super) is_array: bool,
    pub(super) flavor: Flavor,
}

const fn flavor(overridable: bool, to_subclass: bool, translatable: bool) -> Flavor {
    Flavor { overridable, to_subclass, translatable }
}

const OPEN: Flavor = flavor(true, true, false);
const OPEN_TEXT: Flavor = flavor(true, true, true);
const FIXED: Flavor = flavor(false, true, false);
const OWN: Flavor = flavor(true, false, false);

const STANDARD: &[(CimType, bool, Flavor, &[&str])] = &[
    (CimType::Boolean, false, OWN, &["Abstract", "Experimental"]),
    (
        CimType::Boolean,
        false,
        FIXED,
        &[
            "Aggregate",
            "Aggregation",
            "Association",
            "Composition",
            "DN",
            "EmbeddedObject",
            "Exception",
            "In",
            "Indication",
            "Key",
            "OctetString",
            "Out",
            "Required",
            "Static",
            "Structure",
            "Weak",
        ],
    ),
    (CimType::Boolean, false, OPEN, &["Counter", "Gauge", "IsPUnit", "Read", "Terminal", "Write"]),
    (CimType::String, false, OPEN, &["EmbeddedInstance", "PropertyUsage", "PUnit", "UMLPackagePath"]),
    (CimType::String, false, OPEN_TEXT, &["Alias", "Description", "DisplayName", "Revision", "Units"]),
    (CimType::String, false, FIXED, &["ArrayType", "NullValue", "Propagated"]),
    (CimType::String, false, OWN, &["Override"]),
    (CimType::String, false, flavor(true, false, true), &["Version"]),
    (CimType::String, false, flavor(false, true, true), &["Schema"]),
    (
        CimType::String,
        true,
        OPEN,
        &[
            "BitMap",
            "ClassConstraint",
            "Correlatable",
            "MappingStrings",
            "MethodConstraint",
            "ModelCorrespondence",
            "PropertyConstraint",
            "ValueMap",
        ],
    ),
    (CimType::String, true, OPEN_TEXT, &["BitValues", "Values"]),
    (CimType::String, true, OWN, &["Deprecated"]),
    (CimType::UInt32, false, OPEN, &["Max", "MaxLen", "Min", "MinLen"]),
    (CimType::SInt64, false, OPEN, &["MaxValue", "MinValue"]),
];

/// The type DSP0004 gives the qualifier `name`, if it defines it.
pub(super) fn qualifier(name: &CimName) -> Option<QualifierType> {
    STANDARD.iter().find(|row| row.3.iter().any(|known| *name == **known)).map(|row| QualifierType {
        ty: row.0,
        is_array: row.1,
        flavor: row.2,
    })
}
