//! Options that are passed through to cargo.

use std::path::PathBuf;

use clap::Args;
use clap::builder::UnknownArgumentValueParser;
use fidelity_core::suite::CargoOptions;
use fidelity_core::suite::options::{Features, Selection};

/// Returns what refuses `--profile`, and says how both kinds of profile are named.
fn either_profile() -> UnknownArgumentValueParser {
    UnknownArgumentValueParser::suggest(
        "cargo's build profile is '--cargo-profile NAME', or '--release'",
    )
    .and_suggest("fidelity profiles are '--baseline-profile NAME' and '--target-profile NAME'")
}

/// How the suite is built.
#[derive(Debug, Args)]
pub struct BuildArgs {
    #[command(flatten)]
    pub packages: PackageArgs,
    #[command(flatten)]
    pub targets: TargetArgs,
    #[command(flatten)]
    pub compilation: CompilationArgs,
}

/// Which packages are built.
#[derive(Debug, Args)]
#[command(next_help_heading = "Packages")]
pub struct PackageArgs {
    /// Package to test; can be repeated
    #[arg(short, long = "package", value_name = "SPEC")]
    pub packages: Vec<String>,
    /// Test all packages of the workspace
    #[arg(long, visible_alias = "all")]
    pub workspace: bool,
    /// Package to leave out of `--workspace`; can be repeated
    #[arg(long, value_name = "SPEC", requires = "workspace")]
    pub exclude: Vec<String>,
}

/// Which targets are built.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targets")]
pub struct TargetArgs {
    /// Test only the packages' libraries
    #[arg(long)]
    pub lib: bool,
    /// Test all binaries
    #[arg(long)]
    pub bins: bool,
    /// Test this binary; can be repeated
    #[arg(long, value_name = "NAME")]
    pub bin: Vec<String>,
    /// Test all examples
    #[arg(long)]
    pub examples: bool,
    /// Test this example; can be repeated
    #[arg(long, value_name = "NAME")]
    pub example: Vec<String>,
    /// Test all targets that have `test = true` set
    #[arg(long)]
    pub tests: bool,
    /// Test this test target; can be repeated
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,
    /// Test all targets that have `bench = true` set
    #[arg(long)]
    pub benches: bool,
    /// Test this bench target; can be repeated
    #[arg(long, value_name = "NAME")]
    pub bench: Vec<String>,
    /// Test all targets but doctests
    #[arg(long)]
    pub all_targets: bool,
}

/// How the compiler is called.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compilation")]
pub struct CompilationArgs {
    /// Features to activate, separated by spaces or commas
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    pub all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long)]
    pub no_default_features: bool,
    /// Build in release mode
    #[arg(short, long, conflicts_with = "cargo_profile")]
    pub release: bool,
    /// cargo's build profile
    #[arg(long, value_name = "NAME")]
    pub cargo_profile: Option<String>,
    /// cargo's own spelling, which says nothing of which kind of profile is meant: never taken, and told how to say it
    #[arg(long = "profile", id = "profile_of_cargo", hide = true, value_name = "NAME", value_parser = either_profile())]
    pub _profile: Option<String>,
    /// Build jobs of cargo
    #[arg(long, value_name = "N")]
    pub build_jobs: Option<String>,
    /// Build for this target triple; can be repeated
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
    /// Directory for everything generated
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Require that Cargo.lock is up to date
    #[arg(long)]
    pub locked: bool,
    /// Do not use the network
    #[arg(long)]
    pub offline: bool,
    /// Same as `--locked --offline`
    #[arg(long)]
    pub frozen: bool,
    /// Override a value of cargo's configuration; can be repeated
    #[arg(long, value_name = "KEY=VALUE|PATH")]
    pub config: Vec<String>,
    /// Unstable flag of cargo; can be repeated
    #[arg(short = 'Z', value_name = "FLAG")]
    pub unstable: Vec<String>,
}

impl BuildArgs {
    /// Returns what the library asks of cargo; how much cargo talks is for the caller to say.
    pub fn options(&self) -> CargoOptions {
        let compilation = &self.compilation;
        CargoOptions {
            selection: self.selection(),
            features: Features {
                features: compilation.features.clone(),
                all: compilation.all_features,
                no_default: compilation.no_default_features,
            },
            target: compilation.target.clone(),
            target_dir: compilation.target_dir.clone(),
            manifest_path: compilation.manifest_path.clone(),
            locked: compilation.locked,
            offline: compilation.offline,
            frozen: compilation.frozen,
            config: compilation.config.clone(),
            unstable: compilation.unstable.clone(),
            cargo_profile: compilation.cargo_profile.clone(),
            release: compilation.release,
            build_jobs: compilation.build_jobs.clone(),
            ..CargoOptions::default()
        }
    }

    /// Returns the packages and targets to build.
    fn selection(&self) -> Selection {
        let (packages, targets) = (&self.packages, &self.targets);
        Selection {
            packages: packages.packages.clone(),
            workspace: packages.workspace,
            exclude: packages.exclude.clone(),
            lib: targets.lib,
            bins: targets.bins,
            bin: targets.bin.clone(),
            tests: targets.tests,
            test: targets.test.clone(),
            examples: targets.examples,
            example: targets.example.clone(),
            benches: targets.benches,
            bench: targets.bench.clone(),
            all_targets: targets.all_targets,
        }
    }
}
