//! How an attribution can end. Each ending says what is known and no more.

use super::confirm::Expect;
use super::likelihood::Counts;

/// A hypothesis that may be true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspected {
    /// Its number in the space.
    pub hypothesis: usize,
    /// Its posterior probability in 0..=1.
    pub probability: f64,
}

/// A side of the claimed boundary with what was seen there.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<C> {
    /// Where.
    pub config: C,
    /// What the claim says.
    pub expect: Expect,
    /// What was seen; no trials where it cannot be tried.
    pub seen: Counts,
}

/// Why a search ended without a single answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// One is probable, but where it says that the test fails, it did not.
    Unconfirmed,
    /// One is probable, but where it says that the test passes, it fails as often as elsewhere.
    NotNecessary,
    /// Something that has to be looked at cannot be tried: an end, or a side of the claim.
    CannotBeTried,
    /// The budget was used up.
    OutOfBudget,
    /// The caller stopped it.
    Stopped,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending<C> {
    /// One hypothesis, confirmed.
    Found {
        /// Which, and how probable.
        cause: Suspected,
        /// Both sides of its boundary.
        checked: Vec<Checked<C>>,
    },
    /// The ends differ, and nothing of the space explains it.
    NoneOfThese {
        /// The probability of that.
        probability: f64,
    },
    /// Several remain, and nothing that can be tried tells them apart.
    CredibleSet {
        /// The smallest set that holds 90 %, most probable first.
        suspects: Vec<Suspected>,
    },
    /// It was not brought to an end.
    Inconclusive {
        /// The smallest set that holds 90 %, most probable first.
        suspects: Vec<Suspected>,
        /// Why.
        left: Left,
    },
    /// The ends do not differ now: a flaky test, or a difference that went away.
    NotReproducible {
        /// Trials at the low end.
        low: Counts,
        /// Trials at the high end.
        high: Counts,
    },
    /// The test fails at the low end, where it used to pass: something outside the space has changed.
    Outside {
        /// What was seen at the low end before.
        before: Counts,
        /// What is seen there now.
        now: Counts,
    },
}

impl<C> Ending<C> {
    /// Returns the hypothesis that was found.
    pub fn found(&self) -> Option<Suspected> {
        match self {
            Self::Found { cause, .. } => Some(*cause),
            _ => None,
        }
    }
}
