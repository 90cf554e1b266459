//! The bytes of a scripted answer, in the pieces a step asks for.
//!
//! Owns: cutting runs of bytes, repeated ones included, without ever holding them whole. Must not know sockets.

use bytes::{Bytes, BytesMut};

use super::Part;

/// The size of a piece where a step asks for none.
const PIECE: usize = 64 * 1024;

/// `parts` with each count replaced by its digits.
pub(super) fn counted(parts: &[Part], count: u64) -> Vec<Part> {
    let digits =
        |part: &Part| if let Part::Count = part { Part::Bytes(count.to_string().into()) } else { part.clone() };
    parts.iter().map(digits).collect()
}

/// The total length of `parts`, whose counts have been replaced.
pub(super) fn length(parts: &[Part]) -> u64 {
    parts
        .iter()
        .map(|part| match part {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Repeat { unit, times } => (unit.len() as u64).saturating_mul(*times),
            Part::Count => 0,
        })
        .fold(0, u64::saturating_add)
}

/// Cuts a list of parts into pieces of the sizes wanted; the last size repeats.
pub(super) struct Cutter {
    parts: std::vec::IntoIter<Part>,
    current: Option<Part>,
    sizes: std::collections::VecDeque<usize>,
    size: usize,
}

impl Cutter {
    pub(super) fn new(parts: Vec<Part>, sizes: &[usize]) -> Self {
        Self { parts: parts.into_iter(), current: None, sizes: sizes.iter().copied().collect(), size: PIECE }
    }
}

impl Iterator for Cutter {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.size = self.sizes.pop_front().unwrap_or(self.size);
        let mut piece = BytesMut::with_capacity(self.size.min(PIECE));
        while piece.len() < self.size {
            let Some(part) = self.current.take().or_else(|| self.parts.next()) else { break };
            let room = self.size - piece.len();
            match part {
                Part::Count => {}
                Part::Bytes(mut bytes) => {
                    piece.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
                    self.current = (!bytes.is_empty()).then_some(Part::Bytes(bytes));
                }
                Part::Repeat { unit, mut times } => {
                    while times > 0 && unit.len() <= self.size - piece.len() {
                        piece.extend_from_slice(&unit);
                        times -= 1;
                    }
                    if times > 0 && piece.len() < self.size {
                        // One unit does not fit any more: take its beginning, keep its end.
                        let mut cut = unit.clone();
                        piece.extend_from_slice(&cut.split_to(self.size - piece.len()));
                        self.current = Some(Part::Bytes(cut));
                        self.parts = std::iter::once(Part::Repeat { unit, times: times - 1 })
                            .chain(std::mem::take(&mut self.parts))
                            .collect::<Vec<_>>()
                            .into_iter();
                    } else if times > 0 {
                        self.current = Some(Part::Repeat { unit, times });
                    }
                }
            }
        }
        (!piece.is_empty()).then(|| piece.freeze())
    }
}
