//! The object manager, its namespaces and the link between them.
//!
//! Owns: the instances of the interop namespace. Must not know what is in the other namespaces.

use std::ops::ControlFlow;

use super::{Ask, Each, Host, Provider, Row, reference};
use crate::{
    cim::{CimError, KeyBinding, KeyValue, Namespace, ObjectPath},
    server::repository::INTEROP,
};

const MANAGER: &str = "lazycim";

/// The providers of the interop namespace.
pub(super) fn all(host: &Host, namespaces: Vec<Namespace>) -> Vec<Box<dyn Provider>> {
    vec![
        Box::new(ObjectManager { host: host.clone() }),
        Box::new(Namespaces { host: host.clone(), namespaces: namespaces.clone() }),
        Box::new(NamespaceInManager { host: host.clone(), namespaces }),
    ]
}

struct ObjectManager {
    host: Host,
}

impl Provider for ObjectManager {
    fn class(&self) -> &'static str {
        "LC_ObjectManager"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let mut row = Row::new(ask.class);
        row.set("SystemCreationClassName", "LC_ComputerSystem");
        row.set("SystemName", self.host.computer.as_str());
        row.set("CreationClassName", self.class());
        row.set("Name", MANAGER);
        row.set("Caption", "lazycim");
        row.set("ElementName", "lazycim");
        row.set(
            "Description",
            concat!("The CIM server embedded in lazycim ", env!("CARGO_PKG_VERSION"), ", read-only"),
        );
        row.set("Version", env!("CARGO_PKG_VERSION"));
        row.set("Started", true);
        row.set("EnabledState", 2_u64);
        row.set("OperationalStatus", [2_u64]);
        row.set("HealthState", 5_u64);
        row.set("GatherStatisticalData", false);
        let _ = each(row);
        Ok(())
    }
}

struct Namespaces {
    host: Host,
    namespaces: Vec<Namespace>,
}

impl Provider for Namespaces {
    fn class(&self) -> &'static str {
        "LC_Namespace"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        for namespace in &self.namespaces {
            let mut row = Row::new(ask.class);
            row.set("SystemCreationClassName", "LC_ComputerSystem");
            row.set("SystemName", self.host.computer.as_str());
            row.set("ObjectManagerCreationClassName", "LC_ObjectManager");
            row.set("ObjectManagerName", MANAGER);
            row.set("CreationClassName", self.class());
            row.set("Name", namespace.as_str());
            row.set("Caption", namespace.as_str());
            row.set("ElementName", namespace.as_str());
            let interop = namespace == INTEROP;
            row.set("Description", if interop { "What this server is and holds" } else { "This computer" });
            row.set("ClassType", 2_u64);
            if each(row) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

struct NamespaceInManager {
    host: Host,
    namespaces: Vec<Namespace>,
}

impl NamespaceInManager {
    fn path(class: &str, keys: &[(&str, &str)]) -> ObjectPath {
        ObjectPath {
            host: None,
            namespace: Some(Namespace::new(INTEROP)),
            class: class.into(),
            keys: keys
                .iter()
                .map(|(name, value)| KeyBinding { name: (*name).into(), value: KeyValue::String((*value).into()) })
                .collect(),
        }
    }
}

impl Provider for NamespaceInManager {
    fn class(&self) -> &'static str {
        "LC_NamespaceInManager"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let system = [("SystemCreationClassName", "LC_ComputerSystem"), ("SystemName", self.host.computer.as_str())];
        for namespace in &self.namespaces {
            let manager = [&system[..], &[("CreationClassName", "LC_ObjectManager"), ("Name", MANAGER)]].concat();
            let space = [
                &system[..],
                &[
                    ("ObjectManagerCreationClassName", "LC_ObjectManager"),
                    ("ObjectManagerName", MANAGER),
                    ("CreationClassName", "LC_Namespace"),
                    ("Name", namespace.as_str()),
                ],
            ]
            .concat();
            let mut row = Row::new(ask.class);
            row.set("Antecedent", reference(Self::path("LC_ObjectManager", &manager)));
            row.set("Dependent", reference(Self::path("LC_Namespace", &space)));
            if each(row) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}
