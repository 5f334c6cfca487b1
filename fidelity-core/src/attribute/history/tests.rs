//! Tests of the fidelity history: the pure part on values, the rest on real repositories.

mod dates;
mod lines;
mod made;
mod repositories;
