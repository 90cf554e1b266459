//! What is asked of the decoder, and what it gives.
//!
//! Owns: [`Expect`] and [`Decoded`]. Must not know how anything is read.

use std::sync::Arc;

use super::{is_object, is_path};
use crate::cim::{
    CimClass, CimError, CimName, ObjectPath, QualifierDeclaration, TypedValue,
    rows::{RowBatch, Shape, ShapeId},
};

/// What a request calls for. Items of another kind are an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// Instances, with or without paths.
    Instances,
    /// One instance, which is answered without its path.
    Instance(ObjectPath),
    /// Paths of instances; they become rows of their keys.
    InstanceNames,
    /// Instances of which only the paths are wanted: rows as of [`Expect::InstanceNames`].
    PathsOf,
    /// Instances or classes with their paths, as associations and queries answer them.
    Objects,
    /// Paths of instances, which become rows of their keys, or of classes, which become names.
    ObjectPaths,
    /// Classes.
    Classes,
    /// Names of classes.
    ClassNames,
    /// Declarations of qualifier types.
    Qualifiers,
    /// A return value and parameters.
    Values,
    /// Whatever comes.
    Anything,
}

impl Expect {
    /// Whether an element called `name` may be an item of the result.
    pub(super) fn takes(&self, name: &str) -> bool {
        match self {
            Self::Instances | Self::PathsOf => is_object(name) || name == "INSTANCE",
            Self::Objects => is_object(name) || name == "INSTANCE" || name == "CLASS",
            Self::ObjectPaths => is_path(name),
            Self::Instance(_) => name == "INSTANCE" || name == "VALUE.NAMEDINSTANCE",
            Self::InstanceNames => matches!(name, "INSTANCENAME" | "INSTANCEPATH" | "LOCALINSTANCEPATH" | "OBJECTPATH"),
            Self::Classes => name == "CLASS" || name == "VALUE.OBJECTWITHPATH" || name == "VALUE.OBJECT",
            Self::ClassNames => matches!(name, "CLASSNAME" | "CLASSPATH" | "OBJECTPATH"),
            Self::Qualifiers => name == "QUALIFIER.DECLARATION",
            Self::Values => name == "VALUE" || name == "VALUE.ARRAY" || name == "VALUE.REFERENCE" || is_path(name),
            Self::Anything => true,
        }
    }
}

/// What was decoded since it was last taken.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Shapes of rows to come, and such that grew.
    pub shapes: Vec<(ShapeId, Arc<Shape>)>,
    /// Rows in order.
    pub rows: Vec<RowBatch>,
    /// Classes in order.
    pub classes: Vec<CimClass>,
    /// Names of classes in order.
    pub class_names: Vec<CimName>,
    /// Declarations of qualifier types in order.
    pub qualifiers: Vec<QualifierDeclaration>,
    /// The error the server answered.
    pub error: Option<CimError>,
    /// The return value.
    pub value: Option<TypedValue>,
    /// Output parameters.
    pub parameters: Vec<(CimName, TypedValue)>,
    /// Something worth telling once.
    pub warning: Option<String>,
}

impl Decoded {
    /// Whether nothing was decoded.
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
            && self.rows.is_empty()
            && self.classes.is_empty()
            && self.class_names.is_empty()
            && self.qualifiers.is_empty()
            && self.error.is_none()
            && self.value.is_none()
            && self.parameters.is_empty()
            && self.warning.is_none()
    }
}
