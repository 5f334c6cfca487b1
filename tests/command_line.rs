//! The command line as a whole: help pages, the small commands, colours, and what a user gets for a mistake.

mod support;

use std::process::Command;

use support::{Project, Ran};

/// A crate whose one test passes.
fn one() -> Project {
    Project::library("one", "#[test]\nfn passes() {}\n")
}

#[test]
fn cargo_and_the_binary_itself_print_the_same_help() {
    let project = one();
    let direct = project.run(&["--help"]).exits_with(0);
    let folder = std::path::Path::new(support::TOOL).parent().unwrap();
    let mut path = folder.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["fidelity", "--help"])
        .env("PATH", path)
        .env("COLUMNS", "100");
    let through_cargo = Ran::of(cargo.current_dir(&project.root).output().unwrap()).exits_with(0);
    assert_eq!(direct.stdout, through_cargo.stdout);
}

#[test]
fn the_help_pages_are_those_that_were_read() {
    let project = one();
    for command in [
        "", "run", "report", "explain", "history", "doctor", "power", "init", "generate",
    ] {
        let arguments: Vec<&str> = [command, "--help"]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let help = project.run(&arguments).exits_with(0);
        assert_eq!(help.stderr, "");
        let name = if command.is_empty() { "help" } else { command };
        insta::assert_snapshot!(name, help.stdout);
    }
}

#[test]
fn init_writes_a_file_that_changes_nothing_and_is_never_overwritten() {
    let project = one();
    let plan = |project: &Project| {
        project
            .run(&["run", "--dry-run", "--format", "json", "--seed", "1"])
            .exits_with(0)
            .json()
    };
    let before = plan(&project);
    let _ = project.run(&["init"]).exits_with(0);
    assert_eq!(
        plan(&project),
        before,
        "the file says what holds without it"
    );
    project.write("fidelity.toml", "[policy]\nfdr = 0.01\n");
    let refused = project.run(&["init"]).exits_with(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(
        plan(&project)["policy"]["fdr"],
        0.01,
        "the user's file was touched"
    );
    let _ = project.run(&["init", "--force"]).exits_with(0);
    assert_eq!(plan(&project), before);
}

#[test]
fn the_schema_is_json_schema_of_the_file() {
    let schema = one().run(&["generate", "schema"]).exits_with(0).json();
    assert!(
        schema["$schema"].as_str().unwrap().contains("2020-12"),
        "{schema}"
    );
    assert!(schema["properties"]["policy"].is_object(), "{schema}");
}

#[test]
fn results_are_plain_unless_colours_are_asked_for() {
    let project = one();
    let _ = project.run(&["run", "-q"]).exits_with(0);
    let plain = project.run(&["report"]).exits_with(0).stdout;
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let colored = project
        .run(&["report", "--color", "always"])
        .exits_with(0)
        .stdout;
    assert!(colored.contains("\u{1b}["), "{colored:?}");
    let mut quieted = project.tool(&["report"]);
    let quieted = Ran::of(quieted.env("NO_COLOR", "1").output().unwrap()).exits_with(0);
    assert_eq!(quieted.stdout, plain);
}

#[test]
fn a_command_without_a_run_says_how_to_make_one() {
    let project = one();
    for command in [&["report"][..], &["explain", "passes"]] {
        let ran = project.run(command).exits_with(2);
        assert!(ran.stderr.contains("cargo fidelity run"), "{}", ran.stderr);
    }
}

#[test]
fn explain_names_what_was_probably_meant() {
    let project = Project::library(
        "two",
        "#[test]\nfn passes_one() {}\n#[test]\nfn passes_two() {}\n",
    );
    let _ = project.run(&["run", "-q"]).exits_with(0);
    let ambiguous = project.run(&["explain", "passes"]).exits_with(2);
    assert!(
        ambiguous.stderr.contains("two passes_one"),
        "{}",
        ambiguous.stderr
    );
    let unknown = project.run(&["explain", "nobody"]).exits_with(2);
    assert!(unknown.stderr.contains("nobody"), "{}", unknown.stderr);
    let _ = project.run(&["explain", "two", "passes_one"]).exits_with(0);
    let _ = project.run(&["explain", "two passes_two"]).exits_with(0);
}

#[test]
fn the_gate_is_the_users_to_set() {
    let project = Project::library("broken", "#[test]\nfn fails() { panic!() }\n");
    let _ = project.run(&["run", "-q"]).exits_with(1);
    let _ = project.run(&["report"]).exits_with(1);
    let _ = project.run(&["report", "--no-gate"]).exits_with(0);
    let _ = project.run(&["report", "--fail-on", "flaky"]).exits_with(0);
    let _ = project
        .run(&["report", "--fail-on", "flaky,broken"])
        .exits_with(1);
}

#[test]
fn ignored_tests_take_part_when_asked() {
    let project = Project::library(
        "ignoring",
        "#[test]\nfn passes() {}\n#[test]\n#[ignore = \"slow\"]\nfn waits() {}\n",
    );
    for (which, expected) in [
        ("default", vec!["passes"]),
        ("only", vec!["waits"]),
        ("all", vec!["passes", "waits"]),
    ] {
        let ran = project
            .run(&["run", "--format", "json", "--run-ignored", which])
            .exits_with(0);
        let seen: Vec<String> = ran
            .verdicts()
            .into_iter()
            .map(|(test, verdict)| format!("{test} {verdict}"))
            .collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|test| format!("ignoring {test} stable"))
            .collect();
        assert!(
            expected.iter().all(|test| seen.contains(test)),
            "{which}: {seen:?}"
        );
    }
}

#[test]
fn a_second_run_joins_the_first_and_says_so() {
    let project = Project::copy_of("tests/testdata/planted");
    let first = project
        .run(&["run", "--format", "json"])
        .exits_with(1)
        .json();
    let second = project
        .run(&["run", "--format", "json"])
        .exits_with(1)
        .json();
    let trials = |report: &serde_json::Value| {
        let tests = report["tests"].as_array().unwrap();
        let passes_a = tests
            .iter()
            .find(|test| test["test"] == "tests::passes_a")
            .unwrap();
        passes_a["target"]["trials"].as_u64().unwrap()
    };
    assert_eq!(
        trials(&second),
        2 * trials(&first),
        "the passes of both runs count"
    );
    let human = project.run(&["report"]).exits_with(1);
    let id = &first["run"]["id"].as_str().unwrap()[..8];
    assert!(human.stdout.contains(id), "{}", human.stdout);
}

#[test]
fn a_filtered_run_reports_and_judges_only_what_it_selected() {
    let project = Project::copy_of("tests/testdata/planted");
    let _ = project.run(&["run", "-q"]).exits_with(1);
    let ran = project
        .run(&["run", "--format", "json", "passes_"])
        .exits_with(0);
    let verdicts = ran.verdicts();
    assert_eq!(verdicts.len(), 6, "{verdicts:?}");
    assert!(
        verdicts.values().all(|verdict| verdict == "stable"),
        "{verdicts:?}"
    );
}

#[test]
fn an_explanation_is_also_there_for_programs() {
    let project = Project::copy_of("tests/testdata/planted");
    let _ = project.run(&["run", "-q"]).exits_with(1);
    let explained = project
        .run(&["explain", "fails_in_the_target", "--format", "json"])
        .exits_with(0)
        .json();
    assert_eq!(explained["test"]["verdict"], "hidden-defect", "{explained}");
    let trials = explained["trials"].as_array().unwrap();
    assert!(trials.len() >= 6, "{explained}");
    for trial in trials {
        let expected = if trial["arm"] == "target" {
            "failed"
        } else {
            "passed"
        };
        assert_eq!(trial["outcome"], expected, "{trial}");
    }
    let stderr = explained["failures"][0]["stderr"].as_str().unwrap();
    assert!(stderr.contains("the target is harsher"), "{explained}");
}

#[test]
fn a_configuration_beside_a_member_of_a_workspace_is_said_not_to_be_read() {
    let project = Project::empty("members");
    project.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n",
    );
    project.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    project.write("app/src/lib.rs", "#[test]\nfn passes() {}\n");
    project.write("app/fidelity.toml", "[policy]\nfdr = 0.01\n");
    let kind = "configuration-not-read";
    let says = "app/fidelity.toml is not read: there is none at the workspace root";
    let told = |arguments: &[&str], key: &str| {
        let page = project.run(arguments).exits_with(0).stdout;
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(says), "{arguments:?}: {page}");
        let json = [arguments, &["--format", "json"]].concat();
        let json = project.run(&json).exits_with(0).json();
        let notes = json[key].as_array().expect("notes");
        let note = notes.iter().find(|note| note["kind"] == kind);
        let note = note.unwrap_or_else(|| panic!("{arguments:?}: {json}"));
        assert!(
            note["message"].as_str().unwrap().starts_with(says),
            "{note}"
        );
    };
    told(&["run"], "problems");
    told(&["list"], "problems");
    told(&["audit"], "problems");
    // Who names the file has it read.
    let named = ["list", "--config-file", "app/fidelity.toml"];
    let page = project.run(&named).exits_with(0).stdout;
    assert!(!page.contains(kind), "{page}");
    project.write("fidelity.toml", "[policy]\nfdr = 0.02\n");
    let both = project.run(&["list"]).exits_with(0).stdout;
    let both = both.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        both.contains("the one at the workspace root holds"),
        "{both}"
    );
}

#[test]
fn init_without_a_manifest_writes_what_runs_the_suite_or_says_what_to_do() {
    let project = Project::empty("other");
    let lost = project.run(&["init"]).exits_with(2);
    assert!(!project.root.join("fidelity.toml").exists());
    assert!(
        lost.stderr.contains("there is no Cargo.toml in"),
        "{}",
        lost.stderr
    );
    assert!(lost.stderr.contains("--manifest-path"), "{}", lost.stderr);
    assert!(
        lost.stderr.contains("junit = [\"reports/*.xml\"]"),
        "{}",
        lost.stderr
    );
    project.write("pyproject.toml", "[project]\nname = \"shop\"\n");
    let written = project.run(&["init"]).exits_with(0);
    assert!(
        written.stderr.contains("runs pytest; see that"),
        "{}",
        written.stderr
    );
    let text = std::fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    assert!(text.contains("\nkind = \"command\" "), "{text}");
    assert!(text.contains("\nselect = \"pytest\" "), "{text}");
    let refused = project.run(&["init"]).exits_with(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    // It is a configuration that is taken: no run is refused for it.
    let listed = project.run(&["list"]).exits_with(2);
    assert!(
        listed.stderr.contains("a command says it when it runs"),
        "{}",
        listed.stderr
    );
}

#[test]
fn a_test_that_is_not_there_is_answered_with_the_one_that_was_meant() {
    let source =
        "#[cfg(test)]\nmod dates {\n#[test]\nfn is_due_today() {}\n#[test]\nfn leaps() {}\n}\n";
    let project = Project::library("one", source);
    let _ = project.run(&["run", "-q"]).exits_with(0);
    let meant = "hint: did you mean `one dates::is_due_today`?";
    for asked in [
        "is_deu_today",
        "dates::is_due_todya",
        "IS_DUE",
        "one dates::is_due_toda7",
    ] {
        for command in ["explain", "attribute"] {
            let ran = project.run(&[command, asked]).exits_with(2);
            assert!(
                ran.stderr.contains(meant),
                "{command} {asked}: {}",
                ran.stderr
            );
        }
    }
    let far = project.run(&["explain", "something_else"]).exits_with(2);
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
}

#[test]
fn cargos_word_for_its_profile_is_answered_with_ours() {
    let project = one();
    for command in ["run", "list", "audit", "attribute"] {
        let ran = project
            .run(&[command, "--profile", "release"])
            .exits_with(2);
        assert!(
            ran.stderr.contains("'--cargo-profile NAME'"),
            "{command}: {}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("'--target-profile NAME'"),
            "{command}: {}",
            ran.stderr
        );
    }
    for command in [&["ingest", "a.xml"][..], &["doctor"]] {
        let ran = project
            .run(&[command, &["--profile=high"]].concat())
            .exits_with(2);
        assert!(
            ran.stderr.contains("'--fidelity-profile'"),
            "{command:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn no_tests_are_an_error_a_warning_or_nothing_as_one_wishes() {
    let project = Project::library("empty", "pub fn nothing() {}\n");
    let what = "there are no tests in what was built";
    let refused = project.run(&["list"]).exits_with(2);
    assert!(
        refused.stderr.contains("`--no-tests pass`"),
        "{}",
        refused.stderr
    );
    for command in ["list", "run"] {
        let warned = project
            .run(&[command, "-q", "--no-tests", "warn"])
            .exits_with(0);
        assert!(
            warned.stderr.contains(&format!("warning: {what}")),
            "{}",
            warned.stderr
        );
        let passed = project
            .run(&[command, "-q", "--no-tests", "pass"])
            .exits_with(0);
        assert!(!passed.stderr.contains(what), "{}", passed.stderr);
    }
    let listed = ["list", "--no-tests", "pass", "--format", "json"];
    let listed = project.run(&listed).exits_with(0).json();
    assert_eq!(listed["tests"], serde_json::json!([]), "{listed}");
    // What an audit cannot do is not proposed to it.
    let audit = project.run(&["audit"]).exits_with(2);
    assert!(audit.stderr.contains(what), "{}", audit.stderr);
    assert!(audit.stderr.contains("`--workspace`"), "{}", audit.stderr);
    assert!(!audit.stderr.contains("--no-tests"), "{}", audit.stderr);
    // Elsewhere there may be results of other tools.
    let nowhere = Project::empty("nowhere");
    for command in ["list", "audit"] {
        let lost = nowhere.run(&[command]).exits_with(2);
        assert!(
            lost.stderr.contains("cargo fidelity ingest FILE..."),
            "{}",
            lost.stderr
        );
    }
}
