//! JUnit XML as real tools write it: a stream of cases, and the problems of each file.
//!
//! There is no one JUnit format. This reader takes what tools write: a bare `<testsuite>`, suites within suites,
//! namespaces, any encoding, missing names, classes and times, retries in three dialects. The rules:
//!
//! - **What is read.** A file is read if its elements can be told apart for sure: tags nest and close, attributes are
//!   quoted, and it ends where its root ends. A character or a reference that XML does not allow is kept as it is and said.
//! - **A file that breaks is no result.** What a truncated or malformed file tells is a selection: of the tests that ran
//!   before something broke, perhaps because of it. Cases before the break are delivered as they come, and
//!   [`Summary::broken`] says that they must not count; [`crate::ingest::inputs`] gives none of them away.
//! - **One trial each.** `flakyFailure` and `flakyError` are trials before the one that passed, `rerunFailure` and
//!   `rerunError` trials after the first that failed (before it, where the case passed), all in the order of the file. Several
//!   failures of one case are one trial. A `<testcase>` that is repeated is delivered again; numbering those is the business of
//!   whoever knows names.
//! - **Failing wins.** A case with a failure and a `<skipped>` failed, and the contradiction is said.
//! - **Setup scripts are no tests.** The `@setup-script:` suites of cargo-nextest are counted, and a failing one is a problem
//!   of the environment.
//! - **Nothing is expanded or fetched.** Only the five predefined entities and character references are replaced. A DOCTYPE is
//!   skipped and said; other references stay as they are written.
//!
//! Memory is bounded by [`Limits`], whatever a file holds: long texts lose their middle, long names their end, and both say
//! how much. Must not know: files, names over runs, arms.

use std::io::BufRead;

mod attributes;
mod case;
mod decoding;
mod draft;
mod elements;
mod heading;
mod limits;
mod machine;
mod notes;
mod numbers;
mod outcome;
mod passage;
mod plain;
mod problem;
mod pump;
mod roots;
mod tag;
mod tags;
mod window;

pub use case::{Capped, Case, CaseFailure, FailureKind, Suite, Summary, Trial};
pub use limits::Limits;
pub use problem::{Problem, ProblemKind};

/// Reads one report and gives each trial to `sink` as soon as its `<testcase>` ends, in the order of the file and of time.
///
/// `source` names the report in problems. The case given to `sink` is overwritten by the next one: clone what is to stay.
///
/// # Guarantee
/// Never panics, whatever the bytes are, and holds no more memory than `limits` allow. Time is linear in the input.
/// Problems, failures to read among them, are part of the summary: a report that cannot be read is no error of ours.
pub fn read(
    reader: impl BufRead,
    source: &str,
    limits: &Limits,
    sink: &mut dyn FnMut(&Case),
) -> Summary {
    pump::Pump::new(reader, limits, sink).run(source)
}

#[cfg(test)]
mod tests;
