//! Stated error rates against measured ones, through the real scheduler.
//!
//! Seeds are fixed, so a test either always passes or always fails; the chance that a correct implementation would
//! have drawn seeds on which it fails is stated with [`most_by_chance`]: one in a million a count.

use super::*;

/// Returns the count that a binomial variable of `runs` trials at `rate` exceeds with a chance below one in a million.
fn most_by_chance(runs: u32, rate: f64) -> u32 {
    let mut chance = (1.0 - rate).powi(runs.cast_signed());
    let mut below = chance;
    let mut count = 0;
    while 1.0 - below > 1e-6 && count < runs {
        chance *= f64::from(runs - count) / f64::from(count + 1) * rate / (1.0 - rate);
        below += chance;
        count += 1;
    }
    count
}

/// Tests that do not care about the arm, however else they behave.
const NULLS: [Truth; 7] = [
    Truth::Rates(0.1, 0.1),
    Truth::Rates(0.5, 0.5),
    Truth::Rates(0.9, 0.9),
    Truth::Drifting(0.1, 0.7),
    Truth::Drifting(0.7, 0.1),
    Truth::Alternating,
    Truth::AfterBaseline,
];

#[test]
fn the_bound_for_chance_is_the_binomial_one() {
    // P(Binomial(300, 0.05) > 36) = 5.1e-07, but 1.4e-06 for 35.
    assert_eq!(most_by_chance(300, 0.05), 36);
}

#[test]
fn a_null_test_reaches_twenty_in_at_most_five_percent_of_runs_however_often_one_looks() {
    let runs = 300;
    for truth in NULLS {
        let alarms = (0..u64::from(runs))
            .filter_map(|seed| highest_log_e(truth, seed, 200, false))
            .filter(|log_e| *log_e >= 20_f64.ln())
            .count();
        let most = most_by_chance(runs, 0.05) as usize;
        assert!(alarms <= most, "{truth:?}: {alarms} of {runs}");
    }
}

#[test]
fn a_null_test_that_is_screened_harder_keeps_the_level() {
    let runs = 300;
    for truth in NULLS {
        let alarms = (0..u64::from(runs))
            .filter_map(|seed| highest_log_e(truth, seed, 200, true))
            .filter(|log_e| *log_e >= 20_f64.ln())
            .count();
        let most = most_by_chance(runs, 0.05) as usize;
        assert!(alarms <= most, "{truth:?}: {alarms} of {runs}");
    }
}

type Picks = fn(&Finding) -> bool;

/// Ways in which an earlier run says whom to screen harder, fair and unfair.
const HISTORIES: [(&str, Picks); 3] = [
    ("whatever failed in the target", |finding| {
        finding.target.failures > 0
    }),
    ("whatever leaned towards a worse target", |finding| {
        finding.e_value > finding.e_mirror
    }),
    ("whatever never failed in the target", |finding| {
        finding.target.failures == 0
    }),
];

#[test]
fn histories_fair_and_unfair_give_a_false_finding_in_at_most_five_percent_of_runs() {
    let runs = 100;
    let mut policy = Policy {
        tolerance: 0.99,
        futile_after: 60,
        max_passes: 100,
        ..quick()
    };
    policy.screen.suspicious = 15;
    let suites = [
        vec![Truth::Rates(0.1, 0.1); 12],
        vec![Truth::AfterBaseline; 8],
        NULLS.to_vec(),
    ];
    for truths in suites {
        for (name, picks) in HISTORIES {
            let alarms = (0..u64::from(runs))
                .filter(|seed| reported_with_history(&truths, &policy, *seed, picks) > 0)
                .count();
            let most = most_by_chance(runs, 0.05) as usize;
            assert!(alarms <= most, "{name}, {truths:?}: {alarms} of {runs}");
        }
    }
}

#[test]
fn a_test_that_is_better_in_the_target_is_not_called_worse_there() {
    let runs = 300;
    let alarms = (0..u64::from(runs))
        .filter_map(|seed| highest_log_e(Truth::Rates(0.5, 0.1), seed, 200, false))
        .filter(|log_e| *log_e >= 20_f64.ln())
        .count();
    assert!(alarms <= most_by_chance(runs, 0.05) as usize, "{alarms}");
}

fn quick() -> Policy {
    Policy {
        company_after: 0,
        max_time_ms: None,
        ..Policy::default()
    }
}

/// Runs in which a suite without defects is said to have one.
fn false_alarms(truths: &[Truth], policy: &Policy, runs: u32) -> usize {
    (0..u64::from(runs))
        .filter(|seed| reported_defects(truths, policy, *seed) > 0)
        .count()
}

#[test]
fn suites_of_nulls_give_a_false_finding_in_at_most_five_percent_of_runs() {
    let runs = 120;
    let loud = Policy {
        // Whatever the baseline does counts as passing, or hardly any null could be reported at all.
        tolerance: 0.99,
        futile_after: 200,
        ..quick()
    };
    let suites = [
        vec![Truth::Rates(0.3, 0.3); 12],
        vec![Truth::Together(0, 0.4, 0.4); 12],
        (0..12)
            .map(|test| Truth::Together(test / 4, 0.2, 0.2))
            .collect(),
        vec![Truth::AfterBaseline; 8],
        NULLS.to_vec(),
    ];
    for truths in suites {
        let alarms = false_alarms(&truths, &loud, runs);
        assert!(
            alarms <= most_by_chance(runs, 0.05) as usize,
            "{truths:?}: {alarms} of {runs}"
        );
    }
}

#[test]
fn mass_failures_that_have_nothing_to_do_with_the_arm_are_no_finding() {
    let runs = 150;
    let policy = Policy {
        tolerance: 0.99,
        futile_after: 200,
        ..quick()
    };
    for rate in [0.1, 0.3, 0.6] {
        let mut truths = vec![Truth::Together(0, rate, rate); 14];
        truths.resize(20, Truth::Sound);
        let alarms = false_alarms(&truths, &policy, runs);
        assert!(
            alarms <= most_by_chance(runs, 0.05) as usize,
            "{rate}: {alarms}"
        );
    }
}

#[test]
fn the_screening_and_focus_find_what_they_should_at_the_stated_cost() {
    let runs = 30;
    let mut truths = vec![Truth::Rates(0.0, 1.0); 8];
    truths.extend([Truth::Rates(0.0, 0.5); 4]);
    truths.extend([Truth::Rates(0.05, 0.05); 10]);
    truths.resize(300, Truth::Sound);
    let found: usize = (0..runs)
        .map(|seed| reported_defects(&truths, &quick(), seed))
        .sum();
    // 8 always fail; each of the 4 fails in the screening with 31/32. Missing more than 10 % has a chance below 1e-6.
    assert!(found >= 30 * 12 * 9 / 10, "{found}");
}

#[test]
fn joining_runs_and_picking_the_best_looking_suspects_keeps_the_level() {
    // Each run re-runs only the three best-looking suspects of the runs before: the family stays that of all of them.
    let chains = 60_u32;
    let policy = Policy {
        tolerance: 0.99,
        futile_after: 200,
        max_passes: 30,
        ..quick()
    };
    let truths = vec![Truth::Rates(0.3, 0.3); 20];
    let alarms = (0..u64::from(chains))
        .filter(|chain| best_looking_chain(&truths, &policy, *chain))
        .count();
    assert!(
        alarms <= most_by_chance(chains, 0.05) as usize,
        "{alarms} of {chains}"
    );
}

/// Returns whether any run of a chain of three reports a hidden defect.
fn best_looking_chain(truths: &[Truth], policy: &Policy, chain: u64) -> bool {
    let mut joined: Vec<StoredRun> = Vec::new();
    let mut world = World::new(truths.to_vec(), chain);
    let mut tests = world.tests();
    for link in 0..3 {
        let plan = Plan {
            tests: tests.clone(),
            policy: policy.clone(),
            seed: Seed(chain * 3 + link),
        };
        let mut passes = Vec::new();
        let ended = run(plan.clone(), &joined, &mut world, |_, pass| {
            passes.push(pass);
        });
        let verdicts = classify(ended.scheduler.evidence(), policy);
        let mut best: Vec<(f64, usize)> = verdicts
            .findings
            .iter()
            .map(|finding| (finding.e_value, finding.test.get()))
            .collect();
        if verdicts
            .findings
            .iter()
            .any(|finding| finding.verdict.kind == VerdictKind::HiddenDefect)
        {
            return true;
        }
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (number, test) in tests.iter_mut().enumerate() {
            test.selected = best[..3].iter().any(|(_, chosen)| *chosen == number);
        }
        joined.push(stored(&plan, passes));
    }
    false
}

#[test]
fn a_test_that_never_failed_takes_at_most_eighty_bytes() {
    let never_failed = size_of::<crate::evidence::book::TestBook>();
    assert!(never_failed <= 80, "{never_failed} bytes a test");
}
