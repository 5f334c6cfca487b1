//! Why, and since when: experiments that trace a failure to what causes it.
//!
//! [`engine`] is one search for every question of this kind; [`commits`], [`knobs`] and [`crossing`] say what the
//! hypotheses are. METHODOLOGY.md explains the procedure and its limits.

pub mod commits;
pub mod crossing;
pub mod engine;
pub mod history;
pub mod knobs;
pub mod simulate;
