//! The JSON report: its keys, its numbers, its escapes.

use serde_json::Value;

use super::render;
use crate::domain::{Arm, VerdictKind};
use crate::report::Report;
use crate::report::planted::{Planted, plant, stable};

fn report() -> Report {
    let odd = "odd \x1b[31m\u{202e} name \u{e0041}";
    Planted::new()
        .usual_knobs()
        .knob(
            "user",
            (None, Some("nobody")),
            Err("only root can change the user"),
        )
        .problem("doctests-not-run", "2 doctests were counted and not run")
        .tests([
            stable("shop", "adds"),
            plant(
                ("shop", "dates::due"),
                (VerdictKind::HiddenDefect, "always"),
                (0, 9),
                (9, 9),
            )
            .e(1_240.5, 0.01, 35.0)
            .says("left != right")
            .in_cluster("left != right"),
            plant(
                ("shop", odd),
                (VerdictKind::HiddenDefect, "always"),
                (0, 9),
                (9, 9),
            )
            .e(f64::INFINITY, 0.0, 35.0)
            .says("left != right")
            .in_cluster("left != right"),
            plant(
                ("app", "cache"),
                (VerdictKind::Undetermined, "budget"),
                (0, 9),
                (1, 9),
            )
            .e(f64::NAN, 0.0, 35.0)
            .with(|finding| finding.needs_passes = Some(31)),
        ])
        .report()
}

fn parsed() -> Value {
    serde_json::from_str(&render(&report())).expect("the document parses")
}

#[test]
fn the_document_is_schema_1() {
    insta::assert_snapshot!(render(&report()));
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_keys_are_those_of_the_schema_and_no_others() {
    let document = parsed();
    assert_eq!(
        keys(&document),
        ["clusters", "problems", "run", "schema", "tests"]
    );
    assert_eq!(
        keys(&document["run"]),
        [
            "baseline",
            "commit",
            "dirty",
            "id",
            "knobs",
            "passes",
            "policy",
            "runner",
            "seed",
            "suspicious",
            "target",
            "trials",
            "wall_s"
        ]
    );
    for knob in document["run"]["knobs"].as_array().unwrap() {
        assert_eq!(
            keys(knob),
            ["applied", "baseline", "id", "reason", "target"]
        );
    }
    for test in document["tests"].as_array().unwrap() {
        assert_eq!(
            keys(test),
            [
                "annotation",
                "attribution",
                "baseline",
                "binary",
                "cause",
                "cluster",
                "e_value",
                "needs_passes",
                "reason",
                "signature",
                "target",
                "test",
                "verdict"
            ]
        );
        for arm in Arm::BOTH {
            assert_eq!(
                keys(&test[arm.to_string()]),
                ["bounds", "failures", "trials"]
            );
        }
    }
}

#[test]
fn verdicts_are_spelled_as_everywhere_and_tests_are_sorted() {
    let document = parsed();
    let tests = document["tests"].as_array().unwrap();
    let names: Vec<(&str, &str)> = tests
        .iter()
        .map(|test| {
            (
                test["binary"].as_str().unwrap(),
                test["test"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(tests[0]["verdict"], "undetermined");
    assert_eq!(tests[2]["verdict"], "hidden-defect");
    assert_eq!(tests[2]["target"]["failures"], 9);
    assert_eq!(
        document["clusters"][0]["tests"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn evidence_is_always_a_finite_number() {
    let document = parsed();
    let values: Vec<f64> = document["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["e_value"].as_f64().expect("a number, not null"))
        .collect();
    assert_eq!(values, [1.0, 1.0, 1_240.5, f64::MAX]);
}

#[test]
fn nothing_unsafe_is_written_but_everything_comes_back() {
    let text = render(&report());
    let unsafe_character = text
        .chars()
        .find(|c| *c != '\n' && crate::report::text::is_unsafe(*c));
    assert_eq!(unsafe_character, None);
    let name = parsed()["tests"][3]["test"].as_str().unwrap().to_owned();
    assert_eq!(name, "odd \x1b[31m\u{202e} name \u{e0041}");
}
