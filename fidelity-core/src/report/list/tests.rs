//! The list as its readers see it.

use super::*;
use crate::domain::{Quarantine, Severity, VerdictKind};

fn clocked() -> ListedRow {
    let lacks = "needs `clock`, which `high` does not provide".to_owned();
    ListedRow {
        id: TestId::new("shop::checkout", "a_year_passes"),
        kind: (Some(TestKind::Unit), false),
        ignored: false,
        annotation: Some(Annotation {
            profiles: vec!["high".to_owned()],
            needs: vec!["clock".to_owned()],
            ..Annotation::default()
        }),
        absent: [Some("meant for `high` only".to_owned()), Some(lacks)],
        verdict: None,
    }
}

fn listing() -> Listing {
    let plain = |name: &str| ListedRow {
        id: TestId::new("shop", name),
        kind: (Some(TestKind::Unit), false),
        ignored: false,
        annotation: None,
        absent: [None, None],
        verdict: None,
    };
    let verdict = Verdict {
        kind: VerdictKind::HiddenDefect,
        reason: "always".to_owned(),
    };
    let annotation = Annotation {
        needs: vec!["service.db".to_owned()],
        mocks: vec!["stripe".to_owned()],
        severity: Some(Severity::Critical),
        tolerance: Some(0.01),
        timeout_ms: Some(5_000),
        trials: Some(50),
        quarantine: Some(Quarantine {
            until: "2026-01-31".to_owned(),
            owner: "payments".to_owned(),
            reason: "the sandbox drops webhooks".to_owned(),
        }),
        place: "tests/checkout.rs:12".to_owned(),
        ..Annotation::default()
    };
    let lacks = Some("needs `service.db`, which `low` does not provide".to_owned());
    let checkout = ListedRow {
        id: TestId::new("shop::checkout", "a_customer_buys_a_book"),
        kind: (Some(TestKind::EndToEnd), true),
        annotation: Some(annotation),
        absent: [lacks, None],
        verdict: Some(LastSeen {
            verdict,
            run: RunId(0x3f2a << 112),
            profiles: ["low", "preset:hostile"].map(str::to_owned),
        }),
        ..plain("")
    };
    let slow = ListedRow {
        ignored: true,
        ..plain("totals::slow")
    };
    Listing {
        tests: vec![plain("totals::are_rounded"), slow, checkout, clocked()],
        profiles: ["low", "high"].map(str::to_owned),
        available: 7,
        ignored: 2,
        now: "2026-11-28T12:00:00Z".to_owned(),
        problems: vec![Problem {
            kind: "doctests-not-run".to_owned(),
            message: "3 doctests are not run".to_owned(),
        }],
    }
}

#[test]
fn a_list_says_of_each_test_where_it_runs_and_what_is_known() {
    insta::assert_snapshot!("human", render(&listing(), &Style::default()));
    insta::assert_snapshot!("json", render_json(&listing()));
}

#[test]
fn columns_line_up_below_names_that_are_longer_than_theirs() {
    let mut listing = listing();
    let long = "totals::a_name_that_says_in_one_sentence_what_the_test_is_for";
    listing.tests[1].id = TestId::new("shop", long);
    let page = render(&listing, &Style::default());
    let column = |word: &str| {
        let lines = page.lines().filter(|line| line.contains(word));
        let places: Vec<usize> = lines.filter_map(|line| line.find(word)).collect();
        assert!(places.len() > 1, "{word}: {page}");
        places
    };
    for word in ["unit*", "low, high", "untried"] {
        let places = column(word);
        assert!(
            places.iter().all(|place| *place == places[0]),
            "{word}: {page}"
        );
    }
    assert!(page.contains(&format!("\n  {long}\n   ")), "{page}");
    // Where there is no room for columns, each row is laid out by itself, and no line is left free.
    let narrow = Style {
        width: 40,
        ..Style::default()
    };
    let page = render(&listing, &narrow);
    assert!(!page.contains("\n\n\n"), "{page}");
    assert!(
        page.contains("\n  totals::are_rounded\n      unit*   low, high"),
        "{page}"
    );
}
