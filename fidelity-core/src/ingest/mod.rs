//! Results that were made elsewhere: reading the reports of other tools, giving their tests one name each, and sorting them
//! into passes and blocks.
//!
//! [`junit`] reads JUnit XML as real tools write it, in bounded memory; [`csv`] what we wrote ourselves; [`inputs`] finds the
//! files and reads several at a time; [`naming`] gives each test a name that stays. None of them knows passes or the store.
//! [`rows`] reads a file whatever its format, [`pairing`] says which files make a pass, and [`intake`] joins them.

pub mod csv;
pub(crate) mod failure;
pub mod inputs;
pub mod intake;
pub mod junit;
pub mod naming;
pub mod pairing;
pub mod rows;
