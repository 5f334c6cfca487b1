//! Options that choose tests, spelled as in cargo and cargo-nextest.

use std::marker::PhantomData;

use clap::builder::Resettable;
use clap::{Args, ValueEnum};
use fidelity_core::suite::SuiteError;
use fidelity_core::suite::filterset::Filterset;

/// What the filtersets of a command are for, as its help page says it.
pub trait FiltersetHelp {
    /// The help text of `-E`.
    const HELP: &str;
}

/// Which tests a command is about, by what is known of them.
// A text of its own by `mut_arg` would move the option to the end of the page.
#[derive(Debug, Args)]
pub struct FiltersetArgs<H: FiltersetHelp> {
    #[arg(
        id = "filtersets",
        short = 'E',
        long = "filterset",
        visible_alias = "filter-expr",
        value_name = "EXPR",
        help_heading = "Tests",
        help = H::HELP
    )]
    expressions: Vec<String>,
    #[arg(skip)]
    help: PhantomData<H>,
}

impl<H: FiltersetHelp> FiltersetArgs<H> {
    /// Returns whether none is given.
    pub fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// Returns the expressions, as far as they can be read.
    pub fn parse(&self) -> Result<Vec<Filterset>, SuiteError> {
        let expressions = self.expressions.iter();
        let parsed = expressions.map(|expression| expression.parse::<Filterset>());
        Ok(parsed.collect::<Result<_, _>>()?)
    }
}

/// Which tests take part.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub struct SelectionArgs {
    /// Run tests whose names contain one of these
    #[arg(value_name = "FILTERS", help_heading = Resettable::Reset)]
    pub filters: Vec<String>,
    #[command(flatten)]
    pub filtersets: FiltersetArgs<Selected>,
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

/// What `-E` does there.
#[derive(Debug)]
pub enum Selected {}

impl FiltersetHelp for Selected {
    const HELP: &str = "Run tests of this filterset, such as `test(parse) & !package(slow)`; can be repeated, any may \
    match";
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
