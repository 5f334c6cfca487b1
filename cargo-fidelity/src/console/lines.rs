//! Progress as plain lines, for logs: a line a pass in the screening, later one every ten seconds or ten passes.

use std::io::Write;
use std::time::Duration;

use fidelity_core::domain::{KnobStatus, Observation, PassEnd, PassSpec};
use fidelity_core::report::text::clean;
use fidelity_core::schedule;

use super::status::{Status, suite_line};
use super::{BuiltSuite, Clock, Progress};

/// Time and passes between two lines after the screening.
const EVERY: Duration = Duration::from_secs(10);
const PASSES: u32 = 10;

/// Writes lines.
pub struct Lines {
    out: Box<dyn Write>,
    clock: Clock,
    status: Status,
    said_at: Duration,
    said_passes: u32,
}

impl Lines {
    /// Returns a console that writes to `out`, which may vanish: a log that cannot be written stops nothing.
    pub fn new(out: Box<dyn Write>, clock: Clock) -> Self {
        Self {
            out,
            clock,
            status: Status::default(),
            said_at: Duration::ZERO,
            said_passes: 0,
        }
    }

    fn say(&mut self, line: &str) {
        self.said_at = (self.clock)();
        self.said_passes = self.status.passes().0;
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }
}

impl Progress for Lines {
    fn build_started(&mut self) {
        self.say("building the tests");
    }

    fn built(&mut self, suite: &BuiltSuite<'_>) {
        self.status.built(suite);
        self.say(&suite_line(suite));
    }

    fn knobs_checked(&mut self, knobs: &[KnobStatus]) {
        for knob in knobs.iter().filter(|knob| !knob.applied) {
            self.note(&format!(
                "knob {} is not applied: {}",
                knob.knob, knob.reason
            ));
        }
    }

    fn pass_started(&mut self, spec: &PassSpec, progress: &schedule::Progress) {
        self.status.pass_started(spec, progress);
    }

    fn trial(&mut self, observation: &Observation) {
        self.status.trial(observation);
        // A pass that takes long must not look like a hang.
        if self.said_at + EVERY <= (self.clock)() {
            let line = format!("{}; {}", self.status.pass_line(), self.status.outlook());
            self.say(&line);
        }
    }

    fn pass_ended(&mut self, end: &PassEnd, progress: &schedule::Progress) {
        let discarded = end.discarded_because().is_some();
        let tells = discarded || self.status.is_screening();
        let result = self.status.pass_result(end);
        self.status.pass_ended(progress);
        let (passes, _) = self.status.passes();
        if tells {
            self.say(&result);
        } else if self.said_passes + PASSES <= passes || self.said_at + EVERY <= (self.clock)() {
            let line = format!("{}; {}", self.status.passes_line(), self.status.outlook());
            self.say(&line);
        }
    }

    fn note(&mut self, message: &str) {
        self.say(&format!("note: {}", clean(message)));
    }

    fn finished(&mut self) {}
}
