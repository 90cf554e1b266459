//! How an input tells where it is to be cut.
//!
//! Owns: the head of an input for whatever takes bytes in pieces: one byte of choices, four piece lengths, then the body.
//! Must not know what the body is.

/// How many bytes stand before the body.
pub const HEAD: usize = 5;

/// An input taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Chooses among what the property can be asked for.
    pub choice: u8,
    lengths: [u8; 4],
    /// What is to be read.
    pub body: &'a [u8],
}

impl<'a> Input<'a> {
    /// The parts of `data`; `None` if it is shorter than its head.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let (head, body) = data.split_first_chunk::<HEAD>()?;
        let [choice, lengths @ ..] = *head;
        Some(Self { choice, lengths, body })
    }

    /// The body in pieces of 0 to 255 bytes, or byte by byte if all lengths are 0.
    pub fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let lengths = if self.lengths == [0; 4] { [1; 4] } else { self.lengths };
        let (mut rest, mut lengths) = (self.body, lengths.into_iter().cycle());
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let length = lengths.next().map_or(1, usize::from).min(rest.len());
            let (piece, after) = rest.split_at(length);
            rest = after;
            Some(piece)
        })
    }
}
