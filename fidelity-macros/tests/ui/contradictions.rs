//! Arguments that do not go together.
use fidelity_macros::fidelity;

#[fidelity(mocks("stripe"), real("fs", "stripe"))]
#[test]
fn mocked_and_real() {}

#[fidelity(kind = "unit", kind = "e2e")]
#[test]
fn twice() {}

#[fidelity(needs("network", "network"))]
#[test]
fn named_twice() {}

#[fidelity(quarantine(owner = "payments"))]
#[test]
fn no_end_and_no_reason() {}

#[fidelity(kind = "unit")]
#[fidelity(trials = 5)]
#[test]
fn annotated_twice() {}

fn main() {}
