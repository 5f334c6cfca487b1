//! The network of a stage. Everything here acts on the network namespace of the calling process, which is its own.

use std::io;

use super::calls;

/// Where Linux keeps the range of ports that it gives out by itself.
pub(in crate::exec) const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// The first port given out where there is room above it.
const FIRST: u32 = 32_768;
/// One more than the last port there is.
const END: u32 = 65_536;

/// Brings the loopback interface up.
pub(super) fn bring_loopback_up() -> io::Result<()> {
    calls::loopback_up()
}

/// Has `count` ports given out and no more.
pub(super) fn limit_ports(count: u16) -> io::Result<()> {
    let count = u32::from(count.max(1));
    // The first is even, and so is what the kernel tries first.
    let first = FIRST.min(END.saturating_sub(count)) & !1;
    std::fs::write(PORT_RANGE, format!("{first} {}", first + count - 1))
}
