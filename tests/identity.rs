//! Whole runs in which tests are somebody else, and what becomes of knobs that cannot be applied.
#![cfg(unix)]

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;
use support::Project;

/// Returns the row of a knob in a report.
fn knob<'a>(report: &'a Value, id: &str) -> &'a Value {
    let knobs = report["run"]["knobs"].as_array().expect("a list of knobs");
    let row = knobs.iter().find(|row| row["id"] == id);
    row.unwrap_or_else(|| panic!("no {id} in {knobs:?}"))
}

/// Returns whether this process is root.
fn is_root() -> bool {
    let own = std::fs::metadata("/proc/self").map(|own| own.uid());
    own.is_ok_and(|user| user == 0)
}

#[test]
fn permissions_show_what_root_never_sees_also_below_a_directory_that_only_root_can_enter() {
    let project = Project::copy_of("tests/testdata/permissions");
    let above = project.root.parent().expect("it is in a directory");
    let locked = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(above, locked).expect("the directory is ours");
    let ran = project.run(&["run", "--format", "json", "--fail-on", "hidden-defect"]);
    if !is_root() {
        let report = ran.exits_with(0).json();
        let user = knob(&report, "user");
        assert_eq!(user["applied"], false, "{user}");
        let reason = user["reason"].as_str().expect("a text");
        assert!(
            reason.starts_with("only root can run tests as another user"),
            "{reason}"
        );
        return;
    }
    let ran = ran.exits_with(1);
    let verdicts = ran.verdicts();
    for (test, verdict) in [
        ("replaces_a_protected_file", "hidden-defect"),
        ("a_locked_file_is_refused", "baseline-only"),
        ("writes_beside_its_manifest", "stable"),
        ("calls_cargo", "stable"),
    ] {
        assert_eq!(
            verdicts[&format!("permissions tests::{test}")],
            verdict,
            "{test}"
        );
    }
    let report = ran.json();
    let user = knob(&report, "user");
    assert_eq!(user["applied"], true, "{user}");
    let reason = user["reason"].as_str().expect("a text");
    assert!(reason.contains(&above.display().to_string()), "{reason}");
    // Nothing on disk belongs to anybody else than before.
    for path in [
        project.root.join("written"),
        project.root.clone(),
        above.to_owned(),
    ] {
        let metadata = std::fs::metadata(&path).expect("it is there");
        assert_eq!(
            (metadata.uid(), metadata.gid()),
            (0, 0),
            "{}",
            path.display()
        );
    }
    let mode = std::fs::metadata(above).expect("it is there").mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[test]
fn a_knob_that_was_asked_for_in_vain_is_noted_and_fails_the_gate_where_that_is_asked_for_too() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let vain = ["run", "--set", "high.locale=xx_YY.UTF-8"];
    let ran = project.run(&vain).exits_with(0);
    let note = "`locale` was asked for and not applied: ";
    assert!(ran.stdout.contains(note), "{}", ran.stdout);
    let gated = [&vain[..], &["--fail-on", "broken,knob-not-applied"]].concat();
    let ran = project.run(&gated).exits_with(1);
    let line = "1 knob asked for and not applied";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
    // A report applies the condition to what is stored.
    for (condition, code) in [("knob-not-applied", 1), ("broken", 0)] {
        let _ran = project
            .run(&["report", "--fail-on", condition])
            .exits_with(code);
    }
}

#[test]
fn a_choice_goes_without_the_value_that_cannot_be_and_says_so() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let set = r#"high.locale={ one-of = ["POSIX", "xx_YY.UTF-8", "C"] }"#;
    let arguments = ["run", "--format", "json", "--set", set];
    let gated = [&arguments[..], &["--fail-on", "knob-not-applied"]].concat();
    let report = project.run(&gated).exits_with(0).json();
    let locale = knob(&report, "locale");
    assert_eq!(locale["applied"], true, "{locale}");
    assert_eq!(locale["target"], "one of C, POSIX", "{locale}");
    let reason = locale["reason"].as_str().expect("a text");
    assert!(reason.starts_with("without xx_YY.UTF-8: "), "{reason}");
    let problems = report["problems"].as_array().expect("a list");
    let noted = |problem: &Value| problem["kind"] == "knob-value-not-applied";
    assert!(problems.iter().any(noted), "{problems:?}");
}
