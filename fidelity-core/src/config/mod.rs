//! The configuration: what is written in `fidelity.toml` and on the command line, and the settings it comes to.
//!
//! ```text
//! load [IO] -> Source -> model -> document (+ overrides) -> inherit -> resolve -> Settings
//! ```
//!
//! Only [`load()`] touches a file; everything else is a function of texts. No part of it knows how a knob is imposed
//! or a threshold used. [`catalogue`] and [`policy_keys`] are the tables from which the parser, the JSON schema and
//! the file that `init` writes are made, so that these cannot disagree. Every error points at the text it is about.

pub mod catalogue;
pub mod errno;
pub mod init;
pub mod policy_keys;
pub mod schema;

mod contradictions;
mod diagnostics;
mod document;
mod fields;
mod inherit;
mod inputs;
mod knob_table;
mod knob_values;
mod knobs;
mod load;
mod model;
mod overrides;
mod policy_reader;
mod presets;
pub(crate) mod printable;
mod provides;
pub mod recipes;
mod render;
mod resolve;
mod runner;
mod samples;
mod setting;
mod source;
pub(crate) mod suggest;
mod test_rules;
pub(crate) mod units;
mod value;

#[cfg(test)]
mod tests;

pub use diagnostics::{ConfigError, ConfigErrors, ErrorKind, Place};
pub use load::{FILE_NAME, load};
pub use overrides::Overrides;
pub use presets::names as preset_names;
pub use resolve::{Settings, resolve};
pub use samples::{Sample, profiles, samples};
pub use source::{Origin, Source, Span};
pub use suggest::{nearest_name, nearest_word};
pub use test_rules::TestRule;
