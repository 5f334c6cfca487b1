//! `network`, `ephemeral-ports`: what of the network there is. Both give the pass a network of its own.

use super::{CanaryReport, Family, KnobId, KnobValue, Part, Sandbox, Scene, number, smaller, text};
use crate::exec::stage;

/// There are no more ports than these that may be given out.
const MOST_PORTS: u64 = 60_000;

/// Limits that stop connections before the ports run out.
const OTHER_LIMITS: [i32; 3] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS];
/// Interfaces that a network has from its beginning.
const OF_ITS_OWN: [&str; 10] = [
    "lo", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0",
    "ip6gre0",
];

/// Returns whether calls are refused, so that connections say nothing of the network.
fn hides(seen: &CanaryReport) -> bool {
    !seen.inside.calls.is_empty()
}

pub(super) struct Network;

impl Network {
    fn is_range(knob: &KnobId) -> bool {
        knob.0 == "ephemeral-ports"
    }
}

impl Family for Network {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "network" || Self::is_range(knob)
    }

    fn prepare(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let plan = &mut sandbox.stage;
        if Self::is_range(knob) {
            let count = number(value)?;
            if !(1..=MOST_PORTS).contains(&count) {
                return Err(format!("{count} is not between 1 and {MOST_PORTS}"));
            }
            plan.ports = u16::try_from(count).ok();
        } else {
            plan.network = Some(match text(value)? {
                "none" => stage::Network::Down,
                "loopback" => stage::Network::Loopback,
                other => return Err(format!("`{other}` is none of `none`, `loopback`")),
            });
        }
        if plan.ports.is_some() && plan.network == Some(stage::Network::Down) {
            return Err(
                "without an interface (`network = \"none\"`) there are no ports".to_owned(),
            );
        }
        Ok(())
    }

    fn observe(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let unseen = || "the canary could not look at the network".to_owned();
        if Self::is_range(knob) {
            let ports = seen.inside.ports.as_ref().ok_or_else(unseen)?;
            let wanted = number(value)?;
            let size = ports.last.saturating_sub(ports.first).saturating_add(1);
            let range = format!("ports {} to {}", ports.first, ports.last);
            let made = format!("{} connections", ports.connections);
            return match &ports.error {
                _ if u64::from(size) != wanted => {
                    Err(format!("a process started with it gets {range}"))
                }
                Some(error) if ports.errno == libc::EADDRNOTAVAIL => {
                    Ok(format!("{range}: after {made}, {error}; loopback only"))
                }
                // What keeps the canary from trying keeps the tests as well.
                Some(error) if OTHER_LIMITS.contains(&ports.errno) || hides(seen) => Ok(format!(
                    "{range}, not tried further: {error}; loopback only"
                )),
                Some(error) => Err(format!("{range}, but after {made}: {error}")),
                None if u64::from(ports.connections) > wanted => {
                    Err(format!("{range}, but {made} could be made"))
                }
                None => Ok(format!("{range}, not used up by {made}; loopback only")),
            };
        }
        let network = seen.inside.network.as_ref().ok_or_else(unseen)?;
        let said = |error: &Option<String>| error.clone().unwrap_or_else(|| "works".to_owned());
        let (local, remote) = (said(&network.local), said(&network.remote));
        let words = format!(
            "interfaces: {}; 127.0.0.1: {local}; outside: {remote}",
            network.interfaces.join(" ")
        );
        let alone = network
            .interfaces
            .iter()
            .all(|name| OF_ITS_OWN.contains(&name.as_str()));
        let local_as_asked = network.local.is_none() == (text(value)? == "loopback");
        if alone && (network.unreachable && local_as_asked || hides(seen)) {
            Ok(words)
        } else {
            Err(words)
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        match value {
            KnobValue::Text(_) => true,
            _ => smaller(value, production),
        }
    }

    fn asks(&self, knob: &KnobId, value: &KnobValue) -> Option<String> {
        if Self::is_range(knob) {
            Some(format!("ports={}", number(value).ok()?))
        } else {
            Some("network".to_owned())
        }
    }

    fn parts(&self, knob: &KnobId, value: &KnobValue) -> &'static [Part] {
        if Self::is_range(knob) {
            &[Part::Network, Part::Loopback, Part::Ports]
        } else if text(value) == Ok("none") {
            &[Part::Network]
        } else {
            &[Part::Network, Part::Loopback]
        }
    }

    fn instead(&self, knob: &KnobId, _value: &KnobValue) -> Option<&'static str> {
        Some(if Self::is_range(knob) {
            "`errno.connect = \"EADDRNOTAVAIL\"` needs no namespace, but refuses every connection"
        } else {
            "`errno.connect = \"ENETUNREACH\"` needs no namespace, but refuses every connection"
        })
    }
}
