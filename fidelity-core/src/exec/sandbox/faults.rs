//! `errno.SYSCALL`, `ipv6`: system calls that are refused, in the test process and everything it starts.
//!
//! A process that has calls refused, and what it starts, cannot gain privileges any more: `sudo` and other programs
//! that change the user do not work below it. What io_uring does for a process is not refused.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};
use crate::config::errno::ERRNOS;
use crate::exec::seccomp::{ARCHITECTURE, Refusal, calls, inet6_socket};

pub(super) struct Faults;

impl Faults {
    /// Returns the call that `errno.SYSCALL` names.
    fn call(knob: &KnobId) -> Option<&str> {
        knob.0.strip_prefix("errno.")
    }
}

/// Returns the number of the error called `name`.
fn errno(name: &str) -> Result<u16, String> {
    let known = ERRNOS.iter().find(|row| row.0 == name);
    known
        .and_then(|row| u16::try_from(row.1).ok())
        .ok_or_else(|| format!("no error is called `{name}`"))
}

impl Family for Faults {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "ipv6" || Self::call(knob).is_some()
    }

    fn prepare(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        if ARCHITECTURE.is_none() {
            return Err(
                "not supported here: needs Linux on x86-64, ARM64 or 64-bit RISC-V".to_owned(),
            );
        }
        let refusals = &mut sandbox.confinement.refusals;
        let Some(name) = Self::call(knob) else {
            let call = inet6_socket().ok_or("no such call")?;
            let errno = match text(value)? {
                // What a kernel without IPv6 says.
                "off" => errno("EAFNOSUPPORT")?,
                other => return Err(format!("`{other}` is not `off`")),
            };
            refusals.push(Refusal { call, errno });
            return Ok(());
        };
        let errno = errno(text(value)?)?;
        let calls = calls(name);
        if calls.is_empty() {
            return Err(format!("`{name}` is no system call that can be refused"));
        }
        refusals.extend(calls.into_iter().map(|call| Refusal { call, errno }));
        Ok(())
    }

    fn observe(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let unseen = || "the canary could not make the call".to_owned();
        let Some(name) = Self::call(knob) else {
            let (four, six) = seen.inside.families.as_ref().ok_or_else(unseen)?;
            let said = |error: &Option<String>| error.clone().unwrap_or_else(|| "works".to_owned());
            let words = format!("a socket of IPv6: {}; of IPv4: {}", said(six), said(four));
            return if six.is_some() && (four.is_none() || four != six) {
                Ok(words)
            } else {
                Err(words)
            };
        };
        let wanted = i32::from(errno(text(value)?)?);
        let got = seen.inside.calls.get(name).ok_or_else(unseen)?;
        let said = |number: i32| match number {
            0 => "succeeds".to_owned(),
            number => std::io::Error::from_raw_os_error(number).to_string(),
        };
        match got.iter().find(|number| **number != wanted) {
            Some(&other) => Err(format!("{name} says all the same: {}", said(other))),
            None if got.is_empty() || !seen.inside.filtered => {
                Err("no filter of system calls is in force".to_owned())
            }
            None => Ok(format!("{name} says: {}", said(wanted))),
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }

    fn asks(&self, knob: &KnobId, _value: &KnobValue) -> Option<String> {
        Some(match Self::call(knob) {
            Some(name) => format!("call={name}"),
            None => "families".to_owned(),
        })
    }
}
