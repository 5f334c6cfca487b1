//! Where the files to take in come from, with the real binary: packed, from standard input, a directory, a pattern; and
//! what becomes of a batch in which some are damaged.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use support::{Project, Ran};

/// A report of two tests, one of which fails, long enough for a packed one to be torn in the middle.
fn report(number: u32) -> String {
    let output: String = (0..2_000_u32)
        .map(|line| format!("{}\n", line.wrapping_mul(2_654_435_761) ^ number))
        .collect();
    format!(
        "<testsuite name=\"shop\"><testcase name=\"adds\" classname=\"shop\" time=\"0.{number:03}\">\
         <system-out>{output}</system-out></testcase>\
         <testcase name=\"evicts\" classname=\"shop\"><failure message=\"no\"/></testcase></testsuite>"
    )
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn write(project: &Project, path: &str, bytes: &[u8]) {
    project.write(path, "");
    fs::write(project.root.join(path), bytes).unwrap();
}

/// Takes in files as results of the target at one commit.
fn ingest(project: &Project, files: &[&str]) -> Ran {
    let of_all = [
        "ingest",
        "--no-gate",
        "--format",
        "json",
        "--fidelity-profile",
        "high",
        "--commit",
        "c0ffee",
    ];
    project.run(&[&of_all[..], files].concat())
}

/// Returns the passes of the target and the trials in them.
fn counts(ran: &Ran) -> (u64, u64) {
    let facts = &ran.json()["run"]["ingested"];
    (
        facts["target_passes"].as_u64().unwrap(),
        facts["trials"].as_u64().unwrap(),
    )
}

#[test]
fn packed_reports_are_read_from_a_directory_a_pattern_and_by_name() {
    let files = |project: &Project| {
        write(project, "ci/1.xml", report(1).as_bytes());
        write(project, "ci/deep/er/2.xml.gz", &packed(&report(2)));
        write(project, "ci/3.XML", &packed(&report(3)));
        // Packed in two pieces, as tools that append do.
        let [first, second] = [0, 4_000].map(|start| report(4)[start..].to_owned());
        write(
            project,
            "ci/4.xml.gz",
            &[packed(&first[..4_000]), packed(&second)].concat(),
        );
        write(project, "ci/notes.txt", b"no report");
    };
    for arguments in [
        &["ci"][..],
        &["ci/*.xml*", "ci/**/*.gz", "ci/3.XML"],
        &["ci", "ci/1.xml", "ci/*.gz"],
    ] {
        let project = Project::empty("results");
        files(&project);
        let ran = ingest(&project, arguments).exits_with(0);
        assert_eq!(counts(&ran), (4, 8), "{arguments:?}\n{}", ran.stderr);
    }
}

#[test]
fn a_report_is_the_same_packed_or_not() {
    let project = Project::empty("results");
    write(&project, "plain.xml", report(1).as_bytes());
    write(&project, "packed.xml.gz", &packed(&report(1)));
    let first = ingest(&project, &["plain.xml"]).exits_with(0);
    let again = ingest(&project, &["packed.xml.gz"]).exits_with(0);
    assert!(
        again
            .stderr
            .contains("1 file taken in before and left out: packed.xml.gz"),
        "{}",
        again.stderr
    );
    assert_eq!(first.stdout, again.stdout);
}

#[test]
fn standard_input_may_be_packed_and_stand_beside_files() {
    let project = Project::empty("results");
    write(&project, "1.xml", report(1).as_bytes());
    let arguments = [
        "ingest",
        "--no-gate",
        "--format",
        "json",
        "--fidelity-profile",
        "high",
        "--commit",
        "c",
        "-",
        "1.xml",
    ];
    let mut command = project.tool(&arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut tool = command.spawn().unwrap();
    tool.stdin
        .take()
        .unwrap()
        .write_all(&packed(&report(2)))
        .unwrap();
    let ran = Ran::of(tool.wait_with_output().unwrap()).exits_with(0);
    assert_eq!(counts(&ran), (2, 4), "{}", ran.stderr);
}

#[test]
fn damaged_files_are_named_and_the_rest_is_taken_in() {
    let project = Project::empty("results");
    let whole = packed(&report(2));
    let mut garbled = packed(&report(3));
    let middle = garbled.len() / 2;
    garbled[middle..middle + 40].fill(0xA5);
    let mut wrong_sum = packed(&report(4));
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    let damaged: [(&str, &[u8]); 6] = [
        ("torn.xml.gz", &whole[..whole.len() / 2]),
        ("short.xml.gz", &whole[..whole.len() - 3]),
        ("garbled.xml.gz", &garbled),
        ("sum.xml.gz", &wrong_sum),
        ("head.xml.gz", &[0x1F, 0x8B]),
        ("inside.xml.gz", &packed("<testsuite><testcase name='a'>")),
    ];
    for (name, bytes) in damaged {
        write(&project, &format!("ci/{name}"), bytes);
    }
    write(&project, "ci/0.xml.gz", &whole);
    write(&project, "ci/z.xml", report(5).as_bytes());
    let ran = ingest(&project, &["ci"]).exits_with(6);
    assert_eq!(counts(&ran), (2, 4), "{}", ran.stderr);
    for (name, _) in damaged {
        let of_file: Vec<&str> = ran
            .stderr
            .lines()
            .filter(|line| line.contains(&format!("ci/{name}")))
            .collect();
        assert_eq!(
            of_file.len(),
            2,
            "{name}: what is wrong, and what follows\n{}",
            ran.stderr
        );
        assert!(
            of_file[1].ends_with("nothing of it was taken in"),
            "{of_file:?}"
        );
    }
    // What was good is known now; what was damaged can be taken in once it is whole.
    write(&project, "ci/sum.xml.gz", &packed(&report(4)));
    let again = ingest(&project, &["ci/0.xml.gz", "ci/sum.xml.gz", "ci/z.xml"]).exits_with(0);
    assert_eq!(counts(&again), (3, 6), "{}", again.stderr);
}

#[test]
fn a_directory_with_a_store_beside_its_reports_hides_neither() {
    let project = Project::empty("job");
    write(&project, "out/1.xml", report(1).as_bytes());
    assert_eq!(counts(&ingest(&project, &["."])), (1, 2));
    // The store that this made is no reason to leave out what comes later.
    write(&project, "out/2.xml", report(2).as_bytes());
    assert_eq!(counts(&ingest(&project, &["."])), (2, 4));
    let other = Project::empty("other");
    let job = project.root.display().to_string();
    let ran = other.run(&["ingest", "--no-gate", "--format", "json", &job]);
    assert!(ran.stderr.contains("joined "), "{}", ran.stderr);
    let said = "of 2 .xml files there nothing is taken in (--fidelity-profile says what they are)";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    write(&project, "out/3.xml", report(3).as_bytes());
    assert_eq!(counts(&ingest(&other, &[&job])), (3, 6));
}

#[test]
fn a_pattern_finds_stores_and_directories_too() {
    let jobs = Project::empty("jobs");
    for (number, name) in (0..).zip(["jobs/a", "jobs/b", "jobs/c"]) {
        write(&jobs, &format!("{name}/r.xml"), report(number).as_bytes());
        let store = format!("{name}/.fidelity/history.db");
        if number < 2 {
            let file = format!("{name}/r.xml");
            let _ = ingest(&jobs, &["--store", &store, &file]).exits_with(0);
        }
    }
    for pattern in ["jobs/*/.fidelity", "jobs/*/.fidelity/history.db"] {
        let store = format!("{}.db", pattern.len());
        let ran = ingest(&jobs, &["--store", &store, pattern]).exits_with(0);
        assert_eq!(counts(&ran), (2, 4), "{pattern}");
    }
    let ran = ingest(&jobs, &["--store", "all.db", "jobs/*"]).exits_with(0);
    assert_eq!(counts(&ran), (3, 6));
}
