//! Suites that a command runs and whose tests have names that change from pass to pass, or that nobody can select by.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use support::{Project, Ran};

mod support;

/// A suite of which `suite.sh REPORT [SELECTED]` writes the report.
fn project(script: &str) -> Project {
    let project = Project::empty("shop");
    let head = "case_of() { # NAME [fail]\n\
         echo \"<testcase classname='shop' name='$1'>${2:+<failure type='Wrong' message='wrong'/>}</testcase>\"\n}\n\
         [ $MODE = harsh ] && bad=fail || bad=\n";
    project.write("suite.sh", &format!("{head}{script}\n"));
    project.write(
        "fidelity.toml",
        "[policy]\nscreen = { baseline = 1, target = 3 }\n\
         [runner]\ncommand = [\"sh\", \"suite.sh\", \"{dir}/r.xml\"]\njunit = [\"{dir}/r.xml\"]\n\
         select = [\"{tests}\"]\n\
         [profile.low]\nenv.MODE = \"kind\"\n[profile.high]\nenv.MODE = \"harsh\"\n",
    );
    project
}

fn run(project: &Project) -> Ran {
    let ran = project.run(&[
        "run",
        "--format",
        "json",
        "--seed",
        "1",
        "--attribute",
        "never",
    ]);
    ran.exits_with(1)
}

fn said(ran: &Ran, kind: &str) -> usize {
    let report = ran.json();
    let problems = report["problems"].as_array().unwrap().clone();
    problems
        .iter()
        .filter(|problem| problem["kind"] == kind)
        .count()
}

#[test]
fn tests_whose_names_hold_a_seed_are_tests_of_their_own_in_every_pass() {
    // The number of the process is another one in each pass.
    let project = project(
        "{ echo '<testsuite>'; case_of \"adds[seed=$$]\"; case_of \"adds[seed=1$$]\" $bad; echo '</testsuite>'; } > $1",
    );
    let ran = run(&project);
    let verdicts = ran.verdicts();
    assert_eq!(verdicts["shop adds[seed=*]"], "stable", "{verdicts:?}");
    assert_eq!(verdicts["shop adds[seed=*] #2"], "hidden-defect");
    assert_eq!(verdicts.len(), 2);
    // Nobody can select by a name that will be another one.
    assert_eq!((said(&ran, "whole-passes"), said(&ran, "names")), (1, 1));
}

#[test]
fn a_rule_for_names_can_be_switched_off() {
    let project = project(
        "{ echo '<testsuite>'; case_of 'adds[seed=1]'; case_of 'adds[seed=2]' $bad; echo '</testsuite>'; } > $1",
    );
    let file = project.root.join("fidelity.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let rules = "keep-names = [\"seeds\"]\n[profile.low]";
    project.write("fidelity.toml", &settings.replace("[profile.low]", rules));
    let ran = run(&project);
    let verdicts = ran.verdicts();
    assert_eq!(verdicts["shop adds[seed=1]"], "stable", "{verdicts:?}");
    assert_eq!(verdicts["shop adds[seed=2]"], "hidden-defect");
    // What nothing changes can be selected.
    assert_eq!((said(&ran, "whole-passes"), said(&ran, "names")), (0, 0));
    let typo = settings.replace("[profile.low]", "keep-names = [\"seed\"]\n[profile.low]");
    project.write("fidelity.toml", &typo);
    let refused = project.run(&["run"]).exits_with(2).stderr;
    assert!(refused.contains("did you mean `seeds`?"), "{refused}");
}

#[test]
fn a_command_that_runs_nothing_of_what_was_selected_runs_everything_from_then_on() {
    let project = project(
        "echo \"${2:-all}\" >> calls\n\
         { echo '<testsuite>'; [ $# = 2 ] || { case_of adds; case_of prints $bad; }; echo '</testsuite>'; } > $1",
    );
    let ran = run(&project);
    assert_eq!(ran.verdicts()["shop prints"], "hidden-defect");
    assert_eq!(said(&ran, "whole-passes"), 1);
    let calls = std::fs::read_to_string(project.root.join("calls")).unwrap();
    assert_eq!(calls.matches("prints").count(), 1, "{calls}");
    // No trial is said to have run among the suspects: the pass that would have been such is made again among all.
    let explained = project
        .run(&["explain", "prints", "-v"])
        .exits_with(0)
        .stdout;
    assert!(!explained.contains("among the suspects"), "{explained}");
}

#[test]
fn a_failure_of_which_the_first_trial_of_its_name_knows_nothing_is_shown() {
    let project = project(
        "{ echo '<testsuites><testsuite name=\"Chrome\">'; case_of opens; echo '</testsuite><testsuite name=\"Firefox\">'
           case_of opens $bad; echo '</testsuite></testsuites>'; } > $1",
    );
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(0);
    let report = ran.json();
    let test = &report["tests"][0];
    assert_eq!(test["verdict"], "undetermined");
    assert_eq!(test["reason"], "only further trials failed");
    assert!(0 < test["target"]["further_failures"].as_u64().unwrap());
    let page = project.run(&["explain", "opens"]).exits_with(0).stdout;
    assert!(page.contains("of its further trials failed"), "{page}");
    assert!(!page.contains("never failed:"), "{page}");
}
