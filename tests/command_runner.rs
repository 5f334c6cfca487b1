//! Suites that a command runs: what counts of a pass, what never does, and that nothing is left behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Project, Ran};

#[path = "command_runner/limits.rs"]
mod limits;
#[path = "command_runner/looked_at.rs"]
mod looked_at;
mod support;

/// The head of every suite here: says a test's outcome by name.
const SUITE: &str = r#"
case_of() { # NAME OUTCOME
    echo "<testcase classname='shop' name='$1' time='0.01'>"
    if [ "$2" = fail ]; then echo "<failure type='Wrong' message='$1 is wrong'/>"; fi
    echo "</testcase>"
}
report() { # FILE NAME=OUTCOME...
    file=$1; shift
    { echo "<testsuite name='suite'>"; for it; do case_of "${it%=*}" "${it#*=}"; done; echo "</testsuite>"; } > "$file"
}
"#;

/// A project of no language at all: `suite.sh` is its suite.
fn project(script: &str, runner: &str) -> Project {
    let project = Project::empty("shop");
    project.write("suite.sh", &format!("{SUITE}\n{script}\n"));
    project.write(
        "fidelity.toml",
        &format!(
            "[policy]\nscreen = {{ baseline = 1, target = 3 }}\n\
             [runner]\ncommand = [\"sh\", \"suite.sh\", \"{{dir}}\"]\njunit = [\"{{dir}}/*.xml\"]\n{runner}\n\
             [profile.low]\nenv.MODE = \"kind\"\n[profile.high]\nenv.MODE = \"harsh\"\n"
        ),
    );
    project
}

/// Makes everything in the project tracked by git.
fn track(project: &Project) {
    for arguments in [&["init", "-q"][..], &["add", "-A"]] {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(&project.root)
            .status();
        assert!(status.unwrap().success());
    }
}

fn problems(ran: &Ran, kind: &str) -> Vec<String> {
    let report = ran.json();
    let problems = report["problems"].as_array().unwrap().clone();
    let of_kind = problems.iter().filter(|problem| problem["kind"] == kind);
    of_kind
        .map(|problem| problem["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_suite_of_no_language_gets_verdicts_from_what_it_reports() {
    let project = project(
        "[ $MODE = harsh ] && bad=fail || bad=pass\nreport $1/a.xml good=pass hidden=$bad\nreport $1/b.xml broken=fail\nexit 1",
        "",
    );
    fs::create_dir_all(project.root.join(".git")).unwrap();
    fs::create_dir_all(project.root.join("deep/er")).unwrap();
    let mut tool = project.tool(&["run", "--format", "json", "--seed", "1"]);
    // The configuration is found from below, as far as the repository goes; there is no Cargo.toml anywhere.
    fs::remove_dir(project.root.join(".git")).unwrap();
    track(&project);
    let ran = Ran::of(
        tool.current_dir(project.root.join("deep/er"))
            .output()
            .unwrap(),
    )
    .exits_with(1);
    let verdicts = ran.verdicts();
    assert_eq!(verdicts["shop hidden"], "hidden-defect", "{verdicts:?}");
    assert_eq!(verdicts["shop broken"], "broken");
    assert_eq!(verdicts["shop good"], "stable");
    assert_eq!(ran.json()["run"]["runner"]["kind"], "command");
    assert_eq!(ran.json()["run"]["runner"]["name"], "`sh suite.sh {dir}`");
    assert_eq!(problems(&ran, "whole-passes").len(), 1);
    assert!(project.root.join(".fidelity/history.db").exists());
    // Every pass ran among all tests, whichever it was about.
    let explained = project.run(&["explain", "hidden", "-v"]).exits_with(0);
    assert!(
        !explained.stdout.contains("among the suspects"),
        "{}",
        explained.stdout
    );
}

#[test]
fn a_pass_without_a_report_is_never_a_failing_test() {
    let project = project(
        "[ $MODE = harsh ] && { echo starting; echo 'cannot find libfoo' >&2; exit 127; }\nreport $1/a.xml one=pass",
        "",
    );
    let ran = project.run(&["run", "--seed", "1"]).exits_with(4);
    assert!(
        ran.stderr.contains(
            "error: the command ended with exit status 127 (cannot find libfoo) and wrote no report"
        ),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("it printed: starting\n"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stdout.contains("HIDDEN"), "{}", ran.stdout);
}

#[test]
fn a_command_that_reports_nothing_at_all_is_said_before_a_run_is_made() {
    let project = project("echo hello; exit 3", "");
    let ran = project.run(&["run"]).exits_with(4);
    assert!(
        ran.stderr
            .contains("the command ended with exit status 3 (hello) and wrote no report")
    );
    assert!(ran.stderr.contains("it printed: hello"), "{}", ran.stderr);
    let _none = project.run(&["report"]).exits_with(2);
}

#[test]
fn reports_of_earlier_runs_are_never_read_and_never_removed() {
    let project = project("[ -n \"$QUIET\" ] || report reports/new.xml one=pass", "");
    let toml = fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    project.write(
        "fidelity.toml",
        &toml.replace("{dir}/*.xml", "reports/*.xml"),
    );
    let stale = "<testsuite name='s'><testcase classname='shop' name='one'><failure/></testcase></testsuite>";
    project.write("reports/old.xml", stale);
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(0);
    assert_eq!(ran.verdicts()["shop one"], "stable");
    assert_eq!(
        fs::read_to_string(project.root.join("reports/old.xml")).unwrap(),
        stale
    );
    let ran = Ran::of(project.tool(&["run"]).env("QUIET", "1").output().unwrap()).exits_with(4);
    assert!(
        ran.stderr
            .contains("wrote no report (the reports that are there are older)")
    );
}

#[test]
fn commands_that_fail_alone_and_tests_that_appear_are_said_and_stored() {
    let project = project(
        "[ $MODE = harsh ] && new='new=fail'\nreport $1/a.xml one=pass $new\n[ $MODE = harsh ] && { echo 'coverage too low'; exit 9; }\nexit 0",
        "",
    );
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(0);
    assert_eq!(
        problems(&ran, "tests-appeared"),
        ["not in the list of this run, and counted from the next on: 1 test (shop new)"]
    );
    assert!(
        problems(&ran, "command-failed").is_empty(),
        "a test did fail"
    );
    let again = project.run(&["report", "--format", "json"]).exits_with(0);
    assert_eq!(again.stdout, ran.stdout);
}

#[test]
fn nothing_a_command_starts_outlives_its_pass_and_nothing_tells_the_arm() {
    let project = project(
        "env | sort | grep -v '^_=' | sed \"s#$1#DIR#g; s#fidelity-[A-Za-z0-9]*/[0-9]*#RUN#g\" > env.$$\nsetsid sleep 987654 &\n\
         report $1/a.xml one=pass\necho $$ >> pids",
        "",
    );
    let _ran = project.run(&["run", "--seed", "1"]).exits_with(0);
    let mut environments: Vec<String> = fs::read_dir(&project.root)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("env."))
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect();
    environments.sort();
    environments.dedup();
    assert_eq!(environments.len(), 2, "one for each arm: {environments:#?}");
    let differing: Vec<&str> = environments[0]
        .lines()
        .filter(|line| !environments[1].contains(line))
        .collect();
    assert_eq!(differing, ["MODE=harsh"]);
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&line).contains("987654"),
            "a daemon survived"
        );
    }
}

#[test]
fn a_tool_that_is_killed_takes_everything_with_it_and_the_run_goes_on() {
    let project = project(
        "[ $MODE = harsh ] && bad=fail || bad=pass\nsetsid sleep 876543 &\necho x >> ../passes\nsleep 0.3\nreport $1/a.xml hidden=$bad",
        "inputs = [\"suite.sh\"]",
    );
    let mut tool = project.tool(&["run", "--seed", "1"]);
    let mut tool = tool.spawn().unwrap();
    let passes = project.root.join("../passes");
    while fs::read_to_string(&passes).unwrap_or_default().len() < 2 * 4 {
        assert!(
            tool.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::yield_now();
    }
    tool.kill().unwrap();
    tool.wait().unwrap();
    let survives = || {
        let mut lines = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .map(|it| fs::read(it.path().join("cmdline")));
        lines.any(|line| String::from_utf8_lossy(&line.unwrap_or_default()).contains("876543"))
    };
    while survives() {
        std::thread::yield_now();
    }
    let ran = project
        .run(&["run", "--resume", "--format", "json"])
        .exits_with(1);
    assert_eq!(ran.verdicts()["shop hidden"], "hidden-defect");
    assert!(ran.stderr.contains("complete passes"), "{}", ran.stderr);
}

#[test]
fn selected_tests_are_all_that_a_focus_pass_runs() {
    let project = project(
        "dir=$1; shift; echo \"$@\" >> ../asked\n[ $MODE = harsh ] && bad=fail || bad=pass\n\
         case \"$1\" in '') all='a=pass b=pass hidden='$bad ;; *) all=hidden=$bad ;; esac\nreport $dir/a.xml $all",
        "select = [\"--only={test}\"]",
    );
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(1);
    assert_eq!(ran.verdicts()["shop hidden"], "hidden-defect");
    assert!(problems(&ran, "whole-passes").is_empty());
    let asked = fs::read_to_string(project.root.join("../asked")).unwrap();
    let asked: Vec<&str> = asked.lines().collect();
    // The first run for the list, and four passes of screening.
    assert!(asked[..5].iter().all(|line| line.is_empty()), "{asked:?}");
    assert!(
        5 < asked.len() && asked[5..].iter().all(|line| *line == "--only=hidden"),
        "{asked:?}"
    );
    // A filter of the command line selects from the first pass on.
    let ran = project.run(&[
        "run",
        "b",
        "--format",
        "json",
        "--set",
        "policy.reuse=false",
    ]);
    let ran = ran.exits_with(0);
    assert_eq!(ran.verdicts()["shop b"], "stable");
    let asked = fs::read_to_string(project.root.join("../asked")).unwrap();
    assert!(asked.contains("--only=b\n"), "{asked}");
}

#[test]
fn a_test_that_cannot_be_named_to_the_command_has_the_whole_suite_run_and_that_is_said() {
    // The class of a test says which file pytest is to be given: there is no `shop.py`.
    let project = project(
        "dir=$1; shift; echo $# >> ../asked\n[ $MODE = harsh ] && bad=fail || bad=pass\n\
         report $dir/a.xml good=pass hidden=$bad",
        "select = \"pytest\"",
    );
    let ran = project
        .run(&["run", "--format", "json", "--attribute", "never"])
        .exits_with(1);
    assert_eq!(ran.verdicts()["shop hidden"], "hidden-defect");
    let said = problems(&ran, "whole-passes");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("the whole suite ran although a part of it was wanted"),
        "{said:?}"
    );
    let asked = fs::read_to_string(project.root.join("../asked")).unwrap();
    assert!(5 < asked.lines().count(), "{asked}");
    assert!(asked.lines().all(|line| line == "0"), "{asked}");
    // The trials say what they ran among.
    let explained = project.run(&["explain", "hidden", "--format", "json"]);
    let explained = explained.exits_with(0).json();
    let trials = explained["trials"].as_array().unwrap();
    assert!(5 < trials.len());
    assert!(
        trials.iter().all(|trial| trial["scope"] == "suite"),
        "{trials:?}"
    );
}

#[test]
fn knobs_that_a_command_cannot_honour_say_so_and_the_others_are_imposed() {
    let project = project(
        "report $1/a.xml one=pass; umask > umask.$$; ulimit -n >> umask.$$",
        "",
    );
    let toml = fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    let knobs = "umask = \"027\"\nopen-files = 77\norder = \"shuffle\"\nthreads = 3\nprocess = \"shared\"\n";
    project.write("fidelity.toml", &format!("{toml}{knobs}"));
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(0);
    let report = ran.json();
    let applied = |id: &str| {
        let knobs = report["run"]["knobs"].as_array().unwrap();
        knobs.iter().find(|knob| knob["id"] == id).unwrap()["applied"].clone()
    };
    for (knob, expected) in [
        ("umask", true),
        ("open-files", true),
        ("order", false),
        ("threads", false),
        ("process", false),
    ] {
        assert_eq!(applied(knob), expected, "{knob}");
    }
    let seen = fs::read_dir(&project.root).unwrap().flatten();
    let harsh = seen.filter(|entry| entry.file_name().to_string_lossy().starts_with("umask."));
    let harsh = harsh.filter(|entry| fs::read_to_string(entry.path()).unwrap() == "0027\n77\n");
    assert_eq!(harsh.count(), 3);
}

#[test]
fn a_check_that_fails_under_a_knob_takes_the_knob_away() {
    let project = project(
        "report $1/a.xml one=pass",
        "check = [\"sh\", \"-c\", \"test x$MODE != xharsh || exit 5\"]",
    );
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(0);
    let knob = &ran.json()["run"]["knobs"][0];
    assert_eq!(knob["applied"], false);
    assert!(
        knob["reason"]
            .as_str()
            .unwrap()
            .contains("`sh` ended with exit status 5"),
        "{knob}"
    );
    let toml = fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    project.write(
        "fidelity.toml",
        &toml.replace("test x$MODE != xharsh ||", ""),
    );
    let ran = project.run(&["run"]).exits_with(4);
    for says in [
        "error: the check `sh -c  exit 5` fails as things are, without any knob: ",
        "`sh` ended with exit status 5",
        "hint: `check` of `[runner]` has to succeed before any knob is imposed",
    ] {
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
}

#[test]
fn the_same_code_joins_and_code_that_changes_stops_the_run() {
    let project = project(
        "report $1/a.xml one=pass\n[ -n \"$EDIT\" ] && echo '# x' >> code\nexit 0",
        "",
    );
    project.write("code", "1\n");
    project.write(".gitignore", ".fidelity/\n");
    track(&project);
    let run = |edit: &str| {
        Ran::of(
            project
                .tool(&["run", "--format", "json"])
                .env("EDIT", edit)
                .output()
                .unwrap(),
        )
    };
    let _first = run("").exits_with(0);
    assert_eq!(problems(&run("").exits_with(0), "joined-run").len(), 1);
    project.write("code", "2\n");
    assert!(problems(&run("").exits_with(0), "joined-run").is_empty());
    let changed = run("1").exits_with(4);
    assert!(
        changed.stderr.contains("code changed during the run"),
        "{}",
        changed.stderr
    );
}

#[test]
fn secrets_of_a_command_are_in_no_page_and_in_no_store() {
    let project = project(
        "echo \"token $2\"; [ $MODE = harsh ] && exit 1; report $1/a.xml one=pass",
        "",
    );
    let toml = fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    project.write(
        "fidelity.toml",
        &toml.replace("\"{dir}\"]", "\"{dir}\", \"{env:TOKEN}\"]"),
    );
    let ran = Ran::of(
        project
            .tool(&["run"])
            .env("TOKEN", "hunter2hunter2")
            .output()
            .unwrap(),
    )
    .exits_with(4);
    assert!(ran.stderr.contains("token ***"), "{}", ran.stderr);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
    for file in fs::read_dir(project.root.join(".fidelity"))
        .unwrap()
        .flatten()
    {
        let bytes = fs::read(file.path()).unwrap_or_default();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
    }
    let ran = project.run(&["run"]).exits_with(4);
    assert!(
        ran.stderr
            .contains("the environment variable TOKEN it refers to is not set"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_cannot_be_run_is_said_before_anything_runs() {
    let project = project("", "");
    let toml = fs::read_to_string(project.root.join("fidelity.toml")).unwrap();
    let with = |from: &str, to: &str, says: &str| {
        project.write("fidelity.toml", &toml.replace(from, to));
        let ran = project.run(&["run"]).exits_with(2);
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    };
    with(
        "\"sh\", ",
        "\"no-such-program\", ",
        "there is no program `no-such-program`",
    );
    with(
        "[runner]\n",
        "[runner]\ndirectory = \"web\"\n",
        "/web of the command is not there",
    );
    with(
        "[runner]\n",
        "[runner]\ninputs = [\"src/**\"]\n",
        "`inputs` names no file",
    );
    with(
        "[runner]\n",
        "[runner]\nkindd = \"x\"\n",
        "did you mean `kind`?",
    );
    project.write("fidelity.toml", &toml);
    let ran = project.run(&["run", "--", "--nocapture"]).exits_with(2);
    assert!(
        ran.stderr
            .contains("there are no test binaries to pass arguments to"),
        "{}",
        ran.stderr
    );
}

/// Returns a directory whose `python3` has pytest; none where there is no Python to make it with.
fn python_with_pytest() -> Option<PathBuf> {
    let venv = support::repository().join("target/pytest-venv");
    let lock = fs::File::create(support::repository().join("target/pytest-venv.lock")).unwrap();
    lock.lock().unwrap();
    let bin = venv.join("bin");
    let has_pytest = |bin: &Path| {
        let asked = Command::new(bin.join("python3"))
            .args(["-m", "pytest", "--version"])
            .output();
        asked.is_ok_and(|said| said.status.success())
    };
    if !has_pytest(&bin) {
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .output();
        let Ok(made) = made else {
            println!("did not run: there is no python3");
            return None;
        };
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let installed = Command::new(bin.join("pip"))
            .args(["install", "-q", "pytest"])
            .output()
            .unwrap();
        assert!(
            installed.status.success(),
            "{}",
            String::from_utf8_lossy(&installed.stderr)
        );
    }
    Some(bin)
}

#[test]
fn the_pytest_example_has_the_verdicts_its_readme_promises() {
    let Some(bin) = python_with_pytest() else {
        return;
    };
    let project = Project::copy_of("examples/pytest");
    let path = std::env::join_paths(
        std::iter::once(bin).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut tool = project.tool(&["run", "--format", "json", "--seed", "3", "--max-time", "4m"]);
    let ran = Ran::of(tool.env("PATH", path.unwrap()).output().unwrap()).exits_with(1);
    let verdicts = ran.verdicts();
    let readme =
        fs::read_to_string(support::repository().join("examples/pytest/README.md")).unwrap();
    for (test, verdict) in [
        (
            "tests.test_books test_a_sale_counts_for_its_day",
            "hidden-defect",
        ),
        (
            "tests.test_archive.TestArchive test_every_sale_is_archived[1]",
            "hidden-defect",
        ),
        (
            "tests.test_archive.TestArchive test_every_sale_is_archived[40]",
            "hidden-defect",
        ),
        (
            "tests.test_archive test_last_year_is_archived",
            "undetermined",
        ),
        ("tests.test_books test_prices_add_up", "stable"),
        ("tests.test_books test_nothing_costs_nothing", "stable"),
    ] {
        assert_eq!(verdicts[test], verdict, "{test}");
    }
    // By chance it never fails in six passes once in eleven times; this seed has no say in that.
    let lottery = &verdicts["tests.test_lottery test_the_winner_is_not_the_first_customer"];
    assert!(
        ["flaky", "stable", "undetermined"].contains(&lottery.as_str()),
        "{lottery}"
    );
    assert!(readme.contains("hidden-defect") && readme.contains("flaky"));
    assert!(
        problems(&ran, "whole-passes").is_empty(),
        "pytest is told which tests to run"
    );
}
