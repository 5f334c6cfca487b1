//! What is known before any trial: that no knob can be the cause, because none differs, or because the test fails alike on both
//! sides.

use std::collections::BTreeSet;

use super::Factors;
use super::pilot::{company, trials};
use crate::classify::BROKEN_AFTER;
use crate::domain::{Arm, Attribution, AttributionEnd, StoredRun, TestId};

/// Returns the attribution that needs no trial; none where trials may tell something. `runs` are `run` and those it joined.
pub fn needless(run: &StoredRun, runs: &[&StoredRun], id: &TestId) -> Option<Attribution> {
    let header = &run.header;
    let (low, high) = (&header.baseline, &header.target);
    let factors = Factors::new(low, high, &header.knobs, company(runs, id));
    let names = [low.name.as_str(), high.name.as_str()];
    let wording = match factors.number() {
        0 => nothing_differs(names, factors.not_applied()),
        _ => fails_alike(names, runs, id)?,
    };
    Some(Attribution {
        end: AttributionEnd::NoneOfThese,
        wording,
        cause: None,
        suspects: Vec::new(),
        trials: 0,
        builds: 0,
        not_ruled_out: Vec::new(),
        second: None,
    })
}

fn nothing_differs([low, high]: [&str; 2], not_applied: &[String]) -> String {
    match not_applied {
        [] => format!("no knob differs between {low} and {high}"),
        knobs => format!(
            "no knob that differs between {low} and {high} could be applied ({})",
            knobs.join(", ")
        ),
    }
}

/// Says that a test fails whatever the side, often enough to be called broken, and never in a way that only the target shows.
fn fails_alike([low, high]: [&str; 2], runs: &[&StoredRun], id: &TestId) -> Option<String> {
    let mut failures = [0_u32; 2];
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    for (pass, observation) in runs.iter().flat_map(|run| trials(run, id)) {
        if !observation.outcome.is_failure() {
            return None;
        }
        let arm = pass.spec.arm.index();
        failures[arm] += 1;
        let signature = observation.failure.as_ref();
        seen[arm].insert(signature.map(|failure| failure.signature.as_str()));
    }
    let [in_low, in_high] = Arm::BOTH.map(|arm| failures[arm.index()]);
    let [low_seen, high_seen] = seen;
    let broken = BROKEN_AFTER <= in_low.min(in_high) && high_seen.is_subset(&low_seen);
    broken.then(|| {
        format!(
            "it fails {in_low}/{in_low} in {low} and {in_high}/{in_high} in {high}, so that none of the knobs makes the difference"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue};

    #[test]
    fn knobs_that_differ_and_could_not_be_applied_are_named() {
        let profile = |name: &str, zone: Option<&str>| FidelityProfile {
            name: name.to_owned(),
            knobs: zone
                .map(|zone| KnobSetting::Fixed(KnobValue::Text(zone.to_owned())))
                .map(|setting| (KnobId::from("tz"), setting))
                .into_iter()
                .collect(),
        };
        let status = KnobStatus {
            knob: KnobId::from("tz"),
            baseline: None,
            target: Some("UTC".to_owned()),
            applied: false,
            reason: "there are no time zones".to_owned(),
            beyond_production: false,
        };
        let (low, high) = (profile("low", None), profile("high", Some("UTC")));
        let said = |high: &FidelityProfile| {
            let factors = Factors::new(&low, high, std::slice::from_ref(&status), None);
            assert_eq!(factors.number(), 0);
            nothing_differs(["low", "high"], factors.not_applied())
        };
        assert_eq!(
            said(&high),
            "no knob that differs between low and high could be applied (tz)"
        );
        // One that was not applied and does not differ makes no difference either way.
        assert_eq!(said(&low), "no knob differs between low and high");
    }
}
