//! The whole shop, as customers have it.

use fidelity_macros::fidelity;

// Means nothing where no orders come from outside: ignored under `cargo test`, which has no fidelity profiles.
#[fidelity(profiles("high"), kind = "e2e", needs("env.ORDERS_URL"))]
#[test]
fn orders_are_taken_from_outside() {
    let url = std::env::var("ORDERS_URL").expect("the profile says where orders come from");
    assert!(url.starts_with("memory://"));
}

#[fidelity(profiles("high"), kind = "e2e")]
#[test]
fn a_catalogue_is_printed_in_apia() {
    panic!(
        "the catalogue knows no such zone: {:?}",
        std::env::var("TZ")
    );
}

// `high` has no outside network, so that this one is run in `low` only.
#[fidelity(kind = "e2e", needs("network"), real("cards"))]
#[test]
fn a_card_is_charged() {}

// No profile of this project provides it.
#[fidelity(kind = "e2e", needs("service.db"))]
#[test]
fn orders_survive_a_restart() {
    panic!("there is no database");
}

#[fidelity(kind = "e2e", profiles("hihg"))]
#[test]
fn a_profile_that_is_mistyped_is_told() {}
