//! Character encodings: whatever a server sends becomes UTF-8 before it is framed.
//!
//! Owns: finding out the encoding (byte order mark, `charset` of Content-Type, XML declaration, in this order) and decoding.
//! UTF-8 passes through without being copied. Must not know XML beyond its declaration.

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::fault::{DecodeError, Fault};

/// How many bytes are looked at for an XML declaration.
const SNIFF: usize = 256;

enum State {
    /// Collecting the first bytes.
    Sniffing(Vec<u8>),
    /// UTF-8 as it comes.
    Through,
    /// Another encoding.
    Decoding(Box<encoding_rs::Decoder>, &'static Encoding),
}

/// Turns the bytes of one body into UTF-8.
pub struct Transcoder {
    state: State,
    charset: Option<&'static Encoding>,
    read: u64,
}

impl std::fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcoder").field("read", &self.read).finish_non_exhaustive()
    }
}

impl Transcoder {
    /// A transcoder for a body whose Content-Type names `charset`, if it names one.
    pub fn new(charset: Option<&str>) -> Self {
        let charset = charset.and_then(|label| Encoding::for_label_no_replacement(label.trim().as_bytes()));
        Self { state: State::Sniffing(Vec::new()), charset, read: 0 }
    }

    /// Decodes `chunk` and hands the text on.
    ///
    /// # Errors
    /// What `sink` answers, or bytes the encoding does not have.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match &mut self.state {
            State::Through => sink(chunk),
            State::Decoding(..) => self.decode(chunk, false, sink),
            State::Sniffing(head) => {
                head.extend_from_slice(chunk);
                if needs_more(head, self.charset) {
                    return Ok(());
                }
                self.begin(sink)
            }
        }
    }

    /// The body has ended: hands on what was held back.
    ///
    /// # Errors
    /// As [`Transcoder::feed`], and a sequence cut in two.
    pub fn finish(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>) -> Result<(), DecodeError> {
        if matches!(self.state, State::Sniffing(_)) {
            self.begin(sink)?;
        }
        self.decode(&[], true, sink)
    }

    fn begin(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>) -> Result<(), DecodeError> {
        let State::Sniffing(head) = &mut self.state else { return Ok(()) };
        let head = std::mem::take(head);
        let (encoding, skip) = match Encoding::for_bom(&head) {
            Some((encoding, length)) => (encoding, length),
            None => (self.charset.or_else(|| guessed(&head)).unwrap_or(UTF_8), 0),
        };
        let body = head.get(skip..).unwrap_or_default();
        if encoding == UTF_8 {
            self.state = State::Through;
            return if body.is_empty() { Ok(()) } else { sink(body) };
        }
        self.state = State::Decoding(Box::new(encoding.new_decoder_without_bom_handling()), encoding);
        self.decode(body, false, sink)
    }

    fn decode(
        &mut self,
        chunk: &[u8],
        last: bool,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let State::Decoding(decoder, encoding) = &mut self.state else { return Ok(()) };
        let mut out = vec![0_u8; 16 << 10];
        let mut rest = chunk;
        loop {
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, &mut out, last);
            self.read += read as u64;
            rest = rest.get(read..).unwrap_or_default();
            if written > 0 {
                sink(out.get(..written).unwrap_or_default())?;
            }
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(bad, after) => {
                    // Where they begin: how much was read of them and after them depends on the chunks.
                    let at = self.read.saturating_sub(u64::from(bad) + u64::from(after));
                    let message = format!("bytes that are not {}", encoding.name());
                    return Err(DecodeError::at(at, message).of(Fault::WrongBytes(encoding.name())));
                }
            }
        }
    }
}

/// Whether the head does not tell the encoding yet.
fn needs_more(head: &[u8], charset: Option<&'static Encoding>) -> bool {
    if head.len() < 4 {
        return true;
    }
    if Encoding::for_bom(head).is_some() || charset.is_some() || !head.starts_with(b"<?xm") {
        return false;
    }
    head.len() < SNIFF && memchr::memchr(b'>', head).is_none()
}

/// The encoding of a head without byte order mark: UTF-16 by its zero bytes, otherwise what the XML declaration says.
fn guessed(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [b'<', 0, ..] => return Some(UTF_16LE),
        [0, b'<', ..] => return Some(UTF_16BE),
        _ => {}
    }
    // No more of it than is waited for when it comes in small pieces.
    let declaration = head.get(..SNIFF).unwrap_or(head).strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..memchr::memchr(b'>', declaration)?)?;
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let rest = declaration.get(at + 8..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = rest.split_first()?;
    let label = rest.get(..memchr::memchr(*quote, rest)?)?;
    // A declaration that could be read byte by byte cannot be UTF-16, whatever it says.
    Encoding::for_label_no_replacement(label).filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE)
}

/// The `charset` parameter of a Content-Type, with or without quotes.
pub fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).trim())
    })
}
