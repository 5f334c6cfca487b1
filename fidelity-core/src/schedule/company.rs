//! Company: suspects that failed in a full pass and then never among suspects only. They are tried in passes over
//! their whole binary, then over the whole suite, which costs as much as screening again, and so has a budget of its
//! own.
//!
//! Knows what happened to suspects in this run; draws nothing.

use std::collections::BTreeSet;

use crate::domain::{BinaryId, Policy, Scope, TestIndex};
use crate::evidence::Evidence;
use crate::evidence::book::{FailingBook, TestBook};

/// Passes over its binary without a failure after which a suspect is tried among the whole suite.
pub const BINARY_PASSES: u32 = 10;
/// Passes over the whole suite in a run, at most.
pub const SUITE_PASSES: u32 = 4;
/// Trials in company, at most, as a multiple of the screening's.
pub const SCREENINGS: u64 = 2;

/// What a run has spent on company.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Trials.
    pub trials: u64,
    /// Passes over the whole suite.
    pub suite_passes: u32,
}

/// Where a suspect stands with company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It needs none: it fails by itself, or was not sampled enough by itself.
    Alone,
    /// It wants passes over its binary.
    Binary,
    /// It wants passes over the suite.
    Suite,
    /// It failed only in company, and company is used up: passes by itself would say nothing of that failure.
    UsedUp,
}

/// Returns the stage of a suspect.
pub fn stage(evidence: &Evidence, policy: &Policy, test: TestIndex, spent: Spent) -> Stage {
    let book = &evidence.books()[test.get()];
    let Some(failing) = &book.failing else {
        return Stage::Alone;
    };
    let tally = failing.run_tally(evidence.run_number());
    let candidate = policy.company_after > 0
        && tally.focus >= policy.company_after
        && tally.focus_failures == 0
        && failed_in_company(book, failing);
    if !candidate {
        return Stage::Alone;
    }
    let paid = spent.trials < allowance(evidence, policy);
    if paid && (tally.binary < BINARY_PASSES || tally.binary_failures > 0) {
        Stage::Binary
    } else if paid && spent.suite_passes < SUITE_PASSES {
        Stage::Suite
    } else if tally.binary_failures + tally.suite_failures > 0 {
        Stage::UsedUp
    } else {
        Stage::Alone
    }
}

/// Returns the company pass that suspects at these stages want, if one does: its scope and its tests, sorted.
pub fn wanted(
    evidence: &Evidence,
    stages: &[(TestIndex, Stage)],
) -> Option<(Scope, Vec<TestIndex>)> {
    let binaries: BTreeSet<&BinaryId> = stages
        .iter()
        .filter(|(_, stage)| *stage == Stage::Binary)
        .map(|(test, _)| &evidence.tests()[test.get()].id.binary)
        .collect();
    let suite = stages.iter().any(|(_, stage)| *stage == Stage::Suite);
    if binaries.is_empty() && !suite {
        return None;
    }
    let tests = (0_u32..)
        .map(TestIndex)
        .zip(evidence.tests())
        .filter(|(_, test)| {
            test.selected && (binaries.is_empty() || binaries.contains(&test.id.binary))
        })
        .map(|(test, _)| test)
        .collect();
    let scope = if binaries.is_empty() {
        Scope::Suite
    } else {
        Scope::Binary
    };
    Some((scope, tests))
}

fn failed_in_company(book: &TestBook, failing: &FailingBook) -> bool {
    let failures: u32 = book.arms.iter().map(|arm| arm.failures).sum();
    let alone: u32 = failing.alone.iter().map(|arm| arm.failures).sum();
    failures > alone
}

fn allowance(evidence: &Evidence, policy: &Policy) -> u64 {
    let selected = evidence.tests().iter().filter(|test| test.selected).count() as u64;
    let passes = u64::from(policy.screen.baseline) + u64::from(policy.screen.target);
    SCREENINGS.saturating_mul(selected.saturating_mul(passes))
}
