//! Progress as a bar and two lines of text, on a terminal. Everything but notes is gone when the run is over.

use std::io::{self, Write};
use std::time::Duration;

use fidelity_core::domain::{KnobStatus, Observation, PassEnd, PassSpec};
use fidelity_core::report::text::{clean, cut};
use fidelity_core::schedule;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::status::{Status, suite_line};
use super::{BuiltSuite, Clock, Progress};

/// Composing a text for every one of a thousand trials a second would only heat the machine.
const EVERY: Duration = Duration::from_millis(100);

/// Drawn anew this often even when nothing happens, so that the clock runs while a test hangs.
const TICK: Duration = Duration::from_millis(250);

const TEMPLATE: &str = "[{bar:20}] {elapsed:>3} {msg}";

/// Columns the bar, its frame and the elapsed time take; the time is at most as long as `59m`.
const BAR_COLUMNS: usize = 27;

/// Shows a bar.
pub struct Bars {
    bar: ProgressBar,
    /// Where lines go that are to stay, while no bar is shown.
    out: Box<dyn Write>,
    clock: Clock,
    status: Status,
    columns: usize,
    shown_at: Option<Duration>,
}

impl Bars {
    /// Returns a console on standard error.
    pub fn stderr(clock: Clock) -> Self {
        let columns = terminal_size::terminal_size_of(io::stderr());
        let columns = columns.map_or(80, |(width, _)| usize::from(width.0));
        let out = Box::new(io::stderr());
        Self::new(ProgressDrawTarget::stderr(), columns, out, clock)
    }

    /// Returns a console on another terminal, of so many columns.
    pub fn new(
        target: ProgressDrawTarget,
        columns: usize,
        out: Box<dyn Write>,
        clock: Clock,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(Some(1), target);
        // The template is a constant, and a test draws it; a bar without it is still a bar.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            out,
            clock,
            status: Status::default(),
            columns,
            shown_at: None,
        }
    }

    fn show(&mut self) {
        if self.shown_at.is_none() {
            self.bar.reset_elapsed();
            self.bar.enable_steady_tick(TICK);
        }
        self.shown_at = Some((self.clock)());
        // One column stays free: some terminals wrap a line that is exactly full.
        let room = |taken: usize| self.columns.saturating_sub(taken + 1).max(10);
        let outlook = self.status.outlook();
        let mut pass = self.status.pass_line();
        let failing = self.status.failing();
        if !failing.is_empty() {
            pass = format!("{pass}; failing: {failing}");
        }
        let text = format!(
            "{}\n  {}",
            cut(&outlook, room(BAR_COLUMNS)),
            cut(&pass, room(2))
        );
        let (done, all) = self.status.thousandths();
        self.bar.set_length(all.max(1));
        self.bar.set_position(done);
        self.bar.set_message(text);
    }

    fn keep(&mut self, line: &str) {
        if self.shown_at.is_some() && !self.bar.is_finished() {
            self.bar.println(line);
        } else {
            // A terminal that is gone stops nothing.
            let _ = writeln!(self.out, "{line}");
        }
    }

    /// Draws what is due now.
    #[cfg(test)]
    pub(super) fn draw(&self) {
        self.bar.force_draw();
    }
}

impl Progress for Bars {
    fn build_started(&mut self) {
        // Cargo draws its own bar meanwhile; two would fight for the line.
    }

    fn built(&mut self, suite: &BuiltSuite<'_>) {
        self.status.built(suite);
        self.keep(&suite_line(suite));
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
        self.show();
    }

    fn trial(&mut self, observation: &Observation) {
        self.status.trial(observation);
        if self
            .shown_at
            .is_none_or(|shown_at| shown_at + EVERY <= (self.clock)())
        {
            self.show();
        }
    }

    fn pass_ended(&mut self, end: &PassEnd, progress: &schedule::Progress) {
        if end.discarded_because().is_some() {
            let result = self.status.pass_result(end);
            self.keep(&result);
        }
        self.status.pass_ended(progress);
    }

    fn note(&mut self, message: &str) {
        self.keep(&format!("note: {}", clean(message)));
    }

    fn finished(&mut self) {
        self.bar.finish_and_clear();
    }
}
