//! `#[fidelity(...)]`: tests that say what they need, what they mock and what they may fail, for `cargo fidelity`.
//!
//! The annotation changes nothing about how a test runs under `cargo test`, with one exception that is told: a test that
//! means nothing outside a fidelity profile is reported as ignored, with the reason. What it says goes into a section of
//! the test binary, where `cargo fidelity` finds it without running anything. Nothing is added to programs that are
//! shipped, nothing has to be linked, and crates that forbid unsafe code still do.
//!
//! Annotated crates compile and are tested with Rust 1.71 or newer. Linkers on Linux and the BSDs keep what the annotations
//! say from Rust 1.89 on: with an older compiler `cargo fidelity` finds none there, and runs the tests as if nothing was said.
//!
//! ```toml
//! [dev-dependencies]
//! fidelity-macros = "0.1"
//! ```
//!
//! # Where it stands
//!
//! Above the attribute that makes the test, whichever that is, or on an inline module:
//!
//! ```
//! use fidelity_macros::fidelity;
//!
//! #[fidelity(kind = "integration", needs("service.db"))]
//! #[test]
//! fn orders_are_stored() {}
//!
//! #[fidelity(kind = "unit")]
//! mod totals {
//!     #[test]
//!     fn are_rounded() {}
//!
//!     /// This one takes its kind from the module, and its limit from itself.
//!     #[fidelity_macros::fidelity(timeout = "500ms")]
//!     #[test]
//!     fn are_quick() {}
//! }
//! # fn main() {}
//! ```
//!
//! What a module says holds for every test in it, deeper modules included. An argument that is given further inside
//! replaces the same argument from further outside, whole: `needs("network")` on a test takes the place of
//! `needs("service.db")` on its module. Arguments that are not given are inherited. What is called real further inside is
//! not mocked any more, and the other way round.
//!
//! Tests that a macro makes of one function (`rstest` cases) have the annotation of the function. Doctests cannot be
//! annotated: they are built apart, and `cargo fidelity` does not run them.
//!
//! # Arguments
//!
//! **`profiles("high")`**: the test means something only in these fidelity profiles of `fidelity.toml`. Elsewhere, and
//! under plain `cargo test`, it is ignored. With one arm only there is nothing to compare: it is broken, flaky or stable
//! by its trials there.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(profiles("high"))]
//! #[test]
//! fn backups_fit_on_a_small_disk() {}
//! # fn main() {}
//! ```
//!
//! **`needs("service.db", "network")`**: knobs or services without which the test cannot work. In a fidelity profile that
//! does not provide them it is not run, and the report says so. The tool starts no services: of one that runs beside the
//! suite, a fidelity profile says `provides = ["service.db"]`. `network`, `ipv6` and `env.NAME` are provided unless a profile
//! takes them away; any other knob is by profiles that set it.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(needs("service.db", "network"))]
//! #[test]
//! fn orders_survive_a_restart() {}
//! # fn main() {}
//! ```
//!
//! **`kind = "unit"`**, `"integration"` or `"e2e"`. Without it, tests of libraries and programs count as unit tests, those
//! in `tests/` as integration tests.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(kind = "e2e")]
//! #[test]
//! fn a_customer_buys_a_book() {}
//! # fn main() {}
//! ```
//!
//! **`mocks("stripe")`**, **`real("fs")`**: what the test replaces by something kinder, and what it uses as it is. For
//! `cargo fidelity audit`.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(mocks("stripe"), real("fs"))]
//! #[test]
//! fn a_refused_card_leaves_a_note() {}
//! # fn main() {}
//! ```
//!
//! **`tolerance = 0.01`**: the failure rate, at least 0 and less than 1, up to which the test still counts as passing in
//! an arm. Instead of `policy.tolerance`.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(tolerance = 0.01)]
//! #[test]
//! fn most_packets_arrive() {}
//! # fn main() {}
//! ```
//!
//! **`timeout = "5s"`**: the time limit of a trial, in `ms`, `s`, `m` or `h`. Instead of `policy.timeout`.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(timeout = "5s")]
//! #[test]
//! fn a_search_ends() {}
//! # fn main() {}
//! ```
//!
//! **`trials = 50`**: how often a run tries the test in each arm at most, for tests that cost something. A run makes no
//! experiments about the cause of its failures; `cargo fidelity attribute`, where it is asked to, does.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(trials = 50)]
//! #[test]
//! fn the_sandbox_takes_a_payment() {}
//! # fn main() {}
//! ```
//!
//! **`severity = "critical"`**, `"high"`, `"medium"` or `"low"`: how bad it is if what the test checks does not hold in
//! production. For filters and the order of things in an audit; without it what `[[tests]]` in `fidelity.toml` says, else medium.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(severity = "critical")]
//! #[test]
//! fn nobody_is_charged_twice() {}
//! # fn main() {}
//! ```
//!
//! **`quarantine(until = "2027-01-31", owner = "payments", reason = "...")`**: the test runs and is reported, but until
//! the end of that day (UTC) it does not fail the gate. Afterwards the quarantine itself does, naming its owner.
//!
//! ```
//! # use fidelity_macros::fidelity;
//! #[fidelity(quarantine(until = "2027-01-31", owner = "payments", reason = "the sandbox drops webhooks"))]
//! #[test]
//! fn a_webhook_arrives() {}
//! # fn main() {}
//! ```
//!
//! # What does not compile
//!
//! Unknown arguments, values that cannot be meant, a thing that is both mocked and real, two annotations on one test, and
//! annotations on what is no test. An annotation below the test attribute is one of the latter: `#[test]` expands first
//! and would take an `#[ignore]` from below with it.
//!
//! ```compile_fail
//! # use fidelity_macros::fidelity;
//! #[fidelity(kind = "units")] // help: did you mean `"unit"`?
//! #[test]
//! fn orders_are_stored() {}
//! # fn main() {}
//! ```
//!
//! A macro that is given tests (`proptest! { #[test] ... }`) inside of a module with `profiles` does not compile either,
//! because their `#[ignore]` could not be placed. Tests that a macro makes out of nothing cannot be seen: they run under
//! `cargo test`, and `cargo fidelity` says so.

mod arguments;
mod attribute;
mod expand;
mod item;
mod nearest;
mod record;
mod values;
mod wording;

use proc_macro::TokenStream;

/// Says what a test, or every test of an inline module, needs, mocks and tolerates.
///
/// The [crate's page](crate) shows every argument with an example.
#[proc_macro_attribute]
pub fn fidelity(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let expanded = expand::expand(arguments.into(), item.clone());
    expanded
        .unwrap_or_else(|error| expand::beside_errors(&error, item))
        .into()
}
