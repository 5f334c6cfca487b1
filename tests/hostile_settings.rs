//! Settings and knobs that are wrong or impossible here: a clear message, and nothing is run under a pretence.

mod support;

use support::Project;

#[test]
fn a_mistake_in_the_file_is_shown_where_it_is() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    project.write("fidelity.toml", "[profile.high]\ncpu = 1\n");
    let ran = project.run(&["run"]).exits_with(2);
    assert!(ran.stderr.contains("fidelity.toml:2:1"), "{}", ran.stderr);
    assert!(ran.stderr.contains("cpus"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_mistake_on_the_command_line_is_shown_where_it_is() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let ran = project
        .run(&["run", "--set", "high.cpus=two"])
        .exits_with(2);
    assert!(ran.stderr.contains("high.cpus=two"), "{}", ran.stderr);
    let ran = project.run(&["run", "--max-time", "15"]).exits_with(2);
    assert!(
        ran.stderr.contains("expected a number with a unit"),
        "{}",
        ran.stderr
    );
    let ran = project.run(&["run", "--fail-on", "hidden"]).exits_with(2);
    assert!(ran.stderr.contains("hidden-defect"), "{}", ran.stderr);
    let ran = project.run(&["run", "-E", "test("]).exits_with(2);
    assert!(ran.stderr.contains('^'), "{}", ran.stderr);
}

#[test]
fn a_knob_that_is_impossible_here_is_named_as_not_applied() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let set = [
        "--set",
        "high.tz=Nowhere/Atlantis",
        "--set",
        "high.locale=xx_YY.UTF-8",
        "--set",
        "high.cpus=4096",
    ];
    let ran = project
        .run(&[&["run", "--format", "json"], &set[..]].concat())
        .exits_with(0);
    for knob in ["tz", "locale", "cpus"] {
        let report = ran.json();
        let knobs = report["run"]["knobs"].as_array().unwrap();
        let status = knobs.iter().find(|status| status["id"] == knob).unwrap();
        assert_eq!(status["applied"], false, "{status}");
        assert_ne!(status["reason"], "", "{status}");
    }
    let human = project.run(&["report"]).exits_with(0);
    assert!(
        human.stdout.contains("NOT APPLIED") || human.stdout.contains("not applied"),
        "{}",
        human.stdout
    );
}

#[test]
fn a_knob_that_stops_the_harness_itself_is_not_applied_and_fails_no_test() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let ran = project
        .run(&["run", "--format", "json", "--set", "high.memory=16MiB"])
        .exits_with(0);
    let report = ran.json();
    let knobs = report["run"]["knobs"].as_array().unwrap();
    let memory = knobs
        .iter()
        .find(|status| status["id"] == "memory")
        .unwrap();
    assert_eq!(memory["applied"], false, "{memory}");
    assert_eq!(ran.verdicts()["one passes"], "stable");
}

#[test]
fn who_logs_in_by_a_url_is_shown_nowhere() {
    let project = Project::library(
        "one",
        "#[test]\nfn passes() { assert!(std::env::var(\"URL\").is_ok_and(|url| url.contains(\"s3cret\"))); }\n",
    );
    let both = [
        "--set",
        "low.env.URL=postgres://ann:s3cret@db/x",
        "--set",
        "high.env.URL=postgres://ann:s3cret@db/x",
    ];
    let ran = project
        .run(&[&["run", "--format", "json"], &both[..]].concat())
        .exits_with(0);
    let human = project.run(&["report"]).exits_with(0);
    for text in [&ran.stdout, &ran.stderr, &human.stdout] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert_eq!(ran.verdicts()["one passes"], "stable");
}

#[test]
fn an_ordinary_user_gets_the_same_verdicts_and_a_home_that_is_really_read_only() {
    // Only root can become somebody else. The capability lets the user reach a toolchain below root's home.
    if !std::process::Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n")
    {
        return;
    }
    let project = Project::copy_of("tests/testdata/planted");
    // Built beforehand: a linker below root's home asks for permissions that the capability does not give.
    let built = std::process::Command::new(env!("CARGO"))
        .args(["test", "--no-run"])
        .current_dir(&project.root)
        .output();
    assert!(built.unwrap().status.success());
    let chown = std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(project.root.parent().unwrap())
        .status()
        .unwrap();
    assert!(chown.success());
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args([
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        support::TOOL,
    ]);
    command.args([
        "fidelity",
        "run",
        "--format",
        "json",
        "--set",
        "high.home=read-only",
        "--offline",
    ]);
    command
        .current_dir(&project.root)
        .env_remove("CARGO_TARGET_DIR");
    let ran = support::Ran::of(command.output().unwrap()).exits_with(1);
    assert_eq!(
        ran.verdicts()["planted tests::fails_in_the_target"],
        "hidden-defect"
    );
    let report = ran.json();
    let home = report["run"]["knobs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|status| status["id"] == "home")
        .unwrap();
    assert_eq!(home["applied"], true, "{home}");
}
