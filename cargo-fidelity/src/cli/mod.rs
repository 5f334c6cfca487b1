//! The command line: what the user typed, and nothing else. Defaults that depend on files or the machine, and
//! conflicts between options, are worked out by the commands.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{Resettable, UnknownArgumentValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use fidelity_core::attribute::history::Subject;

use crate::console::color::ColorArg;
use crate::exit_code::ExitCode;

mod attribute;
mod audit;
mod build;
mod history;
mod ingest;
mod list;
mod power;
mod selection;

pub use attribute::{AttributeArgs, AttributeWhich};
pub use audit::AuditArgs;
pub use build::BuildArgs;
pub use history::HistoryArgs;
pub use ingest::{IngestArgs, Passes};
pub use list::ListArgs;
pub use power::PowerArgs;
pub use selection::{FiltersetArgs, FiltersetHelp, NoTests, RunIgnored, SelectionArgs};

/// cargo's own colours of help texts.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The program as cargo starts it: `cargo-fidelity fidelity ...`.
#[derive(Debug, Parser)]
#[command(about = "Holds a subcommand of cargo; start it as `cargo fidelity`", long_about = None)]
#[command(name = "cargo", bin_name = "cargo", styles = STYLES, disable_help_subcommand = true)]
pub struct Cargo {
    #[command(subcommand)]
    pub subcommand: CargoSubcommand,
}

/// The one subcommand of cargo that this program is.
#[derive(Debug, Subcommand)]
pub enum CargoSubcommand {
    Fidelity(Fidelity),
}

/// Finds tests that pass in a kind environment and fail in a realistic one
///
/// Runs a test suite repeatedly under two fidelity profiles, a baseline (`low`: the environment as it is) and a target
/// (`high`: closer to production), and tells which tests hide a defect, which are flaky and which are stable, with the
/// evidence for it.
#[derive(Debug, Args)]
#[command(version, arg_required_else_help = true, subcommand_required = true, after_long_help = exit_codes())]
pub struct Fidelity {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

/// Returns what refuses `--profile` where only a fidelity profile can be meant.
fn fidelity_profile() -> UnknownArgumentValueParser {
    UnknownArgumentValueParser::suggest_arg("--fidelity-profile")
}

/// Returns the last part of the help page: what the exit codes mean.
fn exit_codes() -> String {
    let row = |code: ExitCode| format!("\n  {:>2}  {}", code.code(), code.meaning());
    let rows: String = ExitCode::ALL.map(row).concat();
    format!("Exit codes:{rows}")
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArgs>),
    Ingest(Box<IngestArgs>),
    Report(ReportArgs),
    Explain(ExplainArgs),
    Attribute(Box<AttributeArgs>),
    History(HistoryArgs),
    List(Box<ListArgs>),
    Audit(Box<AuditArgs>),
    Doctor(DoctorArgs),
    Power(PowerArgs),
    Init(InitArgs),
    Generate(GenerateArgs),
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How to print results
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorArg,
    /// Print less: no progress, and no hints on the final page
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Keep runs in this file instead of `.fidelity/history.db` in the workspace
    #[arg(long, global = true, value_name = "FILE")]
    pub store: Option<PathBuf>,
}

/// The formats of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs, `"schema": 1`
    Json,
    /// For what shows test results in CI: JUnit XML (`run`, `report`, `ingest`)
    Junit,
    /// Every observation, which `ingest` reads back (`run`, `report`, `ingest`)
    Csv,
    /// For a pull request or a page (`audit`)
    Markdown,
}

/// Runs the suite under both profiles and gives every test a verdict
///
/// Builds once, screens the whole suite, then samples the tests that failed until each is decided, given up or out of
/// budget. Everything seen is stored; Ctrl-C keeps and reports it.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub budget: BudgetArgs,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub build: BuildArgs,
    /// Which hidden defects to look into for what causes them, after the verdicts
    #[arg(long, value_name = "WHICH", default_value = "auto", help_heading = Resettable::Reset)]
    pub attribute: AttributeWhich,
    /// Print the plan and stop before the first pass
    #[arg(long, conflicts_with = "resume", help_heading = Resettable::Reset)]
    pub dry_run: bool,
    /// Continue a run that was cut short: the latest one, or the one given
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "latest", require_equals = true)]
    #[arg(help_heading = Resettable::Reset)]
    pub resume: Option<String>,
    /// Arguments for the test binaries
    #[arg(last = true, value_name = "ARGS", help_heading = Resettable::Reset)]
    pub arguments: Vec<String>,
}

/// The section of help pages about what is compared.
const PROFILES: &str = "Fidelity profiles";

/// Which environments are compared.
#[derive(Clone, Debug, Default, Args)]
pub struct ComparedArgs {
    /// Read this file instead of `fidelity.toml` at the workspace root
    #[arg(long, value_name = "FILE", help_heading = PROFILES)]
    pub config_file: Option<PathBuf>,
    /// The profile that stands for the usual environment [default: low]
    #[arg(
        long = "baseline-profile",
        id = "baseline_profile",
        value_name = "PROFILE",
        help_heading = PROFILES
    )]
    pub baseline: Option<String>,
    /// The profile that stands for production, or `preset:realistic`, `preset:hostile` [default: high]
    #[arg(
        long = "target-profile",
        id = "target_profile",
        value_name = "PROFILE",
        help_heading = PROFILES
    )]
    pub target: Option<String>,
}

impl ComparedArgs {
    /// Returns whose history is read.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            config_file: self.config_file.as_deref(),
            baseline: self.baseline.as_deref(),
            target: self.target.as_deref(),
        }
    }

    /// Returns the same, with what `other` says where nothing is said here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            config_file: self.config_file.or(other.config_file),
            baseline: self.baseline.or(other.baseline),
            target: self.target.or(other.target),
        }
    }
}

/// Which environments are compared, and what is changed of the settings.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = PROFILES)]
pub struct ProfileArgs {
    #[command(flatten)]
    pub compared: ComparedArgs,
    /// Override a setting, such as `high.tz=UTC` or `policy.fdr=0.01`; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// How much is spent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Budget")]
pub struct BudgetArgs {
    /// Tests that run at the same time [default: number of CPUs]
    #[arg(short = 'j', long = "jobs", value_name = "N")]
    pub jobs: Option<std::num::NonZeroU32>,
    /// Stop after about this long, such as `90s`, `15m` or `none` [default: 15m]
    #[arg(long, value_name = "DURATION")]
    pub max_time: Option<String>,
    /// Stop after this many trials, or `none` [default: none]
    #[arg(long, value_name = "N")]
    pub max_trials: Option<String>,
    /// Time limit of one trial [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// Make everything random follow from this number [default: fresh]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// When the command fails.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
pub struct GateArgs {
    /// What makes the command exit with 1: verdicts, `knob-not-applied` for a knob that was asked for and could not be
    /// applied, `expired-quarantine` [default: hidden-defect,broken,expired-quarantine]
    #[arg(long, value_name = "CONDITIONS", value_delimiter = ',')]
    pub fail_on: Vec<String>,
    /// Never exit with 1: for looking only
    #[arg(long, conflicts_with = "fail_on")]
    pub no_gate: bool,
}

/// Prints a stored run again
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run: its id, the first digits of it, or `latest`
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,
    /// List the stored runs instead
    #[arg(long, conflicts_with_all = ["run", "filtersets"])]
    pub list: bool,
    #[command(flatten)]
    pub filtersets: FiltersetArgs<Reported>,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// What `-E` does there.
#[derive(Debug)]
pub enum Reported {}

impl FiltersetHelp for Reported {
    const HELP: &str = "Print and judge tests of this filterset alone, such as `verdict(flaky) & package(core)`; can be \
    repeated, any may match. Verdicts are those of the run";
}

/// Tells one test's evidence in words
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The test: its name, `BINARY NAME`, or a part that only one test has
    #[arg(value_name = "TEST", required_unless_present = "filtersets", num_args = 1..=2)]
    pub test: Vec<String>,
    #[command(flatten)]
    pub filtersets: FiltersetArgs<Explained>,
    /// The run: its id, the first digits of it, or `latest`
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub run: String,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// What `-E` does there.
#[derive(Debug)]
pub enum Explained {}

impl FiltersetHelp for Explained {
    const HELP: &str = "Look for it among the tests of this filterset, such as `verdict(hidden-defect)`, where it may be \
    the only one; can be repeated, any may match";
}

/// Where the workspace is, for commands that build nothing.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
}

/// Tries every knob on this machine and tells what became of it
///
/// Each setting is imposed on a process that says what it sees, as in a run. Where there is a `fidelity.toml`, the
/// settings of its profiles are tried instead; the exit code is 4 if one of them cannot be applied.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Try the settings of this fidelity profile, which may be a preset
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub fidelity_profile: Option<String>,
    /// Never taken, and told how to say it
    #[arg(long = "profile", id = "any_profile", hide = true, value_name = "NAME", value_parser = fidelity_profile())]
    pub _profile: Option<String>,
    /// Try every knob of this version, whatever `fidelity.toml` asks for
    #[arg(long)]
    pub all: bool,
    /// Read this file instead of `fidelity.toml` at the workspace root
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Writes a commented `fidelity.toml` with the built-in profiles
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Replace a file that is already there
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Prints files made from the tool's own definitions
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// What to print
    pub what: Generated,
}

/// What `generate` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Generated {
    /// The JSON Schema of fidelity.toml
    Schema,
}
