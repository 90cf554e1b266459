//! The TCP sockets of a process, seen from outside (Linux): the inodes in `/proc/PID/fd` that stand in `/proc/PID/net/tcp{,6}`.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

/// How long [`wait_for_rest`] waits: that wait is its assertion.
const BOUND: Duration = Duration::from_secs(2);

/// `TCP_LISTEN` in the kernel's `include/net/tcp_states.h`.
const LISTEN: &str = "0A";

/// One TCP socket of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its own address, as the kernel writes it (hexadecimal).
    pub local: String,
    /// The other end's.
    pub remote: String,
    /// Its state, two hexadecimal digits.
    pub state: String,
}

impl Socket {
    /// Whether it waits for connections and is none itself.
    pub fn listens(&self) -> bool {
        self.state == LISTEN
    }
}

/// Every TCP socket the process `pid` holds.
pub fn tcp_sockets(pid: u32) -> io::Result<Vec<Socket>> {
    let process = Path::new("/proc").join(pid.to_string());
    let mut inodes = Vec::new();
    for entry in fs::read_dir(process.join("fd"))? {
        // A descriptor that is closed while the folder is read is gone: that is what is waited for.
        let Ok(link) = fs::read_link(entry?.path()) else { continue };
        let link = link.to_string_lossy().into_owned();
        inodes.extend(link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')).map(str::to_owned));
    }
    let mut sockets = Vec::new();
    for table in ["tcp", "tcp6"] {
        // Without IPv6 there is no second table.
        let Ok(text) = fs::read_to_string(process.join("net").join(table)) else { continue };
        sockets.extend(text.lines().skip(1).filter_map(|line| {
            // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
            let fields = line.split_whitespace().collect::<Vec<_>>();
            let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields.as_slice() else { return None };
            let socket =
                Socket { local: (*local).to_owned(), remote: (*remote).to_owned(), state: (*state).to_owned() };
            inodes.iter().any(|known| known == inode).then_some(socket)
        }));
    }
    Ok(sockets)
}

/// The process's TCP sockets that are connections: in any state but LISTEN.
pub fn connections(pid: u32) -> io::Result<Vec<Socket>> {
    Ok(tcp_sockets(pid)?.into_iter().filter(|socket| !socket.listens()).collect())
}

/// Polls until the process holds no connection.
///
/// # Panics
/// If it still holds one after two seconds, naming it.
pub fn wait_for_rest(pid: u32, when: &str) {
    let begun = Instant::now();
    loop {
        let standing = connections(pid).expect("the process can be looked at");
        if standing.is_empty() {
            return;
        }
        assert!(begun.elapsed() < BOUND, "{when}, these stand: {standing:?}");
        std::thread::yield_now();
    }
}
