//! What must hold of the WS-Man decoder, whatever it is fed and whatever was asked for.
//!
//! The outcome is the same wherever the body was cut and whether or not rows are predicted; limits hold; every row can be
//! read; what is told of a fault can be printed.

use std::sync::Arc;

use lazycim::{
    cim::{CimClass, CimName, CimType, ClassProperty, Namespace, ObjectPath, TypedValue},
    op::Limits,
    protocol::{
        wsman::{
            decode::{Decoded, Decoder, Epr, Expect, Identity, Items, SoapFault},
            explain,
        },
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
    has_fragments: bool,
    classes: Vec<CimClass>,
    context: Option<String>,
    end_of_sequence: bool,
    fault: Option<SoapFault>,
    identity: Option<Identity>,
    epr: Option<Epr>,
    value: Option<TypedValue>,
    parameters: Vec<(CimName, TypedValue)>,
}

impl Gathers for Gathered {
    type Items = Items;

    fn gather(&mut self, decoded: Decoded) -> Taken {
        let is_empty = decoded.is_empty();
        self.has_fragments |= decoded.has_fragments;
        self.classes.extend(decoded.classes);
        self.parameters.extend(decoded.parameters);
        self.context = decoded.context.or(self.context.take());
        self.end_of_sequence |= decoded.end_of_sequence;
        self.fault = decoded.fault.or(self.fault.take());
        self.identity = decoded.identity.or(self.identity.take());
        self.epr = decoded.epr.or(self.epr.take());
        self.value = decoded.value.or(self.value.take());
        Taken { shapes: decoded.shapes, rows: decoded.rows, warning: decoded.warning, is_empty }
    }
}

/// Decodes the body of `data` in one piece, without prediction, and in the pieces it names.
///
/// # Errors
/// Why it cannot be read.
pub fn check(data: &[u8]) -> Result<(), DecodeError> {
    let Some(input) = Input::new(data) else { return Ok(()) };
    let limits = match input.choice & 64 {
        0 => Limits::default(),
        _ => Limits { embedded_depth: 2, name_bytes: 64, value_bytes: 64, buffer_bytes: 1_024, ..Limits::default() },
    };
    let decoder = || {
        let decoder = Decoder::new(expected(input.choice & 15), limits, Some(Namespace::new("root/x")), None);
        if input.choice & 32 == 0 { decoder } else { decoder.with_class(class()) }
    };
    let whole = decoding::check::<Gathered>(input, limits, decoder);
    whole.gathered.fault.into_iter().for_each(printable);
    whole.failed.map_or(Ok(()), Err)
}

/// Decodes an envelope whose fault holds `data`.
pub fn fault(data: &[u8]) {
    let head = b"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:f=\
                 \"http://schemas.microsoft.com/wbem/wsman/1/wsmanfault\"><s:Body><s:Fault><s:Code><s:Value>s:Sender\
                 </s:Value></s:Code><s:Detail>";
    let body = [head.as_slice(), data, b"</s:Detail></s:Fault></s:Body></s:Envelope>"].concat();
    let decoder = Decoder::new(Expect::Instances, Limits::default(), None, None);
    let outcome = decoding::decode::<Gathered>(decoder, Limits::default(), [body.as_slice()].into_iter());
    let fault = outcome.gathered.fault;
    assert!(fault.is_some() || outcome.failed.is_some(), "neither a fault nor an error");
    fault.into_iter().for_each(printable);
}

/// What is told of a fault has no control characters.
fn printable(fault: SoapFault) {
    let told = explain::fault("h:1".to_owned(), fault);
    let odd = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    assert!(!odd(&told.cause()) && !odd(&told.hint), "{told:?}");
}

fn class() -> Arc<CimClass> {
    let of = |name: &str, ty, is_array| ClassProperty { is_array, ..ClassProperty::new(name, ty) };
    let properties = vec![
        of("K", CimType::String, false),
        of("N", CimType::UInt32, false),
        of("D", CimType::DateTime, false),
        of("A", CimType::UInt16, true),
        of("O", CimType::UInt8, true),
        of("R", CimType::Reference, false),
        of("C", CimType::Char16, false),
    ];
    Arc::new(CimClass { properties, ..CimClass::new("B") })
}

fn expected(choice: u8) -> Expect {
    match choice {
        0 => Expect::Instances,
        1 => Expect::Instance(ObjectPath::new(None, CimName::new("A"), Vec::new())),
        2 => Expect::InstanceNames,
        3 => Expect::ObjectsAndEprs,
        4 => Expect::Class,
        5 => Expect::Classes,
        6 => Expect::Identify,
        7 => Expect::Values,
        8 => Expect::Subscribed,
        9 => Expect::Release,
        _ => Expect::Anything,
    }
}
