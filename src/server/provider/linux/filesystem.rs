//! Mounted file systems on Linux.
//!
//! Owns: `LC_LocalFileSystem`: real file systems of this computer, by mount point. Network and kernel file systems are left
//! out, the former also because asking a dead server would block. Must not know who asks.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::text;
use crate::{
    cim::CimError,
    server::provider::{Ask, Each, Host, Provider, Row},
};

pub(super) struct FileSystems {
    pub(super) host: Host,
}

/// A line of `/proc/self/mounts` (fstab(5)).
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    source: String,
    target: String,
    kind: String,
    read_only: bool,
}

/// File systems without a device that hold a person's files all the same.
const WITHOUT_DEVICE: &[&str] = &["tmpfs", "overlay", "zfs", "btrfs", "bcachefs", "virtiofs", "ramfs"];
/// File systems whose server may not answer.
const REMOTE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "9p"];

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let (source, target, kind, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            source: unescape(source),
            target: unescape(target),
            kind: kind.to_owned(),
            read_only: options.split(',').any(|option| option == "ro"),
        })
    }

    fn is_local(&self) -> bool {
        let remote = REMOTE.contains(&self.kind.as_str()) || self.kind.starts_with("fuse");
        !remote && (self.source.starts_with("/dev/") || WITHOUT_DEVICE.contains(&self.kind.as_str()))
    }
}

/// Blanks, tabs, newlines and backslashes stand in mounts as three octal digits.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| *byte == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(code) => {
                out.push(code);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The local mounts by mount point; what is mounted last on a point hides what was there.
fn mounts(text: &str) -> BTreeMap<String, Mount> {
    let all = text.lines().filter_map(Mount::parse).map(|mount| (mount.target.clone(), mount));
    all.collect::<BTreeMap<_, _>>().into_iter().filter(|(_, mount)| mount.is_local()).collect()
}

impl Provider for FileSystems {
    fn class(&self) -> &'static str {
        "LC_LocalFileSystem"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        for mount in mounts(&text("/proc/self/mounts").unwrap_or_default()).into_values() {
            let mut row = Row::new(ask.class);
            self.host.own(&mut row);
            row.set("Name", mount.target.as_str());
            if !ask.keys_only {
                fill(&mut row, &mount);
            }
            if each(row) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

fn fill(row: &mut Row<'_>, mount: &Mount) {
    row.set("Caption", mount.target.as_str());
    row.set("ElementName", mount.target.as_str());
    row.set("Root", mount.target.as_str());
    row.set("Source", mount.source.as_str());
    row.set("FileSystemType", mount.kind.as_str());
    row.set("ReadOnly", mount.read_only);
    let dos = matches!(mount.kind.as_str(), "vfat" | "msdos" | "exfat");
    row.set("CaseSensitive", !dos);
    row.set("CasePreserved", mount.kind != "msdos");
    row.set("EnabledState", 2_u64);
    row.set("RequestedState", 12_u64);
    // A mount point that went away, or that we may not ask about, keeps NULLs.
    if let Ok(space) = rustix::fs::statvfs(mount.target.as_str()) {
        row.set("BlockSize", space.f_frsize);
        row.set("ClusterSize", u64::from(u32::try_from(space.f_bsize).unwrap_or(u32::MAX)));
        row.set("FileSystemSize", space.f_blocks.saturating_mul(space.f_frsize));
        row.set("AvailableSpace", space.f_bavail.saturating_mul(space.f_frsize));
        row.set("MaxFileNameLength", u64::from(u32::try_from(space.f_namemax).unwrap_or(u32::MAX)));
        row.set("TotalFiles", space.f_files);
        row.set("FreeFiles", space.f_ffree);
        row.set("OperationalStatus", [2_u64]);
        row.set("HealthState", 5_u64);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn mount_points_with_blanks_are_read_and_remote_ones_left_out() {
        let text = "/dev/sda1 / ext4 rw,relatime 0 0\n\
                    /dev/sdb1 /mnt/a\\040b\\134c vfat ro,sync 0 0\n\
                    server:/x /nfs nfs4 rw 0 0\n\
                    proc /proc proc rw 0 0\n\
                    sshfs#h /home/x fuse.sshfs rw 0 0\n\
                    tmpfs /tmp tmpfs rw 0 0\n\
                    server:/y /tmp nfs rw 0 0\n\
                    broken\n";
        let mounts = mounts(text);
        assert_eq!(mounts.keys().collect::<Vec<_>>(), ["/", "/mnt/a b\\c"]);
        assert!(mounts["/mnt/a b\\c"].read_only);
        assert!(!mounts["/"].read_only);
    }
}
