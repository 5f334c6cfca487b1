//! Options of `ingest`.

use clap::{Args, ValueEnum};

use super::{FiltersetArgs, FiltersetHelp, GateArgs, PlaceArgs, ProfileArgs, fidelity_profile};

/// Takes in results that were made elsewhere, and judges them
///
/// Reads JUnit XML of any tool and our own CSV (`report --format csv`), told apart by content, and joins other stores. Passes
/// of both arms that belong together are a block; each test is judged by whether its failures go with the labels within
/// blocks, which assumes that the jobs of a block could have been swapped. Taking in a file twice changes nothing.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Files (also gzip), directories with .xml files, patterns, `-` for standard input; or a store: `history.db`,
    /// `.fidelity`, a checkout
    #[arg(required_unless_present = "withdraw", value_name = "FILE")]
    pub files: Vec<String>,
    /// The fidelity profile that the results were made under: the baseline's or the target's
    #[arg(long, value_name = "NAME")]
    pub fidelity_profile: Option<String>,
    /// Never taken, and told how to say it
    #[arg(long = "profile", id = "any_profile", hide = true, value_name = "NAME", value_parser = fidelity_profile())]
    pub _profile: Option<String>,
    /// The commit that the results were made at: a revision of the repository, or any name [default: HEAD]
    #[arg(long, value_name = "REV")]
    pub commit: Option<String>,
    /// Passes with this name (and commit) belong together, such as the number of a CI run [default: all of the commit]
    #[arg(long, value_name = "ID")]
    pub block: Option<String>,
    /// Which files make a pass
    #[arg(long, value_name = "RULE", default_value = "disjoint")]
    pub passes: Passes,
    /// Leave names as they are written: switches off a rule for names (stress, seeds, parameters, paths, spaces); can be
    /// repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub keep_names: Vec<String>,
    /// Take a report without any test for what it is
    #[arg(long)]
    pub allow_empty: bool,
    /// Take back what came with a run: it stays in the store and is evidence no more, here and wherever the store is joined;
    /// can be repeated
    #[arg(long, value_name = "RUN", requires = "reason")]
    pub withdraw: Vec<String>,
    /// Why it is withdrawn; kept, and shown with every report
    #[arg(long, value_name = "TEXT", requires = "withdraw")]
    pub reason: Option<String>,
    /// Say what would be taken in, and stop
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub filtersets: FiltersetArgs<Ingested>,
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// What `-E` does there.
#[derive(Debug)]
pub enum Ingested {}

impl FiltersetHelp for Ingested {
    const HELP: &str = "Print and judge tests of this filterset alone, such as `test(parse)`; can be repeated, any may \
    match. Everything is taken in";
}

/// Which files make a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Passes {
    /// Files that share no test are one pass, the shards of a job; a file that repeats a test starts the next one
    Disjoint,
    /// Every file is a pass of its own
    PerFile,
    /// All files of an arm and block are one pass; where they repeat a test, only its first trial counts
    One,
}
