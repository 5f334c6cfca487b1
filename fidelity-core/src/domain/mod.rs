//! The vocabulary of the project as types. This module knows no file, process, clock or format.
//!
//! | word | meaning |
//! |---|---|
//! | knob | one named environment setting with a value: `tz`, `cpus`, `env.DATABASE_URL` |
//! | fidelity profile | a set of knob values; never bare "profile" next to cargo's own |
//! | effective value | a knob's value after inheritance and defaults |
//! | arm | a fidelity profile taking part in a comparison: baseline or target |
//! | trial | one execution of one test in one arm |
//! | outcome | of a trial: passed, failed, timed-out, crashed, skipped, not-reported |
//! | pass | one execution of the selected tests in one arm; the arm is drawn at random |
//! | block | passes that belong together (same commit, same time) when results come from elsewhere |
//! | suspect | a test that failed in the screening |
//! | run | one invocation of `cargo fidelity run` or `ingest`, stored |
//! | scope | what a trial ran among: the whole suite, one binary, the suspects only, or nothing |
//! | failure signature | normalised panic location and message skeleton |
//! | annotation | what the authors of a test say of it in its source |
//! | cluster | tests that fail together or alike: one cause, counted once |

mod annotation;
mod attribution;
mod checkup;
mod commit;
mod ids;
mod knob;
mod machine;
mod observation;
mod origin;
mod outcome;
mod pass;
mod policy;
mod profile;
mod run;
mod runner;
mod verdict;
mod withdrawal;

pub use annotation::{Annotation, Quarantine, Severity, Terms, TestKind};
pub use attribution::{
    Attribution, AttributionEnd, AttributionTrial, Cause, CauseKind, CausingKnob, KnobSince,
    SecondMember, SetBy, Side, StoredAttribution, SuspectedCause,
};
pub use checkup::{Machine, Tier, Tool, Tried};
pub use commit::{CommitId, CommitInfo};
pub use ids::{BinaryId, ParseRunIdError, RunId, Seed, TestId, TestIndex};
pub use knob::{KnobId, KnobStatus, KnobValue};
pub use machine::MachineLoad;
pub use observation::{CapturedOutput, Failure, Observation};
pub use origin::{BlockId, Origin, PassName, SourceFile, natural_order};
pub use outcome::Outcome;
pub use pass::{Arm, PassEnd, PassRecord, PassSpec, Phase, Scope};
pub use policy::{Condition, ForeignLoad, OnForeignLoad, Policy, Screen};
pub use profile::{Environment, FidelityProfile, KnobSetting};
pub use run::{
    BinaryFacts, Fingerprint, ListedTest, Problem, Revision, RunBy, RunEnd, RunHeader, StopReason,
    StoredRun,
};
pub use runner::{RunnerKind, RunnerSettings, Select, SelectingTool};
pub use verdict::{Verdict, VerdictKind};
pub use withdrawal::Withdrawal;
