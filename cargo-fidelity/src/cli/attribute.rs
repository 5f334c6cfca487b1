//! Options of `attribute`.

use std::path::PathBuf;

use clap::Args;

use super::{BuildArgs, ProfileArgs};

/// Finds out since when a test fails, and by what: which commit, the code or its environment
///
/// Starts from a failure that a run has seen. Crosses old and new code with old and new fidelity profile, then tries commits
/// in checkouts of their own until one is left, and looks at both sides of it again. Nothing in the repository is touched.
/// Everything seen is stored: a search that was interrupted or killed goes on. The exit code is 7 where there is no conclusion.
#[derive(Debug, Args)]
pub struct AttributeArgs {
    /// The test: its name, `BINARY NAME`, or a part that only one test has
    // `--test` is cargo's.
    #[arg(id = "named_test", value_name = "TEST", required = true, num_args = 1..=2)]
    pub test: Vec<String>,
    #[command(flatten)]
    pub commits: CommitArgs,
    #[command(flatten)]
    pub budget: SearchArgs,
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// Which commits are looked at.
#[derive(Debug, Args)]
#[command(next_help_heading = "Commits")]
pub struct CommitArgs {
    /// A commit at which the test passed [default: the last one at which a run saw it pass]
    #[arg(long, value_name = "REV")]
    pub good: Option<String>,
    /// A commit at which it fails [default: the one at which a run saw it fail]
    #[arg(long, value_name = "REV")]
    pub bad: Option<String>,
    /// Look at stored results alone: build and run nothing
    #[arg(long)]
    pub from_history: bool,
    /// Check commits out below this directory, outside the workspace [default: the user's cache]
    #[arg(long, value_name = "DIRECTORY")]
    pub worktrees: Option<PathBuf>,
}

/// How much is spent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Budget")]
pub struct SearchArgs {
    /// Stop after this many trials in each part of the search
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_trials: u32,
    /// Stop after about this long, such as `90s` or `15m` [default: none]
    #[arg(long, value_name = "DURATION")]
    pub max_time: Option<String>,
    /// Time limit of one trial [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
}
