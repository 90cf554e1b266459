//! What is asked in a case, and what that is called on the wire.

use lazycim::{
    cim::{CimName, KeyBinding, KeyValue, ObjectPath},
    op::{Operation, OperationKind},
};

use super::subjects::{Subject, WSMAN};

/// What the server of every case knows one instance of.
pub const CLASS: &str = "LC_OperatingSystem";

/// What is asked. Over WS-Man the class is fetched before whatever may need its keys or types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A class: one request.
    Class,
    /// The names of instances: over CIM-XML one request.
    Names,
    /// Instances: the class before them.
    Instances,
    /// An instance: the class before it.
    Instance,
    /// What is associated with an instance: over CIM-XML the class of the source before it.
    Associators,
    /// The names of the associations of an instance: as with associators.
    ReferenceNames,
    /// What is associated with a class: one request. CIM-XML alone.
    ClassAssociators,
    /// A query: over CIM-XML one request.
    Query,
    /// The names of classes: one request.
    ClassNames,
    /// Classes: one request.
    Classes,
    /// Qualifier types: one request. CIM-XML alone.
    Qualifiers,
    /// A qualifier type: one request. CIM-XML alone.
    Qualifier,
    /// The namespaces: several requests.
    Namespaces,
}

/// All that every protocol has.
const EVERYWHERE: [Ask; 9] = [
    Ask::Class,
    Ask::Names,
    Ask::Instances,
    Ask::Instance,
    Ask::Associators,
    Ask::ReferenceNames,
    Ask::Query,
    Ask::ClassNames,
    Ask::Classes,
];

/// What WS-Man does not have.
pub const CIMXML_ALONE: [Ask; 3] = [Ask::ClassAssociators, Ask::Qualifiers, Ask::Qualifier];

/// A path of the class every case knows.
fn path() -> ObjectPath {
    let key = KeyBinding { name: CimName::new("Name"), value: KeyValue::String("one".into()) };
    ObjectPath::new(None, CimName::new(CLASS), vec![key])
}

fn associators(object: ObjectPath) -> OperationKind {
    OperationKind::AssociatorInstances { object, assoc_class: None, result_class: None, role: None, result_role: None }
}

impl Ask {
    /// Everything that can be asked over a protocol.
    pub fn everything(over: Subject) -> impl Iterator<Item = Self> {
        let more: &[Self] = if over == WSMAN { &[] } else { &CIMXML_ALONE };
        EVERYWHERE.into_iter().chain(more.iter().copied()).chain([Self::Namespaces])
    }

    /// The operation of the protocol that is asked for, where a session over CIM-XML pulls or does not; the first of the
    /// namespaces'.
    pub fn wire_name(self, over: Subject, pulls: bool) -> &'static str {
        if over == WSMAN {
            return match self {
                Self::Class => "GetClass",
                Self::Instance => "Get",
                Self::ClassNames | Self::Classes => "EnumerateClasses",
                _ => "Enumerate",
            };
        }
        match (self, pulls) {
            (Self::Class, _) => "GetClass",
            (Self::Names, false) => "EnumerateInstanceNames",
            (Self::Names, true) => "OpenEnumerateInstancePaths",
            (Self::Instances, false) => "EnumerateInstances",
            (Self::Instances, true) => "OpenEnumerateInstances",
            (Self::Instance, _) => "GetInstance",
            (Self::Associators, true) => "OpenAssociatorInstances",
            (Self::Associators, false) | (Self::ClassAssociators, _) => "Associators",
            (Self::ReferenceNames, false) => "ReferenceNames",
            (Self::ReferenceNames, true) => "OpenReferenceInstancePaths",
            (Self::Query, false) => "ExecQuery",
            (Self::Query, true) => "OpenQueryInstances",
            (Self::ClassNames, _) => "EnumerateClassNames",
            (Self::Classes, _) => "EnumerateClasses",
            (Self::Qualifiers, _) => "EnumerateQualifiers",
            (Self::Qualifier, _) => "GetQualifier",
            (Self::Namespaces, _) => "EnumerateInstances",
        }
    }

    /// The operation.
    pub fn operation(self) -> Operation {
        let class = CimName::new(CLASS);
        let mut operation = Operation::new(match self {
            Self::Class => OperationKind::GetClass { class },
            Self::Names | Self::Instances => OperationKind::EnumerateInstances { class },
            Self::Instance => OperationKind::GetInstance { path: path() },
            Self::Associators => associators(path()),
            Self::ReferenceNames => {
                OperationKind::ReferenceInstances { object: path(), result_class: None, role: None }
            }
            Self::ClassAssociators => associators(ObjectPath::new(None, class, Vec::new())),
            Self::Query => OperationKind::QueryInstances { query: format!("SELECT * FROM {CLASS}") },
            Self::ClassNames => OperationKind::EnumerateClasses { parent: None, deep: false, names_only: true },
            Self::Classes => OperationKind::EnumerateClasses { parent: None, deep: true, names_only: false },
            Self::Qualifiers => OperationKind::EnumerateQualifiers,
            Self::Qualifier => OperationKind::GetQualifier { name: CimName::new("Key") },
            Self::Namespaces => OperationKind::EnumerateNamespaces,
        });
        operation.options.keys_only = matches!(self, Self::Names | Self::ReferenceNames);
        // GetClass and EnumerateClasses would otherwise be answered from what an earlier operation learned.
        operation.options.refresh = matches!(self, Self::Class);
        operation
    }
}
