//! Options of `history`.

use clap::Args;

use super::{ComparedArgs, PlaceArgs};

/// Tells which commits changed the environment: the value of each knob, and since when
///
/// Reads `fidelity.toml` at every commit along first parents, and in the work tree, and compares what it comes to: a value that is
/// inherited, that a preset or a default gives, or that moved to another file is the same value. The content of files that `inputs`
/// names counts as a value. A merge that changed one is entered. Builds and runs nothing.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The knob, or what its name begins with, such as `tz`, `env` or `env.APP_MODE` [default: all]
    #[arg(value_name = "KNOB")]
    pub knob: Option<String>,
    #[command(flatten)]
    pub compared: ComparedArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}
