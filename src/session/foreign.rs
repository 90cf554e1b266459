//! Files of other tools.
//!
//! Owns: reading one, bounded, in the encoding it says, and writing one without losing another. Must not know any format.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use super::{exchange::MAX_BYTES, store};

/// The most bytes that are read: the longest text in UTF-16, with its mark, and one more, which shows that there is more.
const LIMIT: u64 = 2 * MAX_BYTES as u64 + 4;

/// The text of `file`, in UTF-8 or with the mark of UTF-16, as Windows writes it.
///
/// # Errors
/// Of the file system, or that it is in no such encoding.
pub fn read(file: &Path) -> io::Result<String> {
    text_of(File::open(file)?)
}

/// The text that `from` gives, as for [`read`].
///
/// # Errors
/// As for [`read`].
pub fn text_of(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.take(LIMIT).read_to_end(&mut bytes)?;
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(&bytes) {
        let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
        return text
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| io::Error::other("it is not in the encoding it says"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// Writes `text` to `file`, for the user alone; a file that is there is replaced only where `replace` allows it, whole or not
/// at all.
///
/// # Errors
/// Of the file system; `AlreadyExists` where there is one that may not be replaced.
pub fn write(file: &Path, text: &str, replace: bool) -> io::Result<()> {
    if replace {
        return store::replace_file(file, text.as_bytes());
    }
    let mut out = store::private_file().create_new(true).open(file)?;
    let written = out.write_all(text.as_bytes()).and_then(|()| out.sync_all());
    if written.is_err() {
        // Half a file helps nobody; the first error is the one to tell.
        let _ = std::fs::remove_file(file);
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_that_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out.ps1");
        write(&file, "one", false).unwrap();
        assert_eq!(write(&file, "two", false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&file).unwrap(), "one");
        write(&file, "two", true).unwrap();
        assert_eq!(read(&file).unwrap(), "two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        assert!(write(&dir.path().join("no/out"), "x", true).is_err());
    }

    #[test]
    fn windows_writes_utf_16() {
        assert_eq!(text_of(&b"\xff\xfea\0\xe9\0"[..]).unwrap(), "aé");
        assert_eq!(text_of(&b"\xef\xbb\xbfa"[..]).unwrap(), "a");
        assert!(text_of(&b"\xff\xfea\0\0\xd8"[..]).is_err() && text_of(&b"a\xe9"[..]).is_err());
        assert_eq!(text_of(io::repeat(b'a')).unwrap().len() as u64, LIMIT);
    }
}
