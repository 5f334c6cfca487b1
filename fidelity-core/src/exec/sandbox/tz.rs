//! `tz`: the local time zone.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};

pub(super) struct Tz;

impl Family for Tz {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "tz"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        if *value == KnobValue::Unset {
            sandbox.variables.insert("TZ".into(), None);
        } else {
            sandbox.set("TZ", text(value)?);
        }
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let time = &seen.local_time;
        let january = offset(time.january_s);
        let words = match time.july_s {
            july if july == time.january_s => format!("local time UTC{january}"),
            july => format!("local time UTC{january}, in July UTC{}", offset(july)),
        };
        if *value == KnobValue::Unset {
            return Ok(words);
        }
        let wanted = text(value)?;
        if seen.tz.as_deref() != Some(wanted) {
            return Err(format!("a process started with it has TZ={:?}", seen.tz));
        }
        if is_unknown(wanted, time.january_s, &time.abbreviation) {
            return Err(format!(
                "the time zone database here has no {wanted}; install tzdata, or correct the name"
            ));
        }
        Ok(words)
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}

/// Returns whether the C library did not know the zone: it then uses UTC under the first letters of the name.
fn is_unknown(name: &str, january_s: i64, abbreviation: &str) -> bool {
    let name = name.trim_start_matches(':');
    january_s == 0
        && !["UTC", "UCT", "GMT", "WET"].contains(&abbreviation)
        && name.contains('/')
        && (abbreviation.is_empty() || name.starts_with(abbreviation))
        || january_s == 0
            && !abbreviation.is_empty()
            && abbreviation == name
            && !["UTC", "UCT", "GMT", "WET"].contains(&name)
}

/// Writes an offset in seconds as `+05:30`.
fn offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_the_c_library_does_not_know_is_told_from_utc() {
        assert!(is_unknown("Nowhere/City", 0, "Nowhere"));
        assert!(is_unknown("Atlantis", 0, "Atlantis"));
        assert!(!is_unknown("Africa/Abidjan", 0, "GMT"));
        assert!(!is_unknown("Etc/UTC", 0, "UTC"));
        assert!(!is_unknown("UTC", 0, "UTC"));
        assert!(!is_unknown("Pacific/Apia", 46_800, "+13"));
        assert!(!is_unknown("UTC0", 0, "UTC"));
    }

    #[test]
    fn offsets_are_written_with_minutes() {
        assert_eq!(offset(-12_600), "-03:30");
        assert_eq!(offset(0), "+00:00");
        assert_eq!(offset(46_800), "+13:00");
    }
}
