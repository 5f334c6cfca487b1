//! Numbers only: evidence processes, bounds and tests. This module knows counts, rates and probabilities, and nothing
//! of tests, arms, files or time.
//!
//! [`eprocess`] bets on which side a pass came from, [`block`] on how sides are placed in a block of passes, [`ebh`] decides over many such bets, [`equivalence`] gathers
//! evidence that two rates are close, [`outlook`] says how long a decision will take, [`binomial`] bounds rates,
//! [`fisher`] is the test people know, and [`runs`] asks whether failures cluster.

pub mod binomial;
pub mod block;
pub mod ebh;
pub mod eprocess;
pub mod equivalence;
pub mod fisher;
pub mod outlook;
pub mod power;
pub mod runs;
