//! The computer and its operating system on Linux.
//!
//! Owns: `LC_ComputerSystem`, `LC_OperatingSystem`, `LC_RunningOS`. Must not know processes beyond their number.

use std::{fs, time::Duration};

use super::{kilobytes, number, text};
use crate::{
    cim::CimError,
    server::provider::{
        Ask, Each, Host, Provider, Row,
        clock::{self, Clock},
        reference,
    },
};

pub(super) struct ComputerSystem {
    pub(super) host: Host,
}

impl Provider for ComputerSystem {
    fn class(&self) -> &'static str {
        "LC_ComputerSystem"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let mut row = Row::new(ask.class);
        row.set("CreationClassName", self.class());
        row.set("Name", self.host.computer.as_str());
        if !ask.keys_only {
            row.set("NameFormat", "Other");
            row.set("ElementName", self.host.computer.as_str());
            row.set("Caption", "This computer");
            row.set("Description", product());
            row.set("Dedicated", [0_u64]);
            row.set("EnabledState", 2_u64);
            row.set("RequestedState", 12_u64);
            row.set("OperationalStatus", [2_u64]);
            row.set("HealthState", 5_u64);
            row.set("Architecture", rustix::system::uname().machine().to_string_lossy().into_owned());
            let processors = std::thread::available_parallelism().ok().map(|count| count.get() as u64);
            let cpus = text("/proc/cpuinfo").unwrap_or_default();
            let listed = cpus.lines().filter(|line| line.starts_with("processor")).count() as u64;
            row.set("NumberOfLogicalProcessors", if listed > 0 { Some(listed) } else { processors });
            row.set("ProcessorName", processor_name(&cpus));
            let memory = text("/proc/meminfo").and_then(|memory| kilobytes(&memory, "MemTotal"));
            row.set("TotalMemory", memory.map(|kilobytes| kilobytes * 1024));
        }
        let _ = each(row);
        Ok(())
    }
}

/// Maker and model, where the firmware tells them.
fn product() -> Option<String> {
    let read = |name: &str| text(format!("/sys/class/dmi/id/{name}")).map(|text| text.trim().to_owned());
    let words: Vec<String> =
        ["sys_vendor", "product_name"].into_iter().filter_map(read).filter(|text| !text.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn processor_name(cpuinfo: &str) -> Option<&str> {
    let value = |key: &str| {
        cpuinfo.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':')).map(str::trim)
    };
    value("model name").or_else(|| value("Model")).or_else(|| value("cpu"))
}

pub(super) struct OperatingSystem {
    pub(super) host: Host,
}

impl Provider for OperatingSystem {
    fn class(&self) -> &'static str {
        "LC_OperatingSystem"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let mut row = Row::new(ask.class);
        self.host.own(&mut row);
        row.set("Name", self.host.system.as_str());
        if !ask.keys_only {
            identity(&mut row);
            times(&mut row);
            memory(&mut row, &text("/proc/meminfo").unwrap_or_default());
            row.set("NumberOfProcesses", number_of_processes());
            row.set("MaxNumberOfProcesses", number("/proc/sys/kernel/pid_max"));
            row.set("Distributed", false);
            row.set("EnabledState", 2_u64);
            row.set("RequestedState", 12_u64);
            row.set("OperationalStatus", [2_u64]);
            row.set("HealthState", 5_u64);
        }
        let _ = each(row);
        Ok(())
    }
}

fn identity(row: &mut Row<'_>) {
    let release = text("/etc/os-release").or_else(|| text("/usr/lib/os-release")).unwrap_or_default();
    let pretty = os_release(&release, "PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned());
    let names = rustix::system::uname();
    row.set("Caption", pretty.as_str());
    row.set("ElementName", pretty.as_str());
    row.set("OtherTypeDescription", pretty.chars().take(64).collect::<String>());
    row.set("OSType", 36_u64);
    row.set("Version", names.release().to_string_lossy().into_owned());
    row.set("KernelVersion", names.version().to_string_lossy().into_owned());
}

/// The value of `key` in an os-release file, quotes removed.
fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    let value = value.trim();
    let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value);
    let mut out = String::with_capacity(bare.len());
    let mut chars = bare.chars();
    while let Some(character) = chars.next() {
        out.extend(if character == '\\' { chars.next() } else { Some(character) });
    }
    Some(out)
}

fn times(row: &mut Row<'_>) {
    let (clock, now) = (Clock::local(), Clock::now());
    row.set("LocalDateTime", clock.at(now));
    row.set("CurrentTimeZone", crate::cim::CimValue::SInt(clock.offset_minutes()));
    row.set("LastBootUpTime", boot_time().and_then(|boot| clock.at(boot)));
    let up = text("/proc/uptime").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let up = up.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    row.set("UpTime", up.and_then(clock::interval));
    let loads: Vec<crate::cim::CimValue> = text("/proc/loadavg")
        .map(|text| {
            text.split(' ').take(3).filter_map(|load| load.parse().ok().map(crate::cim::CimValue::Real)).collect()
        })
        .unwrap_or_default();
    if loads.len() == 3 {
        row.set("LoadAverage", loads);
    }
}

fn memory(row: &mut Row<'_>, meminfo: &str) {
    let of = |key: &str| kilobytes(meminfo, key);
    let (total, free) = (of("MemTotal"), of("MemAvailable").or_else(|| of("MemFree")));
    let (swap, swap_free) = (of("SwapTotal"), of("SwapFree"));
    let both = |left: Option<u64>, right: Option<u64>| left.map(|left| left.saturating_add(right.unwrap_or(0)));
    row.set("TotalVisibleMemorySize", total);
    row.set("FreePhysicalMemory", free);
    row.set("TotalVirtualMemorySize", both(total, swap));
    row.set("FreeVirtualMemory", both(free, swap_free));
    row.set("SizeStoredInPagingFiles", swap);
    row.set("FreeSpaceInPagingFiles", swap_free);
    row.set("MaxProcessMemorySize", 0_u64);
}

fn number_of_processes() -> Option<u64> {
    let entries = fs::read_dir("/proc").ok()?;
    let numbered =
        entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit));
    Some(numbered.count() as u64)
}

/// When the kernel started, as Unix time.
pub(super) fn boot_time() -> Option<Duration> {
    let stat = text("/proc/stat")?;
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

pub(super) struct RunningOs {
    pub(super) host: Host,
}

impl Provider for RunningOs {
    fn class(&self) -> &'static str {
        "LC_RunningOS"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let mut row = Row::new(ask.class);
        row.set("Antecedent", reference(self.host.system_path()));
        row.set("Dependent", reference(self.host.computer_path()));
        let _ = each(row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn os_release_values_lose_quotes_and_escapes() {
        let text = "NAME=Plain\nPRETTY_NAME=\"A \\\"quoted\\\" \\$name\"\nVERSION='12 (x)'\n";
        assert_eq!(os_release(text, "NAME").unwrap(), "Plain");
        assert_eq!(os_release(text, "PRETTY_NAME").unwrap(), "A \"quoted\" $name");
        assert_eq!(os_release(text, "VERSION").unwrap(), "12 (x)");
        assert!(os_release(text, "ID").is_none());
    }

    #[test]
    fn memory_lines_are_found_by_their_whole_key() {
        let text = "MemTotalX: 1 kB\nMemTotal:       16384 kB\nSwapFree: 0 kB\n";
        assert_eq!(kilobytes(text, "MemTotal"), Some(16384));
        assert_eq!(kilobytes(text, "SwapFree"), Some(0));
        assert_eq!(kilobytes(text, "Mem"), None);
    }
}
