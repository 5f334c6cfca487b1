//! The JSON inside the store: what is read rarely and whole. Each text carries the version of its form.
//!
//! The forms are types of their own where a domain type is taken apart (the header, whose profiles are stored once for
//! all runs), and a wrapper with a version around a domain type where its serialised form is the stored form today.
//! A committed text of version 1 is read by a test: a change of a domain type that would break old stores fails there,
//! and the old form then gets its own type here. Must not know a table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{Fault, damaged, not_storable};
use crate::domain::{
    Attribution, AttributionTrial, BinaryFacts, BlockId, Environment, FidelityProfile, Fingerprint,
    KnobId, KnobStatus, ListedTest, Origin, Policy, Problem, Revision, RunBy, RunEnd, RunHeader,
    RunId, Seed, SourceFile, StopReason, Terms, Withdrawal,
};

/// The version of every form below.
const VERSION: u32 = 1;

/// A form with its version.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    body: T,
}

/// The version alone, read before the rest.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// The parts of a header that have no column of their own.
#[derive(Serialize, Deserialize)]
struct HeaderV1 {
    started_at: String,
    policy: Policy,
    knobs: Vec<KnobStatus>,
    parallelism: u32,
    #[serde(default, skip_serializing_if = "is_direct")]
    runner: RunBy,
    revision: Option<Revision>,
    joined: Vec<RunId>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    exposing: BTreeMap<KnobId, Vec<u32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    binaries: Vec<BinaryFacts>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ingested: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    withdraws: Vec<Withdrawal>,
    tool_version: String,
    arguments: Vec<String>,
    workspace: PathV1,
    problems: Vec<Problem>,
}

fn is_direct(runner: &RunBy) -> bool {
    *runner == RunBy::default()
}

/// A path: text where it is Unicode, its bytes where it is not.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PathV1 {
    Text(String),
    Bytes(Vec<u8>),
}

/// Where the results of a pass came from.
#[derive(Serialize, Deserialize)]
struct OriginV1 {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_us: Option<i64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    part: String,
    /// Digest in hexadecimal, and name.
    files: Vec<(String, String)>,
}

/// The end of a run.
#[derive(Serialize, Deserialize)]
struct EndV1 {
    stop: StopReason,
    wall_ms: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

/// The terms of the annotated tests of a run, equal ones once.
#[derive(Serialize, Deserialize)]
struct TermsV1 {
    terms: Vec<Terms>,
    /// Positions in the list of tests, and of the terms above.
    tests: Vec<(u32, u32)>,
}

/// The parts of a header that have columns of their own.
pub(super) struct HeaderColumns {
    /// The identity of the run.
    pub(super) id: RunId,
    /// Its seed.
    pub(super) seed: Seed,
    /// Whether the user gave the seed.
    pub(super) seed_given: bool,
    /// The baseline arm.
    pub(super) baseline: FidelityProfile,
    /// The target arm.
    pub(super) target: FidelityProfile,
    /// What has to be equal for two runs to be comparable.
    pub(super) fingerprint: Fingerprint,
}

/// What a list of runs shows of a header.
pub(super) struct HeaderSummary {
    /// When the run started.
    pub(super) started_at: String,
    /// The commit it was made at.
    pub(super) commit: Option<String>,
    /// Whether tracked files differed from it.
    pub(super) dirty: bool,
    /// The runs it joined.
    pub(super) joined: Vec<RunId>,
    /// Whether its passes ran elsewhere.
    pub(super) ingested: bool,
    /// What it takes back.
    pub(super) withdraws: Vec<Withdrawal>,
}

/// Writes `body` with the current version.
fn write<T: Serialize>(what: &str, body: T) -> Result<String, Fault> {
    let form = Versioned {
        version: VERSION,
        body,
    };
    serde_json::to_string(&form).map_err(|error| not_storable(format!("{what} ({error})")))
}

/// Reads the body of a form of version 1, the only one so far.
fn read<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Fault> {
    let bad = |error: serde_json::Error| damaged(format!("{what} is not readable ({error})"));
    match serde_json::from_str::<VersionOnly>(text)
        .map_err(bad)?
        .version
    {
        1 => Ok(serde_json::from_str::<Versioned<T>>(text)
            .map_err(bad)?
            .body),
        other => Err(damaged(format!("{what} has form {other}"))),
    }
}

/// Returns the stored form of the header, but for the parts that have columns.
pub(super) fn write_header(header: &RunHeader) -> Result<String, Fault> {
    write(
        "the header of a run",
        HeaderV1 {
            started_at: header.started_at.clone(),
            policy: header.policy.clone(),
            knobs: header.knobs.clone(),
            parallelism: header.parallelism,
            runner: header.runner.clone(),
            revision: header.revision.clone(),
            joined: header.joined.clone(),
            exposing: header.exposing.clone(),
            binaries: header.binaries.clone(),
            ingested: header.ingested,
            withdraws: header.withdraws.clone(),
            tool_version: header.tool_version.clone(),
            arguments: header.arguments.clone(),
            workspace: write_path(header.workspace.clone()),
            problems: header.problems.clone(),
        },
    )
}

/// Returns the header from its stored form and the parts that have columns.
pub(super) fn read_header(text: &str, columns: HeaderColumns) -> Result<RunHeader, Fault> {
    let form: HeaderV1 = read("the header of a run", text)?;
    Ok(RunHeader {
        id: columns.id,
        started_at: form.started_at,
        seed: columns.seed,
        seed_given: columns.seed_given,
        policy: form.policy,
        baseline: columns.baseline,
        target: columns.target,
        knobs: form.knobs,
        parallelism: form.parallelism,
        fingerprint: columns.fingerprint,
        runner: form.runner,
        revision: form.revision,
        joined: form.joined,
        exposing: form.exposing,
        binaries: form.binaries,
        ingested: form.ingested,
        withdraws: form.withdraws,
        tool_version: form.tool_version,
        arguments: form.arguments,
        workspace: read_path(form.workspace),
        problems: form.problems,
    })
}

/// Returns what a list of runs shows of a stored header.
pub(super) fn read_summary(text: &str) -> Result<HeaderSummary, Fault> {
    let form: HeaderV1 = read("the header of a run", text)?;
    Ok(HeaderSummary {
        started_at: form.started_at,
        dirty: form.revision.as_ref().is_some_and(|it| it.dirty),
        commit: form.revision.map(|revision| revision.commit),
        joined: form.joined,
        ingested: form.ingested,
        withdraws: form.withdraws,
    })
}

/// Returns the stored form of what is said of the tests of a run; none where nothing is.
pub(super) fn write_terms(tests: &[ListedTest]) -> Result<Option<String>, Fault> {
    let mut form = TermsV1 {
        terms: Vec::new(),
        tests: Vec::new(),
    };
    let mut known: BTreeMap<String, u32> = BTreeMap::new();
    for (position, test) in (0_u32..).zip(tests) {
        let Some(terms) = &test.terms else { continue };
        let key = serde_json::to_string(terms)
            .map_err(|error| not_storable(format!("an annotation ({error})")))?;
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let number = *known.entry(key).or_insert_with(|| {
            form.terms.push((**terms).clone());
            next
        });
        form.tests.push((position, number));
    }
    if form.tests.is_empty() {
        return Ok(None);
    }
    write("what is said of the tests", form).map(Some)
}

/// Gives the tests of a run what is said of them.
pub(super) fn read_terms(text: &str, tests: &mut [ListedTest]) -> Result<(), Fault> {
    let form: TermsV1 = read("what is said of the tests", text)?;
    for (position, number) in form.tests {
        let test = tests.get_mut(position as usize);
        let terms = form.terms.get(number as usize);
        let (Some(test), Some(terms)) = (test, terms) else {
            return Err(damaged("something is said of tests that are not listed"));
        };
        test.terms = Some(Box::new(terms.clone()));
    }
    Ok(())
}

/// Returns the stored form of the end of a run.
pub(super) fn write_end(end: &RunEnd) -> Result<String, Fault> {
    write(
        "the end of a run",
        EndV1 {
            stop: end.stop.clone(),
            wall_ms: end.wall_ms,
            problems: end.problems.clone(),
        },
    )
}

/// Returns the end of a run from its stored form.
pub(super) fn read_end(text: &str) -> Result<RunEnd, Fault> {
    let EndV1 {
        stop,
        wall_ms,
        problems,
    } = read("the end of a run", text)?;
    Ok(RunEnd {
        stop,
        wall_ms,
        problems,
    })
}

/// Returns the stored form of a trial of an attribution, in which no URL has a user.
pub(super) fn write_attribution_trial(trial: &AttributionTrial) -> Result<String, Fault> {
    let trial = AttributionTrial {
        environment: trial.environment.without_users(),
        ..trial.clone()
    };
    write("a trial of an attribution", trial)
}

/// Returns a trial of an attribution from its stored form.
pub(super) fn read_attribution_trial(text: &str) -> Result<AttributionTrial, Fault> {
    read("a trial of an attribution", text)
}

/// Returns the stored form of what an attribution came to.
pub(super) fn write_attribution(attribution: &Attribution) -> Result<String, Fault> {
    write("an attribution", attribution)
}

/// Returns what an attribution came to from its stored form.
pub(super) fn read_attribution(text: &str) -> Result<Attribution, Fault> {
    read("an attribution", text)
}

/// Returns the stored form of a profile, in which no URL has a user. Equal profiles have equal forms.
pub(super) fn write_profile(profile: &FidelityProfile) -> Result<String, Fault> {
    write("a fidelity profile", profile.without_users())
}

/// Returns a profile from its stored form.
pub(super) fn read_profile(text: &str) -> Result<FidelityProfile, Fault> {
    read("a fidelity profile", text)
}

/// Returns the stored form of the environment of a pass, in which no URL has a user. Equal environments have equal
/// forms.
pub(super) fn write_environment(environment: &Environment) -> Result<String, Fault> {
    write("the environment of a pass", environment.without_users())
}

/// Returns the environment of a pass from its stored form.
pub(super) fn read_environment(text: &str) -> Result<Environment, Fault> {
    read("the environment of a pass", text)
}

/// Returns the stored form of where the results of a pass came from.
pub(super) fn write_origin(origin: &Origin) -> Result<String, Fault> {
    let hex = |source: &SourceFile| blake3::Hash::from_bytes(source.digest).to_hex();
    let file = |source: &SourceFile| (hex(source).to_string(), source.name.clone());
    write(
        "the origin of a pass",
        OriginV1 {
            commit: origin.block.commit.clone(),
            block: origin.block.name.clone(),
            at_us: origin.at_us,
            part: origin.part.clone(),
            files: origin.sources.iter().map(file).collect(),
        },
    )
}

/// Returns where the results of a pass came from, from its stored form.
pub(super) fn read_origin(text: &str) -> Result<Origin, Fault> {
    let form: OriginV1 = read("the origin of a pass", text)?;
    let file = |(digest, name): (String, String)| {
        let digest = blake3::Hash::from_hex(&digest)
            .map_err(|error| damaged(format!("a digest is none ({error})")))?;
        Ok(SourceFile {
            digest: *digest.as_bytes(),
            name,
        })
    };
    Ok(Origin {
        block: BlockId {
            commit: form.commit,
            name: form.block,
        },
        at_us: form.at_us,
        part: form.part,
        sources: form
            .files
            .into_iter()
            .map(file)
            .collect::<Result<_, Fault>>()?,
    })
}

/// Returns the stored form of a path; lossless where the system's paths are bytes.
fn write_path(path: PathBuf) -> PathV1 {
    match path.into_os_string().into_string() {
        Ok(text) => PathV1::Text(text),
        #[cfg(unix)]
        Err(other) => PathV1::Bytes(std::os::unix::ffi::OsStringExt::into_vec(other)),
        #[cfg(not(unix))]
        Err(other) => PathV1::Text(other.to_string_lossy().into_owned()),
    }
}

/// Returns a path from its stored form.
fn read_path(form: PathV1) -> PathBuf {
    match form {
        PathV1::Text(text) => PathBuf::from(text),
        #[cfg(unix)]
        PathV1::Bytes(bytes) => {
            PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
        }
        #[cfg(not(unix))]
        PathV1::Bytes(bytes) => PathBuf::from(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
