//! What must hold of the WS-Man decoder, whatever it is fed and whatever was asked for.
//!
//! The outcome is the same wherever the body was cut and whether or not rows are predicted; limits hold; every row can be
//! read; what is told of a fault can be printed.

use std::sync::Arc;

use lazycim::{
    cim::{CimClass, CimInstance, CimName, CimType, ClassProperty, Namespace, ObjectPath, TypedValue, rows::RowStore},
    op::Limits,
    protocol::{
        wsman::{
            decode::{Decoder, Epr, Expect, Identity, SoapFault},
            explain,
        },
        xml::fault::DecodeError,
    },
};

use super::pieces::Input;

/// What became of a body.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    instances: Vec<CimInstance>,
    classes: Vec<CimClass>,
    context: Option<String>,
    end_of_sequence: bool,
    fault: Option<SoapFault>,
    identity: Option<Identity>,
    epr: Option<Epr>,
    value: Option<TypedValue>,
    parameters: Vec<(CimName, TypedValue)>,
    warning: Option<String>,
    failed: Option<DecodeError>,
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
    let whole = decode(decoder(), limits, [input.body].into_iter());
    let general = decode(decoder().general(), limits, [input.body].into_iter());
    assert!(same(&whole, &general), "{whole:#?}\nby prediction, but the general way\n{general:#?}");
    let cut = decode(decoder(), limits, input.pieces());
    // How much is held, and so whether the limit is met, depends on where an element was cut; nothing else does.
    let is_limit = |outcome: &Outcome| outcome.failed.as_ref().is_some_and(|error| error.limit == Some("buffer_bytes"));
    if is_limit(&whole) || is_limit(&cut) {
        let common = whole.instances.len().min(cut.instances.len());
        assert!(same(&whole.instances[..common], &cut.instances[..common]));
    } else {
        assert!(same(&whole, &cut), "{whole:#?}\nin one piece, but in pieces\n{cut:#?}");
    }
    whole.fault.into_iter().for_each(printable);
    whole.failed.map_or(Ok(()), Err)
}

/// Decodes an envelope whose fault holds `data`.
pub fn fault(data: &[u8]) {
    let head = b"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:f=\
                 \"http://schemas.microsoft.com/wbem/wsman/1/wsmanfault\"><s:Body><s:Fault><s:Code><s:Value>s:Sender\
                 </s:Value></s:Code><s:Detail>";
    let body = [head.as_slice(), data, b"</s:Detail></s:Fault></s:Body></s:Envelope>"].concat();
    let decoder = Decoder::new(Expect::Instances, Limits::default(), None, None);
    let outcome = decode(decoder, Limits::default(), [body.as_slice()].into_iter());
    assert!(outcome.fault.is_some() || outcome.failed.is_some(), "neither a fault nor an error");
    outcome.fault.into_iter().for_each(printable);
}

/// What is told of a fault has no control characters.
fn printable(fault: SoapFault) {
    let told = explain::fault("h:1".to_owned(), fault);
    let odd = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    assert!(!odd(&told.cause()) && !odd(&told.hint), "{told:?}");
}

/// Debug too, for NaN is not equal to itself.
fn same<T: PartialEq + std::fmt::Debug + ?Sized>(left: &T, right: &T) -> bool {
    left == right || format!("{left:?}") == format!("{right:?}")
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

fn decode<'a>(mut decoder: Decoder, limits: Limits, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let (mut store, mut outcome) = (RowStore::default(), Outcome::default());
    for piece in pieces {
        let result = decoder.feed(piece);
        taken(&mut decoder, &mut store, &mut outcome);
        if let Err(error) = result {
            assert_eq!(decoder.feed(b"<x/>").as_ref(), Err(&error), "it stays broken");
            outcome.failed = Some(error);
            break;
        }
        assert!(decoder.held() <= limits.buffer_bytes, "{} bytes held", decoder.held());
    }
    let finished = decoder.finish();
    taken(&mut decoder, &mut store, &mut outcome);
    match &outcome.failed {
        Some(error) => assert_eq!(finished.as_ref(), Err(error), "it stays broken"),
        None => outcome.failed = finished.err(),
    }
    assert_eq!(store.len() as u64, decoder.rows());
    outcome.instances = (0..store.len()).filter_map(|row| store.instance(row)).collect();
    outcome
}

/// Takes what was decoded so far.
fn taken(decoder: &mut Decoder, store: &mut RowStore, outcome: &mut Outcome) {
    let decoded = decoder.take();
    for (id, shape) in decoded.shapes {
        assert!((id.0 as usize) <= store.shapes().len(), "shapes are numbered without gaps");
        store.add_shape(id, shape);
    }
    for batch in decoded.rows {
        assert_eq!(store.push(batch), 0, "a row comes after its shape");
    }
    outcome.classes.extend(decoded.classes);
    outcome.parameters.extend(decoded.parameters);
    outcome.context = decoded.context.or(outcome.context.take());
    outcome.end_of_sequence |= decoded.end_of_sequence;
    outcome.fault = decoded.fault.or(outcome.fault.take());
    outcome.identity = decoded.identity.or(outcome.identity.take());
    outcome.epr = decoded.epr.or(outcome.epr.take());
    outcome.value = decoded.value.or(outcome.value.take());
    if let Some(warning) = decoded.warning {
        assert_eq!(outcome.warning.replace(warning), None, "a warning is given once");
    }
    assert!(decoder.take().is_empty(), "what was taken is gone");
}
