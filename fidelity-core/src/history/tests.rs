//! Who is suspicious, and which values expose, from runs written by hand.

use super::*;
use crate::domain::KnobSetting;

const TESTS: usize = 40;

fn listed() -> Vec<ListedTest> {
    (0..TESTS)
        .map(|number| ListedTest {
            id: id(number),
            selected: true,
            suspicious: number == 39,
            terms: None,
        })
        .collect()
}

fn id(number: usize) -> TestId {
    TestId::new("crate", format!("test_{number:02}"))
}

fn under(zone: &str) -> Environment {
    Environment([(KnobId::from("tz"), KnobValue::Text(zone.to_owned()))].into())
}

fn failure(number: usize, kind: Option<VerdictKind>, reason: &str) -> PastFailure {
    PastFailure {
        test: id(number),
        verdict: kind.map(|kind| Verdict {
            kind,
            reason: reason.to_owned(),
        }),
        baseline_failures: 0,
        target: [(under("UTC"), count(5, 1))].into(),
    }
}

fn count(trials: u32, failures: u32) -> TrialCount {
    TrialCount { trials, failures }
}

fn run(failed: Vec<PastFailure>) -> PastRun {
    PastRun {
        id: RunId(1),
        failed,
    }
}

fn marked(past: &[PastRun]) -> Vec<usize> {
    let mut tests = listed();
    mark_suspicious(&mut tests, past);
    (0..TESTS)
        .filter(|position| tests[*position].suspicious)
        .collect()
}

#[test]
fn tests_that_failed_without_being_broken_are_suspicious_and_no_others() {
    use VerdictKind as V;
    let mut baseline_alone = failure(8, None, "");
    baseline_alone.target = [(under("UTC"), count(5, 0))].into();
    baseline_alone.baseline_failures = 1;
    let past = run(vec![
        failure(1, Some(V::HiddenDefect), "always"),
        failure(2, Some(V::Flaky), ""),
        failure(3, Some(V::Undetermined), "leans hidden-defect"),
        failure(4, Some(V::Broken), ""),
        failure(5, Some(V::BaselineOnly), "always"),
        failure(6, Some(V::HiddenDefect), "always, mass-failure"),
        failure(7, None, ""),
        baseline_alone,
        PastFailure {
            test: TestId::new("crate", "gone"),
            ..failure(0, None, "")
        },
    ]);
    assert_eq!(marked(&[past]), [1, 2, 3, 7]);
    assert_eq!(marked(&[]), Vec::<usize>::new());
}

#[test]
fn of_very_many_suspicious_tests_those_with_most_bad_runs_are_taken() {
    let all = || (0..TESTS).map(|number| failure(number, Some(VerdictKind::Flaky), ""));
    let twice = (30..35).map(|number| failure(number, Some(VerdictKind::Flaky), ""));
    let past = [run(all().collect()), run(twice.collect())];
    assert_eq!(marked(&past), [0, 1, 2, 3, 4, 30, 31, 32, 33, 34]);
}

#[test]
fn tests_that_are_not_executed_are_not_marked() {
    let mut tests = listed();
    tests[1].selected = false;
    mark_suspicious(
        &mut tests,
        &[run(vec![failure(1, None, ""), failure(2, None, "")])],
    );
    assert!(!tests[1].suspicious && tests[2].suspicious);
}

fn target(zones: &[&str]) -> FidelityProfile {
    let zones = zones.iter().map(|zone| KnobValue::Text((*zone).to_owned()));
    let knobs = [
        (KnobId::from("tz"), KnobSetting::OneOf(zones.collect())),
        (
            KnobId::from("cpus"),
            KnobSetting::Fixed(KnobValue::Count(1)),
        ),
    ];
    FidelityProfile {
        name: "high".to_owned(),
        knobs: knobs.into(),
    }
}

fn defect(seen: &[(&str, u32, u32)]) -> PastRun {
    let seen = seen
        .iter()
        .map(|(zone, trials, failures)| (under(zone), count(*trials, *failures)));
    run(vec![PastFailure {
        target: seen.collect(),
        ..failure(1, Some(VerdictKind::HiddenDefect), "intermittent")
    }])
}

const ZONES: [&str; 3] = ["UTC", "Asia/Tokyo", "Pacific/Apia"];

fn exposed(past: &[PastRun]) -> Vec<&'static str> {
    let exposing = exposing(&target(&ZONES), past);
    assert!(exposing.keys().all(|knob| knob.0 == "tz"));
    let positions = exposing.values().flatten();
    positions
        .map(|position| ZONES[*position as usize])
        .collect()
}

#[test]
fn a_value_exposes_if_a_defect_failed_under_it_and_under_no_other() {
    let apia = || defect(&[("UTC", 2, 0), ("Asia/Tokyo", 1, 0), ("Pacific/Apia", 2, 1)]);
    assert_eq!(exposed(&[apia()]), ["Pacific/Apia"]);
    let tokyo = defect(&[("UTC", 9, 0), ("Asia/Tokyo", 3, 3)]);
    assert_eq!(exposed(&[apia(), tokyo]), ["Asia/Tokyo", "Pacific/Apia"]);
    let utc = defect(&[("UTC", 9, 1), ("Pacific/Apia", 9, 0)]);
    assert_eq!(exposed(&[apia(), utc]), ["UTC", "Pacific/Apia"]);
}

#[test]
fn no_value_is_preferred_without_a_contrast() {
    let both = defect(&[("UTC", 3, 1), ("Pacific/Apia", 3, 1)]);
    let hardly_tried = defect(&[("UTC", 2, 0), ("Pacific/Apia", 3, 3)]);
    let unknown = defect(&[("UTC", 9, 0), ("Mars", 3, 3)]);
    assert_eq!(exposed(&[both, hardly_tried, unknown]), Vec::<&str>::new());
    let all = ZONES.map(|zone| defect(&[("elsewhere", 9, 0), (zone, 3, 3)]));
    assert_eq!(exposed(&all), Vec::<&str>::new());
}
