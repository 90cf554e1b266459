//! The providers on Linux: what the kernel tells in /proc and /sys.
//!
//! Owns: where things are read. Must not know how they are sent. Whatever vanishes while it is read is left out.

mod filesystem;
mod port;
mod process;
mod system;

use std::{fs, io::Read as _, path::Path};

use super::{Host, Provider};

/// The largest file of /proc or /sys read: more than any of them holds.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// The computer's names and every provider.
pub(super) fn all() -> (Host, Vec<Box<dyn Provider>>) {
    let names = rustix::system::uname();
    let host = Host {
        computer: names.nodename().to_string_lossy().into_owned(),
        system: names.sysname().to_string_lossy().into_owned(),
    };
    let providers: Vec<Box<dyn Provider>> = vec![
        Box::new(system::ComputerSystem { host: host.clone() }),
        Box::new(system::OperatingSystem { host: host.clone() }),
        Box::new(process::Processes { host: host.clone() }),
        Box::new(filesystem::FileSystems { host: host.clone() }),
        Box::new(port::Ports { host: host.clone() }),
        Box::new(system::RunningOs { host: host.clone() }),
        Box::new(process::OsProcess { host: host.clone() }),
    ];
    (host, providers)
}

/// The text of a file, bytes that are no UTF-8 replaced; `None` if it cannot be read.
fn text(path: impl AsRef<Path>) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(FILE_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The number a file holds and nothing else.
fn number(path: impl AsRef<Path>) -> Option<u64> {
    text(path)?.trim().parse().ok()
}

/// The value of `key` in lines of the form `key: value kB`, in kilobytes.
fn kilobytes(meminfo: &str, key: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
