//! What the authors of a test say of it (`#[fidelity(...)]`), and the terms on which a run tries it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Arm;
use super::run::COMMAND;

/// What is said of a test; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Annotation {
    /// The fidelity profiles in which it means something; empty for all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// Knobs and services (`service.db`) without which it cannot work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// How much of the product it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<TestKind>,
    /// What it replaces by something kinder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mocks: Vec<String>,
    /// What it uses as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub real: Vec<String>,
    /// Failure rate that is still "passes", in [0, 1), instead of the policy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Time limit of a trial in milliseconds, instead of the policy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Trials of a run in each arm, at most; at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<u32>,
    /// How bad it is if what it checks does not hold in production.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Where the configuration says how bad it is, `fidelity.toml:12`; empty where its authors do, or nobody.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub severity_place: String,
    /// Until when its failures do no harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// Where it is written, `file:line`; of several, the one nearest to the test.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
}

impl Annotation {
    /// Puts what an annotation further inside says in the place of what this one says, argument by argument. What is
    /// called real further inside is not mocked any more, and the other way round.
    pub fn override_with(&mut self, inner: &Self) {
        fn list(outer: &mut Vec<String>, inner: &[String]) {
            if !inner.is_empty() {
                *outer = inner.to_vec();
            }
        }
        self.mocks.retain(|name| !inner.real.contains(name));
        self.real.retain(|name| !inner.mocks.contains(name));
        list(&mut self.profiles, &inner.profiles);
        list(&mut self.needs, &inner.needs);
        list(&mut self.mocks, &inner.mocks);
        list(&mut self.real, &inner.real);
        self.kind = inner.kind.or(self.kind);
        self.tolerance = inner.tolerance.or(self.tolerance);
        self.timeout_ms = inner.timeout_ms.or(self.timeout_ms);
        self.trials = inner.trials.or(self.trials);
        if inner.severity.is_some() {
            self.severity = inner.severity;
            self.severity_place.clone_from(&inner.severity_place);
        }
        if let Some(quarantine) = &inner.quarantine {
            self.quarantine = Some(quarantine.clone());
        }
        if !inner.place.is_empty() {
            self.place.clone_from(&inner.place);
        }
    }

    /// Returns whether nothing is said.
    pub fn is_empty(&self) -> bool {
        Self {
            place: String::new(),
            ..self.clone()
        } == Self::default()
    }
}

/// How much of the product a test covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestKind {
    /// A part of it.
    Unit,
    /// Parts together, through their public interface.
    Integration,
    /// All of it, as a user has it.
    #[serde(rename = "e2e")]
    EndToEnd,
}

impl TestKind {
    /// Every kind, from the smallest.
    pub const ALL: [Self; 3] = [Self::Unit, Self::Integration, Self::EndToEnd];

    /// Returns how much of the product a test covers of which this is said, in a binary of this kind; and whether its authors
    /// say so. Tests of libraries and programs are else taken for unit tests, those with a binary of their own for
    /// integration tests; of what a command runs, nobody knows.
    pub fn of(said: Option<&Annotation>, binary: Option<&str>) -> (Option<Self>, bool) {
        match (said.and_then(|said| said.kind), binary) {
            (Some(kind), _) => (Some(kind), true),
            (None, None | Some(COMMAND)) => (None, false),
            (None, Some("test" | "bench")) => (Some(Self::Integration), false),
            (None, Some(_)) => (Some(Self::Unit), false),
        }
    }

    /// Returns the spelling of annotations, filters and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Integration => "integration",
            Self::EndToEnd => "e2e",
        }
    }
}

impl fmt::Display for TestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it is if what a test checks does not hold in production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A blemish.
    Low,
    /// What nobody said more of.
    #[default]
    Medium,
    /// Users notice.
    High,
    /// Money, data or trust is lost.
    Critical,
}

impl Severity {
    /// Every severity, from the least.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the spelling of annotations, filters and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A test that may fail for a while, without the gate failing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The last day, `YYYY-MM-DD` in UTC.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// Why, for people.
    pub reason: String,
}

impl Quarantine {
    /// Returns whether it is over at `moment`, an RFC 3339 time in UTC. Judged at a run's start, so that a report says
    /// the same ever after.
    pub fn has_expired(&self, moment: &str) -> bool {
        // Dates of this form are in order as texts.
        moment
            .get(..self.until.len())
            .is_some_and(|day| self.until.as_str() < day)
    }
}

/// The terms on which a run tries an annotated test. Frozen at the run's start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// What is said of the test.
    pub annotation: Annotation,
    /// Why it is not run in an arm, for people, indexed by [`Arm::index`]; none where it is.
    pub absent: [Option<String>; 2],
}

impl Terms {
    /// Returns why the test is not run in an arm; none where it is.
    pub fn absent_from(&self, arm: Arm) -> Option<&str> {
        self.absent[arm.index()].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_further_inside_replaces_the_same_argument_and_no_other() {
        let mut outer = Annotation {
            needs: vec!["service.db".to_owned()],
            mocks: vec!["stripe".to_owned(), "mail".to_owned()],
            kind: Some(TestKind::Integration),
            trials: Some(5),
            place: "src/lib.rs:1".to_owned(),
            ..Annotation::default()
        };
        let inner = Annotation {
            needs: vec!["network".to_owned()],
            real: vec!["stripe".to_owned()],
            kind: Some(TestKind::EndToEnd),
            place: "src/lib.rs:9".to_owned(),
            ..Annotation::default()
        };
        outer.override_with(&inner);
        let expected = Annotation {
            needs: vec!["network".to_owned()],
            mocks: vec!["mail".to_owned()],
            real: vec!["stripe".to_owned()],
            kind: Some(TestKind::EndToEnd),
            trials: Some(5),
            place: "src/lib.rs:9".to_owned(),
            ..Annotation::default()
        };
        assert_eq!(outer, expected);
    }

    #[test]
    fn a_quarantine_lives_until_the_end_of_its_last_day() {
        let quarantine = Quarantine {
            until: "2027-01-31".to_owned(),
            owner: "payments".to_owned(),
            reason: "flaky".to_owned(),
        };
        assert!(!quarantine.has_expired("2026-12-01T00:00:00Z"));
        assert!(!quarantine.has_expired("2027-01-31T23:59:59Z"));
        assert!(quarantine.has_expired("2027-02-01T00:00:00Z"));
        assert!(
            !quarantine.has_expired(""),
            "an unreadable time expires nothing"
        );
    }
}
