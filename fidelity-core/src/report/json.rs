//! The report for programs: JSON, schema 1. The types here are what is written, apart from the domain's own, so that
//! neither can change the other by accident.
//!
//! Keys are stable in name and order. Whatever a terminal should not be sent is written `\uXXXX`: the text is the same
//! to a parser, and harmless to somebody who looks at the file.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

use crate::domain::{Arm, KnobStatus, Problem, TestId};

use super::annotation::WireAnnotation;
use super::cause::{WireAttribution, WireCause};
use super::model::{ClusterReport, Report, TestReport};
use super::text::is_unsafe;

mod blocks;
mod policy;

use blocks::WireBlocks;
use policy::WirePolicy;

/// The version of the format.
pub const SCHEMA: u32 = 1;

/// Returns `report` as a JSON document, indented, ending with a line end.
pub fn render(report: &Report) -> String {
    pretty(&WireReport::from(report))
}

/// Returns a document, indented, ending with a line end; whatever a terminal would obey is escaped.
pub(super) fn pretty(document: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Safe(PrettyFormatter::new()));
    // Writing to memory cannot fail, and no map here has a key that is no string.
    let written = document.serialize(&mut serializer);
    debug_assert!(written.is_ok());
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

#[derive(Serialize)]
struct WireReport<'a> {
    schema: u32,
    run: WireRun<'a>,
    tests: Vec<WireTest<'a>>,
    #[serde(skip_serializing_if = "is_none")]
    tests_left_out: u32,
    clusters: Vec<WireCluster<'a>>,
    problems: Vec<WireProblem<'a>>,
}

#[derive(Serialize)]
struct WireRun<'a> {
    id: String,
    commit: Option<&'a str>,
    dirty: Option<bool>,
    seed: u64,
    baseline: &'a str,
    target: &'a str,
    policy: WirePolicy,
    passes: u32,
    trials: u64,
    suspicious: u32,
    wall_s: f64,
    runner: WireRunner<'a>,
    knobs: Vec<WireKnob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ingested: Option<WireBlocks>,
}

#[derive(Serialize)]
struct WireRunner<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct WireKnob<'a> {
    id: &'a str,
    baseline: Option<&'a str>,
    target: Option<&'a str>,
    applied: bool,
    reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct WireTest<'a> {
    binary: &'a str,
    test: &'a str,
    verdict: &'static str,
    reason: &'a str,
    baseline: WireArm,
    target: WireArm,
    e_value: f64,
    needs_passes: Option<u32>,
    cluster: Option<usize>,
    signature: Option<&'a str>,
    cause: Option<WireCause<'a>>,
    attribution: Option<WireAttribution<'a>>,
    annotation: Option<WireAnnotation<'a>>,
}

#[derive(Serialize)]
struct WireArm {
    trials: u32,
    failures: u32,
    bounds: [f64; 2],
    #[serde(skip_serializing_if = "is_none")]
    further_failures: u32,
    #[serde(skip_serializing_if = "is_none")]
    skipped: u32,
    #[serde(skip_serializing_if = "is_none")]
    absent: u32,
}

fn is_none(number: &u32) -> bool {
    *number == 0
}

#[derive(Serialize)]
struct WireCluster<'a> {
    reason: &'a str,
    tests: Vec<WireTestId<'a>>,
}

#[derive(Serialize)]
struct WireTestId<'a> {
    binary: &'a str,
    test: &'a str,
}

#[derive(Serialize)]
struct WireProblem<'a> {
    kind: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Report> for WireReport<'a> {
    fn from(report: &'a Report) -> Self {
        let run = &report.run;
        Self {
            schema: SCHEMA,
            run: WireRun {
                id: run.id.to_string(),
                commit: run
                    .revision
                    .as_ref()
                    .map(|revision| revision.commit.as_str()),
                dirty: run.revision.as_ref().map(|revision| revision.dirty),
                seed: run.seed.0,
                baseline: &run.baseline,
                target: &run.target,
                policy: WirePolicy::from(&run.policy),
                passes: run.passes.completed(),
                trials: run.trials,
                suspicious: run.suspicious,
                wall_s: seconds(run.wall_ms),
                runner: WireRunner {
                    kind: run.runner.kind_word(),
                    name: Some(run.runner.name.as_str()).filter(|name| !name.is_empty()),
                    reason: Some(run.runner.reason.as_str()).filter(|reason| !reason.is_empty()),
                },
                knobs: run.knobs.iter().map(WireKnob::from).collect(),
                ingested: run.blocks.as_ref().map(WireBlocks::from),
            },
            tests: report.tests.iter().map(WireTest::from).collect(),
            tests_left_out: u32::try_from(report.left_out).unwrap_or(u32::MAX),
            clusters: report.clusters.iter().map(WireCluster::from).collect(),
            problems: report.problems.iter().map(WireProblem::from).collect(),
        }
    }
}

impl<'a> From<&'a KnobStatus> for WireKnob<'a> {
    fn from(status: &'a KnobStatus) -> Self {
        Self {
            id: &status.knob.0,
            baseline: status.baseline.as_deref(),
            target: status.target.as_deref(),
            applied: status.applied,
            reason: &status.reason,
        }
    }
}

impl<'a> From<&'a TestReport> for WireTest<'a> {
    fn from(test: &'a TestReport) -> Self {
        let finding = &test.finding;
        Self {
            binary: &finding.id.binary.0,
            test: &finding.id.test,
            verdict: finding.verdict.kind.as_str(),
            reason: &finding.verdict.reason,
            baseline: WireArm::of(test, Arm::Baseline),
            target: WireArm::of(test, Arm::Target),
            e_value: finite(finding.e_value),
            needs_passes: finding.needs_passes,
            cluster: finding.cluster,
            signature: finding.signature.as_deref(),
            cause: test.cause().map(WireCause::from),
            attribution: test.attribution.as_ref().map(WireAttribution::from),
            annotation: WireAnnotation::of(test.terms.as_deref(), test.quarantine.as_ref()),
        }
    }
}

impl WireArm {
    fn of(test: &TestReport, arm: Arm) -> Self {
        let (evidence, presence) = (test.arm(arm), test.presence(arm));
        Self {
            trials: evidence.trials,
            failures: evidence.failures,
            bounds: [evidence.bounds.0, evidence.bounds.1],
            further_failures: evidence.further_failures,
            skipped: presence.skipped,
            absent: presence.absent,
        }
    }
}

impl<'a> From<&'a ClusterReport> for WireCluster<'a> {
    fn from(cluster: &'a ClusterReport) -> Self {
        Self {
            reason: &cluster.reason,
            tests: cluster.members.iter().map(WireTestId::from).collect(),
        }
    }
}

impl<'a> From<&'a TestId> for WireTestId<'a> {
    fn from(id: &'a TestId) -> Self {
        Self {
            binary: &id.binary.0,
            test: &id.test,
        }
    }
}

impl<'a> From<&'a Problem> for WireProblem<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            kind: &problem.kind,
            message: &problem.message,
        }
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// Returns an e-value as JSON can carry it: overflow becomes the largest number, what is no number 1 (no evidence).
fn finite(e_value: f64) -> f64 {
    if e_value.is_nan() {
        1.0
    } else {
        e_value.clamp(0.0, f64::MAX)
    }
}

/// Indents, and writes characters unsafe for a terminal as escapes, which JSON does not ask for beyond U+001F.
struct Safe<'a>(PrettyFormatter<'a>);

impl Formatter for Safe<'_> {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut start = 0;
        for (position, character) in fragment.char_indices() {
            if is_unsafe(character) {
                writer.write_all(&fragment.as_bytes()[start..position])?;
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                start = position + character.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[start..])
    }

    fn write_char_escape<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests;
