//! Tests of the store as a whole, on real files.

mod attributions;
mod concurrency;
mod crash;
#[cfg(unix)]
mod disk;
mod fixtures;
mod hostile;
mod merge;
mod merge_causes;
mod misuse;
mod outputs;
mod past;
mod queries;
pub(crate) mod random;
mod round_trip;
mod searches;
mod versions;
