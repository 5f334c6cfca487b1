//! Commands that do not end: interrupted, then killed, and what they reported counts.

use std::fs;

use super::support::{Project, Ran};
use super::{problems, project, python_with_pytest};

#[test]
fn what_a_command_reported_before_it_hung_counts_and_the_rest_is_not_reported() {
    let project = project(
        "report $1/a.xml early=pass\n[ $MODE = harsh ] && sleep 1000\nreport $1/b.xml late=pass",
        "timeout = \"1s\"",
    );
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(0);
    let report = ran.json();
    let target = |test: usize| report["tests"][test]["target"].clone();
    assert_eq!(target(0)["trials"], 3, "{report}");
    assert_eq!(ran.verdicts()["shop early"], "stable");
    assert!(
        problems(&ran, "command-timed-out")[0]
            .starts_with("3 passes were interrupted at the time limit")
    );
    assert_eq!(
        problems(&ran, "tests-not-reported"),
        ["not reported in up to 3 passes: 1 test (shop late)"]
    );
}

#[test]
fn a_command_that_is_interrupted_at_its_limit_writes_down_what_it_knows() {
    let project = project(
        "dir=$1\ntrap 'report $dir/a.xml early=pass bad=fail; exit 1' INT\n\
         [ $MODE = harsh ] && { echo waiting for the bank; while :; do sleep 0.1; done; }\n\
         report $dir/a.xml early=pass bad=pass late=pass",
        "timeout = \"2s\"",
    );
    let ran = project
        .run(&["run", "--format", "json", "--attribute", "never"])
        .exits_with(1);
    let verdicts = ran.verdicts();
    assert_eq!(verdicts["shop bad"], "hidden-defect", "{verdicts:?}");
    assert_ne!(verdicts["shop late"], "hidden-defect");
    let said = &problems(&ran, "command-timed-out")[0];
    let knows =
        "counts; the last test it reported is shop bad; it printed last: waiting for the bank";
    assert!(said.ends_with(knows), "{said}");
}

#[test]
fn a_command_that_cannot_be_interrupted_is_killed_and_what_it_printed_is_shown() {
    let project = project(
        "trap '' INT\necho waiting for the bank\nsetsid sleep 765432 &\nsleep 765432",
        "timeout = \"1s\"",
    );
    let ran = project.run(&["run"]).exits_with(4);
    let says = "the command did not end within 1 s and wrote no report";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    let printed = "it printed: waiting for the bank";
    assert!(ran.stderr.contains(printed), "{}", ran.stderr);
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains("765432"), "it survived: {line}");
    }
}

#[test]
fn what_pytest_ran_before_a_test_hung_counts() {
    let Some(bin) = python_with_pytest() else {
        return;
    };
    let project = Project::empty("shop");
    project.write(
        "test_shop.py",
        "import os, time\nharsh = os.environ['MODE'] == 'harsh'\n\
         def test_bad():\n    assert not harsh\n\
         def test_hangs():\n    if harsh:\n        time.sleep(1000)\n\
         def test_last():\n    pass\n",
    );
    project.write(
        "fidelity.toml",
        "[policy]\nscreen = { baseline = 1, target = 1 }\nmax-passes = 2\n\
         [runner]\ncommand = [\"python3\", \"-m\", \"pytest\", \"-q\", \"--junitxml={dir}/j.xml\"]\n\
         junit = [\"{dir}/j.xml\"]\ntimeout = \"15s\"\n\
         [profile.low]\nenv.MODE = \"kind\"\n[profile.high]\nenv.MODE = \"harsh\"\n",
    );
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)));
    let mut tool = project.tool(&["run", "--format", "json", "--attribute", "never"]);
    let ran = Ran::of(tool.env("PATH", path.unwrap()).output().unwrap());
    let report = ran.json();
    let target = |at: usize| report["tests"][at]["target"].clone();
    assert!(0 < target(0)["failures"].as_u64().unwrap(), "{report}");
    assert_eq!(target(1)["trials"], 0, "{report}");
    assert_eq!(target(2)["trials"], 0, "{report}");
    let said = &problems(&ran, "command-timed-out")[0];
    assert!(problems(&ran, "tests-appeared").is_empty());
    assert!(
        said.contains("the last test it reported is test_shop test_bad"),
        "{said}"
    );
    assert!(said.contains("KeyboardInterrupt"), "{said}");
}
