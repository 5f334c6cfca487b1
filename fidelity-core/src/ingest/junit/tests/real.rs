//! Every real report there is, beside an independent count by a plain XML parser.
//!
//! The reports lie beside the repository and are not part of it. Where they are not, these tests say so, and `dialects.rs` shows the same
//! quirks.

use std::path::{Path, PathBuf};

use super::*;
use crate::ingest::inputs::{self, Input};

/// Returns the folder of real reports, where it is.
pub(super) fn folder() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = ["../shared/data/junit", "../../shared/data/junit"]
        .iter()
        .map(|path| repository.join(path))
        .find(|path| path.is_dir());
    if folder.is_none() {
        eprintln!("not run: ../shared/data/junit is not beside the repository");
    }
    folder
}

/// What a plain XML parser counts.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    suites: u64,
    cases: u64,
    failing: u64,
    skipped: u64,
}

const FAILING: [&str; 2] = ["failure", "error"];

/// Counts by a plain XML parser; none if that finds the file not to be well-formed.
fn independent(text: &str) -> Option<(String, Count)> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    let named = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.tag_name().name() == name)
    };
    let has = |node: roxmltree::Node<'_, '_>, names: &[&str]| {
        node.children()
            .any(|child| names.contains(&child.tag_name().name()))
    };
    let failing = named("testcase")
        .filter(|case| has(*case, &FAILING))
        .count() as u64;
    let skipped = named("testcase")
        .filter(|case| {
            let disabled = case.attribute("status") == Some("disabled");
            !has(*case, &FAILING) && (has(*case, &["skipped"]) || disabled)
        })
        .count() as u64;
    let count = Count {
        suites: named("testsuite").count() as u64,
        cases: named("testcase").count() as u64,
        failing,
        skipped,
    };
    Some((document.root_element().tag_name().name().to_owned(), count))
}

#[test]
fn every_well_formed_report_is_read_and_counts_are_those_of_a_plain_parser() {
    let Some(folder) = folder() else { return };
    let (files, problems) = inputs::find(&[folder.display().to_string()]);
    assert_eq!(problems, []);
    assert!(files.len() > 50, "only {} files", files.len());
    let (mut read, mut other, mut broken) = (0, 0, 0);
    for file in &files {
        let Input::File(path) = file else { continue };
        let bytes = std::fs::read(path).unwrap();
        let mut seen = Count {
            suites: 0,
            cases: 0,
            failing: 0,
            skipped: 0,
        };
        let summary = inputs::read(file, &Limits::default(), &mut |case| {
            // An element failed if its last trial did: one that passed in the end has that last.
            let last = case.attempt + 1 == case.attempts;
            seen.failing += u64::from(last && case.trial.outcome.is_failure());
            seen.skipped += u64::from(case.trial.outcome == crate::domain::Outcome::Skipped);
        });
        seen.suites = summary.suites;
        seen.cases = summary.elements;
        match independent(&String::from_utf8_lossy(&bytes)) {
            Some((root, count)) if matches!(root.as_str(), "testsuites" | "testsuite") => {
                assert_eq!(summary.broken(), None);
                assert_eq!(seen, count, "{}", path.display());
                read += 1;
            }
            Some((root, _)) => {
                let problem = summary.broken().unwrap();
                assert_eq!(problem.kind, ProblemKind::NotJunit, "{}", path.display());
                assert!(problem.message.contains(&format!("<{root}>")));
                other += 1;
            }
            None => {
                let problem = summary
                    .broken()
                    .unwrap_or_else(|| panic!("{}", path.display()));
                assert!(problem.line > 1, "{problem}");
                broken += 1;
            }
        }
    }
    println!("{read} read, {other} of another kind, {broken} not well-formed");
    assert!(read > 50);
}

#[test]
fn the_page_about_junit_names_every_problem_and_every_rule() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/junit.md");
    let page = std::fs::read_to_string(page).unwrap();
    let problems = ProblemKind::ALL.map(ProblemKind::word);
    let rules = crate::ingest::naming::Rule::ALL.map(crate::ingest::naming::Rule::word);
    for word in problems.into_iter().chain(rules) {
        assert!(
            page.contains(&format!("`{word}`")),
            "docs/junit.md does not name `{word}`"
        );
    }
}
