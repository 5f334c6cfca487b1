//! `cargo fidelity`: finds tests that pass in a kind environment and fail in a realistic one.

fn main() {}
