//! The quickstart example has the verdicts that its README promises, on the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;

use support::Project;

/// Returns the verdicts the README of the example promises: rows `| test | verdict | ... |`.
fn promised() -> BTreeMap<String, String> {
    let readme =
        std::fs::read_to_string(support::repository().join("examples/quickstart/README.md"))
            .unwrap();
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let test = cells
            .next()?
            .strip_prefix('`')?
            .strip_suffix('`')?
            .to_owned();
        Some((test, cells.next()?.to_owned()))
    });
    rows.collect()
}

#[test]
fn the_quickstart_has_the_verdicts_its_readme_promises() {
    let project = Project::copy_of("examples/quickstart");
    let ran = project
        .run(&["run", "--format", "json", "--seed", "7"])
        .exits_with(1);
    let seen: BTreeMap<String, String> = ran
        .verdicts()
        .into_iter()
        .filter(|(_, verdict)| verdict != "stable")
        .collect();
    assert_eq!(seen, promised(), "stderr:\n{}", ran.stderr);
    let report = ran.json();
    let knobs = report["run"]["knobs"].as_array().unwrap();
    for knob in knobs {
        assert_eq!(knob["applied"], true, "{knob}");
    }
}

#[test]
fn a_stored_run_is_reported_the_same_way_every_time() {
    let project = Project::copy_of("examples/quickstart");
    let live = project
        .run(&["run", "--format", "json", "statement"])
        .exits_with(0);
    let again = project.run(&["report", "--format", "json"]).exits_with(0);
    assert_eq!(live.stdout, again.stdout);
    let human = project.run(&["report"]).exits_with(0);
    assert_eq!(human.stdout, project.run(&["report"]).exits_with(0).stdout);
}
