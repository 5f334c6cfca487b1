//! The flags cargo gets: what the user said on our command line, in cargo's own spelling.
//!
//! Knows nothing of what is done with the result. Every cargo this tool starts is started from here, so that all of
//! them see one workspace, one set of features and one target directory.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// Cargo's flags, as given to us. The default is what a bare `cargo test` does in the current directory.
#[derive(Clone, Debug, Default)]
pub struct CargoOptions {
    /// The cargo to run; none for `$CARGO`, or else `cargo` on the path.
    pub program: Option<PathBuf>,
    /// Where cargo is started; none for the current directory. Relative paths below are relative to it.
    pub directory: Option<PathBuf>,
    /// What is built: `--package`, `--workspace`, `--lib` ...
    pub selection: Selection,
    /// Features.
    pub features: Features,
    /// `--target`, each.
    pub target: Vec<String>,
    /// `--target-dir`.
    pub target_dir: Option<PathBuf>,
    /// `--manifest-path`.
    pub manifest_path: Option<PathBuf>,
    /// `--locked`.
    pub locked: bool,
    /// `--offline`.
    pub offline: bool,
    /// `--frozen`.
    pub frozen: bool,
    /// `--config`, each.
    pub config: Vec<String>,
    /// `-Z`, each.
    pub unstable: Vec<String>,
    /// Cargo's build profile, `--profile`.
    pub cargo_profile: Option<String>,
    /// `--release`.
    pub release: bool,
    /// `--jobs` of cargo: how many crates are built at a time.
    pub build_jobs: Option<String>,
    /// `--quiet`.
    pub quiet: bool,
    /// How often `--verbose` was said.
    pub verbose: u8,
    /// `--color`: auto, always or never.
    pub color: Option<String>,
    /// Variables that cargo gets beside those of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// Variables of this process that cargo does not get.
    pub without: Vec<OsString>,
    /// The file that cargo's messages go to; none for standard error.
    pub messages: Option<PathBuf>,
}

/// Which packages and targets cargo builds.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `--package`, each.
    pub packages: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--exclude`, each.
    pub exclude: Vec<String>,
    /// `--lib`.
    pub lib: bool,
    /// `--bins`.
    pub bins: bool,
    /// `--bin`, each.
    pub bin: Vec<String>,
    /// `--tests`.
    pub tests: bool,
    /// `--test`, each.
    pub test: Vec<String>,
    /// `--examples`.
    pub examples: bool,
    /// `--example`, each.
    pub example: Vec<String>,
    /// `--benches`.
    pub benches: bool,
    /// `--bench`, each.
    pub bench: Vec<String>,
    /// `--all-targets`.
    pub all_targets: bool,
}

/// Which features cargo turns on.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// `--features`, each as written.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all: bool,
    /// `--no-default-features`.
    pub no_default: bool,
}

impl Selection {
    /// Returns whether the user chose targets, so that cargo does not take its default ones and no doctests.
    pub fn names_targets(&self) -> bool {
        [
            self.lib,
            self.bins,
            self.tests,
            self.examples,
            self.benches,
            self.all_targets,
        ]
        .contains(&true)
            || [&self.bin, &self.test, &self.example, &self.bench]
                .iter()
                .any(|names| !names.is_empty())
    }

    fn arguments(&self) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.each("--package", &self.packages);
        arguments.flag("--workspace", self.workspace);
        arguments.each("--exclude", &self.exclude);
        arguments.flag("--lib", self.lib);
        arguments.flag("--bins", self.bins);
        arguments.each("--bin", &self.bin);
        arguments.flag("--tests", self.tests);
        arguments.each("--test", &self.test);
        arguments.flag("--examples", self.examples);
        arguments.each("--example", &self.example);
        arguments.flag("--benches", self.benches);
        arguments.each("--bench", &self.bench);
        arguments.flag("--all-targets", self.all_targets);
        arguments
    }
}

impl CargoOptions {
    /// Returns a command that starts the user's cargo in the right directory, with no arguments yet.
    pub fn cargo(&self) -> Command {
        let program = match &self.program {
            Some(program) => program.clone().into_os_string(),
            None => std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        };
        let mut command = Command::new(program);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        for name in &self.without {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Returns the arguments every cargo command takes: where the manifest and the lock file are, configuration.
    pub fn manifest_arguments(&self) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        if let Some(path) = &self.manifest_path {
            arguments.option("--manifest-path", path);
        }
        arguments.flag("--locked", self.locked);
        arguments.flag("--offline", self.offline);
        arguments.flag("--frozen", self.frozen);
        arguments.each("--config", &self.config);
        arguments.each("-Z", &self.unstable);
        arguments.0
    }

    /// Returns the arguments that decide what `cargo test` builds and how; nothing about how it talks.
    pub fn build_arguments(&self) -> Vec<OsString> {
        let mut arguments = self.selection.arguments();
        arguments.each("--features", &self.features.features);
        arguments.flag("--all-features", self.features.all);
        arguments.flag("--no-default-features", self.features.no_default);
        arguments.each("--target", &self.target);
        if let Some(directory) = &self.target_dir {
            arguments.option("--target-dir", directory);
        }
        if let Some(profile) = &self.cargo_profile {
            arguments.option("--profile", profile);
        }
        arguments.flag("--release", self.release);
        if let Some(jobs) = &self.build_jobs {
            arguments.option("--jobs", jobs);
        }
        arguments.0.extend(self.manifest_arguments());
        arguments.0
    }

    /// Returns the arguments that decide how cargo talks to the user.
    pub fn talk_arguments(&self) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.flag("--quiet", self.quiet);
        for _ in 0..self.verbose {
            arguments.flag("--verbose", true);
        }
        if let Some(color) = &self.color {
            arguments.option("--color", color);
        }
        arguments.0
    }
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn flag(&mut self, name: &str, given: bool) {
        if given {
            self.0.push(name.into());
        }
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }

    fn each(&mut self, name: &str, values: &[String]) {
        for value in values {
            self.option(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_options_add_nothing_to_cargo_test() {
        let options = CargoOptions::default();
        assert!(options.build_arguments().is_empty());
        assert!(options.talk_arguments().is_empty());
        assert!(!options.selection.names_targets());
    }

    #[test]
    fn every_option_is_spelled_as_cargo_spells_it() {
        let options = CargoOptions {
            selection: Selection {
                packages: vec!["a".into(), "b".into()],
                workspace: true,
                exclude: vec!["c".into()],
                lib: true,
                bins: true,
                bin: vec!["d".into()],
                tests: true,
                test: vec!["e".into()],
                examples: true,
                example: vec!["f".into()],
                benches: true,
                bench: vec!["g".into()],
                all_targets: true,
            },
            features: Features {
                features: vec!["x,y".into()],
                all: true,
                no_default: true,
            },
            target: vec!["t".into()],
            target_dir: Some("out".into()),
            manifest_path: Some("m/Cargo.toml".into()),
            locked: true,
            offline: true,
            frozen: true,
            config: vec!["k=1".into()],
            unstable: vec!["z".into()],
            cargo_profile: Some("ci".into()),
            release: true,
            build_jobs: Some("3".into()),
            ..CargoOptions::default()
        };
        let spelled = options.build_arguments();
        let spelled: Vec<_> = spelled.iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(
            spelled.join(" "),
            "--package a --package b --workspace --exclude c --lib --bins --bin d --tests --test e --examples \
             --example f --benches --bench g --all-targets --features x,y --all-features --no-default-features \
             --target t --target-dir out --profile ci --release --jobs 3 --manifest-path m/Cargo.toml --locked \
             --offline --frozen --config k=1 -Z z"
        );
    }

    #[test]
    fn naming_any_one_target_is_choosing_targets() {
        let named = Selection {
            bench: vec!["b".into()],
            ..Selection::default()
        };
        assert!(named.names_targets());
        let packages_only = Selection {
            packages: vec!["p".into()],
            workspace: true,
            ..Selection::default()
        };
        assert!(!packages_only.names_targets());
    }
}
