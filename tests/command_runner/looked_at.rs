//! What `list` and `audit` say of a suite that a command runs: what earlier runs saw of it, and what nobody knows.

use std::fs;

use serde_json::Value;

use super::project;
use super::support::{Project, Ran};

const RULE: &str = "[[tests]]\nfilter = \"test(hidden)\"\nseverity = \"critical\"\n";

fn names(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let tests = report["tests"].as_array().unwrap();
    let name = |test: &Value| test["test"].as_str().unwrap().to_owned();
    tests.iter().map(name).collect()
}

#[test]
fn earlier_runs_say_which_tests_there_are_and_what_came_of_them() {
    let project = project(
        "[ $MODE = harsh ] && bad=fail || bad=pass\nreport $1/a.xml good=pass hidden=$bad",
        "",
    );
    let toml = fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    project.write("fidelity.toml", &format!("{toml}{RULE}"));
    let unknown = project.run(&["list"]).exits_with(2);
    assert!(
        unknown
            .stderr
            .contains("no run has said yet which tests there are"),
        "{}",
        unknown.stderr
    );
    let early = project.run(&["audit"]).exits_with(0).stdout;
    assert!(
        early.contains("run the suite: `cargo fidelity run`"),
        "{early}"
    );

    let ran = project
        .run(&["run", "--format", "json"])
        .exits_with(1)
        .json();
    let hidden = &ran["tests"][1];
    assert_eq!(hidden["annotation"]["severity"], "critical", "{hidden}");
    let place = hidden["annotation"]["severity_place"].as_str().unwrap();
    assert!(place.starts_with("fidelity.toml:"), "{place}");

    let listed = project.run(&["list", "--format", "json"]).exits_with(0);
    let rows = listed.json();
    assert_eq!(names(&listed), ["good", "hidden"]);
    let row = &rows["tests"][1];
    assert_eq!(row["verdict"], "hidden-defect", "{row}");
    assert_eq!(row["kind"], Value::Null, "{row}");
    assert_eq!(row["compared"], serde_json::json!(["low", "high"]), "{row}");
    assert_eq!(
        rows["problems"][0]["kind"], "tests-of-earlier-runs",
        "{rows}"
    );
    let wanted = ["list", "--format", "json", "-E"];
    let ask = |expression: &str| project.run(&[&wanted[..], &[expression]].concat());
    let critical = ask("verdict(hidden-defect) & severity(critical)").exits_with(0);
    assert_eq!(names(&critical), ["hidden"]);
    let guessed = ask("kind(unit) | kind(integration)").exits_with(2);
    assert!(guessed.stderr.contains("2 tests"), "{}", guessed.stderr);

    the_audit_says_what_it_can(&project);
    let again = ["run", "-E", "verdict(hidden-defect)", "--dry-run"];
    let plan = project.run(&again).exits_with(0).stdout;
    assert!(plan.contains("1 test"), "{plan}");
}

fn the_audit_says_what_it_can(project: &Project) {
    let audit = project
        .run(&["audit", "--format", "json"])
        .exits_with(0)
        .json();
    assert_eq!(audit["kinds"][0]["kind"], "unknown", "{audit}");
    assert_eq!(audit["kinds"][0]["run_in_target"], 2, "{audit}");
    let knob = &audit["differences"][0];
    assert_eq!(
        (&knob["knob"], &knob["tried"]),
        (&"env.MODE".into(), &2.into())
    );
    assert!(0.9 < knob["exposed"].as_f64().unwrap(), "{knob}");
    assert!(!audit["trials"].as_array().unwrap().is_empty(), "{audit}");
    let told = audit["problems"].to_string();
    assert!(told.contains("substitutes-not-looked-for"), "{told}");
}
