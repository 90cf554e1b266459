//! What must hold of the CIM-XML decoder, whatever it is fed and whatever was asked for.
//!
//! The outcome is the same wherever the body was cut and whether or not rows are predicted; limits hold; every row decoded
//! can be read, and reads the same by cell, by row and as an instance.

use lazycim::{
    cim::{
        CimClass, CimError, CimInstance, CimName, Namespace, QualifierDeclaration, TypedValue,
        rows::{CellRef, RowStore},
    },
    op::Limits,
    protocol::{
        cimxml::decode::{Decoder, Expect},
        xml::{
            fault::DecodeError,
            rows::{MAX_COLUMNS, MAX_SHAPES, MAX_WIDTH},
        },
    },
};

use super::pieces::Input;

/// What became of a body.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    instances: Vec<CimInstance>,
    classes: Vec<CimClass>,
    class_names: Vec<CimName>,
    qualifiers: Vec<QualifierDeclaration>,
    server_error: Option<CimError>,
    value: Option<TypedValue>,
    parameters: Vec<(CimName, TypedValue)>,
    warning: Option<String>,
    failed: Option<DecodeError>,
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
    whole.failed.map_or(Ok(()), Err)
}

/// Debug too, for NaN is not equal to itself.
fn same<T: PartialEq + std::fmt::Debug + ?Sized>(left: &T, right: &T) -> bool {
    left == right || format!("{left:?}") == format!("{right:?}")
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
    rows(&store, &limits);
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
    outcome.class_names.extend(decoded.class_names);
    outcome.qualifiers.extend(decoded.qualifiers);
    outcome.parameters.extend(decoded.parameters);
    outcome.server_error = decoded.error.or(outcome.server_error.take());
    outcome.value = decoded.value.or(outcome.value.take());
    if let Some(warning) = decoded.warning {
        assert_eq!(outcome.warning.replace(warning), None, "a warning is given once");
    }
    assert!(decoder.take().is_empty(), "what was taken is gone");
}

/// Every row can be read, each way gives the same, and limits hold.
fn rows(store: &RowStore, limits: &Limits) {
    assert!(store.shapes().len() <= MAX_SHAPES && store.columns().len() <= MAX_COLUMNS);
    for shape in store.shapes() {
        assert!(shape.columns.len() <= MAX_WIDTH);
        for (at, column) in shape.columns.iter().enumerate() {
            assert!(column.name.as_str().len() <= limits.name_bytes, "{} bytes of name", column.name.as_str().len());
            assert_eq!(shape.position(&column.name), Some(at), "a column has its name alone");
        }
    }
    for row in 0..store.len() {
        let cells = store.cells(row);
        let present = cells.iter().filter(|cell| **cell != CellRef::Absent).count();
        for (column, cell) in cells.iter().enumerate() {
            assert!(same(&store.cell(row, column), cell), "a cell is what its row has there");
            if let CellRef::Text(text) | CellRef::Untyped(text) = cell {
                assert!(text.len() <= limits.value_bytes, "{} bytes of value", text.len());
            }
        }
        let instance = store.instance(row);
        assert_eq!(instance.as_ref().map(|instance| instance.properties.len()), Some(present));
        assert_eq!(instance.and_then(|instance| instance.path), store.path(row));
        assert_eq!(store.cell(row, cells.len()), CellRef::Absent);
    }
    assert!(store.instance(store.len()).is_none());
}
