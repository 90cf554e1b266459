//! Certificates and keys in files.
//!
//! Owns: reading authorities from a file or a folder and an identity from its files, each bounded, and naming the file that is
//! unusable. Must not keep the bytes of a key, nor tell them.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    Error, InconsistentKeys,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use zeroize::Zeroizing;

use super::{super::fault::plain, provider, verify::Authorities};
use crate::op::{
    ErrorKind, OpError, Phase,
    explain::{Explanation, tls::handshake},
};

/// The most bytes one file may have.
const FILE_BYTES: u64 = 8 << 20;
/// The most bytes the files of a folder may have together.
const FOLDER_BYTES: usize = 64 << 20;
/// The most entries of a folder that are looked at.
const FOLDER_ENTRIES: usize = 4_096;

/// What a file is for, with the row of its error.
#[derive(Clone, Copy)]
struct Use(Explanation);

const AUTHORITIES: Use = Use(handshake::CA_FILE);
const CERTIFICATE: Use = Use(handshake::CLIENT_CERT);
const KEY: Use = Use(handshake::CLIENT_KEY);

impl Use {
    fn broken(self, path: &Path, cause: impl std::fmt::Display) -> OpError {
        let target = plain(&path.display().to_string());
        let mut error = self.0.error(Phase::Tls, target, ErrorKind::Configuration);
        error.causes.insert(1, plain(&cause.to_string()));
        error
    }

    fn read(self, path: &Path) -> Result<Zeroizing<Vec<u8>>, OpError> {
        let file = File::open(path).map_err(|error| self.broken(path, error))?;
        // Its capacity from the start: growing would leave copies of a key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 << 10));
        if let Some(length) = file.metadata().ok().map(|data| data.len()).filter(|length| *length <= FILE_BYTES) {
            bytes.reserve(usize::try_from(length).unwrap_or_default() + 1);
        }
        file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| self.broken(path, error))?;
        if bytes.is_empty() {
            return Err(self.broken(path, "the file is empty"));
        }
        if bytes.len() as u64 > FILE_BYTES {
            return Err(self.broken(path, format_args!("the file is larger than {} MiB", FILE_BYTES >> 20)));
        }
        Ok(bytes)
    }

    fn certificates(self, path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, OpError> {
        let read = CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>();
        let mut read = read.map_err(|error| self.broken(path, format_args!("not PEM: {error}")))?;
        // DER begins with a SEQUENCE (X.690 section 8.9) and has no PEM in it.
        if read.is_empty() && bytes.first() == Some(&0x30) {
            read.push(CertificateDer::from(bytes.to_vec()));
        }
        Ok(read)
    }
}

/// The certificates of a file, or of every certificate file of a folder.
pub(super) fn authorities(path: &Path) -> Result<Authorities, OpError> {
    let mut found = Authorities::none();
    if path.is_dir() {
        let mut total = 0;
        for file in certificate_files(path)? {
            let bytes = AUTHORITIES.read(&file)?;
            total += bytes.len();
            if total > FOLDER_BYTES {
                let cause = format_args!("its files are larger than {} MiB together", FOLDER_BYTES >> 20);
                return Err(AUTHORITIES.broken(path, cause));
            }
            // A file of keys or of revocations is none of ours.
            add(&mut found, &file, &bytes)?;
        }
        if found.exact.is_empty() {
            return Err(AUTHORITIES.broken(path, "there is no certificate in the folder (.pem, .crt, .cer)"));
        }
        return Ok(found);
    }
    let bytes = AUTHORITIES.read(path)?;
    add(&mut found, path, &bytes)?;
    if found.exact.is_empty() {
        return Err(AUTHORITIES.broken(path, "there is no certificate in it"));
    }
    Ok(found)
}

fn add(found: &mut Authorities, path: &Path, bytes: &[u8]) -> Result<(), OpError> {
    for certificate in AUTHORITIES.certificates(path, bytes)? {
        // A folder made for OpenSSL has every certificate twice: by its name and by its hash.
        if found.exact.contains(&certificate) {
            continue;
        }
        let added = found.roots.add(certificate.clone());
        added.map_err(|error| {
            AUTHORITIES.broken(path, format_args!("a certificate in it cannot be trusted: {error}"))
        })?;
        found.exact.push(certificate);
    }
    Ok(())
}

/// The certificate files of a folder, in the order of their names: what ends in `.pem`, `.crt` or `.cer`, and the links
/// OpenSSL's `rehash` makes (`HASH.0`). Hidden files, folders and anything else are none.
fn certificate_files(folder: &Path) -> Result<Vec<PathBuf>, OpError> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| AUTHORITIES.broken(folder, error))?;
    for (count, entry) in entries.enumerate() {
        if count >= FOLDER_ENTRIES {
            return Err(AUTHORITIES.broken(folder, format_args!("it has more than {FOLDER_ENTRIES} entries")));
        }
        let path = entry.map_err(|error| AUTHORITIES.broken(folder, error))?.path();
        // Reading a pipe or a device would wait for ever. A link to nothing stays, and is named when it cannot be read.
        let other = fs::metadata(&path).is_ok_and(|data| !data.is_file());
        if !other && is_certificate_file(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_certificate_file(path: &Path) -> bool {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().to_ascii_lowercase());
    let (Some(stem), Some(extension)) = (text(path.file_stem()), text(path.extension())) else { return false };
    let hash = stem.len() == 8 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    let numbered = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_digit());
    !stem.starts_with('.') && (matches!(extension.as_str(), "pem" | "crt" | "cer") || (hash && numbered))
}

/// The client's certificate chain with its key.
pub(super) fn identity(certificate: &Path, key: &Path) -> Result<Arc<SingleCertAndKey>, OpError> {
    let bytes = CERTIFICATE.read(certificate)?;
    let chain = CERTIFICATE.certificates(certificate, &bytes)?;
    if chain.is_empty() {
        return Err(CERTIFICATE.broken(certificate, "there is no certificate in it"));
    }
    let fitted = CertifiedKey::from_der(chain, private_key(key)?, &provider());
    let fitted = fitted.map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            KEY.broken(key, format_args!("the key does not fit the certificate in {}", certificate.display()))
        }
        Error::InvalidCertificate(error) => CERTIFICATE.broken(certificate, error),
        error => KEY.broken(key, format_args!("the key cannot be used: {error}")),
    })?;
    Ok(Arc::new(SingleCertAndKey::from(fitted)))
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, OpError> {
    let bytes = KEY.read(path)?;
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    // RFC 7468 section 11, and the older form of RFC 1421.
    if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(KEY.broken(path, "the key is encrypted; decrypt it into a file only you can read (openssl pkey)"));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => KEY.broken(path, "there is no private key in it"),
        error => KEY.broken(path, format_args!("not PEM: {error}")),
    })
}
