//! Options that choose tests, spelled as in cargo and cargo-nextest.

use clap::builder::Resettable;
use clap::{Args, ValueEnum};

/// Which tests take part.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub struct SelectionArgs {
    /// Run tests whose names contain one of these
    #[arg(value_name = "FILTERS", help_heading = Resettable::Reset)]
    pub filters: Vec<String>,
    /// Run tests of this filterset, such as `test(parse) & !package(slow)`; can be repeated, any may match
    #[arg(
        short = 'E',
        long = "filterset",
        visible_alias = "filter-expr",
        value_name = "EXPR"
    )]
    pub filtersets: Vec<String>,
    /// FILTERS are whole names
    #[arg(long)]
    pub exact: bool,
    /// Leave out tests whose names contain this; can be repeated
    #[arg(long, value_name = "FILTER")]
    pub skip: Vec<String>,
    /// Which `#[ignore]`d tests take part [default: default; of `list`: all]
    #[arg(long, value_name = "WHICH")]
    pub run_ignored: Option<RunIgnored>,
    /// Take a binary that does not list its tests as one test
    #[arg(long)]
    pub include_harnessless: bool,
    /// What to do if there are no tests
    #[arg(long, value_name = "ACTION", default_value = "fail")]
    pub no_tests: NoTests,
}

/// Which `#[ignore]`d tests take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunIgnored {
    /// Those that are not ignored
    Default,
    /// Ignored tests only
    Only,
    /// All tests
    All,
}

/// What to do if there are no tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NoTests {
    /// Exit with 2
    Fail,
    /// Exit with 0, and warn
    Warn,
    /// Exit with 0
    Pass,
}
