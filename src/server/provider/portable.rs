//! Providers for platforms without providers of their own, by what sysinfo tells everywhere.
//!
//! Owns: the computer, its operating system and processes, as far as sysinfo knows them. Must not know a platform.

use std::{ops::ControlFlow, time::Duration};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::{
    Ask, Each, Host, Provider, Row,
    clock::{self, Clock},
    reference,
};
use crate::cim::{CimError, CimStatus, CimValue, KeyValue, ObjectPath};

/// The computer's names and every provider.
pub(super) fn all() -> (Host, Vec<Box<dyn Provider>>) {
    let host = Host {
        computer: System::host_name().unwrap_or_else(|_| "localhost".to_owned()),
        system: System::name().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
    };
    let providers: Vec<Box<dyn Provider>> = vec![
        Box::new(Portable { host: host.clone(), class: "LC_ComputerSystem", rows: computer }),
        Box::new(Portable { host: host.clone(), class: "LC_OperatingSystem", rows: operating_system }),
        Box::new(Processes { host: host.clone() }),
        Box::new(Portable { host: host.clone(), class: "LC_RunningOS", rows: running_os }),
        Box::new(OsProcess { host: host.clone() }),
    ];
    (host, providers)
}

/// A class with one instance.
struct Portable {
    host: Host,
    class: &'static str,
    rows: fn(&Host, &mut Row<'_>),
}

impl Provider for Portable {
    fn class(&self) -> &'static str {
        self.class
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let mut row = Row::new(ask.class);
        (self.rows)(&self.host, &mut row);
        let _ = each(row);
        Ok(())
    }
}

fn computer(host: &Host, row: &mut Row<'_>) {
    row.set("CreationClassName", "LC_ComputerSystem");
    row.set("Name", host.computer.as_str());
    row.set("NameFormat", "Other");
    row.set("ElementName", host.computer.as_str());
    row.set("Caption", "This computer");
    row.set("Dedicated", [0_u64]);
    row.set("EnabledState", 2_u64);
    row.set("OperationalStatus", [2_u64]);
    row.set("Architecture", System::cpu_arch());
    row.set("NumberOfLogicalProcessors", std::thread::available_parallelism().ok().map(|count| count.get() as u64));
    row.set("TotalMemory", memory().map(|system| system.total_memory()));
}

fn operating_system(host: &Host, row: &mut Row<'_>) {
    let (clock, now) = (Clock::local(), Clock::now());
    host.own(row);
    row.set("Name", host.system.as_str());
    row.set("Caption", System::long_os_version().ok());
    row.set("ElementName", System::long_os_version().ok());
    row.set("Version", System::os_version().ok());
    row.set("KernelVersion", System::kernel_version().ok());
    let family = match std::env::consts::OS {
        "macos" => 2_u64,
        "windows" => 18,
        "linux" => 36,
        "freebsd" => 42,
        "netbsd" => 43,
        "openbsd" => 49,
        _ => 1,
    };
    row.set("OSType", family);
    row.set("LocalDateTime", clock.at(now));
    row.set("CurrentTimeZone", CimValue::SInt(clock.offset_minutes()));
    row.set("LastBootUpTime", System::boot_time().ok().and_then(|boot| clock.at(Duration::from_secs(boot))));
    row.set("UpTime", System::uptime().ok().and_then(|up| clock::interval(Duration::from_secs(up))));
    if let Some(system) = memory() {
        row.set("TotalVisibleMemorySize", system.total_memory() / 1024);
        row.set("FreePhysicalMemory", system.available_memory() / 1024);
        row.set("TotalVirtualMemorySize", system.total_memory().saturating_add(system.total_swap()) / 1024);
        row.set("FreeVirtualMemory", system.available_memory().saturating_add(system.free_swap()) / 1024);
    }
    row.set("Distributed", false);
    row.set("EnabledState", 2_u64);
    row.set("OperationalStatus", [2_u64]);
}

fn running_os(host: &Host, row: &mut Row<'_>) {
    row.set("Antecedent", reference(host.system_path()));
    row.set("Dependent", reference(host.computer_path()));
}

fn memory() -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    Some(system)
}

fn read(which: ProcessesToUpdate<'_>, keys_only: bool) -> Result<System, CimError> {
    let what = if keys_only {
        ProcessRefreshKind::nothing()
    } else {
        ProcessRefreshKind::nothing()
            .with_memory()
            .with_cpu()
            .with_exe(UpdateKind::OnlyIfNotSet)
            .with_cmd(UpdateKind::OnlyIfNotSet)
            .without_tasks()
    };
    let mut system = System::new().map_err(|cause| CimError {
        status: CimStatus::FAILED,
        description: format!("this system's processes cannot be read: {cause}"),
        details: Vec::new(),
    })?;
    system.refresh_processes_specifics(which, true, what);
    Ok(system)
}

struct Processes {
    host: Host,
}

impl Processes {
    fn row<'a>(&self, ask: &Ask<'a>, pid: Pid, process: &sysinfo::Process, clock: &Clock) -> Row<'a> {
        let mut row = Row::new(ask.class);
        self.host.own(&mut row);
        row.set("OSCreationClassName", "LC_OperatingSystem");
        row.set("OSName", self.host.system.as_str());
        row.set("Handle", pid.to_string());
        if !ask.keys_only {
            let name = process.name().to_string_lossy();
            row.set("Name", name.as_ref());
            row.set("Caption", name.as_ref());
            row.set("ElementName", name.as_ref());
            row.set("CreationDate", clock.at(Duration::from_secs(process.start_time())));
            row.set("WorkingSetSize", process.memory());
            row.set("VirtualSize", process.virtual_memory());
            row.set("UserModeTime", CimValue::Null);
            row.set("ParentProcessID", process.parent().map(|parent| parent.to_string()));
            row.set("ModulePath", process.exe().map(|path| path.to_string_lossy().into_owned()));
            let arguments: Vec<String> =
                process.cmd().iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
            row.set("Parameters", (!arguments.is_empty()).then_some(arguments));
        }
        row
    }
}

impl Provider for Processes {
    fn class(&self) -> &'static str {
        "LC_Process"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let (system, clock) = (read(ProcessesToUpdate::All, ask.keys_only)?, Clock::local());
        let mut processes: Vec<_> = system.processes().iter().collect();
        processes.sort_unstable_by_key(|(pid, _)| **pid);
        for (pid, process) in processes {
            if each(self.row(ask, *pid, process, &clock)) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn get<'a>(&self, ask: &Ask<'a>, path: &ObjectPath) -> Result<Option<Row<'a>>, CimError> {
        let pid = path.keys.iter().find(|key| key.name == "Handle").and_then(|key| match &key.value {
            KeyValue::String(text) => text.parse::<Pid>().ok(),
            _ => None,
        });
        let Some(pid) = pid else { return Ok(None) };
        let system = read(ProcessesToUpdate::Some(&[pid]), false)?;
        let row = system.process(pid).map(|process| self.row(ask, pid, process, &Clock::local()));
        Ok(row.filter(|row| row.is_named_by(path)))
    }
}

struct OsProcess {
    host: Host,
}

impl Provider for OsProcess {
    fn class(&self) -> &'static str {
        "LC_OSProcess"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let system = read(ProcessesToUpdate::All, true)?;
        let mut handles: Vec<&Pid> = system.processes().keys().collect();
        handles.sort_unstable();
        for handle in handles {
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
