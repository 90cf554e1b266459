//! A disk that fails at each step, and real ones that do.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use super::{WEB01, ids, profile};
use crate::session::store::{Disk, RealDisk, SessionsFile};

/// The steps of a save.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    MakeDir,
    Lock,
    Read,
    Create,
    Write,
    Sync,
    Rename,
    SyncDir,
}

const STEPS: [Step; 8] =
    [Step::MakeDir, Step::Lock, Step::Read, Step::Create, Step::Write, Step::Sync, Step::Rename, Step::SyncDir];

/// The real disk, but for one step.
#[derive(Debug)]
struct Failing {
    step: Step,
    errno: i32,
}

impl Failing {
    fn at(&self, step: Step) -> io::Result<()> {
        if step == self.step { Err(io::Error::from_raw_os_error(self.errno)) } else { Ok(()) }
    }
}

impl Disk for Failing {
    fn locate(&self, file: &Path) -> PathBuf {
        RealDisk.locate(file)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.at(Step::MakeDir).and_then(|()| RealDisk.make_dir(dir))
    }

    fn lock(&self, lock: &Path) -> io::Result<Box<dyn Send>> {
        self.at(Step::Lock).and_then(|()| RealDisk.lock(lock))
    }

    fn read(&self, file: &Path) -> io::Result<String> {
        self.at(Step::Read).and_then(|()| RealDisk.read(file))
    }

    fn create(&self, temp: &Path, like: &Path) -> io::Result<fs::File> {
        self.at(Step::Create).and_then(|()| RealDisk.create(temp, like))
    }

    fn write(&self, file: &mut fs::File, bytes: &[u8]) -> io::Result<()> {
        // Half of it is there when the disk is full.
        RealDisk.write(file, &bytes[..bytes.len() / 2])?;
        self.at(Step::Write).and_then(|()| RealDisk.write(file, &bytes[bytes.len() / 2..]))
    }

    fn sync(&self, file: &fs::File) -> io::Result<()> {
        self.at(Step::Sync).and_then(|()| RealDisk.sync(file))
    }

    fn rename(&self, temp: &Path, file: &Path) -> io::Result<()> {
        self.at(Step::Rename).and_then(|()| RealDisk.rename(temp, file))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.at(Step::SyncDir).and_then(|()| RealDisk.sync_dir(dir))
    }
}

/// The names in `dir` besides the lock.
fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != ".sessions.toml.lock").collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_failing_step_leaves_the_file_as_it_was_and_says_what_to_try() {
    use rustix::io::Errno;
    let errors = [
        (Errno::ROFS, "LAZYCIM_CONFIG_DIR"),
        (Errno::ACCESS, "give yourself the right"),
        (Errno::NOSPC, "make room"),
        (Errno::DQUOT, "make room"),
        (Errno::IO, "check the directory"),
    ];
    for step in STEPS {
        for (errno, hint) in errors {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("sessions.toml");
            fs::write(&path, WEB01).unwrap();
            let disk = Arc::new(Failing { step, errno: errno.raw_os_error() });
            let mut file = SessionsFile::load_from(disk.clone(), path.clone());
            if step == Step::Read {
                assert!(file.problems[0].to_string().contains("sessions.toml: cannot be read: "), "{file:?}");
                assert!(file.problems[0].hint.contains(hint), "{step:?} {errno}: {file:?}");
            }
            let saved = file.add(&profile("db"), None);
            let after = fs::read_to_string(&path).unwrap();
            assert_eq!(names(dir.path()), ["sessions.toml"], "{step:?}: nothing is left behind");
            if step == Step::SyncDir {
                // The new file is whole and in its place: only the moment its name is safe is not known.
                saved.unwrap();
                assert_eq!(ids(&SessionsFile::parse("x", &after)), ["web01", "db"]);
                continue;
            }
            let error = saved.unwrap_err();
            assert_eq!(after, WEB01, "{step:?} {errno}");
            let said = error.to_string();
            assert!(said.starts_with(&format!("{}: not saved, because ", path.display())), "{said}");
            assert!(error.hint().contains(hint), "{step:?} {errno}: {}", error.hint());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let mut file = SessionsFile::load("/proc/lazycim/sessions.toml");
    assert_eq!(file.problems, [], "a file that is not there is an empty one");
    let error = file.add(&profile("db"), None).unwrap_err();
    assert!(error.to_string().contains("/proc/lazycim/sessions.toml: not saved, because its directory"), "{error}");
    assert!(!error.hint().is_empty());
}

#[test]
fn what_is_no_file_or_no_text_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, b"\xff\xfe").unwrap();
    let mut file = SessionsFile::load(&path);
    assert!(file.is_broken() && file.problems[0].hint.contains("UTF-8"), "{file:?}");
    assert!(file.add(&profile("db"), None).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"\xff\xfe");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(SessionsFile::load(&path).is_broken());
}

#[cfg(unix)]
#[test]
fn what_others_may_do_with_the_file_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, WEB01).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    SessionsFile::load(&path).add(&profile("db"), None).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_file_replaced_between_load_and_save_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, WEB01).unwrap();
    let mut file = SessionsFile::load(&path);
    let other = dir.path().join("other");
    fs::write(&other, "# replaced\n[[session]]\nid = \"other\"\ncomputer = \"h\"\n").unwrap();
    fs::rename(&other, &path).unwrap();
    file.add(&profile("db"), None).unwrap();
    assert_eq!(ids(&file), ["other", "db"]);
    assert!(fs::read_to_string(&path).unwrap().starts_with("# replaced\n"));
    fs::remove_file(&path).unwrap();
    file.add(&profile("more"), None).unwrap();
    assert_eq!(ids(&SessionsFile::load(&path)), ["more"]);
}

/// The file the child process below adds to.
const CHILD: &str = "LAZYCIM_TEST_SAVE_TO";

#[cfg(target_os = "linux")]
#[test]
fn a_write_cut_short_leaves_the_file_as_it_was() {
    if let Some(path) = std::env::var_os(CHILD) {
        let error = SessionsFile::load(path).add(&profile("db"), None).unwrap_err();
        assert!(error.to_string().contains("the new file cannot be written"), "{error}");
        assert!(error.hint().contains("make room"), "{}", error.hint());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    let whole = format!("{WEB01}{}", "# a long comment\n".repeat(200));
    fs::write(&path, &whole).unwrap();
    let this = std::env::current_exe().unwrap();
    let name = "session::store::tests::disk::a_write_cut_short_leaves_the_file_as_it_was";
    // `ulimit -f` counts in blocks of 512 or 1024 bytes. Ignored, the signal becomes an error; else it kills.
    for (trap, dies) in [("trap '' XFSZ; ", false), ("", true)] {
        let script = format!("{trap}ulimit -f 1; exec \"$0\" --exact {name}");
        let ran = Command::new("sh").arg("-c").arg(script).arg(&this).env(CHILD, &path).output().unwrap();
        assert_eq!(ran.status.success(), !dies, "{}", String::from_utf8_lossy(&ran.stdout));
        assert_eq!(fs::read_to_string(&path).unwrap(), whole, "{trap}");
    }
    // What the killed one left behind is cleared away by the next save.
    SessionsFile::load(&path).add(&profile("db"), None).unwrap();
    assert_eq!(names(dir.path()), ["sessions.toml"]);
}
