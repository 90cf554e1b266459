//! What must hold of the decoder of any protocol.
//!
//! Owns: decoding a body in one piece, without prediction and in pieces, and comparing what came of that. Must not know what
//! a protocol decodes ([`Gathers`]).

use std::{fmt::Debug, sync::Arc};

use super::pieces::Input;
use lazycim::{
    cim::{
        CimInstance,
        rows::{CellRef, RowBatch, RowStore, Shape, ShapeId},
    },
    op::Limits,
    protocol::xml::{
        decoder::{Decoder, Items},
        fault::DecodeError,
        rows::{MAX_COLUMNS, MAX_SHAPES, MAX_WIDTH},
    },
};

/// What came out of a decoder beside what this module looks at itself.
pub struct Taken {
    pub shapes: Vec<(ShapeId, Arc<Shape>)>,
    pub rows: Vec<RowBatch>,
    pub warning: Option<String>,
    /// Whether nothing was taken.
    pub is_empty: bool,
}

/// What a protocol decodes that is no row, gathered.
pub trait Gathers: Debug + Default + PartialEq {
    type Items: Items;

    /// Adds what was decoded; answers the rest of it.
    fn gather(&mut self, decoded: <Self::Items as Items>::Decoded) -> Taken;
}

/// What became of a body.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome<G> {
    pub gathered: G,
    instances: Vec<CimInstance>,
    warning: Option<String>,
    pub failed: Option<DecodeError>,
}

/// Decodes the body of `input` by what `decoder` makes in one piece, without prediction, and in the pieces it names; answers
/// what came of the first.
pub fn check<G: Gathers>(input: Input<'_>, limits: Limits, decoder: impl Fn() -> Decoder<G::Items>) -> Outcome<G> {
    let whole = decode::<G>(decoder(), limits, [input.body].into_iter());
    let general = decode(decoder().general(), limits, [input.body].into_iter());
    assert!(same(&whole, &general), "{whole:#?}\nby prediction, but the general way\n{general:#?}");
    let cut = decode(decoder(), limits, input.pieces());
    // How much is held, and so whether the limit is met, depends on where an element was cut; nothing else does.
    let is_limit = |outcome: &Outcome<G>| outcome.failed.as_ref().is_some_and(|it| it.limit == Some("buffer_bytes"));
    if is_limit(&whole) || is_limit(&cut) {
        let common = whole.instances.len().min(cut.instances.len());
        assert!(same(&whole.instances[..common], &cut.instances[..common]));
    } else {
        assert!(same(&whole, &cut), "{whole:#?}\nin one piece, but in pieces\n{cut:#?}");
    }
    whole
}

/// Debug too, for NaN is not equal to itself.
fn same<T: PartialEq + Debug + ?Sized>(left: &T, right: &T) -> bool {
    left == right || format!("{left:?}") == format!("{right:?}")
}

/// Decodes `pieces`.
pub fn decode<'a, G: Gathers>(
    mut decoder: Decoder<G::Items>,
    limits: Limits,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Outcome<G> {
    let (mut store, mut outcome) = (RowStore::default(), Outcome::default());
    for piece in pieces {
        let result = decoder.feed(piece);
        take(&mut decoder, &mut store, &mut outcome);
        if let Err(error) = result {
            assert_eq!(decoder.feed(b"<x/>").as_ref(), Err(&error), "it stays broken");
            outcome.failed = Some(error);
            break;
        }
        assert!(decoder.held() <= limits.buffer_bytes, "{} bytes held", decoder.held());
    }
    let finished = decoder.finish();
    take(&mut decoder, &mut store, &mut outcome);
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
fn take<G: Gathers>(decoder: &mut Decoder<G::Items>, store: &mut RowStore, outcome: &mut Outcome<G>) {
    let taken = outcome.gathered.gather(decoder.take());
    for (id, shape) in taken.shapes {
        assert!((id.0 as usize) <= store.shapes().len(), "shapes are numbered without gaps");
        store.add_shape(id, shape);
    }
    for batch in taken.rows {
        assert_eq!(store.push(batch), 0, "a row comes after its shape");
    }
    if let Some(warning) = taken.warning {
        assert_eq!(outcome.warning.replace(warning), None, "a warning is given once");
    }
    assert!(G::default().gather(decoder.take()).is_empty, "what was taken is gone");
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
