//! What a process has of its own, in the words of knobs: where no arm imposes anything, that is what the machine has.
//!
//! What cannot be told for sure is left out. Must not know: what was asked for.

use std::collections::BTreeMap;

use super::CanaryReport;
use crate::domain::{KnobId, KnobValue};
use crate::exec::sandbox::Resource;

/// Names of the one time zone that has several.
const UTC: [&str; 7] = [
    "Etc/UTC",
    "UCT",
    "Etc/UCT",
    "Zulu",
    "Etc/Zulu",
    "Universal",
    "Etc/Universal",
];

impl CanaryReport {
    /// Returns the knobs whose values can be told, with these. A limit that is none is the largest number.
    pub(crate) fn values(&self) -> BTreeMap<KnobId, KnobValue> {
        let limit = |resource: Resource| self.limits.get(&resource).copied();
        let text = |text: &str| KnobValue::Text(text.to_owned());
        let percent = self.cpu_quota_percent;
        let known = [
            ("cpus", self.own_cpus().map(KnobValue::Count)),
            (
                "open-files",
                limit(Resource::OpenFiles).map(KnobValue::Count),
            ),
            ("file-size", limit(Resource::FileSize).map(KnobValue::Bytes)),
            ("memory", limit(Resource::Memory).map(KnobValue::Bytes)),
            ("stack", limit(Resource::Stack).map(KnobValue::Bytes)),
            ("memory-quota", self.memory_quota.map(KnobValue::Bytes)),
            (
                "cpu-quota",
                percent
                    .and_then(|percent| u32::try_from(percent).ok())
                    .map(KnobValue::Share),
            ),
            ("umask", u32::try_from(self.umask).ok().map(KnobValue::Mode)),
            ("nice", u64::try_from(self.nice).ok().map(KnobValue::Count)),
            ("tz", self.own_zone().map(|zone| text(&zone))),
            ("locale", self.locale_asked_for.as_deref().map(text)),
            ("user", self.own_user().map(|name| text(&name))),
            ("hostname", self.hostname.as_deref().map(text)),
        ];
        let known = known.into_iter();
        known
            .filter_map(|(knob, value)| Some((KnobId::from(knob), value?)))
            .collect()
    }

    fn own_cpus(&self) -> Option<u64> {
        let cpus = match self.cpus.len() {
            // Where there is no affinity, the standard library counts them.
            0 => self.parallelism,
            cpus => cpus,
        };
        (0 < cpus).then_some(cpus as u64)
    }

    /// Returns the name of the local time zone: that of TZ, else that of the system.
    fn own_zone(&self) -> Option<String> {
        let zone = match self.tz.as_deref() {
            Some("") => return Some("UTC".to_owned()),
            Some(zone) => zone.trim_start_matches(':'),
            None => match self.zone.as_deref() {
                Some(zone) => zone,
                // Without a file the C library takes UTC.
                None if self.local_time.abbreviation == "UTC" => "UTC",
                None => return None,
            },
        };
        Some(if UTC.contains(&zone) { "UTC" } else { zone }.to_owned())
    }

    fn own_user(&self) -> Option<String> {
        let (real, effective) = self.person.users;
        let name = crate::exec::sys::account::name_of(effective);
        name.filter(|_| real == effective)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(tz: Option<&str>, system: Option<&str>, abbreviation: &str) -> Option<KnobValue> {
        let mut seen = CanaryReport {
            tz: tz.map(str::to_owned),
            zone: system.map(str::to_owned),
            ..CanaryReport::default()
        };
        seen.local_time.abbreviation = abbreviation.to_owned();
        seen.values().remove(&KnobId::from("tz"))
    }

    #[test]
    fn a_zone_is_that_of_the_variable_or_of_the_system_by_its_usual_name() {
        let named = |name: &str| Some(KnobValue::Text(name.to_owned()));
        assert_eq!(
            zone(Some("Asia/Tokyo"), Some("Etc/UTC"), "JST"),
            named("Asia/Tokyo")
        );
        assert_eq!(
            zone(Some(":Europe/Berlin"), None, "CET"),
            named("Europe/Berlin")
        );
        assert_eq!(zone(None, Some("Etc/UTC"), "UTC"), named("UTC"));
        assert_eq!(zone(None, None, "UTC"), named("UTC"));
        assert_eq!(zone(None, None, "XYZ"), None);
    }

    #[test]
    fn what_is_not_seen_is_left_out() {
        let nothing = CanaryReport::default().values();
        for knob in [
            "cpus",
            "open-files",
            "memory",
            "cpu-quota",
            "locale",
            "hostname",
        ] {
            assert!(!nothing.contains_key(&KnobId::from(knob)), "{knob}");
        }
        let seen = CanaryReport {
            cpus: vec![0, 3],
            umask: 0o22,
            limits: [(Resource::OpenFiles, 1024), (Resource::Memory, u64::MAX)].into(),
            ..CanaryReport::default()
        };
        let values = seen.values();
        let of = |knob: &str| values.get(&KnobId::from(knob)).cloned();
        assert_eq!(of("cpus"), Some(KnobValue::Count(2)));
        assert_eq!(of("umask"), Some(KnobValue::Mode(0o22)));
        assert_eq!(of("open-files"), Some(KnobValue::Count(1024)));
        assert_eq!(of("memory"), Some(KnobValue::Bytes(u64::MAX)));
    }
}
