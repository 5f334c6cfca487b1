//! Options of `attribute`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{BuildArgs, FiltersetArgs, FiltersetHelp, ProfileArgs};

/// Finds out by experiment why a test fails: which knobs, or since which commit
///
/// Runs a test of a stored run alone under mixtures of both fidelity profiles, until one set of knobs is left: it has to fail with
/// these knobs alone, and to pass with everything but them. Without a test, every hidden defect of the run is looked into.
///
/// With `--commits`, `--good`, `--bad` or `--from-history`, finds out since when it fails: crosses old and new code with old and
/// new fidelity profile, then tries commits in checkouts of their own until one is left, and looks at both sides of it again.
/// Nothing in the repository is touched.
///
/// Everything seen is stored: what was interrupted or killed goes on. The exit code is 7 where there is no conclusion.
#[derive(Debug, Args)]
pub struct AttributeArgs {
    /// The test: its name, `BINARY NAME`, or a part that only one test has [default: every hidden defect, for its knobs]
    // `--test` is cargo's.
    #[arg(id = "named_test", value_name = "TEST", num_args = 0..=2)]
    pub test: Vec<String>,
    #[command(flatten)]
    pub filtersets: FiltersetArgs<Attributed>,
    /// The run whose profiles and build are taken to look for knobs: its id, the first digits of it, or `latest`
    #[arg(long, value_name = "RUN", default_value = "latest", conflicts_with_all = ["commits", "good", "bad", "from_history"])]
    pub run: String,
    #[command(flatten)]
    pub commits: CommitArgs,
    #[command(flatten)]
    pub budget: SearchArgs,
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// What `-E` does there.
#[derive(Debug)]
pub enum Attributed {}

impl FiltersetHelp for Attributed {
    const HELP: &str = "Look for it among the tests of this filterset, such as `severity(critical)`; can be repeated, \
    any may match. Verdicts are those of the run";
}

/// Which commits are looked at.
#[derive(Debug, Args)]
#[command(next_help_heading = "Commits")]
pub struct CommitArgs {
    /// Find out since which commit the test fails; the options of this section say so too
    #[arg(long)]
    pub commits: bool,
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

impl CommitArgs {
    /// Returns whether commits are asked for.
    pub fn are_asked_for(&self) -> bool {
        self.commits || self.good.is_some() || self.bad.is_some() || self.from_history
    }
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

/// Which hidden defects `run` looks into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AttributeWhich {
    /// As many as two minutes allow, and no more than half a minute beyond --max-time
    #[default]
    Auto,
    /// None
    Never,
    /// All of them, however long it takes
    All,
}
