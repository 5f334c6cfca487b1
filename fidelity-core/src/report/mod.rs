//! Reports: what a stored run says, for people and for programs.
//!
//! [`model`] turns a stored run and its verdicts into one value, [`Report`]; every renderer reads only that, so two
//! formats can never disagree. Nothing here knows a file, a clock, a terminal or a random number: the same stored
//! things give the same bytes every time.
//!
//! | module | gives |
//! |---|---|
//! | [`model`] | [`Report`]: the facts, selected, counted and grouped |
//! | [`human`] | the final page of a run |
//! | [`junit`], [`csv`] | verdicts for CI, observations for spreadsheets |
//! | [`json`] | the same for programs, schema 1 |
//! | [`mod@explain`] | one test's evidence in words |
//! | [`since`] | since when a test fails, and by what |
//! | [`mod@audit`] | what runs where, and what matters most |
//! | [`list`] | the tests, what their authors say, the last verdicts |
//! | [`cause`], [`mod@attribution`] | what experiments showed of why a test fails |
//! | [`mod@history`] | which commits changed the value of which knob |
//! | [`doctor`] | what becomes of knobs on this machine |
//! | [`mod@gate`] | whether the run passes its conditions |
//! | [`plan`], [`mod@power`] | what a run would do; what passes and budgets detect |
//! | [`text`], [`number`] | escaping, width, wrapping; how numbers are written |
//!
//! Whatever a test, a profile or a message brings in is escaped on its way to a page: no control character and no
//! bidirectional override reaches a terminal.

mod absence;
mod annotation;
pub mod attribution;
pub mod audit;
mod blocks;
pub mod cause;
pub mod csv;
pub mod doctor;
pub mod explain;
pub mod gate;
pub mod history;
pub mod human;
pub mod json;
pub mod junit;
mod knob_since;
pub mod list;
pub mod model;
pub mod number;
mod page;
mod pass_counts;
pub mod plan;
pub mod power;
mod problems;
pub mod runs;
mod said;
pub mod since;
pub mod text;
mod words;

#[cfg(test)]
mod planted;

pub use explain::{Explanation, Interval, PastVerdict, Sources};
pub use gate::{Gate, gate};
pub use model::Report;
pub use problems::ASKED_KNOB_NOT_APPLIED;

/// How a page is laid out for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to write colours, as SGR escape sequences.
    pub color: bool,
    /// Columns a line may take; fewer than 40 count as 40.
    pub width: usize,
    /// 0 keeps to one screen, 1 lists every finding in full, 2 the stable tests too.
    pub verbose: u8,
    /// Leaves out everything but the findings that need attention and the gate.
    pub quiet: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            verbose: 0,
            quiet: false,
        }
    }
}
