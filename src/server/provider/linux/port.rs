//! Network interfaces on Linux.
//!
//! Owns: `LC_NetworkPort`, read from `/sys/class/net`. Must not know addresses above the link layer.

use std::{fs, ops::ControlFlow, path::Path};

use super::{number, text};
use crate::{
    cim::CimError,
    server::provider::{Ask, Each, Host, Provider, Row},
};

const INTERFACES: &str = "/sys/class/net";

pub(super) struct Ports {
    pub(super) host: Host,
}

impl Provider for Ports {
    fn class(&self) -> &'static str {
        "LC_NetworkPort"
    }

    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError> {
        let Ok(entries) = fs::read_dir(INTERFACES) else { return Ok(()) };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        for name in names {
            let folder = Path::new(INTERFACES).join(&name);
            // `bonding_masters` is a file among the interfaces; an interface removed meanwhile has no folder any more.
            let Some(kind) = number(folder.join("type")) else { continue };
            let mut row = Row::new(ask.class);
            row.set("SystemCreationClassName", "LC_ComputerSystem");
            row.set("SystemName", self.host.computer.as_str());
            row.set("CreationClassName", self.class());
            row.set("DeviceID", name.as_str());
            if !ask.keys_only {
                fill(&mut row, &name, &folder, kind);
            }
            if each(row) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

/// `LinkTechnology` of a hardware type of `linux/if_arp.h`, and words where it is Other.
fn link_technology(kind: u64, wireless: bool) -> (u64, Option<&'static str>) {
    match kind {
        1 if wireless => (11, None),
        1 => (2, None),
        32 => (3, None),
        774 => (5, None),
        801..=803 => (11, None),
        772 => (1, Some("Loopback")),
        768 | 769 | 776 | 778 | 65534 => (1, Some("Tunnel")),
        512 => (1, Some("PPP")),
        280 => (1, Some("CAN")),
        _ => (0, None),
    }
}

fn fill(row: &mut Row<'_>, name: &str, folder: &Path, kind: u64) {
    let of = |file: &str| number(folder.join(file));
    let word = |file: &str| text(folder.join(file)).map(|text| text.trim().to_owned());
    row.set("Name", name);
    row.set("ElementName", name);
    row.set("Caption", name);
    let (technology, words) = link_technology(kind, folder.join("wireless").exists());
    row.set("LinkTechnology", technology);
    row.set("OtherLinkTechnology", words);
    let address = word("address").map(|text| text.replace(':', "").to_ascii_uppercase());
    let address = address.filter(|text| !text.is_empty() && text.bytes().any(|byte| byte != b'0'));
    // addr_assign_type 0: the address was not changed after it was read from the device.
    row.set("PermanentAddress", address.clone().filter(|_| of("addr_assign_type") == Some(0)));
    row.set("NetworkAddresses", address.map(|address| vec![address]));
    // Megabits; -1 where the driver does not know, and an error while the interface is down.
    row.set("Speed", of("speed").map(|megabits| megabits.saturating_mul(1_000_000)));
    row.set("FullDuplex", word("duplex").filter(|text| text == "full" || text == "half").map(|text| text == "full"));
    row.set("ActiveMaximumTransmissionUnit", of("mtu"));
    row.set("BytesReceived", of("statistics/rx_bytes"));
    row.set("BytesTransmitted", of("statistics/tx_bytes"));
    row.set("Connected", of("carrier").map(|carrier| carrier == 1));
    row.set("Virtual", !folder.join("device").exists());
    row.set("RequestedState", 12_u64);
    let (enabled, status) = match word("operstate").as_deref() {
        Some("up") => (2_u64, 2_u64),
        Some("down" | "lowerlayerdown" | "notpresent") => (3, 10),
        Some("dormant") => (6, 15),
        Some("testing") => (7, 11),
        // Loopback and tunnels tell "unknown" for ever; whether they are up stands in the flags.
        _ if up(folder) => (2, 2),
        _ => (3, 10),
    };
    row.set("EnabledState", enabled);
    row.set("OperationalStatus", [status]);
}

/// Whether IFF_UP stands in the flags.
fn up(folder: &Path) -> bool {
    let flags = text(folder.join("flags")).unwrap_or_default();
    let digits = flags.trim().trim_start_matches("0x");
    u32::from_str_radix(digits, 16).is_ok_and(|flags| flags & 1 == 1)
}
