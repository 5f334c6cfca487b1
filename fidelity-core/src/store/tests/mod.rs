//! Tests of the store as a whole, on real files.

pub(crate) mod random;
