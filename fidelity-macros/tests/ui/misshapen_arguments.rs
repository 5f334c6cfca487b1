//! Arguments written like others.
use fidelity_macros::fidelity;

#[fidelity]
#[test]
fn nothing() {}

#[fidelity()]
#[test]
fn nothing_in_parentheses() {}

#[fidelity(profiles = "high")]
#[test]
fn a_list_as_a_value() {}

#[fidelity(profiles(high))]
#[test]
fn without_quotes() {}

#[fidelity(kind("unit"))]
#[test]
fn a_value_as_a_list() {}

#[fidelity(kind = unit)]
#[test]
fn a_word_without_quotes() {}

#[fidelity(needs())]
#[test]
fn an_empty_list() {}

#[fidelity(trials)]
#[test]
fn a_name_alone() {}

#[fidelity(needs("a service"))]
#[test]
fn a_name_with_a_space() {}

fn main() {}
