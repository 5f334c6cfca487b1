//! A test as a report shows it.

use crate::classify::{ArmEvidence, Finding};
use crate::domain::{Arm, Attribution, Cause, Policy, Quarantine, Terms, TestId, VerdictKind};
use crate::evidence::presence::Presence;

/// A test as a report shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TestReport {
    /// The verdict and what is behind it.
    pub finding: Finding,
    /// Where an undetermined test leans; none where it leans nowhere.
    pub lean: Option<VerdictKind>,
    /// Whether its failures were seen under an applied knob harsher than production, which is then named.
    pub beyond_production: bool,
    /// What its authors say of it, and in which arms it is run for that.
    pub terms: Option<Box<Terms>>,
    /// The quarantine it is in, or was.
    pub quarantine: Option<QuarantineReport>,
    /// In how many passes of each arm it was skipped, and from how many it is absent.
    pub presence: [Presence; 2],
    /// What experiments showed of its cause; none where none were made or they did not come to their end.
    pub attribution: Option<Attribution>,
}

/// A quarantine as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineReport {
    /// What its authors say.
    pub said: Quarantine,
    /// Whether it was over when the run started.
    pub expired: bool,
}

impl TestReport {
    /// Returns the cause, where one was found.
    pub fn cause(&self) -> Option<&Cause> {
        self.attribution.as_ref()?.cause.as_ref()
    }

    /// Returns whether it may fail without the gate failing.
    pub fn is_in_quarantine(&self) -> bool {
        self.quarantine
            .as_ref()
            .is_some_and(|quarantine| !quarantine.expired)
    }

    /// Returns the identity of the test.
    pub fn id(&self) -> &TestId {
        &self.finding.id
    }

    /// Returns the kind of the verdict.
    pub fn kind(&self) -> VerdictKind {
        self.finding.verdict.kind
    }

    /// Returns what was counted in an arm.
    pub fn arm(&self, arm: Arm) -> &ArmEvidence {
        match arm {
            Arm::Baseline => &self.finding.baseline,
            Arm::Target => &self.finding.target,
        }
    }

    /// Returns the arm in which alone it is run; none where it is run in both or in neither.
    pub fn lone_arm(&self) -> Option<Arm> {
        let terms = self.terms.as_ref()?;
        let [one, other] = Arm::BOTH.map(|arm| terms.absent_from(arm).is_none());
        match (one, other) {
            (true, false) => Some(Arm::Baseline),
            (false, true) => Some(Arm::Target),
            _ => None,
        }
    }

    /// Returns whether its authors' words leave no arm for it.
    pub fn is_run_nowhere(&self) -> bool {
        let terms = self.terms.as_ref();
        terms.is_some_and(|terms| {
            Arm::BOTH
                .iter()
                .all(|arm| terms.absent_from(*arm).is_some())
        })
    }

    /// Returns the failure rate that is still "passes" for it.
    pub fn tolerance(&self, policy: &Policy) -> f64 {
        let terms = self.terms.as_ref();
        terms
            .and_then(|terms| terms.annotation.tolerance)
            .unwrap_or(policy.tolerance)
    }

    /// Returns whether it failed in the one arm that it is run in.
    pub fn has_failed_alone(&self) -> bool {
        self.lone_arm()
            .is_some_and(|arm| 0 < self.arm(arm).failures)
    }

    /// Returns how many trials its authors allow, where an arm has had them all.
    pub fn used_up(&self) -> Option<u32> {
        let allowed = self.terms.as_ref()?.annotation.trials?;
        Arm::BOTH
            .iter()
            .any(|arm| allowed <= self.arm(*arm).trials)
            .then_some(allowed)
    }

    /// Returns whether more passes could give it a verdict: not where it is run nowhere, skips itself wherever trials lack, has had
    /// all the trials its authors allow, or fails at rates at which no number of passes is likely to decide.
    pub fn is_open(&self) -> bool {
        if self.kind() != VerdictKind::Undetermined
            || self.is_run_nowhere()
            || self.used_up().is_some()
        {
            return false;
        }
        let lone = self.lone_arm();
        let run_in = |arm: &Arm| lone.is_none_or(|lone| lone == *arm);
        let mut lacking = Arm::BOTH
            .into_iter()
            .filter(|arm| run_in(arm) && self.arm(*arm).trials == 0)
            .peekable();
        if lacking.peek().is_none() {
            return self.finding.needs_passes.is_some();
        }
        lacking.all(|arm| {
            let presence = self.presence(arm);
            !(0 < presence.skipped && presence.is_never_run())
        })
    }

    /// Returns whether both arms have trials.
    pub fn is_compared(&self) -> bool {
        0 < self.finding.baseline.trials && 0 < self.finding.target.trials
    }
}
