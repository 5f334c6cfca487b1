//! The annotated example, on the real binary: its list, its run, its gate, and what `cargo test` says of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use support::{Project, repository};

/// Returns a copy of the example that finds the macros where they are.
fn example() -> Project {
    let project = Project::copy_of("examples/annotated");
    let manifest = std::fs::read_to_string(project.root.join("Cargo.toml")).unwrap();
    let macros = repository().join("fidelity-macros");
    let manifest = manifest.replace("../../fidelity-macros", macros.to_str().unwrap());
    project.write("Cargo.toml", &manifest);
    project
}

fn test<'a>(report: &'a Value, name: &str) -> &'a Value {
    let tests = report["tests"].as_array().unwrap();
    let found = tests.iter().find(|test| test["test"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

fn messages(report: &Value, kind: &str) -> Vec<String> {
    let problems = report["problems"].as_array().unwrap().iter();
    let of_kind = problems.filter(|problem| problem["kind"] == kind);
    of_kind
        .map(|problem| problem["message"].as_str().unwrap().to_owned())
        .collect()
}

/// Test, verdict and reason, as the README of the example promises.
const EXPECTED: [(&str, &str, &str); 10] = [
    ("tests::an_order_gets_the_next_number", "stable", ""),
    ("tests::taxes_are_added::case_3_rounded", "stable", ""),
    ("tests::waiting_costs_no_order", "stable", ""),
    ("a_hundred_orders_are_exported", "hidden-defect", "always"),
    ("two_hundred_orders_are_exported", "hidden-defect", "always"),
    ("orders_are_taken_from_outside", "stable", "target only"),
    ("a_catalogue_is_printed_in_apia", "broken", "target only"),
    ("a_card_is_charged", "stable", "baseline only"),
    (
        "orders_survive_a_restart",
        "undetermined",
        "not compared: no trial",
    ),
    (
        "a_profile_that_is_mistyped_is_told",
        "undetermined",
        "not compared: no trial",
    ),
];

#[test]
fn a_run_obeys_what_the_tests_say() {
    let project = example();
    let arguments = ["run", "--format", "json", "--seed", "7"];
    let report = project.run(&arguments).exits_with(1).json();
    for (name, verdict, reason) in EXPECTED {
        let test = test(&report, name);
        assert_eq!(test["verdict"], verdict, "{name}");
        assert_eq!(test["reason"], reason, "{name}");
    }
    let capped = test(&report, "tests::waiting_costs_no_order");
    assert_eq!(capped["target"]["trials"], 2, "{capped}");
    let lone = test(&report, "a_catalogue_is_printed_in_apia");
    let trials = [&lone["baseline"]["trials"], &lone["target"]["trials"]];
    assert_eq!(trials, [0, 5]);
    assert_eq!(
        messages(&report, "unknown-fidelity-profile"),
        [
            "the annotation at tests/shop.rs:34 names the fidelity profile `hihg`, which does not exist; did you mean `high`?"
        ]
    );
    let expired = messages(&report, "expired-quarantine").remove(0);
    assert!(expired.contains("warehouse answers for it"), "{expired}");
    the_gate_knows_quarantines(&project);
    what_was_seen_can_be_asked_for(&project);
    a_stored_run_is_asked_in_the_same_language(&project);
    a_test_is_looked_for_among_those_of_a_filterset(&project);
    the_audit_tells_what_is_mocked_and_what_was_exposed(&project);
}

fn the_gate_knows_quarantines(project: &Project) {
    let page = project.run(&["report"]).exits_with(1).stdout;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "GATE FAILED 1 test hidden-defect, 1 test broken, 1 quarantine expired (of warehouse)",
        "two_hundred_orders_are_exported (in quarantine)",
        "STABLE 9 tests: no failure in at least 2 high passes (1 is run in low only): a rate above",
    ] {
        assert!(page.contains(words), "{page}");
    }
    let alone = project.run(&["report", "--fail-on", "expired-quarantine"]);
    let page = alone.exits_with(1).stdout;
    assert!(page.contains("1 quarantine expired"), "{page}");
    let other = project.run(&["report", "--fail-on", "baseline-only"]);
    let page = other.exits_with(0).stdout;
    assert!(page.contains("GATE PASSED"), "{page}");
}

fn what_was_seen_can_be_asked_for(project: &Project) {
    let list = |expression: &str| {
        let listed = project.run(&["list", "--format", "json", "-E", expression]);
        let listed = listed.exits_with(0).json();
        let tests = listed["tests"].as_array().unwrap().clone();
        tests
            .iter()
            .map(|test| test["test"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list("kind(e2e) & verdict(broken)"),
        ["a_catalogue_is_printed_in_apia"]
    );
    assert_eq!(
        list("verdict(hidden-defect) & !quarantined()"),
        ["a_hundred_orders_are_exported"]
    );
    assert_eq!(list("needs(service.*)"), ["orders_survive_a_restart"]);
    assert_eq!(list("mocks(cards) & severity(high)").len(), 3);
    let again = ["run", "-E", "verdict(hidden-defect)", "--dry-run"];
    let plan = project.run(&again).exits_with(0).stdout;
    assert!(plan.contains("2 tests"), "{plan}");
}

fn a_stored_run_is_asked_in_the_same_language(project: &Project) {
    let report = |expression: &str| project.run(&["report", "--format", "json", "-E", expression]);
    let shown = report("kind(e2e) - verdict(undetermined)")
        .exits_with(1)
        .json();
    let names: Vec<&str> = shown["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["test"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "a_card_is_charged",
            "a_catalogue_is_printed_in_apia",
            "orders_are_taken_from_outside"
        ]
    );
    assert_eq!(shown["tests_left_out"], 11, "{shown}");
    // The gate is that of the tests that are shown.
    let calm = report("binary(storage) & verdict(stable) - quarantined()");
    let calm = calm.exits_with(0).json();
    let rule = &calm["tests"][0]["annotation"];
    assert_eq!(rule["severity"], "high", "{calm}");
    assert_eq!(rule["severity_place"], "fidelity.toml:16", "{calm}");
    let page = project
        .run(&["report", "-E", "needs(network)"])
        .exits_with(0);
    assert!(page.stdout.contains("1 of 14 tests"), "{}", page.stdout);
    let csv = project.run(&["report", "--format", "csv", "-E", "needs(network)"]);
    let csv = csv.exits_with(0).stdout;
    let mut lines = csv.lines().skip(1);
    assert!(
        lines.all(|line| line.contains("a_card_is_charged")),
        "{csv}"
    );
    let slip = report("package(anotated)").exits_with(2);
    assert!(
        slip.stderr.contains("did you mean `annotated`?"),
        "{}",
        slip.stderr
    );
    let none = report("none()").exits_with(2);
    assert!(
        none.stderr.contains("has no test of this filterset"),
        "{}",
        none.stderr
    );
}

fn a_test_is_looked_for_among_those_of_a_filterset(project: &Project) {
    // Tests of one arm are compared with nothing, and judged all the same.
    let broken = project.run(&["report", "-E", "test(apia)"]).exits_with(1);
    assert!(broken.stdout.contains("GATE FAILED"), "{}", broken.stdout);
    let fine = project
        .run(&["report", "-E", "test(card_is)"])
        .exits_with(0);
    assert!(
        fine.stdout.contains("GATE PASSED  none of these tests is"),
        "{}",
        fine.stdout
    );
    let nowhere = project.run(&["explain", "restart"]).exits_with(0).stdout;
    assert!(!nowhere.contains("more passes of it"), "{nowhere}");
    let alone = ["explain", "-E", "verdict(hidden-defect) - quarantined()"];
    let alone = project.run(&alone).exits_with(0).stdout;
    assert!(alone.contains("a_hundred_orders_are_exported"), "{alone}");
    let many = project
        .run(&["explain", "-E", "quarantined()"])
        .exits_with(2);
    assert!(
        many.stderr.contains("the filterset fits 2 tests"),
        "{}",
        many.stderr
    );
    let nothing = ["attribute", "-E", "verdict(stable)"];
    let nothing = project.run(&nothing).exits_with(2);
    assert!(
        nothing
            .stderr
            .contains("no hidden defect of this filterset"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn the_audit_tells_what_this_machine_has_from_what_it_has_not() {
    let project = example();
    let cpus = std::thread::available_parallelism().unwrap().get();
    let audit = |cpus: usize| {
        let set = format!("production.cpus={cpus}");
        let audit = project.run(&["audit", "--format", "json", "--set", &set]);
        audit.exits_with(0).json()
    };
    let row = |audit: &Value| {
        let rows = audit["differences"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["knob"] == "cpus")
    };
    let same = audit(cpus);
    let had = same["production_had_here"].to_string();
    assert!(
        had.contains(&format!("{{\"knob\":\"cpus\",\"value\":\"{cpus}\"}}")),
        "{had}"
    );
    assert_eq!(row(&same), None);
    assert!(!same["invest"].to_string().contains("`cpus`"), "{same}");
    let other = row(&audit(cpus + 1)).unwrap();
    assert_eq!(other["standing"], "only-in-production", "{other}");
    let reason = other["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("which has {cpus}")), "{reason}");
}

fn the_audit_tells_what_is_mocked_and_what_was_exposed(project: &Project) {
    let audit = project
        .run(&["audit", "--format", "json"])
        .exits_with(0)
        .json();
    let kinds = audit["kinds"].as_array().unwrap();
    let tests: Vec<u64> = kinds
        .iter()
        .map(|kind| kind["tests"].as_u64().unwrap())
        .collect();
    assert_eq!(tests, [5, 4, 5]);
    let stripe = &audit["substitutes"].as_array().unwrap()[0];
    assert_eq!(stripe["component"], "cards", "{stripe}");
    assert_eq!(stripe["tests_mocking"], 5, "{stripe}");
    assert_eq!(stripe["tests_real"], 1, "{stripe}");
    let differences = audit["differences"].as_array().unwrap();
    let knob = |name: &str| {
        let found = differences.iter().find(|row| row["knob"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {differences:?}"))
    };
    // Two tests fail by one cause, which the run showed.
    let open_files = knob("open-files");
    assert_eq!(open_files["caused"], 1, "{open_files}");
    assert!(
        0.9 < open_files["exposed"].as_f64().unwrap(),
        "{open_files}"
    );
    for innocent in ["network", "tz", "env.ORDERS_URL"] {
        let exposed = knob(innocent)["exposed"].as_f64();
        assert!(exposed < Some(0.1), "{differences:?}");
    }
    assert_eq!(
        messages(&audit, "unknown-fidelity-profile").len(),
        1,
        "{audit}"
    );
    assert_eq!(audit["invest"].as_array().unwrap().len(), 3);
    let some = ["audit", "-E", "kind(e2e)", "--format", "json"];
    let some = project.run(&some).exits_with(0).json();
    let tests = some["kinds"].as_array().unwrap().iter();
    let tests: Vec<u64> = tests.map(|it| it["tests"].as_u64().unwrap()).collect();
    assert_eq!((tests, &some["tests"]), (vec![0, 0, 5], &Value::from(14)));
    for arguments in [&["audit"][..], &["audit", "--format", "markdown"]] {
        let page = project.run(arguments).exits_with(0).stdout;
        assert!(page.contains("cards"), "{page}");
    }
}

#[test]
fn the_list_says_where_tests_run_before_anything_ran() {
    let project = example();
    let listed = project.run(&["list"]).exits_with(0);
    insta::assert_snapshot!("list", listed.stdout);
    let refused = project
        .run(&["list", "-E", "verdict(flakey)"])
        .exits_with(2);
    assert!(
        refused.stderr.contains("did you mean `flaky`?"),
        "{}",
        refused.stderr
    );
    let nothing = project.run(&["list", "-E", "none()"]).exits_with(2);
    assert_eq!(nothing.stdout, "");
    let empty = ["list", "-E", "none()", "--no-tests", "pass"];
    let empty = project.run(&empty).exits_with(0);
    assert!(
        empty.stdout.starts_with("0 of 14 tests"),
        "{}",
        empty.stdout
    );
}

/// Tests that a macro writes, annotated in it.
const MADE: &str = r#"
use fidelity_macros::fidelity;

macro_rules! made {
    ($($name:ident)*) => { $(
        #[fidelity(kind = "e2e", needs("network"))]
        #[test]
        fn $name() {}
    )* };
}

made! { one two }

#[fidelity(kind = "unit", mocks("clock"))]
mod inner {
    use fidelity_macros::fidelity;
    made! { three }
    #[test]
    fn four() {}
}
"#;

const DOCUMENTED: &str = "\n/// ```\n/// assert_eq!(annotated::documented(), 1);\n/// ```\npub fn documented() -> u32 {\n    1\n}\n";

#[test]
fn annotations_in_macros_hold_and_doctests_are_said_to_be_left_out() {
    let project = example();
    project.write("tests/made.rs", MADE);
    let source = std::fs::read_to_string(project.root.join("src/lib.rs")).unwrap();
    project.write("src/lib.rs", &format!("{source}{DOCUMENTED}"));
    let listed = project.run(&["list", "--format", "json", "-E", "binary(made)"]);
    let listed = listed.exits_with(0).json();
    let said = |name: &str| {
        let test = test(&listed, name);
        let annotation = &test["annotation"];
        (
            test["kind"].clone(),
            annotation["needs"].clone(),
            annotation["mocks"].clone(),
        )
    };
    let (network, clock) = (serde_json::json!(["network"]), serde_json::json!(["clock"]));
    for name in ["one", "two"] {
        assert_eq!(said(name), ("e2e".into(), network.clone(), Value::Null));
    }
    assert_eq!(said("inner::three"), ("e2e".into(), network, clock.clone()));
    assert_eq!(said("inner::four"), ("unit".into(), Value::Null, clock));
    assert_eq!(messages(&listed, "doctests-not-run").len(), 1, "{listed}");
}

#[test]
fn plain_cargo_test_ignores_what_means_nothing_there_and_runs_the_rest() {
    let project = example();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args(["test", "--no-fail-fast", "--manifest-path"])
        .arg(project.root.join("Cargo.toml"))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    for line in [
        "test a_catalogue_is_printed_in_apia ... ignored, fidelity: meant for the fidelity profile `high`, where cargo fidelity runs it",
        "test orders_are_taken_from_outside ... ignored, fidelity: meant for",
        "test tests::taxes_are_added::case_1_none ... ok",
        "test a_card_is_charged ... ok",
        "test orders_survive_a_restart ... FAILED",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
}
