//! What earlier runs change about a later one that does not join them, with the real binary.

mod support;

use support::Project;

/// A crate with a test that fails in the target, or not, and one that never does.
fn planted(broken: bool) -> Project {
    let mut project = Project::library("planted", &source(broken));
    project.seeded = false;
    project.write(
        "fidelity.toml",
        "[profile.low]\n\n[profile.high]\nenv.MODE = { one-of = [\"fast\", \"odd\"] }\n",
    );
    project
}

fn source(broken: bool) -> String {
    let check = match broken {
        true => "assert_ne!(std::env::var(\"MODE\").as_deref(), Ok(\"odd\"))",
        false => "()",
    };
    format!("#[test]\nfn depends_on_the_mode() {{ {check} }}\n#[test]\nfn never_fails() {{}}\n")
}

const WORDS: &str = "1 test with a suspicious history is screened with 10 target passes, the last 5 under env.MODE = \
                     odd, which exposed defects before";

#[test]
fn a_test_that_failed_before_is_screened_harder_once_it_is_built_anew() {
    let project = planted(true);
    let first = project.run(&["run", "--format", "json"]).exits_with(1);
    assert_eq!(
        first.verdicts()["planted depends_on_the_mode"],
        "hidden-defect"
    );
    assert_eq!(first.json()["run"]["suspicious"], 0);

    project.write("src/lib.rs", &source(false));
    let plan = project.run(&["run", "--dry-run"]).exits_with(0);
    let flat = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(WORDS), "{}", plan.stdout);

    let second = project.run(&["run", "--format", "json"]).exits_with(0);
    let flat = second
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(flat.contains(WORDS), "{}", second.stderr);
    let report = second.json();
    assert_eq!(report["run"]["suspicious"], 1);
    assert_eq!(report["run"]["passes"], 11);
    assert_eq!(report["run"]["trials"], 2 * 6 + 5);
    let target_trials = |test: usize| report["tests"][test]["target"]["trials"].clone();
    assert_eq!((target_trials(0), target_trials(1)), (10.into(), 5.into()));

    // A later look, and a replay, say the same: who is screened harder is kept with the run.
    let again = project.run(&["report", "--format", "json"]).exits_with(0);
    assert_eq!(again.stdout, second.stdout);
    let explained = project
        .run(&["explain", "-v", "depends_on_the_mode"])
        .exits_with(0);
    let flat = explained.stdout.split_whitespace().collect::<Vec<_>>();
    let seen = flat.join(" ").matches("env.MODE = odd").count();
    assert!(seen >= 5, "{}", explained.stdout);
    let seed = report["run"]["seed"].to_string();
    let replay = project
        .run(&["run", "--seed", &seed, "--format", "json"])
        .exits_with(0);
    assert_eq!(replay.json()["run"]["passes"], 11);
}

#[test]
fn history_is_left_alone_where_the_policy_or_a_new_seed_says_so() {
    let project = planted(true);
    let _ = project.run(&["run", "--format", "json"]).exits_with(1);
    project.write("src/lib.rs", &source(false));
    for option in [["--set", "policy.screen.suspicious=0"], ["--seed", "99"]] {
        let arguments = [&["run", "--format", "json"], option.as_slice()].concat();
        let report = project.run(&arguments).exits_with(0).json();
        assert_eq!(report["run"]["passes"], 6, "{option:?}");
    }
}
