//! What people read of results that were made elsewhere: what `ingest` says, the page, and a test explained. Each is held as
//! it is printed, but for ids and the time.

mod support;

use std::fmt::Write as _;

use support::Project;

/// The tests of the suite, in the order in which a job runs them.
const TESTS: [&str; 7] = [
    "adds",
    "due_date_is_local",
    "evicts",
    "needs_gpu",
    "prints",
    "refunds",
    "rounds",
];

/// A report of one job: what fails in it, what it skips, and where it died.
struct Job<'a> {
    moment: u32,
    failing: &'a [(&'a str, &'a str)],
    skipped: &'a [&'a str],
    last: usize,
}

impl Job<'_> {
    fn xml(&self) -> String {
        let mut xml = format!(
            "<testsuites><testsuite name=\"shop\" timestamp=\"2026-03-01T10:{:02}:00\">",
            self.moment
        );
        for test in &TESTS[..self.last] {
            let failing = self.failing.iter().find(|(name, _)| name == test);
            let inside = match failing {
                Some((_, message)) => {
                    format!(
                        "<failure message=\"{message}\">shop/{test}.py:12: AssertionError</failure>"
                    )
                }
                None if self.skipped.contains(test) => "<skipped/>".to_owned(),
                None => String::new(),
            };
            let _ = write!(
                xml,
                "<testcase name=\"{test}\" classname=\"shop\" time=\"0.1{:02}\">{inside}</testcase>",
                self.moment
            );
        }
        xml + "</testsuite></testsuites>\n"
    }
}

/// Four commits with two jobs of each arm. One test fails in the target always, one now and then in both; one is skipped
/// everywhere, one is run in the target only; some jobs of the target died before they got to the last two tests.
fn matrix() -> Project {
    let project = Project::empty("results");
    for block in 0..4 {
        for pass in 0..2 {
            let moment = block * 10 + pass;
            let evicts = ("evicts", "expected 3 entries, found 4");
            let due = ("due_date_is_local", "expected 2026-03-01, found 2026-02-28");
            let low = Job {
                moment,
                failing: if block == 0 { &[evicts] } else { &[] },
                skipped: &["needs_gpu", "prints"],
                last: TESTS.len(),
            };
            let high = Job {
                moment: moment + 5,
                failing: if pass == 1 { &[due, evicts] } else { &[due] },
                skipped: &["needs_gpu"],
                last: if block == 1 || moment == 31 {
                    5
                } else {
                    TESTS.len()
                },
            };
            project.write(&format!("ci/{block}/low-{pass}.xml"), &low.xml());
            project.write(&format!("ci/{block}/high-{pass}.xml"), &high.xml());
        }
    }
    project
}

/// Takes in the jobs of an arm and block.
fn ingest(project: &Project, block: u32, profile: &str) -> support::Ran {
    let files = format!("ci/{block}/{profile}-*.xml");
    let commit = format!("c0ffee{block}");
    project.run(&[
        "ingest",
        "--fidelity-profile",
        profile,
        "--commit",
        &commit,
        &files,
    ])
}

/// Replaces what differs from run to run.
fn settled<T>(page: &str, check: impl FnOnce(&str) -> T) -> T {
    insta::with_settings!({ filters => vec![
        (r"\b[0-9a-f]{8}\b", "[run id]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[time]"),
        (r"\d{4}-\d\d-\d\d( +run)", "[date]$1"),
        (r"/tmp/[^ \n]*/results", "[project]"),
    ]}, { check(page) })
}

#[test]
fn what_a_matrix_comes_to_reads_well() {
    let project = matrix();
    let first = ingest(&project, 0, "low").exits_with(0);
    settled(&first.stderr, |text| {
        insta::assert_snapshot!("ingest_first_said", text);
    });
    settled(&first.stdout, |text| {
        insta::assert_snapshot!("ingest_first", text);
    });
    for (block, profile) in [
        (0, "high"),
        (1, "low"),
        (1, "high"),
        (2, "low"),
        (2, "high"),
        (3, "low"),
    ] {
        let _ = ingest(&project, block, profile);
    }
    let last = ingest(&project, 3, "high").exits_with(1);
    settled(&last.stdout, |text| {
        insta::assert_snapshot!("ingest_last", text);
    });
    let report = project.run(&["report"]).exits_with(1);
    assert_eq!(report.stdout, last.stdout);
    a_filterset_narrows_the_page(&project);
    for (name, test) in [
        ("ingest_explain", "due_date"),
        ("ingest_explain_absent", "refunds"),
    ] {
        let explained = project.run(&["explain", test]).exits_with(0);
        settled(&explained.stdout, |text| {
            insta::assert_snapshot!(name, text);
        });
    }
    let json = project
        .run(&["report", "--no-gate", "--format", "json"])
        .exits_with(0)
        .json();
    let tests = json["tests"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let of = |name: &str| {
        let test = tests.iter().find(|test| test["test"] == name);
        let counts = |arm: &str| {
            let arm = test.map(|test| &test[arm]);
            arm.map(|arm| {
                [&arm["trials"], &arm["skipped"], &arm["absent"]].map(serde_json::Value::as_u64)
            })
        };
        [counts("baseline"), counts("target")].map(Option::unwrap_or_default)
    };
    assert_eq!(of("adds"), [[Some(8), None, None]; 2]);
    assert_eq!(
        of("refunds"),
        [[Some(8), None, None], [Some(5), None, Some(3)]]
    );
    assert_eq!(of("needs_gpu"), [[Some(0), Some(8), None]; 2]);
}

#[test]
fn the_configuration_says_how_severe_failures_of_ingested_tests_are() {
    let project = matrix();
    let rules = "[[tests]]\nfilter = \"package(shop)\"\nseverity = \"low\"\n\n[[tests]]\nfilter = \"test(due_date)\"\nseverity = \"critical\"\n";
    project.write("fidelity.toml", rules);
    let _low = ingest(&project, 0, "low").exits_with(0);
    let _high = ingest(&project, 0, "high");
    let asked = [
        "report",
        "--format",
        "json",
        "--no-gate",
        "-E",
        "severity(critical)",
    ];
    let report = project.run(&asked).exits_with(0).json();
    assert_eq!(
        report["tests"].as_array().map(Vec::len),
        Some(1),
        "{report}"
    );
    assert_eq!(report["tests"][0]["test"], "due_date_is_local", "{report}");
    let said = &report["tests"][0]["annotation"];
    assert_eq!(said["severity_place"], "fidelity.toml:6", "{report}");
    let problems = report["problems"].to_string();
    assert!(
        problems.contains("the rule at fidelity.toml:2"),
        "{problems}"
    );
    // There is no suite here: the store knows the tests.
    let ask = |words: &[&str], code: i32| project.run(words).exits_with(code);
    let asked = ["list", "--format", "json", "-E", "severity(critical)"];
    let listed = ask(&asked, 0).json();
    assert_eq!(listed["available"], 7, "{listed}");
    assert_eq!(
        listed["tests"].as_array().map(Vec::len),
        Some(1),
        "{listed}"
    );
    let told = listed["problems"].to_string();
    assert!(
        told.contains("the last 2 runs of results that were ingested"),
        "{told}"
    );
    let _refused = ask(&["list", "-E", "kind(unit)"], 2);
    let audit = ask(&["audit", "--format", "json"], 0).json();
    assert_eq!(audit["kinds"][0]["kind"], "unknown", "{audit}");
    let trials = audit["trials"].as_array().map(Vec::len);
    assert_eq!(trials, Some(2), "{audit}");
}

/// The page and the gate are those of some tests; everything is taken in.
fn a_filterset_narrows_the_page(project: &Project) {
    let some = |expression: &str| {
        let file = "ci/3/high-1.xml";
        let arm = [
            "ingest",
            "--fidelity-profile",
            "high",
            "--commit",
            "c0ffee3",
        ];
        project.run(&[&arm[..], &[file, "-E", expression]].concat())
    };
    let page = some("verdict(hidden-defect)").exits_with(1).stdout;
    assert!(page.contains(" of 7 tests"), "{page}");
    let refused = some("kind(unit)").exits_with(2);
    assert!(
        refused
            .stderr
            .contains("reports name no packages, targets and kinds"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_page_of_a_partial_ingest_names_what_was_not_read_and_the_exit_code() {
    let project = matrix();
    let _ = ingest(&project, 1, "low").exits_with(0);
    project.write("ci/1/high-broken.xml", "<testsuites><testsuite name=\"s\">");
    let high = |extra: &[&str]| {
        let mut arguments = vec![
            "ingest",
            "--fidelity-profile",
            "high",
            "--commit",
            "c0ffee1",
        ];
        arguments.extend(extra);
        arguments.extend(["ci/1/high-*.xml", "ci/1/nowhere.xml"]);
        project.run(&arguments)
    };
    let dry = high(&["--dry-run"]).exits_with(6);
    let names = "ci/1/high-broken.xml and ci/1/nowhere.xml";
    let said =
        format!("not read: {names} [exit code 6 (some input could not be read, the rest was)]");
    assert!(dry.stderr.contains(&said), "{}", dry.stderr);
    let ran = high(&["--fail-on", "broken"]).exits_with(6);
    let told = format!("NOT READ  {names}; the rest was taken in.");
    assert!(ran.stdout.contains(&told), "{}", ran.stdout);
    let last = ran.stdout.lines().last().expect("a page");
    assert!(last.starts_with("GATE PASSED"), "{last}");
    assert!(
        last.ends_with("[exit code 6: some input could not be read]"),
        "{last}"
    );
    // What is there already is left out, and what was not read is told again; also where no gate is asked for.
    let again = high(&["--no-gate"]).exits_with(6);
    assert!(again.stdout.contains(&told), "{}", again.stdout);
    assert!(again.stdout.contains("[exit code 6:"), "{}", again.stdout);
    // A gate that fails has the exit code, and the page does not claim another.
    let failed = high(&["--fail-on", "undetermined"]).exits_with(1);
    assert!(failed.stdout.contains(&told), "{}", failed.stdout);
    assert!(
        failed.stdout.ends_with("[exit code 1]\n"),
        "{}",
        failed.stdout
    );
    // The stored run knows of no call.
    let report = project
        .run(&["report", "--fail-on", "broken"])
        .exits_with(0);
    assert!(!report.stdout.contains("NOT READ"), "{}", report.stdout);
}
