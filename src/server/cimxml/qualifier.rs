//! EnumerateQualifiers and GetQualifier (DSP0200).
//!
//! Owns: which declarations these operations answer. Must not know XML syntax.

use super::{
    Pieces,
    operation::{Given, returned},
    write,
};
use crate::{
    cim::{CimName, CimStatus},
    server::instances::{On, Stop, fail},
};

pub(super) fn enumerate(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    given.end()?;
    returned(out, |out| {
        on.schema.qualifiers().iter().try_for_each(|declaration| {
            write::qualifier_declaration(out.text(), declaration);
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn get(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let name = CimName::new(given.required_text("QualifierName")?);
    given.end()?;
    let declaration = on.schema.qualifiers().iter().find(|declaration| declaration.name == name);
    let declaration = declaration
        .ok_or_else(|| fail(CimStatus::NOT_FOUND, format!("no qualifier {name} in {}", on.schema.namespace())))?;
    returned(out, |out| {
        write::qualifier_declaration(out.text(), declaration);
        Ok(())
    })
}
