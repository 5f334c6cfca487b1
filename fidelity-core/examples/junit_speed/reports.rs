//! Reports to read, made up in the shape of real ones.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use fidelity_core::ingest::inputs::{self, Input};
use fidelity_core::ingest::junit::{self, Limits};

/// Tests of one binary.
const PER_SUITE: usize = 500;

/// Returns a report as cargo-nextest writes it, of so many tests; every `failing`th fails, none if that is 0.
pub(crate) fn nextest(tests: usize, failing: usize) -> String {
    let mut report = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"nextest-run\">\n",
    );
    for suite in 0..tests.div_ceil(PER_SUITE) {
        let numbers = suite * PER_SUITE..tests.min((suite + 1) * PER_SUITE);
        let _ = writeln!(
            report,
            "    <testsuite name=\"service-{suite}::api\" tests=\"{}\" disabled=\"0\" errors=\"0\" failures=\"0\">",
            numbers.len()
        );
        for number in numbers {
            let fails = failing > 0 && number.is_multiple_of(failing);
            case(&mut report, suite, number, fails);
        }
        report.push_str("    </testsuite>\n");
    }
    report.push_str("</testsuites>\n");
    report
}

fn case(report: &mut String, suite: usize, number: usize, fails: bool) {
    let _ = writeln!(
        report,
        "        <testcase name=\"handlers::orders::tests::order_{number}_is_priced\" classname=\"service-{suite}::api\" timestamp=\"2026-01-09T07:50:12.{:03}+00:00\" time=\"0.{:03}\">",
        number % 1000,
        number % 997
    );
    if fails {
        let _ = writeln!(
            report,
            "            <failure type=\"test failure with exit code 101\">thread &apos;order_{number}&apos; panicked at tests/api.rs:{number}:5:\nassertion `left == right` failed: the price of an order\n  left: {number}\n right: 0\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace</failure>"
        );
        report.push_str("            <system-out>\nrunning 1 test\n");
        for line in 0..30 {
            let _ = writeln!(
                report,
                "2026-01-09T07:50:12Z INFO orders: item {line} of order {number} costs {}",
                line * number
            );
        }
        report.push_str("test result: FAILED. 0 passed; 1 failed; 0 ignored\n</system-out>\n");
    }
    report.push_str("        </testcase>\n");
}

/// A writer of a large file.
type WriteLarge = fn(&mut dyn Write) -> io::Result<()>;

/// Files of 1 GiB.
pub(crate) const LARGE: [(&str, WriteLarge); 4] = [
    ("millions of cases", cases),
    ("one output, as text", output),
    ("one output, as CDATA", cdata),
    ("one message, in an attribute", message),
];

const SIZE: usize = 1 << 30;

fn cases(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"<testsuite name=\"s\">\n")?;
    let mut written = 0;
    let mut case = String::new();
    for number in 0.. {
        if written >= SIZE {
            break;
        }
        case.clear();
        let _ = writeln!(
            case,
            "<testcase classname=\"module::tests\" name=\"case_{number}\" time=\"0.001\"/>"
        );
        to.write_all(case.as_bytes())?;
        written += case.len();
    }
    to.write_all(b"</testsuite>\n")
}

fn output(to: &mut dyn Write) -> io::Result<()> {
    long(to, b"<system-out>", b"</system-out>")
}

fn cdata(to: &mut dyn Write) -> io::Result<()> {
    long(to, b"<system-out><![CDATA[", b"]]></system-out>")
}

fn message(to: &mut dyn Write) -> io::Result<()> {
    long(to, b"<failure message=\"", b"\"/>")
}

fn long(to: &mut dyn Write, before: &[u8], after: &[u8]) -> io::Result<()> {
    to.write_all(b"<testsuite name=\"s\"><testcase name=\"a\">")?;
    to.write_all(before)?;
    let line = b"2026-01-09T07:50:12Z INFO orders: one more line of a log that nobody reads\n";
    for _ in 0..SIZE.div_ceil(line.len()) {
        to.write_all(line)?;
    }
    to.write_all(after)?;
    to.write_all(b"</testcase></testsuite>\n")
}

/// Returns the real reports beside the repository that are well-formed JUnit; none where they are not.
pub(crate) fn real() -> Option<Vec<String>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = ["../shared/data/junit", "../../shared/data/junit"]
        .iter()
        .map(|path| repository.join(path))
        .find(|path| path.is_dir())?;
    let (inputs, _) = inputs::find(&[folder.display().to_string()]);
    let files = inputs.iter().filter_map(|input| match input {
        Input::File(path) => std::fs::read_to_string(path).ok(),
        Input::Stdin => None,
    });
    let well_formed = |report: &String| {
        let read = junit::read(report.as_bytes(), "", &Limits::default(), &mut |_| ());
        read.broken().is_none()
    };
    Some(files.filter(well_formed).collect())
}
