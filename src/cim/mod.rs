//! The CIM domain: names, types, values, classes, instances, object paths, qualifiers, status codes, MOF and row
//! storage, as DSP0004 and DSP0201 define them.
//!
//! Owns: what a CIM thing *is*, how it is compared, parsed from and printed to its textual forms.
//! Must not know: sockets, protocols, time, files, terminals. Everything here is pure and synchronous.

pub mod class;
pub mod datetime;
pub mod instance;
pub mod json;
pub mod mof;
pub mod name;
pub mod path;
pub mod path_text;
pub mod qualifier;
pub mod resolve;
pub mod rows;
pub mod status;
pub mod text;
pub mod value;

pub use class::{CimClass, ClassMethod, ClassParameter, ClassProperty};
pub use datetime::CimDateTime;
pub use instance::{CimInstance, InstanceProperty};
pub use name::{CimName, Namespace};
pub use path::{KeyBinding, KeyValue, ObjectPath};
pub use path_text::PathError;
pub use qualifier::{Flavor, Qualifier, QualifierDeclaration, Scopes};
pub use status::{CimError, CimStatus};
pub use value::{CimType, CimValue, EmbeddedKind, TypedValue};
