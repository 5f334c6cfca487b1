//! Which test an annotation is about.

use super::*;
use crate::domain::{TestId, TestKind};

fn record(of_module: bool, module: &str, name: &str, annotation: Annotation) -> Record {
    Record {
        of_module,
        module: module.to_owned(),
        name: name.to_owned(),
        ignored: false,
        annotation: Annotation {
            place: format!("src/lib.rs:{}", name.len()),
            ..annotation
        },
    }
}

fn kind(kind: TestKind) -> Annotation {
    Annotation {
        kind: Some(kind),
        ..Annotation::default()
    }
}

fn profiles(name: &str) -> Annotation {
    Annotation {
        profiles: vec![name.to_owned()],
        ..Annotation::default()
    }
}

fn placed(records: &[Record], tests: &[(&str, bool)]) -> (Vec<SuiteTest>, Vec<String>) {
    let mut tests: Vec<SuiteTest> = tests
        .iter()
        .map(|(name, ignored)| SuiteTest {
            id: TestId::new("shop", *name),
            binary: 0,
            ignored: *ignored,
            held_back: false,
            annotation: None,
        })
        .collect();
    let problems = place(&BinaryId("shop".to_owned()), "shop", records, &mut tests);
    let said = problems
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    (tests, said)
}

fn kind_of(test: &SuiteTest) -> Option<TestKind> {
    test.annotation.as_ref()?.kind
}

#[test]
fn a_module_with_the_name_of_a_test_is_another_thing() {
    let records = [record(false, "shop", "parse", kind(TestKind::EndToEnd))];
    let (tests, problems) = placed(&records, &[("parse", false), ("parse::empty", false)]);
    let kinds: Vec<_> = tests.iter().map(kind_of).collect();
    assert_eq!(kinds, [Some(TestKind::EndToEnd), None]);
    assert_eq!(problems, [""; 0]);
}

#[test]
fn modules_hold_for_what_is_in_them_functions_for_themselves_and_their_cases() {
    let records = [
        record(true, "shop", "orders", kind(TestKind::Integration)),
        record(false, "shop::orders", "cases", kind(TestKind::EndToEnd)),
        record(false, "shop", "top", kind(TestKind::Unit)),
    ];
    let (tests, problems) = placed(
        &records,
        &[
            ("orders::cases::case_1", false),
            ("orders::deep::other", false),
            ("orders_not", false),
            ("top", false),
            ("topmost", false),
        ],
    );
    let kinds: Vec<_> = tests.iter().map(kind_of).collect();
    assert_eq!(
        kinds,
        [
            Some(TestKind::EndToEnd),
            Some(TestKind::Integration),
            None,
            Some(TestKind::Unit),
            None
        ]
    );
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn an_ignore_of_ours_is_told_from_the_users_own() {
    let mut own = record(false, "shop", "own", profiles("high"));
    own.ignored = true;
    let records = [record(false, "shop", "ours", profiles("high")), own];
    let (tests, _) = placed(&records, &[("ours", true), ("own", true)]);
    assert_eq!([tests[0].held_back, tests[1].held_back], [true, false]);
}

#[test]
fn what_is_odd_is_told() {
    let records = [
        record(false, "shop", "twice", kind(TestKind::Unit)),
        record(false, "shop", "twice", kind(TestKind::EndToEnd)),
        record(false, "shop::gone", "missing", kind(TestKind::Unit)),
        record(false, "shopping", "another", kind(TestKind::Unit)),
        record(true, "shop", "made", profiles("high")),
    ];
    let (tests, problems) = placed(&records, &[("made::by_macro", false), ("twice", false)]);
    assert_eq!(kind_of(&tests[1]), Some(TestKind::EndToEnd));
    insta::assert_snapshot!(problems.join("\n"));
}

#[test]
fn records_that_say_nothing_but_that_a_test_is_ignored_are_no_second_annotation() {
    let nothing = || Record {
        ignored: true,
        ..record(false, "shop::inner", "slow", Annotation::default())
    };
    let records = [
        record(true, "shop", "inner", profiles("high")),
        nothing(),
        nothing(),
    ];
    let (tests, problems) = placed(&records, &[("inner::slow", true)]);
    assert!(!tests[0].held_back, "the user ignores it");
    assert_eq!(problems, Vec::<String>::new());
}
