//! The page and the document as they were read.

use std::sync::LazyLock;

use super::*;
use crate::domain::{Policy, RunId};
use crate::power::{Measured, Question, Share, SuitePasses, answer};

/// Two minutes with durations: simulated once for every test that looks at it.
fn two_minutes() -> &'static Power {
    static POWER: LazyLock<Power> = LazyLock::new(|| asked(Some(120_000), Some(measured())));
    &POWER
}

fn asked(max_time_ms: Option<u64>, measured: Option<Measured>) -> Power {
    let question = Question {
        rates: [1, 5, 100].map(Share::one_in).to_vec(),
        probability: "90%".parse().unwrap(),
        policy: Policy {
            max_time_ms,
            ..Policy::default()
        },
        measured,
        seed: 1,
        runs: 60,
    };
    answer(&question).unwrap()
}

fn measured() -> Measured {
    let arm = |passes, wall_ms| SuitePasses {
        passes,
        tests: 1_204,
        wall_ms,
        trial_ms: 6.2,
    };
    Measured {
        run: RunId(0x1f2e_3d4c << 96),
        parallelism: 4,
        suite: [arm(1, 2_110.0), arm(5, 2_430.0)],
        alone_ms: 31.0,
        suspects: 12,
    }
}

#[test]
fn with_durations_the_page_tells_what_the_budget_is_enough_for() {
    insta::assert_snapshot!(render(two_minutes(), &Style::default()));
}

#[test]
fn a_budget_that_cuts_the_screening_short_says_so() {
    let power = asked(Some(9_000), Some(measured()));
    insta::assert_snapshot!(render(&power, &Style::default()));
}

#[test]
fn without_durations_the_page_says_what_measures_them() {
    insta::assert_snapshot!(render(&asked(None, None), &Style::default()));
}

#[test]
fn the_document_is_schema_1() {
    insta::assert_snapshot!(render_json(two_minutes()));
    let without: serde_json::Value =
        serde_json::from_str(&render_json(&asked(None, None))).unwrap();
    assert_eq!(without["cost"], serde_json::Value::Null);
    assert_eq!(without["max_time_s"], serde_json::Value::Null);
}

#[test]
fn no_line_is_wider_than_asked_where_it_can_be_broken() {
    for width in [40, 60, 80, 120] {
        let style = Style {
            width,
            ..Style::default()
        };
        let page = render(two_minutes(), &style);
        for line in page.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}
