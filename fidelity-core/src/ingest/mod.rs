//! Results that were made elsewhere: reading the reports of other tools, and giving their tests one name each.
//!
//! [`junit`] reads JUnit XML as real tools write it, in bounded memory; [`inputs`] finds the files and reads several at a
//! time; [`naming`] says which test a case is a trial of. None of them knows arms,
//! passes or the store: they say what a file holds, and what of it could not be used and why.

pub mod inputs;
pub mod junit;
pub mod naming;
