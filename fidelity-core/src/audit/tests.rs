//! The ranking, and the audit as its readers see it.

use super::*;
use crate::domain::KnobSetting;
use crate::report::Style;
use crate::report::audit::{render, render_json, render_markdown};

fn knob_status(knob: &str, applied: bool) -> KnobStatus {
    KnobStatus {
        knob: KnobId::from(knob),
        baseline: None,
        target: Some("x".to_owned()),
        applied,
        reason: String::new(),
        beyond_production: false,
    }
}

fn past(knobs: &[&str], tests: u64, hidden_defects: u64) -> PastTrials {
    PastTrials {
        profiles: ["low", "high"].map(str::to_owned),
        trials: [tests, 5 * tests],
        tests,
        hidden_defects,
        knobs: knobs.iter().map(|knob| knob_status(knob, true)).collect(),
        shown: Vec::new(),
    }
}

fn profile(name: &str, knobs: &[&str]) -> FidelityProfile {
    let value = KnobSetting::Fixed(KnobValue::Text("x".to_owned()));
    FidelityProfile {
        name: name.to_owned(),
        knobs: knobs
            .iter()
            .map(|knob| (KnobId::from(*knob), value.clone()))
            .collect(),
    }
}

fn tested(name: &str, kind: TestKind, annotation: Annotation) -> AuditedTest {
    AuditedTest {
        id: TestId::new("shop", name),
        kind: (kind, annotation.kind.is_some()),
        annotation: Some(annotation),
        absent: [None, None],
        ignored: false,
    }
}

fn gathered(past: Vec<PastTrials>) -> Gathered {
    let mocking = Annotation {
        mocks: vec!["stripe".to_owned()],
        severity: Some(Severity::Critical),
        place: "tests/pay.rs:7".to_owned(),
        ..Annotation::default()
    };
    let needing = Annotation {
        needs: vec!["service.db".to_owned()],
        ..Annotation::default()
    };
    let lacks = |arm: &str| {
        Some(format!(
            "needs `service.db`, which `{arm}` does not provide"
        ))
    };
    let never = AuditedTest {
        absent: [lacks("low"), lacks("high")],
        ..tested("restart", TestKind::EndToEnd, needing)
    };
    Gathered {
        tests: vec![
            tested("pay", TestKind::Integration, mocking),
            tested("plain", TestKind::Unit, Annotation::default()),
            never,
        ],
        profiles: [
            profile("low", &[]),
            profile("high", &["tz", "cpus", "umask", "locale"]),
        ],
        production: [("memory", 1 << 30)]
            .map(|(knob, bytes)| (KnobId::from(knob), KnobValue::Bytes(bytes)))
            .into(),
        beyond: [KnobId::from("umask")].into(),
        past,
        evidence: vec![Evidence {
            real: false,
            confidence: Confidence::High,
            place: "Cargo.toml:12".to_owned(),
            what: "depends on `mockall`, a mock crate".to_owned(),
        }],
        notes: vec![Problem {
            kind: "unknown-service".to_owned(),
            message: "the annotation at tests/pay.rs:9 needs `service.bd`, which no arm provides; did you mean `service.db`?".to_owned(),
        }],
    }
}

fn order(audit: &Audit) -> Vec<&str> {
    let differences = audit.differences.iter();
    differences
        .map(|difference| difference.knob.0.as_str())
        .collect()
}

#[test]
fn before_any_run_the_published_order_holds() {
    let audit = weigh(&gathered(Vec::new()));
    // `memory` (0.008 x 6) and `tz` (0.012 x 4) are a tie: what would be worse comes first.
    assert_eq!(order(&audit), ["cpus", "memory", "tz", "locale", "umask"]);
    for difference in &audit.differences {
        let belief = difference.belief;
        assert!(
            (belief.mean - belief.prior).abs() < 1e-12,
            "{}",
            difference.knob
        );
    }
}

#[test]
fn what_exposed_defects_rises_and_what_never_did_sinks() {
    let runs = vec![past(&["tz"], 100, 20), past(&["cpus"], 400, 0)];
    let audit = weigh(&gathered(runs));
    assert_eq!(order(&audit)[0], "tz");
    let cpus = audit
        .differences
        .iter()
        .find(|it| it.knob.0 == "cpus")
        .unwrap();
    assert!(cpus.belief.is_over_engineering());
    assert!(
        cpus.reason.starts_with("over-engineering: "),
        "{}",
        cpus.reason
    );
    // Beta(50 * 0.05, 50 * 0.95) after 400 failures.
    assert!((cpus.belief.mean - 2.5 / 450.0).abs() < 1e-12);
    let tz = audit.differences[0].belief;
    assert!((tz.mean - (0.6 + 20.0) / 150.0).abs() < 1e-12);
}

#[test]
fn knobs_that_differ_together_share_what_they_exposed_by_their_priors() {
    let runs = [past(&["tz", "cpus"], 100, 10)];
    let share = |knob: &str| likelihood::belief(&KnobId::from(knob), &runs).exposed;
    assert!((share("cpus") + share("tz") - 10.0).abs() < 1e-9);
    assert!((share("cpus") / share("tz") - 0.05 / 0.012).abs() < 1e-9);
    let in_vain = PastTrials {
        knobs: vec![knob_status("tz", false)],
        ..past(&[], 100, 10)
    };
    assert_eq!(likelihood::belief(&KnobId::from("tz"), &[in_vain]).tried, 0);
}

fn caused_by(knobs: &[&str], either: bool, confidence: f64) -> Shown {
    Shown {
        knobs: knobs.iter().map(|knob| KnobId::from(*knob)).collect(),
        either,
        confidence,
    }
}

#[test]
fn what_experiments_showed_is_credited_and_the_rest_goes_where_they_point() {
    let run = PastTrials {
        shown: vec![
            caused_by(&["tz"], false, 0.9),
            caused_by(&["cpus", "umask"], false, 1.0),
            caused_by(&["tz", "locale"], true, 1.0),
            // What the test ran among, or nothing that differs.
            caused_by(&[], false, 1.0),
        ],
        ..past(&["tz", "cpus", "umask", "locale"], 100, 6)
    };
    let belief = |knob: &str| likelihood::belief(&KnobId::from(knob), std::slice::from_ref(&run));
    let all = ["tz", "cpus", "umask", "locale"].map(belief);
    assert_eq!(all.map(|it| it.caused), [2, 1, 1, 1]);
    // 1.9 for `tz`, a half each for `cpus` and `umask`, 1 for `locale`; 2.1 that nobody explained are shared.
    let credited = [1.9, 0.5, 0.5, 1.0];
    let shares: Vec<f64> = all
        .iter()
        .zip(credited)
        .map(|(it, own)| it.exposed - own)
        .collect();
    assert!(
        (shares.iter().sum::<f64>() - 2.1).abs() < 1e-9,
        "{shares:?}"
    );
    let [tz, cpus, umask, locale] =
        [(0.6, 1.9), (2.5, 0.5), (0.4, 0.5), (0.2, 1.0)].map(|(prior, own)| (prior + own) / 150.0);
    let weights = tz + cpus + umask + locale;
    for (share, weight) in shares.iter().zip([tz, cpus, umask, locale]) {
        assert!((share - 2.1 * weight / weights).abs() < 1e-9, "{shares:?}");
    }
}

#[test]
fn a_knob_that_others_were_shown_to_stand_in_for_is_over_engineering() {
    let run = PastTrials {
        shown: vec![caused_by(&["tz"], false, 1.0); 4],
        ..past(&["tz", "cpus"], 400, 4)
    };
    let audit = weigh(&gathered(vec![run]));
    let of = |knob: &str| {
        let mut all = audit.differences.iter();
        all.find(|it| it.knob.0 == knob).unwrap()
    };
    assert!(of("cpus").belief.is_over_engineering());
    assert!(!of("tz").belief.is_over_engineering());
    assert_eq!(
        of("tz").reason,
        "shown by experiment to cause 4 defects in 400 tests tried"
    );
}

#[test]
fn scores_that_differ_in_their_last_bits_are_a_tie() {
    let sums = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1];
    assert_ne!(sums[0], sums[1], "or this test shows nothing");
    assert_eq!(ranked(sums[0]), ranked(sums[1]));
    assert!(ranked(0.02) < ranked(0.01), "the higher comes first");
}

#[test]
fn an_audit_is_told_the_same_in_every_format() {
    let audit = weigh(&gathered(vec![
        past(&["tz", "cpus"], 100, 2),
        past(&["umask"], 400, 0),
    ]));
    assert_eq!(audit.invest.len(), PROPOSED);
    let wide = Style {
        width: 120,
        ..Style::default()
    };
    insta::assert_snapshot!("human", render(&audit, &wide));
    insta::assert_snapshot!("markdown", render_markdown(&audit));
    insta::assert_snapshot!("json", render_json(&audit));
}

#[test]
fn an_empty_suite_is_audited_without_a_number_that_is_none() {
    let empty = Gathered {
        tests: Vec::new(),
        ..gathered(Vec::new())
    };
    let text = render_json(&weigh(&empty));
    assert!(!text.contains("null,\n      \"score\""), "{text}");
}
