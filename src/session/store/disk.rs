//! The file system as the store needs it.
//!
//! Owns: [`Disk`], the one door through which a save touches files, and the real one. Must not know what is in a file.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What a save does with files, one step a method, so that each step can be made to fail.
pub trait Disk: std::fmt::Debug + Send + Sync {
    /// Where `file` really lies, links followed; itself where there is none yet.
    fn locate(&self, file: &Path) -> PathBuf;
    /// Makes a directory and those above it, for the user alone.
    ///
    /// # Errors
    /// Of the file system, as all of these.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the advisory lock of the file `lock`, made if need be. Dropping it lets go.
    ///
    /// # Errors
    /// Of the file system.
    fn lock(&self, lock: &Path) -> io::Result<Box<dyn Send>>;
    /// The text of a file.
    ///
    /// # Errors
    /// Of the file system, or that it is not UTF-8.
    fn read(&self, file: &Path) -> io::Result<String>;
    /// Removes what a crash may have left at `temp`, and makes a file there that others cannot read, or with the
    /// permissions of `like`, if that exists.
    ///
    /// # Errors
    /// Of the file system.
    fn create(&self, temp: &Path, like: &Path) -> io::Result<fs::File>;
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// Of the file system.
    fn write(&self, file: &mut fs::File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }
    /// Waits until what was written is safe on the medium.
    ///
    /// # Errors
    /// Of the file system.
    fn sync(&self, file: &fs::File) -> io::Result<()> {
        file.sync_all()
    }
    /// Puts `temp` in the place of `file`.
    ///
    /// # Errors
    /// Of the file system.
    fn rename(&self, temp: &Path, file: &Path) -> io::Result<()> {
        fs::rename(temp, file)
    }
    /// Waits until the directory's entries are safe on the medium.
    ///
    /// # Errors
    /// Of the file system; not every one can do this.
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn locate(&self, file: &Path) -> PathBuf {
        fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)
    }

    fn lock(&self, lock: &Path) -> io::Result<Box<dyn Send>> {
        let lock = private_file().create(true).truncate(false).open(lock)?;
        lock.lock()?;
        Ok(Box::new(lock))
    }

    fn read(&self, file: &Path) -> io::Result<String> {
        fs::read_to_string(file)
    }

    fn create(&self, temp: &Path, like: &Path) -> io::Result<fs::File> {
        // Nobody else writes it while we hold the lock: what lies there was left by a crash.
        match fs::remove_file(temp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = private_file().create_new(true).open(temp)?;
        if let Ok(known) = fs::metadata(like) {
            file.set_permissions(known.permissions())?;
        }
        Ok(file)
    }
}

pub(in crate::session) fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A save that failed: the step it failed in, in words, and why.
pub(super) struct Failed {
    pub(super) step: &'static str,
    pub(super) error: io::Error,
}

/// Marks the error of a step.
pub(super) fn at<T>(step: &'static str, result: io::Result<T>) -> Result<T, Failed> {
    result.map_err(|error| Failed { step, error })
}

/// The file beside `file` whose name is `file`'s with a dot before it and `suffix` behind.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(suffix);
    file.with_file_name(name)
}

/// Puts `bytes` in the place of `file`: all of them or none.
pub(super) fn replace(disk: &dyn Disk, file: &Path, dir: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let temp = beside(file, ".new");
    let mut out = at("no new file can be made beside it", disk.create(&temp, file))?;
    let written = at("the new file cannot be written", disk.write(&mut out, bytes))
        .and_then(|()| at("the new file cannot be made safe on the disk", disk.sync(&out)))
        .and_then(|()| at("the new file cannot be put in its place", disk.rename(&temp, file)));
    if written.is_err() {
        // The first error is the one to tell; a temporary file left behind is removed by the next save.
        let _ = fs::remove_file(&temp);
        return written;
    }
    // Not every file system can sync a directory; the file itself is safe on disk already.
    let _ = disk.sync_dir(dir);
    Ok(())
}

/// Puts `bytes` in the place of `file`, which a link may lead to: all of them or none.
pub(in crate::session) fn replace_file(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let real = RealDisk.locate(file);
    let dir = real.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace(&RealDisk, &real, dir, bytes).map_err(|failed| failed.error)
}

/// What to try after a step failed with `error`.
pub(super) fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "give yourself the right to write the file and its directory",
        io::ErrorKind::ReadOnlyFilesystem => {
            "the disk is mounted read-only: name another directory with LAZYCIM_CONFIG_DIR"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room on the disk, then save again"
        }
        io::ErrorKind::InvalidData => "the file is not UTF-8 text: convert it, or move it away",
        _ => "check the directory, or name another one with LAZYCIM_CONFIG_DIR",
    }
}
