//! Who else may write sessions.toml.
//!
//! Owns: the check that the file, and what it lies in, is the user's alone, without which no program it names is run.
//! Must not know what is in the file.

use std::path::Path;

use super::{SessionsError, whole};

/// Checks that nobody but the user and the administrator may change `file` or put another in its place.
///
/// # Errors
/// Names the file or the directory that others may write, and what to do; also where that cannot be found out.
#[cfg(unix)]
pub fn check_writers(file: &Path) -> Result<(), SessionsError> {
    let unknown = |error: std::io::Error| {
        let hint = "check the file and its directory";
        whole(file, format!("who may write it cannot be found out: {error}"), hint)
    };
    let real = std::fs::canonicalize(file).map_err(unknown)?;
    // Of a link both its own directory and that of the file it leads to.
    for place in [Some(real.as_path()), real.parent(), file.parent()].into_iter().flatten() {
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        let known = std::fs::metadata(place).map_err(unknown)?;
        check(place, &known, rustix::process::geteuid().as_raw())?;
    }
    Ok(())
}

/// Who may write a file is not known on this platform.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn check_writers(_file: &Path) -> Result<(), SessionsError> {
    Ok(())
}

#[cfg(unix)]
fn check(place: &Path, known: &std::fs::Metadata, user: u32) -> Result<(), SessionsError> {
    use std::os::unix::fs::MetadataExt;

    let owner = known.uid();
    if owner != user && owner != 0 {
        let hint = format!("chown {user} {}", place.display());
        return Err(whole(place, format!("it belongs to another user ({owner})"), &hint));
    }
    let cause = match known.mode() & 0o022 {
        0 => return Ok(()),
        0o020 => "its group may write it",
        _ => "everybody may write it",
    };
    Err(whole(place, cause.to_owned(), &format!("chmod go-w {}", place.display())))
}
