//! `clock`: how far the clock is ahead or back, by libfaketime, which is not part of this program.
//!
//! An offset only, never another speed: that stretches waits. The monotonic clock is left alone, without which waits
//! of the standard library never end.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};
use crate::config::units;

/// How far off the clock may be when it is looked at, in seconds: the canary takes a moment.
const SLACK_S: i64 = 2;

pub(super) struct Clock;

impl Family for Clock {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "clock"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        let offset = offset_s(text(value)?)?;
        if !cfg!(target_os = "linux") {
            return Err("not supported here: needs libfaketime on Linux".to_owned());
        }
        let Some(library) = (scene.faketime)() else {
            return Err(
                "libfaketime was not found: install libfaketime (Debian and Ubuntu: `apt install \
                 faketime`), or add its directory to LD_LIBRARY_PATH"
                    .to_owned(),
            );
        };
        let library = library.to_str().filter(|path| !path.contains([' ', ':']));
        let library = library.ok_or("the path of libfaketime has a space or a colon")?;
        let preload = match (scene.variable)("LD_PRELOAD") {
            Some(others) if !others.is_empty() => format!("{library}:{others}"),
            _ => library.to_owned(),
        };
        sandbox.set("LD_PRELOAD", preload);
        sandbox.set("FAKETIME", format!("{offset:+}"));
        sandbox.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        // Newer versions can do without shared memory, which a killed process leaves behind.
        sandbox.set("FAKETIME_DISABLE_SHM", "1");
        sandbox.confinement.leaves_shared_memory = true;
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let wanted = offset_s(text(value)?)?;
        let Some(clock) = &seen.inside.clock else {
            return Err("the canary could not look at the clock".to_owned());
        };
        let (earliest, latest) = seen.inside.asked_s;
        let shifted =
            |now: i64| (earliest + wanted - SLACK_S..=latest + wanted + SLACK_S).contains(&now);
        if !shifted(clock.now_s) {
            let off = clock.now_s - latest;
            return Err(format!(
                "the clock is {off:+} s off and not {wanted:+} s: libfaketime was not loaded, or \
                 does not do it"
            ));
        }
        if !clock.child_now_s.is_some_and(shifted) {
            return Err("a process that it starts sees another time".to_owned());
        }
        if let Some(wait) = clock.waits.iter().find(|wait| !wait.in_time) {
            return Err(format!(
                "with this version of libfaketime {} of 100 ms does not end when it should",
                wait.name
            ));
        }
        let dated = match clock.file_s.map(shifted) {
            Some(true) => "new files are dated likewise",
            _ => "new files keep the real time",
        };
        Ok(format!(
            "the clock is {wanted:+} s off, waits end in time, {dated}"
        ))
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }

    fn asks(&self, _knob: &KnobId, _value: &KnobValue) -> Option<String> {
        Some("clock".to_owned())
    }
}

/// Returns the offset in seconds that `text` says: a sign and a length of time.
fn offset_s(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no offset: write a sign and a length, like `+400d`");
    let (sign, length) = match text.split_at_checked(1) {
        Some(("+", length)) => (1, length),
        Some(("-", length)) => (-1, length),
        _ => return Err(wrong()),
    };
    let ms = units::duration_ms(length).map_err(|_| wrong())?;
    let seconds = i64::try_from(ms / 1000).map_err(|_| wrong())?;
    if seconds == 0 || ms % 1000 != 0 {
        return Err(wrong());
    }
    Ok(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_has_a_sign_and_whole_seconds() {
        assert_eq!(offset_s("+400d"), Ok(34_560_000));
        assert_eq!(offset_s("-30d"), Ok(-2_592_000));
        assert_eq!(offset_s("+1h"), Ok(3_600));
        for wrong in ["", "+", "400d", "+x", "+5ms", "+0s", "é1d"] {
            assert!(offset_s(wrong).is_err(), "{wrong}");
        }
    }
}
