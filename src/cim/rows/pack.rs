//! Packing rows closer for keeping.
//!
//! Owns: [`Packer`], which copies rows into a batch that grows, where a text that stands there already is only pointed to.
//! Must not know shapes beyond their ids.

use std::sync::Arc;

use super::{
    RowBatch,
    batch::{
        Reader, RowHead, TAG_ARRAY, TAG_REFERENCE, TAG_SAME_AS_COLUMN, TAG_TEXT, TAG_TEXT_BEFORE, TAG_VALUE, value_size,
    },
    writer::{frame_number, put_text, put_varint},
};
use crate::cim::CimValue;

/// A kept batch takes no more rows once it holds this many bytes.
const KEPT_BYTES: usize = 1 << 20;
/// Nor once it holds so many rows.
const KEPT_ROWS: usize = 1 << 14;
/// How many texts are remembered, by their hash; of two with the same the later one.
const REMEMBERED: usize = 1 << 13;
/// A text shorter than this is not worth pointing to.
const SHORTEST: usize = 4;

/// Copies rows into the batch it is given.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// Where a text with this hash begins in the batch, by its length; 0 for none.
    texts: Vec<u32>,
}

impl Packer {
    /// Whether `kept` should take no more rows.
    pub(super) fn is_full(kept: &RowBatch) -> bool {
        kept.bytes.len() >= KEPT_BYTES || kept.rows.len() >= KEPT_ROWS
    }

    /// A new batch is begun.
    pub(super) fn restart(&mut self) {
        self.texts.clear();
        self.texts.resize(REMEMBERED, 0);
    }

    /// Appends row `row` of `from` to `kept`, which was empty at the last restart and has only been written here since.
    /// Answers the memory it takes, in bytes.
    pub(super) fn append(&mut self, kept: &mut RowBatch, from: &mut RowBatch, row: usize) -> usize {
        let Ok(offset) = u32::try_from(kept.bytes.len()) else { return 0 };
        let frames = kept.frames.len();
        let shape = from.shape(row);
        let Some(mut reader) = from.reader(row) else { return 0 };
        let mut moved = Vec::new();
        let cells = reader.varint();
        put_varint(&mut kept.bytes, cells);
        for _ in 0..cells {
            self.cell(kept, &mut reader, &mut moved);
        }
        let keys = reader.varint();
        put_varint(&mut kept.bytes, keys);
        for _ in 0..keys {
            self.cell(kept, &mut reader, &mut moved);
        }
        let mut size = size_of::<RowHead>() + kept.bytes.len() - offset as usize;
        for at in moved {
            let value = from.values.get_mut(at).map(|value| std::mem::replace(value, CimValue::Null));
            size += value.as_ref().map_or(0, value_size);
            kept.values.extend(value);
        }
        kept.rows.push(RowHead { offset, shape });
        size + kept.frames.iter().skip(frames).map(|frame| frame.size()).sum::<usize>()
    }

    fn cell(&mut self, kept: &mut RowBatch, reader: &mut Reader<'_>, moved: &mut Vec<usize>) {
        let begin = reader.at;
        match reader.tag() {
            TAG_TEXT => self.text(kept, reader.text_bytes()),
            TAG_ARRAY => {
                let count = reader.varint();
                kept.bytes.push(TAG_ARRAY);
                put_varint(&mut kept.bytes, count);
                for _ in 0..count {
                    self.cell(kept, reader, moved);
                }
            }
            TAG_REFERENCE => {
                let frame = &reader.batch.frames[reader.varint() as usize];
                let number = frame_number(kept, |known| Arc::ptr_eq(known, frame) || known == frame, || frame.clone());
                kept.bytes.push(TAG_REFERENCE);
                put_varint(&mut kept.bytes, number as u64);
                for _ in &frame.keys {
                    self.cell(kept, reader, moved);
                }
            }
            TAG_VALUE => {
                kept.bytes.push(TAG_VALUE);
                put_varint(&mut kept.bytes, (kept.values.len() + moved.len()) as u64);
                moved.push(reader.varint() as usize);
            }
            TAG_SAME_AS_COLUMN => {
                kept.bytes.push(TAG_SAME_AS_COLUMN);
                put_varint(&mut kept.bytes, reader.varint());
            }
            _ => {
                reader.at = begin;
                reader.skip();
                kept.bytes.extend_from_slice(&reader.bytes[begin..reader.at]);
            }
        }
    }

    fn text(&mut self, kept: &mut RowBatch, text: &[u8]) {
        if text.len() < SHORTEST {
            return put_text(&mut kept.bytes, TAG_TEXT, text);
        }
        let Some(slot) = self.texts.get_mut(hash(text)) else { return put_text(&mut kept.bytes, TAG_TEXT, text) };
        let known = *slot as usize;
        if known > 0 && (Reader { bytes: &kept.bytes, batch: kept, at: known }).text_bytes() == text {
            kept.bytes.push(TAG_TEXT_BEFORE);
            return put_varint(&mut kept.bytes, known as u64);
        }
        // Behind the tag; the first byte of a batch is a count, so that no text begins at 0.
        *slot = u32::try_from(kept.bytes.len() + 1).unwrap_or(0);
        put_text(&mut kept.bytes, TAG_TEXT, text);
    }
}

fn hash(text: &[u8]) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = text.as_chunks::<8>();
    let mut hash = text.len() as u64;
    for word in words {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(MIX);
    }
    let mut last = [0; 8];
    for (to, byte) in last.iter_mut().zip(rest) {
        *to = *byte;
    }
    hash = (hash.rotate_left(5) ^ u64::from_le_bytes(last)).wrapping_mul(MIX);
    (hash >> 51) as usize
}
