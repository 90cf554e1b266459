//! lazycim: look inside machines over CIM.
pub mod cim;
