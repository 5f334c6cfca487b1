//! The commands, a file each. They join the library's parts; what they print is rendered by `fidelity_core::report`.

pub mod attribute;
pub mod audit;
pub mod doctor;
pub mod explain;
pub mod generate;
pub mod history;
pub mod ingest;
pub mod init;
pub mod list;
pub mod power;
pub mod report;
pub mod run;

mod choice;
mod dating;
mod ground;
mod knobs;
mod laboratory;
mod output;
mod page;
mod place;
mod prepare;
mod record;
mod resuming;
mod subject;
