//! Numbers, times and dates that cannot be meant.
use fidelity_macros::fidelity;

#[fidelity(tolerance = 5)]
#[test]
fn percent() {}

#[fidelity(tolerance = "1%")]
#[test]
fn percent_as_text() {}

#[fidelity(timeout = 5)]
#[test]
fn a_time_without_unit() {}

#[fidelity(timeout = "5 minutes")]
#[test]
fn a_time_in_words() {}

#[fidelity(timeout = "0s")]
#[test]
fn no_time() {}

#[fidelity(trials = 0)]
#[test]
fn never_tried() {}

#[fidelity(trials = 5000000000)]
#[test]
fn too_many() {}

#[fidelity(quarantine(until = "2027-02-29", owner = "payments", reason = "flaky"))]
#[test]
fn no_such_day() {}

#[fidelity(quarantine(until = "next year", owner = "payments", reason = "flaky"))]
#[test]
fn no_date() {}

fn main() {}
