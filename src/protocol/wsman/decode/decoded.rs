//! What is asked of the decoder, and what it gives.
//!
//! Owns: [`Expect`] and [`Decoded`]. Must not know how anything is read.

use std::sync::Arc;

use super::{Epr, Identity, SoapFault};
use crate::cim::{
    CimClass, CimName, ObjectPath, TypedValue,
    rows::{RowBatch, Shape, ShapeId},
};

/// What a request calls for. Items of another kind are an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// Instances.
    Instances,
    /// Endpoint references of instances; they become rows of their keys. So do instances that come in their place, with a
    /// reference beside them or with keys the class tells.
    InstanceNames,
    /// Instances, each with its endpoint reference.
    ObjectsAndEprs,
    /// One instance, or fragments of it; it is answered without its path.
    Instance(ObjectPath),
    /// What the server is.
    Identify,
    /// A class.
    Class,
    /// Classes.
    Classes,
    /// Nothing: an enumeration is released, an instance deleted.
    Release,
    /// What a method returns, and its output parameters.
    Values,
    /// A subscription.
    Subscribed,
    /// Whatever comes.
    Anything,
}

/// What was decoded since it was last taken.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Shapes of rows to come, and such that grew.
    pub shapes: Vec<(ShapeId, Arc<Shape>)>,
    /// Rows in order.
    pub rows: Vec<RowBatch>,
    /// Among them are fragments (`w:XmlFragment`), which do not tell of which class they are.
    pub has_fragments: bool,
    /// Classes in order.
    pub classes: Vec<CimClass>,
    /// The enumeration context to go on with.
    pub context: Option<String>,
    /// The enumeration is complete, whatever context came with that.
    pub end_of_sequence: bool,
    /// The fault the server answered.
    pub fault: Option<SoapFault>,
    /// What the server is.
    pub identity: Option<Identity>,
    /// The reference of what was created, or of the manager of a subscription.
    pub epr: Option<Epr>,
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
            && self.context.is_none()
            && !self.end_of_sequence
            && self.fault.is_none()
            && self.identity.is_none()
            && self.epr.is_none()
            && self.value.is_none()
            && self.parameters.is_empty()
            && self.warning.is_none()
    }
}
