//! Options of `history`.

use std::path::PathBuf;

use clap::Args;

use super::PlaceArgs;

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
    /// Read this file instead of `fidelity.toml` at the workspace root
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// The profile that stands for the usual environment [default: low]
    #[arg(
        long = "baseline-profile",
        id = "baseline_profile",
        value_name = "PROFILE"
    )]
    pub baseline: Option<String>,
    /// The profile that stands for production, or `preset:realistic`, `preset:hostile` [default: high]
    #[arg(long = "target-profile", id = "target_profile", value_name = "PROFILE")]
    pub target: Option<String>,
    #[command(flatten)]
    pub place: PlaceArgs,
}
