//! Why, and since when: experiments that trace a failure to what causes it.
//!
//! [`engine`] is one search for every question of this kind; [`commits`], [`knobs`] and [`crossing`] say what the
//! hypotheses are. METHODOLOGY.md explains the procedure and its limits.
//!
//! What touches the world: [`history`] reads which commits changed a knob, [`worktree`] checks old commits out beside
//! the user's repository, which is never written to, [`build`] builds them.

pub mod account;
pub mod build;
pub mod commit_search;
pub mod commits;
pub mod crossing;
pub mod engine;
pub mod experiment;
pub mod history;
pub mod inquiry;
pub mod journal;
pub mod knobs;
pub mod locator;
pub mod prior;
pub mod range;
pub mod simulate;
pub mod trials;
pub mod worktree;
