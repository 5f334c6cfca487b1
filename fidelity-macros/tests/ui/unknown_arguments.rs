//! Arguments that do not exist, some of them nearly.
use fidelity_macros::fidelity;

#[fidelity(profile("high"))]
#[test]
fn nearly() {}

#[fidelity(budget = 5, kind = "units", severity = "catastrophic")]
#[test]
fn several_at_once() {}

#[fidelity(quarantine(until = "2027-01-31", owner = "payments", because = "of reasons"))]
#[test]
fn inside() {}

fn main() {}
