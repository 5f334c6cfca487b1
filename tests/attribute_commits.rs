//! Since when, and by what: the real binary on the repository that `examples/attribution/generate` makes, compared with what
//! is true of it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ledger;
mod support;

use ledger::{Ledger, planted};
use serde_json::Value;
use support::Ran;

fn truth(test: &str) -> &'static [String; 4] {
    let mut fitting = planted()
        .truth
        .iter()
        .filter(|(name, _)| name.starts_with(test));
    fitting.next().unwrap().1
}

#[track_caller]
fn found(ran: Ran) -> Value {
    let value = ran.exits_with(0).json();
    value["attribution"].clone()
}

/// Attributes `test` within a range and checks kind and commits against the truth.
#[track_caller]
fn agrees(test: &str, range: &[&str], kind: &str) -> Value {
    let ledger = Ledger::new(planted());
    let mut arguments = vec![test];
    arguments.extend(range);
    let found = found(ledger.attribute(&arguments));
    let [_, code, profile, knob] = truth(test);
    let cause = &found["cause"];
    assert_eq!(cause["kind"], kind, "{found:#}");
    let first = if code == "-" { profile } else { code };
    assert_eq!(cause["commit"]["id"], first.as_str(), "{found:#}");
    assert_eq!(cause["commit"]["author"], "A Developer");
    if code != "-" && profile != "-" {
        assert_eq!(cause["exposed_by"]["id"], profile.as_str(), "{found:#}");
    }
    if knob != "-" {
        let knobs = cause["knobs"].as_array().unwrap();
        assert!(
            knobs.iter().any(|found| found["knob"] == knob.as_str()),
            "{found:#}"
        );
    }
    assert!(0.9 < cause["confidence"].as_f64().unwrap(), "{found:#}");
    ledger.is_clean();
    // The report of the run that saw it fail tells it beside the finding.
    let ran = Ran::of(
        ledger
            .tool(&["report", "--no-gate", "--format", "json"])
            .output_of(),
    );
    let report = ran.exits_with(0).json();
    let mut tests = report["tests"].as_array().unwrap().iter();
    let reported = tests
        .find(|reported| reported["test"] == found["test"])
        .unwrap();
    assert_eq!(reported["cause"]["kind"], kind, "{reported:#}");
    let since = &reported["cause"]["commit"]["id"];
    assert_eq!(since, first.as_str(), "{reported:#}");
    found
}

#[test]
fn the_generated_repository_is_what_its_readme_says() {
    let git = git2::Repository::open(&planted().folder).unwrap();
    let mut walk = git.revwalk().unwrap();
    walk.push_head().unwrap();
    let commits: Vec<git2::Commit<'_>> = walk
        .map(|id| git.find_commit(id.unwrap()).unwrap())
        .collect();
    let readme = support::repository().join("examples/attribution/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let words = format!("a repository of {} commits", commits.len());
    assert!(60 <= commits.len() && readme.contains(&words), "{words}");
    let merges = commits.iter().filter(|commit| 1 < commit.parent_count());
    assert_eq!(merges.count(), 1);
    // A row for every test with a truth, and a truth for every row.
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut rows: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    rows.sort_unstable();
    let planted: Vec<&str> = planted()
        .truth
        .keys()
        .map(|name| name.split("::").next().unwrap())
        .collect();
    assert_eq!(rows, planted);
}

#[test]
fn code_alone_is_named_over_the_whole_history() {
    let found = agrees("booking", &["--good", "begin"], "code");
    assert_eq!(found["commits"], 58);
    let wording = found["cause"]["wording"].as_str().unwrap();
    assert!(wording.starts_with("introduced by "), "{wording}");
    assert!(found["cost"]["builds"].as_u64().unwrap() <= 10, "{found:#}");
}

#[test]
fn a_commit_within_a_merge_is_named() {
    let found = agrees("totals", &["--good", "main~41", "--bad", "main~35"], "code");
    assert_eq!(found["cause"]["merge"]["subject"], "Merge the totals");
}

#[test]
fn a_fidelity_change_is_named_and_nothing_between_the_ends_is_built() {
    let found = agrees("workers", &["--good", "begin"], "fidelity");
    assert!(found["cost"]["builds"].as_u64().unwrap() <= 2, "{found:#}");
    let wording = found["cause"]["wording"].as_str().unwrap();
    assert!(wording.starts_with("exposed by "), "{wording}");
    assert!(wording.contains("latent since"), "{wording}");
}

#[test]
fn a_latent_defect_and_what_exposed_it_are_both_named() {
    let found = agrees("region", &["--good", "begin"], "both");
    let wording = found["cause"]["wording"].as_str().unwrap();
    assert!(wording.starts_with("exposed by "), "{wording}");
    assert!(wording.contains("latent since"), "{wording}");
}

#[test]
fn code_that_met_a_profile_raised_before_is_told_from_that() {
    let found = agrees("cache", &["--good", "begin"], "both");
    let wording = found["cause"]["wording"].as_str().unwrap();
    assert!(wording.starts_with("introduced by "), "{wording}");
    assert!(wording.contains("visible only since"), "{wording}");
}

#[test]
fn either_alone_is_said_to_be_so() {
    let found = agrees("strict", &["--good", "before-either"], "either");
    let wording = found["cause"]["wording"].as_str().unwrap();
    assert!(wording.starts_with("either alone: "), "{wording}");
}

#[test]
fn input_files_are_part_of_the_environment() {
    let found = agrees("rates", &["--good", "main~24"], "fidelity");
    // Older code was never seen with the new files.
    let culprit = found["cause"]["commit"]["id"].as_str().unwrap();
    let git = git2::Repository::open(&planted().folder).unwrap();
    let before = git.revparse_single(&format!("{culprit}~1")).unwrap().id();
    let latent = format!("latent since {} or before", &before.to_string()[..10]);
    let wording = found["cause"]["wording"].as_str().unwrap();
    assert!(wording.ends_with(&latent), "{wording}");
}

#[test]
fn a_renamed_test_is_followed() {
    let found = agrees("export", &["--good", "before-rename"], "code");
    let notes = found["notes"].to_string();
    assert!(
        notes.contains("the test is `ledger export::tests::works` there"),
        "{notes}"
    );
}

#[test]
fn an_intermittent_cause_is_named() {
    agrees("rounding", &["--good", "before-rounding"], "code");
}

#[test]
fn commits_that_cannot_be_told_apart_are_named_together() {
    let ledger = Ledger::new(planted());
    let ran = ledger
        .attribute(&["tally", "--good", "before-either"])
        .exits_with(7);
    let found = ran.json()["attribution"].clone();
    assert_eq!(found["no_cause"]["reason"], "not-told-apart", "{found:#}");
    let mut suspects: Vec<&str> = found["suspects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|suspect| suspect["commit"]["id"].as_str().unwrap())
        .collect();
    suspects.sort_unstable();
    let [_, broken, repaired, _] = truth("tally");
    let mut expected = [broken.as_str(), repaired.as_str()];
    expected.sort_unstable();
    assert_eq!(suspects, expected);
    let untestable = found["untestable"].to_string();
    assert!(untestable.contains("it does not build: "), "{untestable}");
    ledger.is_clean();
}
