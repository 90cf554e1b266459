//! Resource URIs.
//!
//! Owns: what a URI names (DSP0227 section 6, MS-WSMV section 2.2.5.3). Must not know selectors.

use crate::cim::{CimName, Namespace};

/// Before the name of a class (DSP0227 section 6).
const CLASSES: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
/// Before namespace and class, as WMI has it.
const WMI: &str = "http://schemas.microsoft.com/wbem/wsman/1/wmi/";
/// All classes (DSP0227 section 6).
const ALL: &str = "http://schemas.dmtf.org/wbem/wscim/1/*";
/// Classes themselves, as CIM-XML (MS-WSMV section 2.2.5.3.2).
const SCHEMA: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/";

/// What a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// The instances of a class.
    Class(CimName),
    /// The instances of any class, by a filter.
    All,
    /// Classes; the one named, if it is.
    Schema(Option<CimName>),
}

/// A URI, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) resource: Resource,
    /// The namespace that stands in the URI.
    pub(super) namespace: Option<Namespace>,
    /// What stands before the name of a class in the URI of an instance of this spelling.
    pub(super) prefix: String,
}

/// Reads `uri`; `None` if it is of no known spelling.
pub(super) fn read(uri: &str) -> Option<Named> {
    let dmtf = |resource| Some(Named { resource, namespace: None, prefix: CLASSES.to_owned() });
    let class = |name: &str| (!name.is_empty() && !name.contains('/')).then(|| CimName::new(name));
    if uri == ALL {
        return dmtf(Resource::All);
    }
    if let Some(name) = strip(uri, CLASSES) {
        return dmtf(if name == "*" { Resource::All } else { Resource::Class(class(name)?) });
    }
    if let Some(name) = strip(uri, SCHEMA) {
        return dmtf(Resource::Schema(if name == "*" { None } else { Some(class(name)?) }));
    }
    let (path, name) = strip(uri, WMI)?.rsplit_once('/')?;
    let resource = if name == "*" { Resource::All } else { Resource::Class(class(name)?) };
    let namespace = Namespace::new(path);
    Some(Named { resource, prefix: format!("{WMI}{namespace}/"), namespace: Some(namespace) })
}

/// What follows `prefix`, without regard to case: WinRM's URIs are compared so.
fn strip<'u>(uri: &'u str, prefix: &str) -> Option<&'u str> {
    let head = uri.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) { uri.get(prefix.len()..) } else { None }
}
