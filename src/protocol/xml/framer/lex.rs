//! Telling markup apart: far enough to know quotes, comments, CDATA, processing instructions and where each of them ends.
//!
//! Owns: the lexical states of the framer and the way from one to the next. Must not know elements, nor where in a body it is.

use memchr::{memchr, memchr3};

/// Inside what markup a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lex {
    /// Between markup.
    Text,
    /// `<` was seen.
    Open,
    /// Inside a start tag; the quote that is open, or 0.
    Tag(u8),
    /// Inside an end tag.
    End,
    /// Inside `<!-- -->`.
    Comment,
    /// Inside `<![CDATA[ ]]>`.
    CData,
    /// Inside `<? ?>`.
    Pi,
    /// Inside `<!DOCTYPE >`; the quote that is open, or 0.
    Doctype(u8),
}

/// What a `<` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// Markup.
    Markup(Lex),
    /// A DOCTYPE as HTML spells it and XML does not.
    Html,
    /// A declaration that is no XML outside a DOCTYPE.
    Declaration,
    /// Nothing that is markup.
    Nothing,
    /// More must be seen to tell.
    Unknown,
}

/// What the `<` before `rest` begins.
pub(super) fn begins(rest: &[u8]) -> Begins {
    match rest.first() {
        None => Begins::Unknown,
        Some(b'/') => Begins::Markup(Lex::End),
        Some(b'?') => Begins::Markup(Lex::Pi),
        Some(b'!') => declaration(rest),
        Some(b) if b.is_ascii_alphabetic() || matches!(b, b'_' | b':') || *b >= 0x80 => Begins::Markup(Lex::Tag(0)),
        Some(_) => Begins::Nothing,
    }
}

fn declaration(rest: &[u8]) -> Begins {
    const DOCTYPE: &[u8] = b"!DOCTYPE";
    for (word, lex) in [(&b"!--"[..], Lex::Comment), (b"![CDATA[", Lex::CData), (DOCTYPE, Lex::Doctype(0))] {
        if rest.starts_with(word) {
            return Begins::Markup(lex);
        }
        if word.starts_with(rest) {
            return Begins::Unknown;
        }
    }
    let seen = rest.get(..DOCTYPE.len().min(rest.len())).unwrap_or_default();
    match DOCTYPE.get(..seen.len()).is_some_and(|word| word.eq_ignore_ascii_case(seen)) {
        true if seen.len() == DOCTYPE.len() => Begins::Html,
        true => Begins::Unknown,
        false => Begins::Declaration,
    }
}

/// Where the `>` stands that may end the markup `lex`, or inside what the end of `rest` is.
pub(super) fn end(lex: Lex, rest: &[u8]) -> Result<usize, Lex> {
    match lex {
        Lex::Tag(quote) => scan_tag(rest, quote).map_err(Lex::Tag),
        Lex::Doctype(quote) => scan_tag(rest, quote).map_err(Lex::Doctype),
        _ => memchr(b'>', rest).ok_or(lex),
    }
}

/// Whether the markup `lex` ends with `text`, which begins where it does and ends with a `>`.
pub(super) fn closes(lex: Lex, text: &[u8]) -> bool {
    match lex {
        Lex::Comment => text.len() >= 7 && text.ends_with(b"-->"),
        Lex::CData => text.len() >= 12 && text.ends_with(b"]]>"),
        Lex::Pi => text.len() >= 4 && text.ends_with(b"?>"),
        _ => true,
    }
}

/// How long the name is that `tag` begins with.
pub(super) fn name_length(tag: &[u8]) -> usize {
    tag.iter().position(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b'/')).unwrap_or(tag.len())
}

/// Where the `>` stands that ends a tag, or the quote that is open at the end of `rest`.
pub fn scan_tag(rest: &[u8], mut quote: u8) -> Result<usize, u8> {
    let mut at = 0;
    loop {
        let tail = rest.get(at..).unwrap_or_default();
        if quote == 0 {
            match memchr3(b'>', b'"', b'\'', tail) {
                None => return Err(0),
                Some(found) => match tail.get(found) {
                    Some(b'>') | None => return Ok(at + found),
                    Some(opened) => {
                        quote = *opened;
                        at += found + 1;
                    }
                },
            }
        } else {
            match memchr(quote, tail) {
                None => return Err(quote),
                Some(found) => {
                    quote = 0;
                    at += found + 1;
                }
            }
        }
    }
}
