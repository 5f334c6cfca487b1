//! The list for programs, `"schema": 1`.

use serde::Serialize;

use super::{ListedRow, Listing};
use crate::domain::{Arm, Problem, TestKind};
use crate::report::annotation::WireAnnotation;
use crate::report::json::{SCHEMA, pretty};

#[derive(Serialize)]
struct Wire<'a> {
    schema: u32,
    baseline: &'a str,
    target: &'a str,
    available: usize,
    ignored_left_out: usize,
    tests: Vec<Row<'a>>,
    problems: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    binary: &'a str,
    test: &'a str,
    kind: Option<&'static str>,
    kind_inferred: bool,
    ignored: bool,
    arms: Vec<&'a str>,
    not_run: Vec<NotRun<'a>>,
    verdict: Option<&'static str>,
    reason: Option<&'a str>,
    run: Option<String>,
    compared: Option<[&'a str; 2]>,
    annotation: Option<WireAnnotation<'a>>,
}

#[derive(Serialize)]
struct NotRun<'a> {
    arm: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Told<'a> {
    kind: &'a str,
    message: &'a str,
}

/// Returns the list for programs, `"schema": 1`.
pub fn render_json(listing: &Listing) -> String {
    let [baseline, target] = &listing.profiles;
    pretty(&Wire {
        schema: SCHEMA,
        baseline,
        target,
        available: listing.available,
        ignored_left_out: listing.ignored,
        tests: listing
            .tests
            .iter()
            .map(|test| Row::of(listing, test))
            .collect(),
        problems: listing.problems.iter().map(Told::from).collect(),
    })
}

impl<'a> Row<'a> {
    fn of(listing: &'a Listing, test: &'a ListedRow) -> Self {
        let verdict = test.verdict.as_ref();
        let absent = |arm: Arm| test.absent[arm.index()].as_deref();
        let name = |arm: Arm| listing.profiles[arm.index()].as_str();
        let expired = test.expired(&listing.now) == Some(true);
        Self {
            binary: &test.id.binary.0,
            test: &test.id.test,
            kind: test.kind.0.map(TestKind::as_str),
            kind_inferred: test.kind.0.is_some() && !test.kind.1,
            ignored: test.ignored,
            arms: Arm::BOTH
                .into_iter()
                .filter(|arm| absent(*arm).is_none())
                .map(name)
                .collect(),
            not_run: Arm::BOTH
                .into_iter()
                .filter_map(|arm| {
                    Some(NotRun {
                        arm: name(arm),
                        reason: absent(arm)?,
                    })
                })
                .collect(),
            verdict: verdict.map(|last| last.verdict.kind.as_str()),
            reason: verdict.map(|last| last.verdict.reason.as_str()),
            run: verdict.map(|last| last.run.to_string()),
            compared: verdict.map(|last| last.profiles.each_ref().map(String::as_str)),
            annotation: test
                .annotation
                .as_ref()
                .map(|said| WireAnnotation::said(said, expired)),
        }
    }
}

impl<'a> From<&'a Problem> for Told<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            kind: &problem.kind,
            message: &problem.message,
        }
    }
}
