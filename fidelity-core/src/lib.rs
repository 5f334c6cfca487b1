//! The library behind `cargo fidelity`: everything but the command line.
//!
//! Data flows one way, and each arrow is a value that can be printed, saved and tested:
//!
//! ```text
//! fidelity.toml + command line -> Settings -> Plan -> [ Scheduler <-> driver <-> Runner ]
//!     -> observations (store) -> evidence -> verdicts -> report
//! ```
//!
//! Deciding is separate from doing. Only [`config::load`], [`suite::discover`], [`exec`], [`store`],
//! [`revision`] and [`ingest::inputs`] touch files, processes, the clock or the environment; everything else is a function of values.
//! ARCHITECTURE.md holds the map and the invariants.

pub mod attribute;
pub mod audit;
pub mod classify;
pub mod config;
pub mod domain;
pub mod driver;
pub mod evidence;
pub mod exec;
pub mod history;
pub mod ingest;
pub mod plan;
pub mod power;
pub mod report;
pub mod revision;
pub mod schedule;
pub mod simulate;
pub mod stats;
pub mod store;
pub mod suite;
pub mod urls;
