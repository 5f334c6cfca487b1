//! What results are called, with the real binary: names of commits that nobody knows, profiles that a CSV names, options without
//! effect.

mod support;

use support::{Project, Ran};

fn report(number: u32, fails: bool) -> String {
    let failure = match fails {
        true => "<failure message=\"no such zone\"/>",
        false => "",
    };
    format!(
        "<testsuite name=\"shop\"><testcase name=\"due_date\" classname=\"shop\" time=\"0.{number:03}\">{failure}\
         </testcase></testsuite>"
    )
}

/// A repository with a commit and a tag, and a report of each arm.
fn repository() -> (Project, String) {
    let project = Project::empty("results");
    project.write("low.xml", &report(1, false));
    project.write("high.xml", &report(2, true));
    let git = git2::Repository::init(&project.root).expect("a repository");
    let person = git2::Signature::new("A", "a@example.com", &git2::Time::new(1_800_000_000, 0));
    let person = person.expect("a person");
    let tree = git.treebuilder(None).and_then(|tree| tree.write());
    let tree = git
        .find_tree(tree.expect("a tree"))
        .expect("it was written");
    let id = git.commit(Some("HEAD"), &person, &person, "results", &tree, &[]);
    (project, id.expect("a commit").to_string())
}

fn ingest(project: &Project, profile: &str, commit: &str) -> Ran {
    let file = format!("{profile}.xml");
    let of = ["--fidelity-profile", profile, "--commit", commit, &file];
    project.run(&[&["ingest"], &of[..]].concat()).exits_with(0)
}

#[test]
fn a_commit_that_the_repository_does_not_know_is_doubted() {
    let (project, id) = repository();
    let _ = ingest(&project, "low", "HEAD");
    let ran = ingest(&project, "high", "HEAAD");
    let said = "warning: the repository knows no commit `HEAAD`: it is taken as a name";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the same; did you mean `HEAD`?"),
        "{}",
        ran.stderr
    );
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let asked = format!(
        "do they belong together? low without high: block of commit {}; high without low: block of commit HEAAD",
        &id[..10]
    );
    assert!(page.contains(&asked), "{}", ran.stdout);
    // One failed and the other did not: that is nothing, least of all flaky.
    assert!(page.contains("leans nowhere"), "{}", ran.stdout);
    // Once they have one name nothing is asked any more.
    let ran = ingest(&project, "high", &id[..12]);
    assert!(!ran.stderr.contains("knows no commit"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("do they belong"), "{}", ran.stdout);
    // Somewhere else there is nothing to compare with.
    let other = Project::empty("elsewhere");
    other.write("high.xml", &report(2, true));
    assert!(!ingest(&other, "high", "HEAAD").stderr.contains("warning"));
}

/// Takes in a CSV of three blocks in a project of its own.
fn exported() -> String {
    let project = Project::empty("results");
    for block in 0..3 {
        project.write("low.xml", &report(block, false));
        project.write("high.xml", &report(block + 100, true));
        for profile in ["low", "high"] {
            let _ = ingest(&project, profile, &format!("c{block}"));
        }
    }
    let csv = ["report", "--no-gate", "--format", "csv"];
    project.run(&csv).exits_with(0).stdout
}

#[test]
fn a_csv_of_other_fidelity_profiles_is_refused() {
    let csv = exported();
    assert!(
        csv.lines()
            .nth(1)
            .is_some_and(|line| line.ends_with(",low"))
    );
    let project = Project::empty("other");
    project.write("all.csv", &csv);
    let other = ["ingest", "--target-profile", "preset:hostile", "all.csv"];
    let ran = project.run(&other).exits_with(6);
    let said = "the target is `high` in this file, and `preset:hostile` in this comparison";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("hint: --baseline-profile and"),
        "{}",
        ran.stderr
    );
    let ran = project
        .run(&["ingest", "--no-gate", "all.csv"])
        .exits_with(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    // One that does not say it is taken at its word.
    let without: String = csv
        .lines()
        .map(|line| {
            line.rsplit_once(',')
                .map_or(line, |(rest, _)| rest)
                .to_owned()
                + "\n"
        })
        .collect();
    let place = Project::empty("without");
    place.write("all.csv", &without);
    let words = [
        "ingest",
        "--no-gate",
        "--target-profile",
        "preset:hostile",
        "all.csv",
    ];
    let ran = place.run(&words).exits_with(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn options_that_a_csv_makes_pointless_are_named() {
    let project = Project::empty("results");
    project.write("all.csv", &exported());
    project.write(
        "more.csv",
        "arm,binary,test,outcome\nbaseline,shop,due_date,passed\n",
    );
    let of = [
        "--fidelity-profile",
        "low",
        "--commit",
        "c9",
        "--block",
        "b",
        "--keep-names",
        "paths",
    ];
    let files = ["--no-gate", "all.csv", "more.csv"];
    let ran = project.run(&[&["ingest"], &of[..], &files].concat());
    for said in [
        "warning: --fidelity-profile, --keep-names have no effect on all.csv and 1 other file: what CSV says of itself holds",
        "warning: --commit, --block have no effect on all.csv: what CSV says of itself holds",
    ] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert!(
        ran.exits_with(0)
            .stderr
            .contains("block b at commit c9: 1 pass of low")
    );
    project.write(
        "german.csv",
        "arm;binary;test;outcome\nbaseline;shop;due_date;passed\n",
    );
    let ran = project
        .run(&["ingest", "--no-gate", "german.csv"])
        .exits_with(6);
    let said =
        "german.csv:1:1: its columns are separated by `;`; those of observations are by commas";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}
