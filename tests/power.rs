//! `cargo fidelity power` with the real binary.

mod support;

use std::time::Instant;

use support::Project;

/// A crate with a test that takes its time, so that a pass does.
fn slow() -> Project {
    let project = Project::library(
        "slow",
        "#[test]\nfn takes_its_time() {\n    std::thread::sleep(std::time::Duration::from_millis(700));\n}\n\
         #[test]\nfn is_quick() {}\n",
    );
    // One at a time, and no more passes than the screening takes.
    project.write(
        "fidelity.toml",
        "[policy]\nscreen = { baseline = 1, target = 2 }\n\n[profile.low]\n\n[profile.high]\nenv.MODE = \"high\"\n",
    );
    project
}

#[test]
fn without_a_stored_run_it_tells_what_needs_no_durations() {
    let project = slow();
    let started = Instant::now();
    let ran = project.run(&["power", "--rate", "1/20", "--probability", "90%"]);
    let ran = ran.exits_with(0);
    assert!(ran.stdout.contains("1 in 20"), "{}", ran.stdout);
    assert!(ran.stdout.contains("45 passes"), "{}", ran.stdout);
    assert!(ran.stdout.contains("screening of 1 + 2"), "{}", ran.stdout);
    assert!(ran.stdout.contains("`cargo fidelity run` measures it"));
    assert!(!project.root.join(".fidelity").exists(), "it only looks");
    let elapsed = started.elapsed();
    assert!(elapsed.as_secs() < 60, "{elapsed:?}");
}

#[test]
fn durations_come_from_the_last_run_and_a_budget_below_a_pass_is_refused() {
    let project = slow();
    let run = project
        .run(&["run", "--format", "json"])
        .exits_with(0)
        .json();
    let power = |arguments: &[&str]| {
        let all = [&["power", "--rate", "1", "--format", "json"], arguments].concat();
        project.run(&all)
    };
    let told = power(&[]).exits_with(0).json();
    let cost = &told["cost"];
    assert_eq!(cost["run"], run["run"]["id"]);
    assert_eq!(cost["tests"], 2);
    assert_eq!(
        (&told["screen"]["baseline"], &told["screen"]["target"]),
        (&1.into(), &2.into())
    );
    let pass_s = cost["target"]["pass_s"].as_f64().unwrap();
    assert!(pass_s >= 0.7, "{cost}");
    let screening_s = cost["screening_s"].as_f64().unwrap();
    assert!(screening_s >= 2.1, "{cost}");
    assert_eq!(told["max_time_s"], 900.0);

    let more = power(&["--passes", "9", "--max-time", "none"])
        .exits_with(0)
        .json();
    assert_eq!(more["screen"]["target"], 9);
    assert_eq!(more["max_time_s"], serde_json::Value::Null);
    let id = run["run"]["id"].as_str().unwrap();
    assert_eq!(power(&["--run", &id[..8]]).exits_with(0).json(), told);

    let refused = power(&["--max-time", "1s"]).exits_with(2);
    assert_eq!(refused.stdout, "");
    assert!(
        refused
            .stderr
            .contains("1 s is less than one pass of each arm takes"),
        "{}",
        refused.stderr
    );
}

#[test]
fn bad_arguments_are_told_what_was_expected() {
    let project = slow();
    let told = [
        vec!["--rate", "0"],
        vec!["--rate", "1.5"],
        vec!["--rate", "often"],
        vec!["--probability", "100%"],
        vec!["--probability", "-1"],
        vec!["--passes", "0"],
        vec!["--max-time", "soon"],
        vec!["--run", "latest"],
        vec!["--store", "nowhere.db"],
        vec!["--set", "policy.fdr=2"],
    ]
    .map(|arguments| {
        let all = [vec!["power"], arguments.clone()].concat();
        let ran = project.run(&all).exits_with(2);
        assert_eq!(ran.stdout, "");
        let root = project.root.display().to_string();
        let stderr = ran.stderr.replace(&root, "ROOT");
        format!("## {}\n{stderr}", arguments.join(" "))
    });
    insta::assert_snapshot!("power_errors", told.join("\n"));
}
