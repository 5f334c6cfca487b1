//! Results that were made elsewhere, with the real binary: blocks, passes, arms, repeats, other stores, bad input.

mod support;

use std::fmt::Write as _;

use support::{Project, Ran};

/// A report of a suite `shop` in which the tests named fail. Every report is of a moment of its own.
fn report(moment: u32, failing: &[&str]) -> String {
    let mut xml = format!(
        "<testsuites><testsuite name=\"shop\" timestamp=\"2026-03-{:02}T10:{:02}:00\">",
        1 + moment / 60,
        moment % 60
    );
    for test in ["adds", "due_date_is_local", "evicts", "prints"] {
        let failure = match failing.contains(&test) {
            true => format!("<failure message=\"{test} broke\">src/{test}.py:12: Error</failure>"),
            false => String::new(),
        };
        let _ = write!(
            xml,
            "<testcase name=\"{test}\" classname=\"shop\" time=\"0.1{moment:02}\">{failure}</testcase>"
        );
    }
    xml + "</testsuite></testsuites>\n"
}

/// Seven blocks of two baseline and two target passes: one test fails in every target pass, one now and then.
fn matrix(project: &Project) {
    for block in 0..7 {
        for pass in 0..2 {
            let moment = block * 10 + pass;
            let low: &[&str] = if block % 3 == 0 && pass == 0 {
                &["evicts"]
            } else {
                &[]
            };
            project.write(&format!("ci/{block}/low/{pass}.xml"), &report(moment, low));
            let high: &[&str] = match block % 2 + pass {
                0 => &["due_date_is_local", "evicts"],
                _ => &["due_date_is_local"],
            };
            project.write(
                &format!("ci/{block}/high/{pass}.xml"),
                &report(moment + 5, high),
            );
        }
    }
}

/// Takes in the passes of one arm and block.
fn ingest(project: &Project, block: u32, profile: &str) -> Ran {
    let block_name = block.to_string();
    let directory = format!("ci/{block}/{profile}");
    project.run(&[
        "ingest",
        "--format",
        "json",
        "--fidelity-profile",
        profile,
        "--commit",
        "c0ffee",
        "--block",
        &block_name,
        &directory,
    ])
}

/// Returns the report of the newest run without what is its own: id, seed, notes.
fn comparison(project: &Project) -> serde_json::Value {
    let mut report = project
        .run(&["report", "--no-gate", "--format", "json"])
        .exits_with(0)
        .json();
    for key in ["id", "seed", "wall_s", "passes", "trials"] {
        report["run"][key] = serde_json::Value::Null;
    }
    report["problems"] = serde_json::Value::Null;
    report
}

#[test]
fn results_of_a_matrix_become_verdicts_whatever_arrives_first() {
    let project = Project::empty("results");
    matrix(&project);
    for block in 0..7 {
        for profile in ["low", "high"] {
            let _ = ingest(&project, block, profile);
        }
    }
    let page = project
        .run(&["report", "--no-gate", "--format", "json"])
        .exits_with(0);
    let verdicts = page.verdicts();
    assert_eq!(verdicts["shop due_date_is_local"], "hidden-defect");
    assert_eq!(verdicts["shop evicts"], "flaky");
    assert_eq!(verdicts["shop adds"], "stable");
    let facts = page.json()["run"]["ingested"].clone();
    assert_eq!(
        (facts["blocks"].as_u64(), facts["target_passes"].as_u64()),
        (Some(7), Some(14))
    );
    assert_eq!(facts["order_randomised"], false);
    let human = project.run(&["report"]).exits_with(1);
    assert!(
        human.stdout.contains("order not randomised"),
        "{}",
        human.stdout
    );
    assert!(
        project
            .run(&["report", "--list"])
            .exits_with(0)
            .stdout
            .contains("ingested")
    );
    let explained = project.run(&["explain", "due_date"]).exits_with(0);
    assert!(
        explained.stdout.contains("fails 14/14"),
        "{}",
        explained.stdout
    );

    // All at once, the other arm first, and the last block first.
    let other = Project::empty("results");
    matrix(&other);
    for profile in ["high", "low"] {
        for block in (0..7).rev() {
            let _ = ingest(&other, block, profile);
        }
    }
    assert_eq!(comparison(&other), comparison(&project));
}

#[test]
fn a_file_is_taken_in_once_and_a_repeat_changes_nothing() {
    let project = Project::empty("results");
    matrix(&project);
    let _ = ingest(&project, 0, "low").exits_with(0);
    let _ = ingest(&project, 0, "high").exits_with(0);
    let before = project
        .run(&["report", "--list", "--format", "json"])
        .stdout;
    let again = ingest(&project, 0, "high").exits_with(0);
    assert!(
        again
            .stderr
            .contains("2 files taken in before and left out"),
        "{}",
        again.stderr
    );
    assert_eq!(
        project
            .run(&["report", "--list", "--format", "json"])
            .stdout,
        before
    );
    // The other block of the same bytes is another pass.
    let other = project.run(&[
        "ingest",
        "--fidelity-profile",
        "high",
        "--commit",
        "c0ffee",
        "--block",
        "other",
        "ci/0/high/0.xml",
    ]);
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    assert_ne!(
        project
            .run(&["report", "--list", "--format", "json"])
            .stdout,
        before
    );
}

#[test]
fn files_that_share_no_test_are_shards_of_one_pass() {
    let project = Project::empty("results");
    let shard = |name: &str, time: &str| {
        format!(
            "<testsuite name=\"s\"><testcase name=\"{name}\" classname=\"s\" time=\"{time}\"/></testsuite>"
        )
    };
    for pass in ["1", "2", "10"] {
        project.write(
            &format!("run{pass}/a.xml"),
            &shard("a", &format!("0.{pass}")),
        );
        project.write(
            &format!("run{pass}/b.xml"),
            &shard("b", &format!("0.{pass}")),
        );
    }
    let said = |options: &[&str]| {
        let arguments = [
            &[
                "ingest",
                "-v",
                "--dry-run",
                "--fidelity-profile",
                "high",
                "--commit",
                "x",
                "run10",
                "run2",
                "run1",
            ],
            options,
        ]
        .concat();
        project.run(&arguments).exits_with(0).stderr
    };
    let disjoint = said(&[]);
    assert!(
        disjoint.contains("block of commit x: 3 passes of high (target)"),
        "{disjoint}"
    );
    assert!(
        disjoint.contains("pass 3 (target), 2 trials: run10/a.xml run10/b.xml"),
        "{disjoint}"
    );
    assert!(
        disjoint.contains("files that share no test are one pass"),
        "{disjoint}"
    );
    assert!(said(&["--passes", "per-file"]).contains("6 passes of high"));
    assert!(said(&["--passes", "one"]).contains("1 pass of high"));
    assert!(
        !project.root.join(".fidelity").exists(),
        "a look leaves nothing behind"
    );
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is_taken_in() {
    let project = Project::empty("results");
    matrix(&project);
    project.write(
        "ci/0/low/broken.xml",
        "<testsuites><testsuite name=\"s\"><testcase name=\"a\"/>",
    );
    project.write("ci/0/low/empty.xml", "<testsuites/>");
    let ran = ingest(&project, 0, "low").exits_with(6);
    assert!(
        ran.stderr.contains("ci/0/low/broken.xml:1:"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("ci/0/low/empty.xml: it holds no test"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.json()["run"]["ingested"]["baseline_passes"], 2);
    let only = project.run(&[
        "ingest",
        "--fidelity-profile",
        "low",
        "--commit",
        "c",
        "ci/0/low/broken.xml",
    ]);
    assert!(
        only.exits_with(6)
            .stderr
            .contains("nothing of the input could be used")
    );
    let missing = project.run(&[
        "ingest",
        "--fidelity-profile",
        "low",
        "--commit",
        "c",
        "nowhere.xml",
    ]);
    assert!(missing.exits_with(2).stderr.contains("nowhere.xml"));
    let allowed = project.run(&[
        "ingest",
        "--allow-empty",
        "--fidelity-profile",
        "low",
        "--commit",
        "c",
        "ci/0/low/empty.xml",
    ]);
    assert_eq!(allowed.code, Some(0), "{}", allowed.stderr);
}

#[test]
fn the_arm_and_the_block_have_to_be_said() {
    let project = Project::empty("results");
    matrix(&project);
    let file = "ci/0/low/0.xml";
    let error = |arguments: &[&str]| project.run(arguments).exits_with(2).stderr;
    assert!(
        error(&["ingest", "--commit", "c", file])
            .contains("pass --fidelity-profile low (the baseline) or high")
    );
    let typo = error(&[
        "ingest",
        "--commit",
        "c",
        "--fidelity-profile",
        "hihg",
        file,
    ]);
    assert!(typo.contains("did you mean `high`?"), "{typo}");
    let lost = error(&["ingest", "--fidelity-profile", "low", file]);
    assert!(lost.contains("pass --commit REV or --block ID"), "{lost}");
    assert!(
        error(&["ingest", "--fidelity-profile", "low", "--commit", "", file])
            .contains("--commit is empty")
    );
    let rule = error(&[
        "ingest",
        "--fidelity-profile",
        "low",
        "--commit",
        "c",
        "--keep-names",
        "seed",
        file,
    ]);
    assert!(rule.contains("the rules are stress, seeds"), "{rule}");
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let project = Project::empty("results");
    matrix(&project);
    project.write("input.xml", &report(3, &[]));
    let mut command = project.tool(&[
        "ingest",
        "--format",
        "json",
        "--fidelity-profile",
        "low",
        "--commit",
        "c",
        "-",
    ]);
    let input = std::fs::File::open(project.root.join("input.xml")).expect("it was written");
    let ran = Ran::of(command.stdin(input).output().expect("the tool starts")).exits_with(0);
    assert_eq!(ran.json()["run"]["ingested"]["trials"], 4);
}

/// Returns a project that has taken in the whole matrix, and what it exports.
fn exported() -> (Project, String) {
    let project = Project::empty("results");
    matrix(&project);
    for block in 0..7 {
        for profile in ["low", "high"] {
            let _ = ingest(&project, block, profile);
        }
    }
    let csv = project
        .run(&["report", "--no-gate", "--format", "csv"])
        .exits_with(0)
        .stdout;
    (project, csv)
}

#[test]
fn what_was_exported_is_read_back_with_the_same_verdicts() {
    let (project, csv) = exported();
    let other = Project::empty("results");
    other.write("observations.csv", &csv);
    let _ = other.run(&["ingest", "observations.csv"]).exits_with(1);
    let counts = |project: &Project| {
        let report = comparison(project);
        let tests = report["tests"].as_array().expect("a list").clone();
        tests
            .iter()
            .map(|test| {
                let of = |arm: &str| (test[arm]["trials"].clone(), test[arm]["failures"].clone());
                (
                    test["test"].clone(),
                    test["verdict"].clone(),
                    of("baseline"),
                    of("target"),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&other), counts(&project));
    let again = other
        .run(&["report", "--no-gate", "--format", "csv"])
        .exits_with(0)
        .stdout;
    let lines = |csv: &str| -> Vec<String> {
        let mut lines: Vec<String> = csv.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&again), lines(&csv));
    let evidence = |project: &Project| comparison(project)["tests"][1]["e_value"].clone();
    assert_eq!(evidence(&other), evidence(&project));
}

#[test]
fn a_pass_that_was_exported_counts_once_wherever_it_goes() {
    let (project, csv) = exported();
    let other = Project::empty("results");
    other.write("observations.csv", &csv);
    let _ = other.run(&["ingest", "observations.csv"]).exits_with(1);
    // Back where it came from, with later ones in another file, and in a store that joins the first.
    project.write("own.csv", &csv);
    let ran = project.run(&["ingest", "own.csv"]).exits_with(1);
    let said = "28 passes of own.csv taken in before and left out: pass 1 of run ";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let row = csv.lines().nth(1).expect("an observation");
    let mut later: Vec<&str> = row.split(',').collect();
    let next = "0123456789abcdef0123456789abcdef";
    later[0] = next;
    other.write("later.csv", &format!("{csv}{}\n", later.join(",")));
    other.write("again.csv", &csv);
    let ran = other
        .run(&["ingest", "later.csv", "again.csv"])
        .exits_with(1);
    assert!(
        ran.stderr
            .contains("28 passes of later.csv taken in before"),
        "{}",
        ran.stderr
    );
    let _ = other
        .run(&["ingest", &project.root.display().to_string()])
        .exits_with(1);
    let trials = |project: &Project| {
        let tests = comparison(project)["tests"]
            .as_array()
            .expect("a list")
            .clone();
        let of = |test: &serde_json::Value, arm: &str| test[arm]["trials"].as_u64().unwrap_or(0);
        tests
            .iter()
            .map(|test| of(test, "baseline") + of(test, "target"))
            .sum::<u64>()
    };
    assert_eq!(trials(&other), trials(&project) + 1);
}

#[test]
fn stores_are_joined_in_any_order_and_any_number_of_times() {
    let (baseline, target) = (Project::empty("low"), Project::empty("high"));
    for project in [&baseline, &target] {
        matrix(project);
    }
    for block in 0..7 {
        let _ = ingest(&baseline, block, "low");
        let _ = ingest(&target, block, "high");
    }
    let path = |project: &Project| project.root.join(".fidelity").display().to_string();
    let joined = |first: &Project, second: &Project, times: u32| {
        let place = Project::empty("joined");
        for _ in 0..times {
            let _ = place
                .run(&["ingest", "--no-gate", &path(first)])
                .exits_with(0);
            let _ = place
                .run(&["ingest", "--no-gate", &path(second)])
                .exits_with(0);
        }
        place
    };
    let one = joined(&baseline, &target, 1);
    let verdicts = one
        .run(&["report", "--no-gate", "--format", "json"])
        .exits_with(0)
        .verdicts();
    assert_eq!(verdicts["shop due_date_is_local"], "hidden-defect");
    assert_eq!(comparison(&one), comparison(&joined(&target, &baseline, 1)));
    assert_eq!(comparison(&one), comparison(&joined(&target, &baseline, 2)));
    let page = one
        .run(&["report", "--no-gate", "--format", "junit"])
        .exits_with(0)
        .stdout;
    assert!(
        page.contains("<failure message=\"hidden-defect, always"),
        "{page}"
    );
}

#[test]
fn results_of_one_profile_count_in_each_comparison_that_they_are_taken_in_for() {
    let project = Project::empty("results");
    matrix(&project);
    let _ = ingest(&project, 0, "low").exits_with(0);
    let _ = ingest(&project, 0, "high").exits_with(0);
    project.write("fidelity.toml", "[profile.low]\n[profile.mid]\ncpus = 1\n");
    let take = |profile: &str, files: &str| {
        let arguments = ["ingest", "--format", "json", "--target-profile", "mid"];
        let place = ["--commit", "c0ffee", "--block", "0"];
        let of = ["--fidelity-profile", profile, files];
        let ran = project.run(&[&arguments[..], &place, &of].concat());
        ran.exits_with(0).json()["run"]["ingested"].clone()
    };
    let _ = take("mid", "ci/0/high");
    let first = take("low", "ci/0/low");
    assert_eq!(
        (&first["baseline_passes"], &first["target_passes"]),
        (&2.into(), &2.into())
    );
    assert_eq!(take("low", "ci/0/low"), first, "and once in each");
}

#[test]
fn a_file_that_is_none_does_not_hide_a_defect_from_the_gate() {
    let project = Project::empty("results");
    matrix(&project);
    for block in 0..7 {
        let _ = ingest(&project, block, "low").exits_with(0);
    }
    for block in 0..6 {
        let _ = ingest(&project, block, "high");
    }
    project.write("ci/6/high/pom.xml", "<project/>");
    let ran = ingest(&project, 6, "high").exits_with(1);
    assert!(ran.stderr.contains("pom.xml"), "{}", ran.stderr);
}

#[test]
fn a_store_that_cannot_be_believed_is_refused_and_the_rest_is_joined() {
    let project = Project::empty("results");
    matrix(&project);
    let _ = ingest(&project, 0, "low").exits_with(0);
    let other = Project::empty("other");
    other.write(
        "bad.db",
        "SQLite format 3\0 and nothing that follows is one",
    );
    let store = project.root.join(".fidelity").display().to_string();
    let ran = other
        .run(&["ingest", "--no-gate", "bad.db", &store])
        .exits_with(6);
    assert!(ran.stderr.contains("bad.db"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 run new"), "{}", ran.stderr);
}

#[test]
fn a_suite_that_fails_as_a_whole_is_one_event() {
    let project = Project::empty("results");
    let suite = |moment: u32, fails: bool| {
        let mut xml =
            format!("<testsuite name=\"api\" timestamp=\"2026-03-01T10:{moment:02}:00\">");
        for test in 0..20 {
            let failure = if fails {
                "<failure message=\"connection refused\"/>"
            } else {
                ""
            };
            let _ = write!(
                xml,
                "<testcase name=\"t{test}\" classname=\"api\">{failure}</testcase>"
            );
        }
        xml + "</testsuite>"
    };
    for pass in 0..6 {
        project.write(&format!("low/{pass}.xml"), &suite(pass, false));
        project.write(&format!("high/{pass}.xml"), &suite(pass + 30, true));
    }
    for profile in ["low", "high"] {
        let _ = project.run(&[
            "ingest",
            "--no-gate",
            "--fidelity-profile",
            profile,
            "--commit",
            "c",
            profile,
        ]);
    }
    let report = project
        .run(&["report", "--no-gate", "--format", "json"])
        .exits_with(0)
        .json();
    assert_eq!(report["tests"][0]["reason"], "always, mass-failure");
    assert_eq!(report["tests"][0]["verdict"], "hidden-defect");
    assert_eq!(report["clusters"].as_array().map(Vec::len), Some(1));
}

#[test]
fn only_what_has_observations_has_their_formats() {
    let project = Project::empty("results");
    let refused = project
        .run(&["report", "--list", "--format", "csv"])
        .exits_with(2);
    assert!(
        refused.stderr.contains("no format `csv`"),
        "{}",
        refused.stderr
    );
}
