//! Suites that misbehave: each misbehaviour is an outcome or a clear message, never a panic, never a wrong verdict.

mod support;

use support::Project;

/// One test a misbehaviour, each with the outcome that is right for it. They misbehave in both arms.
const MISBEHAVING: &str = r#"
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, exit};

    #[test]
    fn aborts() {
        std::process::abort();
    }

    #[test]
    fn exits_with_zero_half_way() {
        exit(0);
    }

    #[test]
    fn hangs() {
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn kills_its_process_group() {
        Command::new("sh").args(["-c", "kill -9 0"]).status().unwrap();
        std::thread::park();
    }

    #[test]
    fn prints_a_lot_and_passes() {
        let block = [b'x'; 1 << 16];
        for _ in 0..1024 {
            std::io::stdout().write_all(&block).unwrap();
        }
    }

    #[test]
    fn prints_what_is_no_text_and_fails() {
        std::io::stderr().write_all(b"\xff\xfe\x1b[31mred\x07\n").unwrap();
        panic!("\u{1b}]0;title\u{7} done");
    }

    #[test]
    fn passes_quietly() {}

    #[test]
    fn pretends_to_have_passed_and_dies() {
        println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        exit(3);
    }

    #[test]
    fn leaves_a_daemon_behind_and_passes() {
        Command::new("sh").args(["-c", "setsid sleep 1000 & exit 0"]).status().unwrap();
    }

    #[test]
    #[allow(non_snake_case)]
    fn größe_und_Ωmega() {
        panic!("wide: 漢字");
    }
}
"#;

const CONFIGURATION: &str =
    "[profile.low]\n\n[profile.high]\nenv.UNUSED = \"1\"\n\n[policy]\ntimeout = \"2s\"\n";

#[test]
fn a_misbehaving_test_has_an_outcome_and_the_others_are_not_harmed() {
    let project = Project::library("misbehaving", MISBEHAVING);
    project.write("fidelity.toml", CONFIGURATION);
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(1);
    let verdicts = ran.verdicts();
    let expected = [
        ("aborts", "broken"),
        ("exits_with_zero_half_way", "broken"),
        ("größe_und_Ωmega", "broken"),
        ("hangs", "broken"),
        ("kills_its_process_group", "broken"),
        ("leaves_a_daemon_behind_and_passes", "stable"),
        ("passes_quietly", "stable"),
        ("pretends_to_have_passed_and_dies", "broken"),
        ("prints_a_lot_and_passes", "stable"),
        ("prints_what_is_no_text_and_fails", "broken"),
    ];
    for (test, verdict) in expected {
        assert_eq!(
            verdicts[&format!("misbehaving tests::{test}")],
            verdict,
            "{test}\n{}",
            ran.stdout
        );
    }
    assert_eq!(verdicts.len(), expected.len());
    let human = project.run(&["report"]);
    assert_printable(&human.stdout);
    let explained = project
        .run(&["explain", "prints_what_is_no_text"])
        .exits_with(0);
    assert_printable(&explained.stdout);
    assert!(explained.stdout.contains("red"), "{}", explained.stdout);
}

/// Checks that nothing reaches a terminal that it would obey.
#[track_caller]
fn assert_printable(text: &str) {
    let bad = text
        .chars()
        .find(|character| character.is_control() && *character != '\n');
    assert_eq!(bad, None, "{text:?}");
}

#[test]
fn a_suite_that_replaces_its_own_binary_stops_the_run_and_keeps_the_evidence() {
    let project = Project::library(
        "replacing",
        r#"
#[cfg(test)]
mod tests {
    #[test]
    fn replaces_its_binary() {
        let path = std::env::current_exe().unwrap();
        let copy = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, copy).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
    }
}
"#,
    );
    let ran = project.run(&["run", "--format", "json"]).exits_with(4);
    assert!(ran.stderr.contains("changed"), "{}", ran.stderr);
    let report = project
        .run(&["report", "--format", "json"])
        .exits_with(0)
        .json();
    assert_eq!(report["run"]["trials"], 1, "{report}");
}

#[test]
fn a_suite_that_does_not_build_is_no_verdict() {
    let project = Project::library("broken", "fn f() -> u32 { \"no number\" }\n");
    let ran = project.run(&["run"]).exits_with(3);
    assert!(ran.stderr.contains("mismatched types"), "{}", ran.stderr);
    assert!(ran.stderr.contains("does not build"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_suite_without_tests_is_a_mistake_unless_said_otherwise() {
    let project = Project::library("empty", "pub fn f() {}\n");
    let ran = project.run(&["run"]).exits_with(2);
    assert!(ran.stderr.contains("--no-tests"), "{}", ran.stderr);
    let _ = project.run(&["run", "--no-tests", "pass"]).exits_with(0);
}

#[test]
fn a_filter_that_selects_nothing_is_a_mistake() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let ran = project.run(&["run", "no_such_name"]).exits_with(2);
    assert!(ran.stderr.contains("selected"), "{}", ran.stderr);
}

#[test]
fn a_directory_without_a_project_is_a_mistake() {
    let project = Project::empty("nothing");
    let ran = project.run(&["run"]).exits_with(2);
    assert!(ran.stderr.contains("Cargo.toml"), "{}", ran.stderr);
}

#[test]
fn a_workspace_may_have_spaces_and_letters_of_any_kind_in_its_path() {
    let project = Project::copy_under("tests/testdata/planted", "a wörkspace with späces");
    let ran = project
        .run(&["run", "--format", "json", "--seed", "3"])
        .exits_with(1);
    assert_eq!(
        ran.verdicts()["planted tests::fails_in_the_target"],
        "hidden-defect"
    );
}

#[test]
fn a_target_directory_that_cannot_be_written_is_said_by_cargo_and_by_us() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let ran = project
        .run(&["run", "--target-dir", "/proc/nowhere"])
        .exits_with(3);
    assert!(ran.stderr.contains("/proc/nowhere"), "{}", ran.stderr);
}

#[test]
fn names_of_a_custom_harness_may_hold_anything() {
    let project = Project::library("custom", "");
    project.write(
        "Cargo.toml",
        "[package]\nname = \"custom\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[[test]]\nname = \"odd\"\nharness = false\n\n[workspace]\n",
    );
    project.write(
        "tests/odd.rs",
        r#"
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let names = ["a b  c", "\u{1b}[31mred", "-- --exact", "tab\there", "漢字::\u{202e}desrever"];
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            names.iter().for_each(|name| println!("{name}: test"));
        }
        return;
    }
    assert!(arguments.iter().any(|argument| names.contains(&argument.as_str())), "{arguments:?}");
}
"#,
    );
    let ran = project.run(&["run", "--format", "json"]).exits_with(0);
    assert_eq!(ran.verdicts().len(), 5, "{}", ran.stdout);
    assert!(
        ran.verdicts().values().all(|verdict| verdict == "stable"),
        "{}",
        ran.stdout
    );
    assert_printable(&project.run(&["report", "-vv"]).exits_with(0).stdout);
}
