//! Processes on Linux.
//!
//! Owns: `LC_Process` and `LC_OSProcess`, read from `/proc/PID`. A process that ends while it is read is left out. Must not
//! know who asks.

use std::{collections::HashMap, fs, ops::ControlFlow, os::unix::fs::MetadataExt as _, time::Duration};

use super::{system, text};
use crate::{
    cim::{CimError, CimValue, KeyValue, ObjectPath},
    server::provider::{Ask, Each, Host, Provider, Row, clock::Clock, reference},
};

pub(super) struct Processes {
    pub(super) host: Host,
}

impl Provider for Processes {
    fn class(&self) -> &'static str {
        "LC_Process"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let reader = (!ask.keys_only).then(Reader::new);
        for handle in handles() {
            if let Some(row) = self.row(ask, handle, reader.as_ref())
                && each(row) == ControlFlow::Break(())
            {
                break;
            }
        }
        Ok(())
    }

    /// Goes straight to the one process.
    fn get<'a>(&self, ask: &Ask<'a>, path: &ObjectPath) -> Result<Option<Row<'a>>, CimError> {
        let handle = path.keys.iter().find(|key| key.name == "Handle").and_then(|key| match &key.value {
            KeyValue::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        });
        let row = handle.and_then(|handle| self.row(ask, handle, Some(&Reader::new())));
        Ok(row.filter(|row| row.is_named_by(path)))
    }
}

impl Processes {
    fn row<'a>(&self, ask: &Ask<'a>, handle: u32, reader: Option<&Reader>) -> Option<Row<'a>> {
        let mut row = Row::new(ask.class);
        self.host.own(&mut row);
        row.set("OSCreationClassName", "LC_OperatingSystem");
        row.set("OSName", self.host.system.as_str());
        row.set("Handle", handle.to_string());
        if let Some(reader) = reader {
            reader.fill(&mut row, handle)?;
        }
        Some(row)
    }
}

/// The numbers of the processes there are now, in order.
fn handles() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut handles: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    handles.sort_unstable();
    handles
}

/// What is read once for all processes of an enumeration.
struct Reader {
    clock: Clock,
    boot: Option<Duration>,
    ticks: u64,
    page: u64,
    users: HashMap<u32, String>,
}

/// The fields of `/proc/PID/stat` (proc(5)) that are told.
#[derive(Debug, PartialEq, Eq)]
struct Stat<'a> {
    name: &'a str,
    state: u8,
    parent: u64,
    group: u64,
    session: u64,
    user_ticks: u64,
    kernel_ticks: u64,
    priority: i64,
    nice: i64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl<'a> Stat<'a> {
    /// The name stands in parentheses and may itself hold any of them, so the last one counts.
    fn parse(text: &'a str) -> Option<Self> {
        let (open, close) = (text.find('(')?, text.rfind(')')?);
        let fields: Vec<&str> = text.get(close + 1..)?.split_ascii_whitespace().collect();
        // `fields[0]` is field 3 of proc(5).
        let field = |number: usize| fields.get(number - 3).copied();
        let unsigned = |number: usize| field(number).and_then(|text| text.parse::<u64>().ok());
        let signed = |number: usize| field(number).and_then(|text| text.parse::<i64>().ok());
        Some(Self {
            name: text.get(open + 1..close)?,
            state: field(3)?.bytes().next()?,
            parent: unsigned(4)?,
            group: unsigned(5).unwrap_or(0),
            session: unsigned(6).unwrap_or(0),
            user_ticks: unsigned(14)?,
            kernel_ticks: unsigned(15)?,
            priority: signed(18)?,
            nice: signed(19)?,
            threads: unsigned(20)?,
            start_ticks: unsigned(22)?,
            virtual_bytes: unsigned(23)?,
            resident_pages: unsigned(24)?,
        })
    }
}

/// `ExecutionState` and, where it is Other, the words for it.
const fn execution_state(state: u8) -> (u64, Option<&'static str>) {
    match state {
        b'R' => (3, None),
        b'S' | b'D' => (4, None),
        b'I' => (1, Some("Idle kernel thread")),
        b'T' => (8, None),
        b't' => (1, Some("Stopped by a debugger")),
        b'Z' => (1, Some("Ended, its parent has not asked for the result")),
        b'X' | b'x' => (7, None),
        _ => (0, None),
    }
}

impl Reader {
    fn new() -> Self {
        let ticks = rustix::param::clock_ticks_per_second().max(1);
        Self {
            clock: Clock::local(),
            boot: system::boot_time(),
            ticks,
            page: rustix::param::page_size() as u64,
            users: users(&text("/etc/passwd").unwrap_or_default()),
        }
    }

    fn milliseconds(&self, ticks: u64) -> u64 {
        u64::try_from(u128::from(ticks) * 1000 / u128::from(self.ticks)).unwrap_or(u64::MAX)
    }

    /// `None` if the process has ended.
    fn fill(&self, row: &mut Row<'_>, handle: u32) -> Option<()> {
        let stat = text(format!("/proc/{handle}/stat"))?;
        let stat = Stat::parse(&stat)?;
        let user = fs::metadata(format!("/proc/{handle}")).ok()?.uid();
        row.set("Name", stat.name);
        row.set("Caption", stat.name);
        row.set("ElementName", stat.name);
        // Real-time processes have negative priorities in the kernel's own counting; CIM's is unsigned.
        row.set("Priority", u64::try_from(stat.priority).unwrap_or(0));
        row.set("NiceValue", CimValue::SInt(stat.nice));
        let (state, words) = execution_state(stat.state);
        row.set("ExecutionState", state);
        row.set("OtherExecutionDescription", words);
        let started = self.boot.map(|boot| boot + Duration::from_millis(self.milliseconds(stat.start_ticks)));
        row.set("CreationDate", started.and_then(|started| self.clock.at(started)));
        row.set("KernelModeTime", self.milliseconds(stat.kernel_ticks));
        row.set("UserModeTime", self.milliseconds(stat.user_ticks));
        row.set("WorkingSetSize", stat.resident_pages.saturating_mul(self.page));
        row.set("VirtualSize", stat.virtual_bytes);
        row.set("ThreadCount", stat.threads);
        row.set("ParentProcessID", (stat.parent > 0).then(|| stat.parent.to_string()));
        row.set("ProcessGroupID", stat.group);
        row.set("ProcessSessionID", stat.session);
        row.set("RealUserID", u64::from(user));
        row.set("UserName", self.users.get(&user).map(String::as_str));
        let module = fs::read_link(format!("/proc/{handle}/exe")).ok();
        row.set("ModulePath", module.map(|path| path.to_string_lossy().into_owned()));
        row.set("Parameters", parameters(&text(format!("/proc/{handle}/cmdline"))?));
        row.set("EnabledState", 5_u64);
        Some(())
    }
}

/// The arguments of a command line, each ended by NUL; `None` for a kernel thread, which has none.
fn parameters(cmdline: &str) -> Option<Vec<&str>> {
    let text = cmdline.strip_suffix('\0').unwrap_or(cmdline);
    (!text.is_empty()).then(|| text.split('\0').collect())
}

fn users(passwd: &str) -> HashMap<u32, String> {
    passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
        })
        .collect()
}

pub(super) struct OsProcess {
    pub(super) host: Host,
}

impl Provider for OsProcess {
    fn class(&self) -> &'static str {
        "LC_OSProcess"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        for handle in handles() {
            let mut row = Row::new(ask.class);
            row.set("GroupComponent", reference(self.host.system_path()));
            row.set("PartComponent", reference(self.host.process_path(&handle.to_string())));
            if each(row) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let text = "42 (a) (b c) S 1 42 7 0 -1 4194560 9 9 0 0 250 125 0 0 20 -5 3 0 900 8192 17 184 1 1 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(
            stat,
            Stat {
                name: "a) (b c",
                state: b'S',
                parent: 1,
                group: 42,
                session: 7,
                user_ticks: 250,
                kernel_ticks: 125,
                priority: 20,
                nice: -5,
                threads: 3,
                start_ticks: 900,
                virtual_bytes: 8192,
                resident_pages: 17,
            }
        );
        assert_eq!(Stat::parse("42 (cut"), None);
        assert_eq!(Stat::parse("42 (cut) S 1"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn arguments_keep_blanks_and_empty_ones_and_kernel_threads_have_none() {
        assert_eq!(parameters("sh\0-c\0\0a b\0"), Some(vec!["sh", "-c", "", "a b"]));
        assert_eq!(parameters(""), None);
        assert_eq!(parameters("renamed process"), Some(vec!["renamed process"]));
    }

    #[test]
    fn users_are_known_by_number() {
        let users = users("root:x:0:0:root:/root:/bin/sh\nbroken line\nann:x:1000:1000::/home/ann:/bin/sh\n");
        assert_eq!(users.get(&1000).map(String::as_str), Some("ann"));
        assert_eq!(users.len(), 2);
    }
}
