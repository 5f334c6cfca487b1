//! Explanations, by snapshots.

use super::{Explanation, PastVerdict, Sources, render};
use crate::classify::Verdicts;
use crate::domain::{
    Outcome, PassEnd, Phase, Revision, RunId, Scope, StoredRun, TestIndex, Verdict, VerdictKind,
};
use crate::report::Style;
use crate::report::planted::{Planted, interval, plant, stable};

fn wide() -> Style {
    Style {
        width: 100,
        ..Style::default()
    }
}

fn explain_of(
    (run, verdicts): &(StoredRun, Verdicts),
    name: &str,
    history: &[PastVerdict],
) -> Explanation {
    let position = run
        .tests
        .iter()
        .position(|test| test.id.test == name)
        .unwrap();
    let sources = Sources {
        run,
        joined: &[],
        verdicts,
        history,
        attributions: &[],
        interval,
    };
    Explanation::new(&sources, TestIndex(u32::try_from(position).unwrap())).unwrap()
}

#[test]
fn what_a_report_tells_of_a_failure_is_called_so_and_told_once() {
    let page = |ingested: bool, stderr: &[u8]| {
        let mut planted = Planted::new().tests([plant(
            ("shop", "due"),
            (VerdictKind::Broken, ""),
            (5, 5),
            (5, 5),
        )
        .says("the day is off")
        .prints(stderr, b"")]);
        planted.header.ingested = ingested;
        render(&explain_of(&planted.build(), "due", &[]), &wide())
    };
    let told = b"the day is off\nshop/due.py:12\nslow disk\n";
    let reported = page(true, told);
    assert!(
        reported.contains("    failure and stderr:\n      | shop/due.py:12\n      | slow disk\n"),
        "{reported}"
    );
    let only = page(true, b"the day is off\n");
    assert!(!only.contains("stderr"), "{only}");
    // What our own runner captured is the stream as it was.
    let own = page(false, told);
    assert!(
        own.contains("    stderr:\n      | the day is off\n"),
        "{own}"
    );
}

const PANIC: &[u8] = b"loading the zone\nthread 'dates::due' panicked at src/dates.rs:44:9:\n\
assertion `left == right` failed: due date moved\n  left: 2026-03-13\n\tright: \x1b[31m2026-03-14\xff\n\
note: run with `RUST_BACKTRACE=1`\r\n";

fn time_zone() -> (StoredRun, Verdicts) {
    Planted::new()
        .usual_knobs()
        .beyond_production()
        .tests([
            plant(
                ("shop", "dates::due"),
                (VerdictKind::HiddenDefect, "intermittent"),
                (0, 10),
                (6, 11),
            )
            .e(1_240.4, 0.01, 35.0)
            .with(|finding| finding.fisher_p = Some(0.000_21))
            .says("assertion `left == right` failed: due date moved")
            .in_cluster("assertion failed")
            .prints(PANIC, b"running 1 test\n")
            .fails_under("America/St_Johns"),
            plant(
                ("shop", "dates::reminder"),
                (VerdictKind::HiddenDefect, "intermittent"),
                (0, 10),
                (6, 11),
            )
            .e(1_240.4, 0.01, 35.0)
            .says("assertion `left == right` failed: due date moved")
            .in_cluster("assertion failed")
            .fails_under("America/St_Johns"),
            stable("shop", "adds"),
        ])
        .build()
}

#[test]
fn a_defect_under_one_time_zone_is_told_from_the_other() {
    let past = |day: u32, kind, reason: &str| PastVerdict {
        run: RunId(u128::from(day) << 100),
        started_at: format!("2026-03-{day:02}T10:00:00Z"),
        revision: Some(Revision {
            commit: format!("{day:02}c4a1b2c3d4e5f6"),
            dirty: day == 9,
        }),
        verdict: Verdict {
            kind,
            reason: reason.to_owned(),
        },
    };
    let history = [
        past(7, VerdictKind::Stable, ""),
        past(9, VerdictKind::Undetermined, "budget"),
        past(11, VerdictKind::HiddenDefect, "intermittent"),
    ];
    let explanation = explain_of(&time_zone(), "dates::due", &history);
    insta::assert_snapshot!(render(&explanation, &wide()));
    let zones = explanation
        .splits
        .iter()
        .find(|split| split.by == "tz")
        .unwrap();
    assert_eq!((zones.rows[0].failures, zones.rows[0].trials), (6, 6));
    assert_eq!((zones.rows[1].failures, zones.rows[1].trials), (0, 5));
    let scopes: Vec<&str> = explanation
        .splits
        .iter()
        .filter(|split| split.by == "scope")
        .flat_map(|split| &split.rows)
        .map(|row| row.value.as_str())
        .collect();
    assert_eq!(scopes, ["the suspects only", "the whole suite"].repeat(2));
}

#[test]
fn a_defect_in_company_shows_the_scopes_apart() {
    let company = plant(
        ("shop", "port"),
        (VerdictKind::HiddenDefect, "intermittent"),
        (0, 9),
        (4, 12),
    )
    .e(77.0, 0.1, 20.0)
    .with(|finding| finding.only_in_company = true);
    let (mut run, verdicts) = Planted::new().tests([company]).build();
    for pass in &mut run.passes {
        if pass
            .observations
            .iter()
            .any(|seen| seen.outcome.is_failure())
        {
            pass.spec.scope = Scope::Suite;
        } else if pass.spec.phase == Phase::Screen {
            pass.spec.scope = Scope::Suspects;
        }
    }
    let page = render(&explain_of(&(run, verdicts), "port", &[]), &wide());
    assert!(page.contains("in high, by what it ran among:"), "{page}");
    assert!(page.contains("the whole suite     fails 4/4"), "{page}");
    assert!(page.contains("it fails only in company"), "{page}");
    assert!(
        !page.contains("in low, by"),
        "nothing failed there:\n{page}"
    );
}

#[test]
fn scopes_are_listed_from_the_least_company_to_the_most_in_each_arm() {
    let flaky = plant(
        ("shop", "port"),
        (VerdictKind::Flaky, "both-arms"),
        (4, 12),
        (4, 12),
    );
    let (mut run, verdicts) = Planted::new().tests([flaky]).build();
    let scopes = [Scope::Suite, Scope::Alone, Scope::Binary, Scope::Suspects];
    let mut turns = [0, 0];
    for pass in &mut run.passes {
        let turn = &mut turns[pass.spec.arm.index()];
        pass.spec.scope = scopes[*turn % 4];
        *turn += 1;
    }
    let explanation = explain_of(&(run, verdicts), "port", &[]);
    for split in &explanation.splits {
        let values: Vec<&str> = split.rows.iter().map(|row| row.value.as_str()).collect();
        let expected = [
            "nothing: alone",
            "the suspects only",
            "its binary",
            "the whole suite",
        ];
        assert_eq!(values, expected, "{:?}", split.arm);
    }
    assert_eq!(explanation.splits.len(), 2);
}

#[test]
fn everything_in_80_columns() {
    let style = Style {
        verbose: 1,
        ..Style::default()
    };
    insta::assert_snapshot!(render(&explain_of(&time_zone(), "dates::due", &[]), &style));
}

#[test]
fn a_stable_test_says_what_is_excluded() {
    insta::assert_snapshot!(render(&explain_of(&time_zone(), "adds", &[]), &wide()));
}

#[test]
fn an_undecided_test_says_what_would_decide() {
    let planted = Planted::new().usual_knobs().tests([
        plant(
            ("shop", "slow"),
            (VerdictKind::Undetermined, "budget"),
            (0, 8),
            (2, 9),
        )
        .e(3.2, 0.3, 70.0)
        .with(|finding| {
            finding.needs_passes = Some(38);
            finding.generation = Some(2);
            finding.target.timeouts = 2;
        })
        .ends(Outcome::TimedOut)
        .says("no answer within 60 s"),
        plant(
            ("other", "slow"),
            (VerdictKind::Flaky, "both-arms"),
            (3, 8),
            (2, 9),
        )
        .e(0.8, 0.9, 70.0),
    ]);
    let built = planted.build();
    let explanation = explain_of(&built, "slow", &[]);
    insta::assert_snapshot!("flaky", render(&explanation, &wide()));
    let sources = Sources {
        run: &built.0,
        joined: &[],
        verdicts: &built.1,
        history: &[],
        attributions: &[],
        interval,
    };
    let undecided = Explanation::new(&sources, TestIndex(1)).unwrap();
    assert_eq!(undecided.command_name, "'shop slow'");
    insta::assert_snapshot!("leaning", render(&undecided, &wide()));
}

#[test]
fn every_verdict_has_its_words() {
    for (kind, low, high) in [
        (VerdictKind::Broken, (5, 5), (6, 6)),
        (VerdictKind::BaselineOnly, (8, 8), (0, 9)),
        (VerdictKind::Undetermined, (0, 0), (1, 2)),
    ] {
        let built = Planted::new()
            .tests([plant(("shop", "it"), (kind, "always"), low, high)])
            .build();
        let page = render(
            &explain_of(&built, "it", &[]),
            &Style {
                quiet: true,
                ..wide()
            },
        );
        insta::assert_snapshot!(kind.as_str(), page);
    }
}

#[test]
fn trials_that_are_no_evidence_are_marked() {
    let (mut run, verdicts) = time_zone();
    let last = run.passes.len() - 1;
    run.passes[last].spec.phase = Phase::TimeoutCheck;
    run.passes[last - 1].end = Some((
        PassEnd::Discarded {
            reason: "no disk".to_owned(),
        },
        1,
    ));
    run.passes[last - 2].end = None;
    run.passes[last - 3].observations[1].attempt = 1;
    run.passes[last - 4].spec.scope = Scope::Binary;
    let explanation = explain_of(&(run, verdicts), "dates::due", &[]);
    let out: Vec<bool> = explanation
        .trials
        .iter()
        .rev()
        .take(5)
        .map(|trial| trial.counts)
        .collect();
    assert_eq!(out.iter().filter(|counts| !**counts).count(), 3, "{out:?}");
    assert!(render(&explanation, &wide()).contains("does not count"));
}

#[test]
fn trials_of_joined_runs_come_first_under_their_own_numbering() {
    // The earlier run lists one test more, so that positions differ.
    let earlier = Planted::new()
        .usual_knobs()
        .tests([
            stable("aaa", "first"),
            plant(
                ("shop", "dates::due"),
                (VerdictKind::Undetermined, ""),
                (0, 1),
                (3, 5),
            )
            .fails_under("Pacific/Apia"),
        ])
        .build()
        .0;
    let (run, verdicts) = time_zone();
    let joined = [earlier];
    let sources = Sources {
        run: &run,
        joined: &joined,
        verdicts: &verdicts,
        history: &[],
        attributions: &[],
        interval,
    };
    let explanation = Explanation::new(&sources, TestIndex(1)).unwrap();
    assert_eq!(explanation.test.id().test, "dates::due");
    assert_eq!(explanation.trials.len(), 6 + 21);
    let zones = explanation
        .splits
        .iter()
        .find(|split| split.by == "tz")
        .unwrap();
    assert_eq!((zones.rows[0].failures, zones.rows[0].trials), (6, 6 + 3));
    assert_eq!((zones.rows[1].failures, zones.rows[1].trials), (2, 5 + 2));
}

#[test]
fn a_test_without_a_verdict_has_no_explanation() {
    let (run, verdicts) = time_zone();
    let sources = Sources {
        run: &run,
        joined: &[],
        verdicts: &verdicts,
        history: &[],
        attributions: &[],
        interval,
    };
    assert_eq!(Explanation::new(&sources, TestIndex(99)), None);
}

#[test]
fn outputs_of_any_bytes_stay_within_the_page() {
    use unicode_width::UnicodeWidthStr as _;
    let mut state = 7u64;
    let mut bytes = || {
        let mut bytes: Vec<u8> = (0..3_000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33) as u8
            })
            .collect();
        bytes.extend(b"\npanicked at \x1b]0;title\x07\n".repeat(3));
        bytes
    };
    for width in [40, 80, 120] {
        let planted = Planted::new().usual_knobs().tests([plant(
            ("shop", "it"),
            (VerdictKind::Flaky, "both-arms"),
            (2, 9),
            (3, 9),
        )
        .says("odd \u{202e} message")
        .prints(&bytes(), &bytes())]);
        let built = planted.build();
        for verbose in [0, 1] {
            let page = render(
                &explain_of(&built, "it", &[]),
                &Style {
                    width,
                    verbose,
                    ..Style::default()
                },
            );
            for line in page.lines() {
                assert!(line.width() <= width, "{width}: {line}");
                assert!(
                    !line.contains(crate::report::text::is_unsafe),
                    "{width}: {line:?}"
                );
            }
        }
    }
}
