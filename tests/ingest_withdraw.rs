//! Results that were taken in by mistake, with the real binary: they are taken back, and everybody can see that.

mod support;

use support::{Project, Ran};

/// A report of three tests of which one fails in the target; `number` tells reports apart.
fn report(number: u32, fails: bool) -> String {
    let failure = match fails {
        true => "<failure message=\"no such zone\"/>",
        false => "",
    };
    format!(
        "<testsuite name=\"shop\" timestamp=\"2026-03-01T10:{number:02}:00\">\
         <testcase name=\"adds\" classname=\"shop\" time=\"0.1\"/>\
         <testcase name=\"due_date\" classname=\"shop\" time=\"0.{number:03}\">{failure}</testcase>\
         <testcase name=\"evicts\" classname=\"shop\" time=\"0.1\"/></testsuite>"
    )
}

/// Five blocks, each with a pass of either arm.
fn matrix(name: &str) -> Project {
    let project = Project::empty(name);
    for block in 0..5 {
        project.write(&format!("ci/{block}/low.xml"), &report(block, false));
        project.write(&format!("ci/{block}/high.xml"), &report(block + 30, true));
    }
    project
}

fn ingest(project: &Project, block: u32, profile: &str, file: &str) -> Ran {
    let file = format!("ci/{block}/{file}.xml");
    let block = block.to_string();
    let place = ["--commit", "c0ffee", "--block", &block];
    let words = ["ingest", "--no-gate", "--format", "json"];
    let of = ["--fidelity-profile", profile, &file];
    let ran = project.run(&[&words[..], &place, &of].concat());
    ran.exits_with(0)
}

fn take_in(project: &Project, blocks: std::ops::Range<u32>) {
    for block in blocks {
        let _ = ingest(project, block, "low", "low");
        let _ = ingest(project, block, "high", "high");
    }
}

fn run_of(ran: &Ran) -> String {
    ran.json()["run"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn withdraw(project: &Project, run: &str) -> Ran {
    let words = ["ingest", "--no-gate", "--withdraw", run];
    project.run(&[&words[..], &["--reason", "the wrong image"]].concat())
}

fn path(project: &Project) -> String {
    project.root.join(".fidelity").display().to_string()
}

/// Returns what was compared and what came of it, without what is the run's own.
fn comparison(project: &Project) -> (serde_json::Value, serde_json::Value) {
    let report = project
        .run(&["report", "--no-gate", "--format", "json"])
        .exits_with(0)
        .json();
    let mut ingested = report["run"]["ingested"].clone();
    ingested["withdrawn"] = serde_json::Value::Null;
    (ingested, report["tests"].clone())
}

fn withdrawn(project: &Project) -> Vec<serde_json::Value> {
    let report = project.run(&["report", "--no-gate", "--format", "json"]);
    let withdrawn = report.json()["run"]["ingested"]["withdrawn"].clone();
    withdrawn.as_array().cloned().unwrap_or_default()
}

#[test]
fn what_was_taken_in_by_mistake_is_taken_back_and_that_is_told() {
    let project = matrix("results");
    take_in(&project, 0..4);
    let wrong = ingest(&project, 4, "low", "high");
    let looked = project.run(&[
        "ingest",
        "--dry-run",
        "--withdraw",
        &run_of(&wrong),
        "--reason",
        "the wrong image",
    ]);
    assert!(
        looked.stderr.contains("would be withdrawn: run "),
        "{}",
        looked.stderr
    );
    assert!(withdrawn(&project).is_empty());
    let ran = withdraw(&project, &run_of(&wrong)).exits_with(0);
    let said = "1 pass of low from 1 file (ci/4/high.xml)";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let line = "withdrawn: 1 pass of low that came with run ";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
    assert!(ran.stdout.contains("the wrong image"), "{}", ran.stdout);
    let told = withdrawn(&project);
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(told["run"], run_of(&wrong));
    assert_eq!(told["reason"], "the wrong image");
    let passes = (&told["baseline_passes"], &told["target_passes"]);
    assert_eq!(passes, (&1.into(), &0.into()));
    // A second time nothing happens.
    let list = || project.run(&["report", "--list"]).stdout;
    let before = list().split_whitespace().collect::<Vec<_>>().join(" ");
    let again = withdraw(&project, &run_of(&wrong)).exits_with(0);
    assert!(
        again.stderr.contains(" was withdrawn at "),
        "{}",
        again.stderr
    );
    assert_eq!(
        list().split_whitespace().collect::<Vec<_>>().join(" "),
        before
    );
    assert!(before.contains("ingested, and withdrawn"), "{before}");
    assert!(
        before.contains(&format!("withdraws {}", &run_of(&wrong)[..8])),
        "{before}"
    );
}

#[test]
fn what_was_taken_back_leaves_nothing_behind_and_can_be_put_right() {
    let project = matrix("results");
    take_in(&project, 0..4);
    // The two jobs of the last block the wrong way round.
    let wrong = ingest(&project, 4, "low", "high");
    let also = ingest(&project, 4, "high", "low");
    for run in [&wrong, &also] {
        let _ = withdraw(&project, &run_of(run)).exits_with(0);
    }
    assert_eq!(withdrawn(&project).len(), 2);
    let other = matrix("results");
    take_in(&other, 0..4);
    assert_eq!(
        comparison(&project),
        comparison(&other),
        "as if it had never been"
    );
    take_in(&project, 4..5);
    take_in(&other, 4..5);
    assert_eq!(
        comparison(&project),
        comparison(&other),
        "and it can be put right"
    );
    let explained = project.run(&["explain", "due_date"]).exits_with(0).stdout;
    assert!(!explained.contains(&run_of(&wrong)[..8]), "{explained}");
}

#[test]
fn what_is_taken_back_at_once_is_told_at_once_and_audited_no_more() {
    let project = matrix("results");
    let runs = [0, 1, 2].map(|block| run_of(&ingest(&project, block, "high", "high")));
    let _ = ingest(&project, 0, "low", "low");
    let audited = || project.run(&["audit"]).exits_with(0).stdout;
    assert!(
        audited().contains("TRIALS  12 in the last 4 runs"),
        "{}",
        audited()
    );
    let named = runs.iter().flat_map(|run| ["--withdraw", run]);
    let words = ["ingest", "--no-gate", "--reason", "the wrong image"];
    let ran = project.run(&words.into_iter().chain(named).collect::<Vec<_>>());
    let page = ran.exits_with(0).stdout;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        page.contains("withdrawn: 3 passes of high that came with run "),
        "{page}"
    );
    assert!(page.contains(" and 2 other runs, since "), "{page}");
    assert!(
        audited().contains("TRIALS  3 in the last 2 runs"),
        "{}",
        audited()
    );
}

#[test]
fn a_withdrawal_joins_in_any_order_and_any_number_of_times() {
    let first = matrix("first");
    take_in(&first, 0..2);
    let wrong = run_of(&ingest(&first, 2, "low", "high"));
    let second = matrix("second");
    let _ = second
        .run(&["ingest", "--no-gate", &path(&first)])
        .exits_with(0);
    let _ = withdraw(&second, &wrong).exits_with(0);
    // Meanwhile the first goes on, and knows nothing of it.
    take_in(&first, 3..5);
    let joined = |order: &[&Project]| {
        let place = Project::empty("joined");
        for other in order {
            let _ = place
                .run(&["ingest", "--no-gate", &path(other)])
                .exits_with(0);
        }
        assert_eq!(withdrawn(&place).len(), 1);
        comparison(&place)
    };
    let expected = matrix("expected");
    take_in(&expected, 0..2);
    take_in(&expected, 3..5);
    for order in [
        &[&first, &second][..],
        &[&second, &first],
        &[&second, &first, &second, &first],
    ] {
        assert_eq!(joined(order), comparison(&expected));
    }
}

#[test]
fn what_was_withdrawn_can_be_taken_in_again_but_not_as_what_was_exported_of_it() {
    let project = matrix("results");
    take_in(&project, 0..3);
    let before = comparison(&project);
    let run = run_of(&ingest(&project, 3, "high", "high"));
    let with_it = comparison(&project);
    let csv = project
        .run(&["report", "--no-gate", "--format", "csv"])
        .stdout;
    let _ = withdraw(&project, &run).exits_with(0);
    assert_eq!(comparison(&project), before);
    project.write("all.csv", &csv);
    let ran = project
        .run(&["ingest", "--no-gate", "all.csv"])
        .exits_with(0);
    let said = format!(
        "1 pass of all.csv left out: withdrawn with run {}",
        &run[..8]
    );
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(comparison(&project), before);
    let exported = project
        .run(&["report", "--no-gate", "--format", "csv"])
        .stdout;
    assert!(csv.contains(&run) && !exported.contains(&run));
    // Somewhere else it was taken in before anybody knew.
    let other = Project::empty("other");
    other.write("all.csv", &csv);
    let _ = other.run(&["ingest", "--no-gate", "all.csv"]).exits_with(0);
    assert_eq!(comparison(&other).1, with_it.1);
    let _ = other
        .run(&["ingest", "--no-gate", &path(&project)])
        .exits_with(0);
    assert_eq!(comparison(&other).1, before.1);
    let _ = ingest(&project, 3, "high", "high");
    assert_eq!(comparison(&project), with_it);
}

#[test]
fn everything_can_be_withdrawn_and_a_test_that_is_left_nowhere_is_none() {
    let project = matrix("results");
    project.write(
        "ci/0/only.xml",
        "<testsuite name=\"shop\"><testcase name=\"elsewhere\" classname=\"shop\"/></testsuite>",
    );
    let low = run_of(&ingest(&project, 0, "low", "low"));
    let only = run_of(&ingest(&project, 0, "high", "only"));
    let _ = withdraw(&project, &only).exits_with(0);
    let tests = comparison(&project).1;
    assert!(!tests.to_string().contains("elsewhere"), "{tests}");
    let _ = withdraw(&project, &low).exits_with(0);
    let page = project.run(&["report"]).exits_with(0).stdout;
    for said in [
        "withdrawn: 1 pass of low",
        "GATE SAYS NOTHING",
        "cargo fidelity ingest",
    ] {
        assert!(page.contains(said), "{page}");
    }
    assert_eq!(comparison(&project).1, serde_json::json!([]));
}

#[test]
fn a_withdrawal_says_which_run_and_why() {
    let project = matrix("results");
    let empty = project.run(&["ingest", "--withdraw", "latest", "--reason", "x"]);
    let _ = empty.exits_with(2);
    assert!(!project.root.join(".fidelity").exists());
    take_in(&project, 0..1);
    let error = |words: &[&str]| {
        let ran = project.run(&[&["ingest"], words].concat());
        ran.exits_with(2).stderr
    };
    assert!(error(&["--withdraw", "latest"]).contains("--reason"));
    assert!(error(&["--reason", "x", "ci"]).contains("--withdraw"));
    assert!(error(&["--withdraw", "latest", "--reason", " "]).contains("--reason is empty"));
    assert!(error(&["--withdraw", "0000", "--reason", "x"]).contains("0000"));
    let _ = withdraw(&project, "latest").exits_with(0);
    // The newest run is now the one that withdraws.
    assert!(error(&["--withdraw", "latest", "--reason", "x"]).contains("holds no passes"));
}

#[test]
fn the_same_bytes_in_two_places_are_noticed() {
    let project = matrix("results");
    let low = run_of(&ingest(&project, 0, "low", "low"));
    let ran = ingest(&project, 0, "high", "low");
    let said = format!(
        "warning: ci/0/low.xml: the same bytes were taken in before as results of low in block 0 at commit c0ffee, with run {}",
        &low[..8]
    );
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    let kinds = ran.json()["problems"].to_string();
    assert!(kinds.contains("ingest-same-bytes"), "{kinds}");
    // In another block too; of what was taken back nothing is said.
    project.write("ci/7/low.xml", &report(0, false));
    let elsewhere = ingest(&project, 7, "low", "low");
    assert!(
        elsewhere.stderr.contains("the same bytes"),
        "{}",
        elsewhere.stderr
    );
    for run in [low, run_of(&ran), run_of(&elsewhere)] {
        let _ = withdraw(&project, &run).exits_with(0);
    }
    let right = ingest(&project, 0, "low", "low");
    assert!(!right.stderr.contains("the same bytes"), "{}", right.stderr);
}
