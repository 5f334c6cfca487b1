//! The small integers that stand for the cases of domain types in the tables. A number, once given, never changes.
//!
//! Must not know a table. Reading refuses what is not in these lists.

use super::error::{Fault, damaged};
use crate::domain::{Arm, Outcome, Phase, Scope, VerdictKind};

/// A type whose cases are stored as small integers.
pub(super) trait Code: Copy + PartialEq + 'static {
    /// What the type is called in messages.
    const NAME: &'static str;
    /// Every case with its number.
    const CASES: &'static [(Self, i64)];

    /// Returns the number of a case.
    fn code(self) -> i64 {
        let case = Self::CASES.iter().find(|(case, _)| *case == self);
        // Every case is listed (there is a test): the number below is never written.
        case.map_or(-1, |(_, code)| *code)
    }

    /// Returns the case with this number.
    fn from_code(code: i64) -> Result<Self, Fault> {
        match Self::CASES.iter().find(|(_, known)| *known == code) {
            Some((case, _)) => Ok(*case),
            None => Err(damaged(format!("{code} is no {}", Self::NAME))),
        }
    }
}

impl Code for Arm {
    const NAME: &'static str = "arm";
    const CASES: &'static [(Self, i64)] = &[(Self::Baseline, 0), (Self::Target, 1)];
}

impl Code for Phase {
    const NAME: &'static str = "phase";
    const CASES: &'static [(Self, i64)] = &[
        (Self::Screen, 0),
        (Self::Focus, 1),
        (Self::Company, 2),
        (Self::MassRepeat, 3),
        (Self::TimeoutCheck, 4),
        (Self::Ingested, 5),
    ];
}

impl Code for Scope {
    const NAME: &'static str = "scope";
    const CASES: &'static [(Self, i64)] = &[
        (Self::Suite, 0),
        (Self::Binary, 1),
        (Self::Suspects, 2),
        (Self::Alone, 3),
    ];
}

impl Code for VerdictKind {
    const NAME: &'static str = "verdict";
    const CASES: &'static [(Self, i64)] = &[
        (Self::HiddenDefect, 0),
        (Self::Flaky, 1),
        (Self::Broken, 2),
        (Self::BaselineOnly, 3),
        (Self::Undetermined, 4),
        (Self::Stable, 5),
    ];
}

/// The number of [`Outcome::Passed`], which queries name.
pub(super) const PASSED: i64 = 0;
/// The number of [`Outcome::Skipped`], which queries name.
pub(super) const SKIPPED: i64 = 3;
/// The number of [`Outcome::NotReported`], which queries name.
pub(super) const NOT_REPORTED: i64 = 4;
/// What the low three bits of a crash are; the signal is above them.
const CRASHED: i64 = 5;

/// Returns the number of an outcome.
pub(super) fn outcome_code(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Passed => PASSED,
        Outcome::Failed => 1,
        Outcome::TimedOut => 2,
        Outcome::Skipped => SKIPPED,
        Outcome::NotReported => NOT_REPORTED,
        Outcome::Crashed(signal) => (i64::from(signal) << 3) | CRASHED,
    }
}

/// Returns the outcome with this number.
pub(super) fn outcome_from_code(code: i64) -> Result<Outcome, Fault> {
    Ok(match code {
        PASSED => Outcome::Passed,
        1 => Outcome::Failed,
        2 => Outcome::TimedOut,
        SKIPPED => Outcome::Skipped,
        NOT_REPORTED => Outcome::NotReported,
        _ => match (code & 7, i32::try_from(code >> 3)) {
            (CRASHED, Ok(signal)) => Outcome::Crashed(signal),
            _ => return Err(damaged(format!("{code} is no outcome"))),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_case_has_its_own_number<T: Code>(all: &[T]) {
        assert_eq!(T::CASES.len(), all.len());
        for case in all {
            assert!(T::from_code(case.code()).is_ok_and(|read| read == *case));
        }
        assert!(T::from_code(-1).is_err());
        assert!(T::from_code(99).is_err());
    }

    #[test]
    fn every_case_is_read_back() {
        use {Phase as P, Scope as S};
        every_case_has_its_own_number(&Arm::BOTH);
        every_case_has_its_own_number(&VerdictKind::ALL);
        every_case_has_its_own_number(&[S::Suite, S::Binary, S::Suspects, S::Alone]);
        every_case_has_its_own_number(&[
            P::Screen,
            P::Focus,
            P::Company,
            P::MassRepeat,
            P::TimeoutCheck,
            P::Ingested,
        ]);
    }

    #[test]
    fn every_outcome_is_read_back() {
        let plain = [
            Outcome::Passed,
            Outcome::Failed,
            Outcome::TimedOut,
            Outcome::Skipped,
            Outcome::NotReported,
        ];
        let crashes = [0, 1, 6, 9, 11, 64, -1, i32::MIN, i32::MAX].map(Outcome::Crashed);
        for outcome in plain.into_iter().chain(crashes) {
            let read = outcome_from_code(outcome_code(outcome));
            assert!(read.is_ok_and(|read| read == outcome), "{outcome}");
        }
        for code in [-1, 6, 7, 8, i64::MAX, i64::MIN] {
            assert!(outcome_from_code(code).is_err(), "{code}");
        }
    }
}
