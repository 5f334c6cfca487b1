//! What a canary finds out about the network. Must not know: what was asked of the pass.
//!
//! Invariant: nothing leaves the machine. The address outside belongs to a range that is reserved for documents, and is
//! only connected to where there is no route to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An address of a network that does not exist (RFC 5737).
const OUTSIDE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 80);
/// How long that may take to be refused.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How many connections are made at most.
const MOST_CONNECTIONS: u32 = 1_000;
/// A port below every range.
const OUT_OF_RANGE: u16 = 5_000;

/// The network as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkSeen {
    /// The interfaces.
    pub(crate) interfaces: Vec<String>,
    /// Why no connection to 127.0.0.1 can be made.
    pub(crate) local: Option<String>,
    /// Why none to the outside can be made.
    pub(crate) remote: Option<String>,
    /// Whether that is because there is no way to get there.
    pub(crate) unreachable: bool,
}

/// Ports as they were given out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortsSeen {
    /// The first of the range.
    pub(crate) first: u32,
    /// The last of the range.
    pub(crate) last: u32,
    /// How many connections could be made at once.
    pub(crate) connections: u32,
    /// What stopped it.
    pub(crate) error: Option<String>,
    /// Its number.
    pub(crate) errno: i32,
}

/// Tries a connection to itself and one to the outside.
pub(super) fn network() -> NetworkSeen {
    let list = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let interfaces = list.lines().filter_map(|line| line.split_once(':'));
    let interfaces = interfaces.map(|(name, _)| name.trim().to_owned()).collect();
    let local = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| TcpStream::connect_timeout(&listener.local_addr()?, AT_ONCE));
    let remote = TcpStream::connect_timeout(&OUTSIDE, AT_ONCE).err();
    NetworkSeen {
        interfaces,
        local: local.err().map(|error| error.to_string()),
        unreachable: remote
            .as_ref()
            .is_some_and(|error| error.raw_os_error() == Some(libc::ENETUNREACH)),
        remote: remote.map(|error| error.to_string()),
    }
}

/// Makes connections until there is no port left for another, at most one more than `count`.
pub(super) fn ports(count: u32) -> Option<PortsSeen> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map(|port| port.parse().ok());
    let mut seen = PortsSeen {
        first: ends.next()??,
        last: ends.next()??,
        ..PortsSeen::default()
    };
    let mut kept = Vec::new();
    let mut connect = || -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, OUT_OF_RANGE))?;
        for _ in 0..count.saturating_add(1).min(MOST_CONNECTIONS) {
            kept.push(TcpStream::connect(listener.local_addr()?)?);
            // Closed by this side, the other still holds its port.
            drop(listener.accept()?);
        }
        Ok(())
    };
    let error = connect().err();
    seen.connections = u32::try_from(kept.len()).unwrap_or(u32::MAX);
    seen.errno = error
        .as_ref()
        .and_then(io::Error::raw_os_error)
        .unwrap_or(0);
    seen.error = error.map(|error| error.to_string());
    Some(seen)
}
