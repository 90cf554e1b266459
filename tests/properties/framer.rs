//! What must hold of the framer, whatever it is fed.
//!
//! The pieces are the same wherever the body was cut, they lie in it in order and do not overlap, containers nest, and no
//! more is held than the limit says.

use lazycim::{
    op::Limits,
    protocol::{
        cimxml::grammar::CIMXML,
        xml::{
            fault::DecodeError,
            framer::{Framer, Piece},
        },
    },
};

use super::pieces::Input;

/// A piece without its borrow.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Open(usize, Vec<u8>),
    Close(usize),
    Item { at: u64, length: usize, index: Option<u64> },
}

/// What became of a body.
#[derive(Debug)]
struct Outcome {
    found: Vec<Found>,
    error: Option<DecodeError>,
    complete: bool,
}

/// Frames the body of `data` in one piece and in the pieces it names.
pub fn check(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let depth = if input.choice & 1 == 0 { 256 } else { 8 };
    let limit = if input.choice & 2 == 0 { 4 << 20 } else { 128 };
    let whole = frame(input.body, [input.body].into_iter(), depth, limit);
    let cut = frame(input.body, input.pieces(), depth, limit);
    // How much is held, and so whether the limit is met, depends on where an element was cut; nothing else does.
    let is_limit = |outcome: &Outcome| outcome.error.as_ref().is_some_and(|error| error.limit == Some("buffer_bytes"));
    if is_limit(&whole) || is_limit(&cut) {
        let common = whole.found.len().min(cut.found.len());
        assert_eq!(whole.found[..common], cut.found[..common]);
        assert!(is_limit(&cut) || cut.found.len() >= whole.found.len());
    } else {
        assert_eq!(whole.found, cut.found);
        assert_eq!(whole.error, cut.error);
        assert_eq!(whole.complete, cut.complete);
    }
}

fn frame<'a>(body: &[u8], pieces: impl Iterator<Item = &'a [u8]>, depth: usize, limit: usize) -> Outcome {
    let mut framer = Framer::new(&CIMXML, Limits { xml_depth: depth, buffer_bytes: limit, ..Limits::default() });
    let (mut found, mut seen) = (Vec::new(), 0_u64);
    let (mut error, mut after, mut open, mut items) = (None, 0_u64, 0_usize, 0_u64);
    for piece in pieces {
        framer.push(piece);
        seen += piece.len() as u64;
        assert_eq!(framer.offset(), seen);
        loop {
            match framer.piece() {
                Ok(None) => break,
                Ok(Some(piece)) => found.push(owned(body, piece, &mut after, &mut open, &mut items)),
                Err(failed) => {
                    error = Some(failed);
                    break;
                }
            }
        }
        if let Some(error) = &error {
            assert!(error.offset <= seen, "an error after what was read: {error}");
            break;
        }
        assert!(framer.held() <= limit, "{} bytes held", framer.held());
        assert!(framer.held() as u64 <= seen);
    }
    assert!(framer.items() >= items);
    Outcome { found, error, complete: framer.is_complete() }
}

/// `piece` without its borrow, checked against the body and what came before it.
fn owned(body: &[u8], piece: Piece<'_>, after: &mut u64, open: &mut usize, items: &mut u64) -> Found {
    match piece {
        Piece::Open { level, name } => {
            assert_eq!(level, *open, "containers nest");
            assert!(!name.is_empty());
            *open += 1;
            Found::Open(level, name.to_vec())
        }
        Piece::Close { level } => {
            assert_eq!(level + 1, *open, "containers nest");
            *open -= 1;
            Found::Close(level)
        }
        Piece::Item { bytes, offset, index, .. } => {
            assert!(offset >= *after, "an item begins before the one before it ends");
            *after = offset + bytes.len() as u64;
            let at = usize::try_from(offset).unwrap_or(usize::MAX);
            assert_eq!(body.get(at..at + bytes.len()), Some(bytes), "an item is what stands in the body");
            assert!(bytes.starts_with(b"<") && bytes.ends_with(b">") && bytes.len() > 2);
            if let Some(index) = index {
                assert_eq!(index, *items, "items are counted");
                *items += 1;
            }
            Found::Item { at: offset, length: bytes.len(), index }
        }
    }
}
