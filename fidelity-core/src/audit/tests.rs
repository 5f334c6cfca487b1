//! The ranking, and the audit as its readers see it.

use super::*;
use crate::domain::{KnobSetting, Quarantine, SuspectedCause};
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

/// A run of `tests` tests with so many hidden defects, the only one of its state of the code.
fn past(knobs: &[&str], tests: u32, hidden_defects: u32) -> PastTrials {
    PastTrials {
        profiles: ["low", "high"].map(str::to_owned),
        trials: [u64::from(tests), 5 * u64::from(tests)],
        code: format!("{knobs:?}"),
        tests: (0..tests).collect(),
        defects: (0..hidden_defects)
            .map(|number| defect(number, None))
            .collect(),
        knobs: knobs.iter().map(|knob| knob_status(knob, true)).collect(),
    }
}

fn defect(number: u32, shown: Option<Shown>) -> Defect {
    Defect {
        members: vec![TestId::new("shop", format!("defect_{number}"))],
        shown,
    }
}

/// Hidden defects of which so much was shown, and others.
fn defects(shown: Vec<Shown>, others: usize) -> Vec<Defect> {
    let shown = shown.into_iter().map(Some);
    let all = (0..).zip(shown.chain(std::iter::repeat_n(None, others)));
    all.map(|(number, shown)| defect(number, shown)).collect()
}

fn belief_of(knob: &str, runs: &[PastTrials]) -> likelihood::Belief {
    Ledger::new(runs).belief(&KnobId::from(knob))
}

/// The same run at so many states of the code.
fn at_states(run: &PastTrials, states: usize) -> Vec<PastTrials> {
    (0..states)
        .map(|state| PastTrials {
            code: state.to_string(),
            ..run.clone()
        })
        .collect()
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
        kind: (Some(kind), annotation.kind.is_some()),
        annotation: Some(annotation),
        absent: [None, None],
        lacks: [None, None],
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
        needs: vec!["clock".to_owned()],
        ..Annotation::default()
    };
    let lacks = |arm: &str| Some(format!("needs `clock`, which `{arm}` does not provide"));
    let never = AuditedTest {
        absent: [lacks("low"), lacks("high")],
        lacks: [Some("clock".to_owned()), Some("clock".to_owned())],
        ..tested("restart", TestKind::EndToEnd, needing)
    };
    let mut high = profile("high", &["tz", "cpus", "locale"]);
    let umask = KnobSetting::Fixed(KnobValue::Mode(0o077));
    high.knobs.insert(KnobId::from("umask"), umask);
    Gathered {
        tests: vec![
            tested("pay", TestKind::Integration, mocking),
            tested("plain", TestKind::Unit, Annotation::default()),
            never,
        ],
        available: 5,
        now: "2026-11-28T12:00:00Z".to_owned(),
        profiles: [profile("low", &[]), high],
        production: [
            (KnobId::from("memory"), KnobValue::Bytes(1 << 30)),
            (KnobId::from("umask"), KnobValue::Mode(0o022)),
        ]
        .into(),
        runner: RunnerKind::Direct,
        here: BTreeMap::new(),
        past,
        evidence: Some(vec![Evidence {
            real: false,
            confidence: Confidence::High,
            file: "Cargo.toml".to_owned(),
            line: Some(12),
            what: "depends on `mockall`, a mock crate".to_owned(),
        }]),
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
    let mut runs = vec![past(&["tz"], 100, 20)];
    runs.extend(at_states(&past(&["cpus"], 80, 0), 5));
    let audit = weigh(&gathered(runs));
    assert_eq!(order(&audit)[0], "tz");
    let cpus = audit
        .differences
        .iter()
        .find(|it| it.knob.0 == "cpus")
        .unwrap();
    assert!(cpus.belief.is_over_engineering());
    assert!(
        cpus.reason == "over-engineering: exposed nothing in 80 tests at 5 states of the code",
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
    let share = |knob: &str| belief_of(knob, &runs).exposed;
    assert!((share("cpus") + share("tz") - 10.0).abs() < 1e-9);
    assert!((share("cpus") / share("tz") - 0.05 / 0.012).abs() < 1e-9);
    let in_vain = PastTrials {
        knobs: vec![knob_status("tz", false)],
        ..past(&[], 100, 10)
    };
    assert_eq!(belief_of("tz", &[in_vain]).tried, 0);
}

fn caused_by(knobs: &[&str], either: bool, confidence: f64) -> Shown {
    let mut shown = Shown {
        shares: BTreeMap::new(),
        explained: 0.0,
        found: true,
    };
    shown.add(knobs.iter().copied(), either, confidence);
    shown
}

#[test]
fn what_experiments_showed_is_credited_and_the_rest_goes_where_they_point() {
    let run = PastTrials {
        defects: defects(
            vec![
                caused_by(&["tz"], false, 0.9),
                caused_by(&["cpus", "umask"], false, 1.0),
                caused_by(&["tz", "locale"], true, 1.0),
                // What the test ran among, or nothing that differs.
                caused_by(&[], false, 1.0),
            ],
            2,
        ),
        ..past(&["tz", "cpus", "umask", "locale"], 100, 0)
    };
    let belief = |knob: &str| belief_of(knob, std::slice::from_ref(&run));
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
fn a_defect_whose_attribution_came_to_no_end_is_shared_as_it_says_and_by_no_prior() {
    let suspect = |knob: &str, probability| SuspectedCause {
        wording: knob.to_owned(),
        probability,
        knobs: vec![knob.to_owned()],
        either: false,
    };
    let unfinished = Attribution {
        end: AttributionEnd::Inconclusive,
        wording: "the time limit was reached".to_owned(),
        cause: None,
        suspects: vec![suspect("tmpdir", 0.97), suspect("scope", 0.02)],
        trials: 7,
        builds: 0,
        not_ruled_out: Vec::new(),
        second: None,
    };
    let shown = Shown::by(&unfinished).unwrap();
    let run = |shown: Shown| PastTrials {
        defects: defects(vec![shown], 0),
        ..past(&["cpus", "tmpdir"], 3, 0)
    };
    let of = |knob: &str| belief_of(knob, &[run(shown.clone())]);
    assert!(of("tmpdir").exposed >= 0.97, "{:?}", of("tmpdir"));
    assert!(of("cpus").exposed <= 0.01, "{:?}", of("cpus"));
    // It is probable, and not shown.
    assert_eq!(of("tmpdir").caused, 0);
    // What an experiment showed to its end holds, whichever came later.
    let found = caused_by(&["cpus"], false, 1.0);
    let both = [run(shown.clone()), run(found)];
    assert_eq!(belief_of("cpus", &both).caused, 1);
    assert!(belief_of("tmpdir", &both).exposed < 0.01);
    // Of suspects that do not say which knobs they are nothing is known.
    let mut older = unfinished.clone();
    for suspect in &mut older.suspects {
        suspect.knobs.clear();
    }
    assert_eq!(Shown::by(&older), None);
}

#[test]
fn a_knob_that_others_were_shown_to_stand_in_for_is_over_engineering() {
    let run = PastTrials {
        defects: defects(vec![caused_by(&["tz"], false, 1.0); 4], 0),
        ..past(&["tz", "cpus"], 400, 0)
    };
    let audit = weigh(&gathered(at_states(&run, 5)));
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
fn tests_that_fail_by_one_cause_are_one_defect_and_credit_what_was_shown_of_it() {
    let members = (0..20).map(|number| TestId::new("shop", format!("exported_{number}")));
    let run = PastTrials {
        defects: vec![Defect {
            members: members.collect(),
            shown: Some(caused_by(&["open-files"], false, 1.0)),
        }],
        ..past(&["open-files", "network", "tz"], 100, 0)
    };
    let belief = |knob: &str| belief_of(knob, std::slice::from_ref(&run));
    assert_eq!(belief("open-files").caused, 1);
    assert!((belief("open-files").exposed - 1.0).abs() < 1e-9);
    for innocent in ["network", "tz"] {
        assert!(belief(innocent).exposed.abs() < 1e-9, "{innocent}");
    }
}

#[test]
fn what_is_seen_again_is_the_same_defect_in_the_same_tests() {
    let first = PastTrials {
        code: "one".to_owned(),
        defects: defects(vec![caused_by(&["tz"], false, 1.0)], 0),
        ..past(&["tz", "cpus"], 15, 0)
    };
    // The later run joins the earlier, and showed nothing of its own.
    let again = PastTrials {
        defects: defects(Vec::new(), 1),
        ..first.clone()
    };
    let once = belief_of("tz", std::slice::from_ref(&first));
    let twice = belief_of("tz", &[again, first.clone()]);
    assert_eq!(once, twice);
    // At other states of the code they are tried anew; the defect is still one.
    let later = belief_of("tz", &at_states(&first, 20));
    assert_eq!([later.tried, later.states, later.trials], [15, 20, 300]);
    assert_eq!(later.caused, 1);
    assert!((later.exposed - 1.0).abs() < 1e-9);
    assert!((later.mean - (0.6 + 20.0) / 350.0).abs() < 1e-12);
}

#[test]
fn one_large_run_makes_nothing_over_engineering() {
    let run = past(&["tz"], 1000, 0);
    assert!(!belief_of("tz", std::slice::from_ref(&run)).is_over_engineering());
    assert!(!belief_of("tz", &at_states(&run, 4)).is_over_engineering());
    assert!(belief_of("tz", &at_states(&run, 5)).is_over_engineering());
}

fn against_production(settings: [Option<KnobSetting>; 2], knob: &str, fact: KnobValue) -> Audit {
    let knob = KnobId::from(knob);
    let mut all = gathered(Vec::new());
    all.tests.truncate(2);
    all.production = [(knob.clone(), fact)].into();
    for (arm, setting) in settings.into_iter().enumerate() {
        all.profiles[arm].knobs = setting.into_iter().map(|it| (knob.clone(), it)).collect();
    }
    weigh(&all)
}

#[test]
fn production_is_compared_with_the_target_whatever_the_baseline_has() {
    let text = |text: &str| KnobValue::Text(text.to_owned());
    let zone = |name: &str| Some(KnobSetting::Fixed(text(name)));
    let gib = |count: u64| KnobValue::Bytes(count << 30);
    let memory = |count: u64| Some(KnobSetting::Fixed(gib(count)));
    let both = KnobSetting::OneOf(vec![text("UTC"), text("Pacific/Apia")]);
    let cases = [
        (
            [None, memory(4)],
            "memory",
            gib(1),
            Some(Standing::KinderThanProduction),
        ),
        (
            [None, memory(1)],
            "memory",
            gib(2),
            Some(Standing::BeyondProduction),
        ),
        ([memory(1), memory(1)], "memory", gib(1), None),
        (
            [memory(1), memory(4)],
            "memory",
            gib(1),
            Some(Standing::OnlyInBaseline),
        ),
        (
            [None, zone("Pacific/Apia")],
            "tz",
            text("Europe/Berlin"),
            Some(Standing::UnlikeProduction),
        ),
        (
            [None, None],
            "tz",
            text("Europe/Berlin"),
            Some(Standing::OnlyInProduction),
        ),
        ([None, Some(both)], "tz", text("UTC"), Some(Standing::Tried)),
    ];
    for (settings, knob, fact, expected) in cases {
        let audit = against_production(settings, knob, fact);
        let found = audit.differences.first().map(|it| it.standing);
        assert_eq!(found, expected, "{knob}");
    }
    let kinder = against_production([None, memory(4)], "memory", gib(1));
    let [proposed] = &invest::production(&gathered(Vec::new()), &kinder.differences)[..] else {
        panic!("{:?}", kinder.differences)
    };
    assert_eq!(proposed.what, "set `memory` to 1GiB in `high`");
    assert_eq!(
        proposed.reason,
        "production has it, and `high` is kinder (4GiB)"
    );
}

#[test]
fn what_a_knob_made_fail_says_how_bad_it_is() {
    let mut all = gathered(vec![PastTrials {
        defects: vec![Defect {
            members: vec![TestId::new("shop", "pay")],
            shown: Some(caused_by(&["tz"], false, 1.0)),
        }],
        ..past(&["tz", "cpus"], 3, 0)
    }]);
    // Runs in neither arm, so that it meets nothing, though it says that it needs the knob.
    all.tests[2].annotation = Some(Annotation {
        needs: vec!["cpus".to_owned()],
        severity: Some(Severity::Low),
        ..Annotation::default()
    });
    let audit = weigh(&all);
    let severity = |knob: &str| {
        let mut found = audit.differences.iter().filter(|it| it.knob.0 == knob);
        found.next().unwrap().severity
    };
    // `pay` is critical (8) and `plain` medium (2): 5 in the mean, and 8 for the defect.
    assert!((severity("cpus") - 5.0).abs() < 1e-9);
    assert!((severity("tz") - (5.0 + 8.0) / 2.0).abs() < 1e-9);
}

#[test]
fn tests_that_never_run_are_counted_by_what_they_lack_where_they_are_meant_to_run() {
    let needing = |need: &str, profiles: &[&str]| Annotation {
        needs: vec![need.to_owned()],
        profiles: profiles.iter().map(|name| (*name).to_owned()).collect(),
        ..Annotation::default()
    };
    let lacking = |name: &str, need: &str, profiles: &[&str]| {
        let lacks = |arm: &str| {
            let is_meant = profiles.is_empty() || profiles.contains(&arm);
            is_meant.then(|| need.to_owned())
        };
        AuditedTest {
            absent: [Some("why".to_owned()), Some("why".to_owned())],
            lacks: ["low", "high"].map(lacks),
            ..tested(name, TestKind::EndToEnd, needing(need, profiles))
        }
    };
    let mut all = gathered(Vec::new());
    all.tests = vec![
        lacking("for_high", "clock", &["high"]),
        AuditedTest {
            ignored: true,
            ..lacking("ignored", "user", &[])
        },
        lacking("mistyped", "clok", &[]),
        lacking("nowhere_meant", "clock", &["hihg"]),
        lacking("service", "service.db", &[]),
    ];
    let proposed = |all: &Gathered| -> Vec<String> {
        let mut told: Vec<String> = invest::missing(all)
            .into_iter()
            .map(|it| format!("{}: {}", it.what, it.reason))
            .collect();
        told.sort();
        told
    };
    assert_eq!(
        proposed(&all),
        [
            "provide `clock` in `high`: tests that never run without it: 1",
            "run a `db` beside the suite and say so in an arm (`provides`): tests that never run without it: 1",
        ]
    );
}

#[test]
fn a_test_that_runs_nowhere_uses_nothing_as_it_is() {
    let mut all = gathered(Vec::new());
    all.tests[2].annotation.as_mut().unwrap().real = vec!["stripe".to_owned()];
    let audit = weigh(&all);
    let stripe = &audit.substitutes[0];
    assert_eq!([stripe.mocking, stripe.real, stripe.idle], [1, 0, 1]);
    let page = render(&audit, &Style::default());
    assert!(page.contains("0 (1 more run nowhere)"), "{page}");
}

#[test]
fn before_any_run_the_first_proposal_is_to_run() {
    let first = |past| weigh(&gathered(past)).invest.swap_remove(0);
    let proposed = first(Vec::new());
    assert_eq!(proposed.what, "run the suite: `cargo fidelity run`");
    assert!(proposed.reason.contains("4 differences"), "{proposed:?}");
    let later = first(vec![past(&["tz"], 10, 0)]);
    assert!(!later.what.contains("run the suite"), "{later:?}");
}

#[test]
fn what_both_arms_set_alike_is_not_tried() {
    let one = KnobSetting::Fixed(KnobValue::Count(1));
    let mut all = gathered(Vec::new());
    for profile in &mut all.profiles {
        profile.knobs = [(KnobId::from("cpus"), one.clone())].into();
    }
    let proposed = weigh(&all).invest;
    assert!(
        proposed.iter().any(|it| it.what == "vary `cpus`"),
        "{proposed:?}"
    );
}

#[test]
fn a_mocked_component_that_is_named_almost_like_a_real_one_is_told() {
    let mut all = gathered(Vec::new());
    all.tests[1].annotation.as_mut().unwrap().real = vec!["strope".to_owned()];
    let notes = weigh(&all).notes;
    let odd = notes.iter().find(|note| note.kind == "similar-components");
    assert!(
        odd.is_some_and(|note| note.message.contains("did you mean `strope`")),
        "{notes:?}"
    );
}

#[test]
fn quarantines_are_counted_and_those_that_are_over() {
    let mut all = gathered(Vec::new());
    for (test, until) in all.tests.iter_mut().zip(["2026-01-31", "2027-01-31"]) {
        test.annotation.as_mut().unwrap().quarantine = Some(Quarantine {
            until: until.to_owned(),
            owner: "payments".to_owned(),
            reason: "the sandbox drops webhooks".to_owned(),
        });
    }
    let audit = weigh(&all);
    assert_eq!([audit.quarantined, audit.expired], [2, 1]);
    let page = render(&audit, &Style::default());
    let said = "TESTS  3 tests of 5, 2 in quarantine, which is over for 1";
    assert!(page.contains(said), "{page}");
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

mod machine;
mod page;
