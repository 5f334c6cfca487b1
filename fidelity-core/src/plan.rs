//! The plan of a run: everything decided before the first pass. It can be printed (`--dry-run`) and is what a stored
//! run remembers of the question it was asked.

use serde::Serialize;

use crate::domain::{
    FidelityProfile, Fingerprint, KnobId, KnobSetting, KnobStatus, ListedTest, Policy, RunBy,
    RunId, RunnerKind, Seed,
};

/// What the scheduler has to know of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The tests, sorted by identity; those of joined runs included.
    pub tests: Vec<ListedTest>,
    /// The thresholds.
    pub policy: Policy,
    /// The seed everything random follows from.
    pub seed: Seed,
}

/// What makes the trials of two runs comparable beside their binaries. Thresholds are not part of it: they judge
/// trials, they do not change them.
#[derive(Clone, Copy, Debug)]
pub struct Conditions<'a> {
    /// The baseline arm.
    pub baseline: &'a FidelityProfile,
    /// The target arm.
    pub target: &'a FidelityProfile,
    /// What became of each knob.
    pub knobs: &'a [KnobStatus],
    /// Trials at a time.
    pub parallelism: u32,
    /// Time limit of a trial in milliseconds.
    pub timeout_ms: u64,
    /// Arguments for the test binaries.
    pub arguments: &'a [String],
    /// What runs the tests.
    pub runner: &'a RunBy,
}

impl Conditions<'_> {
    /// Returns a hash in hexadecimal (BLAKE3) of the effective values of both arms, of which were applied, and of how
    /// trials are run. A profile's name is no part of it, nor is the user part of a URL.
    pub fn fingerprint(&self) -> String {
        #[derive(Serialize)]
        struct Wire<'a> {
            baseline: Vec<(&'a KnobId, &'a KnobSetting)>,
            target: Vec<(&'a KnobId, &'a KnobSetting)>,
            not_applied: Vec<&'a KnobId>,
            parallelism: u32,
            timeout_ms: u64,
            arguments: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            runner: Option<(RunnerKind, &'a str, bool)>,
        }
        let (baseline, target) = (self.baseline.without_users(), self.target.without_users());
        let wire = Wire {
            baseline: baseline.knobs.iter().collect(),
            target: target.knobs.iter().collect(),
            not_applied: self
                .knobs
                .iter()
                .filter(|knob| !knob.applied)
                .map(|knob| &knob.knob)
                .collect(),
            parallelism: self.parallelism,
            timeout_ms: self.timeout_ms,
            arguments: self.arguments,
            // What earlier versions made stays comparable.
            runner: match self.runner.kind {
                RunnerKind::Auto | RunnerKind::Direct => None,
                kind => Some((kind, &self.runner.name, self.runner.runs_all)),
            },
        };
        let text = serde_json::to_vec(&wire).unwrap_or_default();
        blake3::hash(&text).to_hex().to_string()
    }
}

/// Returns what has to be equal for ingested passes to be compared with each other: that both fidelity profiles have the
/// same names and values. It is never that of a run whose arms were drawn.
pub fn ingested_fingerprint(baseline: &FidelityProfile, target: &FidelityProfile) -> Fingerprint {
    let (baseline, target) = (baseline.without_users(), target.without_users());
    let text = serde_json::to_vec(&[baseline, target]).unwrap_or_default();
    Fingerprint {
        binaries: "ingested".to_owned(),
        profiles: blake3::hash(&text).to_hex().to_string(),
        toolchain: String::new(),
    }
}

/// Returns the id of a run that does nothing but join these, which are sorted: whoever makes it makes the same.
pub fn id_of_all(runs: &[RunId]) -> RunId {
    let mut hasher = blake3::Hasher::new();
    for run in runs {
        hasher.update(&run.0.to_be_bytes());
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    RunId(u128::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::KnobValue;

    fn profile(name: &str, zone: &str) -> FidelityProfile {
        let zone = KnobSetting::Fixed(KnobValue::Text(zone.to_owned()));
        FidelityProfile {
            name: name.to_owned(),
            knobs: [(KnobId::from("tz"), zone)].into(),
        }
    }

    fn fingerprint(
        baseline: &FidelityProfile,
        target: &FidelityProfile,
        applied: bool,
        arguments: &[String],
    ) -> String {
        let status = KnobStatus {
            knob: KnobId::from("tz"),
            baseline: None,
            target: None,
            applied,
            reason: String::new(),
            beyond_production: false,
        };
        let knobs = [status];
        Conditions {
            baseline,
            target,
            knobs: &knobs,
            parallelism: 2,
            timeout_ms: 1000,
            arguments,
            runner: &RunBy::default(),
        }
        .fingerprint()
    }

    #[test]
    fn runs_are_comparable_by_effective_values_and_not_by_names() {
        let (low, high) = (profile("low", "UTC"), profile("high", "Pacific/Apia"));
        let one = fingerprint(&low, &high, true, &[]);
        assert_eq!(
            one,
            fingerprint(
                &profile("a", "UTC"),
                &profile("b", "Pacific/Apia"),
                true,
                &[]
            )
        );
        assert_ne!(
            one,
            fingerprint(&high, &low, true, &[]),
            "the arms are swapped"
        );
        assert_ne!(
            one,
            fingerprint(&low, &high, false, &[]),
            "the knob was not applied"
        );
        assert_ne!(
            one,
            fingerprint(&low, &high, true, &["--nocapture".to_owned()]),
            "other arguments"
        );
    }
}
