//! What must hold of the CIM-XML decoder, whatever it is fed and whatever was asked for.
//!
//! The outcome is the same wherever the body was cut and whether or not rows are predicted; limits hold; every row decoded
//! can be read, and reads the same by cell, by row and as an instance.

use lazycim::{
    cim::{CimClass, CimError, CimName, Namespace, QualifierDeclaration, TypedValue},
    op::Limits,
    protocol::{
        cimxml::decode::{Decoded, Decoder, Expect, Items},
        xml::fault::DecodeError,
    },
};

use super::{
    decoding::{self, Gathers, Taken},
    pieces::Input,
};

/// What came that is no row.
#[derive(Debug, Default, PartialEq)]
struct Gathered {
    classes: Vec<CimClass>,
    class_names: Vec<CimName>,
    qualifiers: Vec<QualifierDeclaration>,
    server_error: Option<CimError>,
    value: Option<TypedValue>,
    parameters: Vec<(CimName, TypedValue)>,
}

impl Gathers for Gathered {
    type Items = Items;

    fn gather(&mut self, decoded: Decoded) -> Taken {
        let is_empty = decoded.is_empty();
        self.classes.extend(decoded.classes);
        self.class_names.extend(decoded.class_names);
        self.qualifiers.extend(decoded.qualifiers);
        self.parameters.extend(decoded.parameters);
        self.server_error = decoded.error.or(self.server_error.take());
        self.value = decoded.value.or(self.value.take());
        Taken { shapes: decoded.shapes, rows: decoded.rows, warning: decoded.warning, is_empty }
    }
}

const CHARSETS: [Option<&str>; 4] = [None, Some("utf-8"), Some("iso-8859-1"), Some("utf-16")];

/// Decodes the body of `data` in one piece and in the pieces it names.
///
/// # Errors
/// Why the body cannot be decoded.
pub fn check(data: &[u8]) -> Result<(), DecodeError> {
    let Some(input) = Input::new(data) else { return Ok(()) };
    let expect = expected(input.choice & 15);
    let charset = CHARSETS[usize::from(input.choice >> 4) & 3];
    let limits = if input.choice < 128 {
        Limits::default()
    } else {
        Limits {
            xml_depth: 12,
            embedded_depth: 2,
            name_bytes: 24,
            value_bytes: 64,
            buffer_bytes: 1_024,
            ..Limits::default()
        }
    };
    let decoder = || Decoder::new(expect.clone(), limits, Some(Namespace::new("root/x")), charset);
    decoding::check::<Gathered>(input, limits, decoder).failed.map_or(Ok(()), Err)
}

fn expected(choice: u8) -> Expect {
    match choice {
        0 => Expect::Instances,
        1 => Expect::Instance(lazycim::cim::ObjectPath::new(None, CimName::new("A"), Vec::new())),
        2 => Expect::InstanceNames,
        3 => Expect::PathsOf,
        4 => Expect::Objects,
        5 => Expect::ObjectPaths,
        6 => Expect::Classes,
        7 => Expect::ClassNames,
        8 => Expect::Qualifiers,
        9 => Expect::Values,
        _ => Expect::Anything,
    }
}
