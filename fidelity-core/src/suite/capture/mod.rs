//! How cargo starts each test binary, learnt from cargo itself: `cargo test` is run with this tool as the target runner,
//! and the tool, started in the test's place, reports what it was given and ends.
//!
//! Cargo decides environment, arguments and directory by rules that change with its versions (build-script variables,
//! library paths, `[env]`); nothing here reconstructs them. No test runs, nothing is built (the same units are asked for
//! as in the build before), and nothing of the override stays in the captured environment.
//!
//! A record goes to standard output, which cargo itself leaves empty, so that no file is needed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::AtomicBool;

use super::build::Built;
use super::child::{Ended, How, Limits, STDERR_TAIL, run};
use super::{CargoOptions, SuiteError};

mod record;

pub(super) use record::Record;

/// The hidden first argument that makes the tool report how it was started.
pub const ARGUMENT: &str = "__capture";

/// More than thousands of the largest environments.
const RECORDS_LIMIT: usize = 1024 * 1024 * 1024;

/// Reports how this process was started: everything after [`ARGUMENT`], the directory and the environment.
///
/// To be called first thing when the tool's first argument is [`ARGUMENT`].
pub fn main() -> ExitCode {
    let record = Record {
        arguments: std::env::args_os().skip(2).collect(),
        directory: std::env::current_dir().unwrap_or_default(),
        environment: std::env::vars_os().collect(),
    };
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(&record.encode())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// How to make cargo take our runner.
enum Override {
    /// By environment variable: wins over every configuration file, whatever its form there.
    Variable,
    /// By `--config`, as a string or a list: has to have the form of the user's own value to be merged with it.
    ConfigText,
    ConfigList,
}

/// What is asked of cargo.
pub(super) struct Capture<'a> {
    pub options: &'a CargoOptions,
    /// The executable whose [`ARGUMENT`] leads to [`main`].
    pub reporter: &'a Path,
    pub built: &'a [Built],
    /// Whether a target runner of the user's may come from a `--config` of the user's, which no variable overrides.
    pub contested: bool,
    pub interrupted: &'a AtomicBool,
}

impl Capture<'_> {
    /// Returns how cargo starts each of the executables, by path.
    ///
    /// # Errors
    /// [`SuiteError::NotCaptured`] where cargo started one of them in another way, or not at all.
    pub(super) fn records(&self) -> Result<BTreeMap<PathBuf, Record>, SuiteError> {
        let hosts = self.triples()?;
        let (_link, reporter) = without_spaces(self.reporter)?;
        // A user's `--config` must never win: cargo would then run the tests.
        let ways: &[Override] = if self.contested {
            &[Override::ConfigText, Override::ConfigList]
        } else {
            &[Override::Variable]
        };
        let mut missing = Vec::new();
        let mut stderr = String::new();
        for way in ways {
            let ended = self.ask(way, &hosts, &reporter)?;
            let records = self.restore(record::decode(&ended.stdout), &hosts);
            missing = self
                .built
                .iter()
                .filter(|built| !records.contains_key(&built.path))
                .collect();
            if missing.is_empty() {
                return Ok(records);
            }
            stderr = ended.stderr;
        }
        Err(SuiteError::NotCaptured {
            binaries: missing.into_iter().map(|built| built.id.clone()).collect(),
            stderr,
        })
    }

    /// Runs `cargo test` with the override.
    fn ask(&self, way: &Override, triples: &[String], reporter: &str) -> Result<Ended, SuiteError> {
        let mut cargo = self.options.cargo();
        cargo.args(["test", "--no-fail-fast", "--color", "never"]);
        cargo.args(self.options.build_arguments());
        if !self.options.selection.names_targets() {
            // The same executables, and no doctests.
            cargo.arg("--tests");
        }
        for triple in triples {
            match way {
                Override::Variable => {
                    cargo.env(runner_variable(triple), format!("{reporter} {ARGUMENT}"));
                }
                Override::ConfigText => {
                    let value = toml::Value::from(format!("{reporter} {ARGUMENT}"));
                    cargo
                        .arg("--config")
                        .arg(format!("target.\"{triple}\".runner={value}"));
                }
                Override::ConfigList => {
                    let value = toml::Value::from(vec![reporter, ARGUMENT]);
                    cargo
                        .arg("--config")
                        .arg(format!("target.\"{triple}\".runner={value}"));
                }
            }
        }
        let limits = Limits {
            timeout: None,
            stdout: RECORDS_LIMIT,
            stderr_tail: STDERR_TAIL,
            interrupted: self.interrupted,
        };
        let ended =
            run(&mut cargo, &limits).map_err(|source| SuiteError::io("start cargo", source))?;
        match ended.how {
            How::Interrupted => Err(SuiteError::Interrupted),
            _ => Ok(ended),
        }
    }

    /// Takes the override out of the records, and keys them by executable.
    fn restore(&self, records: Vec<Record>, triples: &[String]) -> BTreeMap<PathBuf, Record> {
        let variables: BTreeMap<OsString, Option<OsString>> = triples
            .iter()
            .map(|triple| OsString::from(runner_variable(triple)))
            .map(|name| (name.clone(), std::env::var_os(name)))
            .collect();
        records
            .into_iter()
            .filter_map(|mut record| {
                record
                    .environment
                    .retain_mut(|(name, value)| match variables.get(name) {
                        None => true,
                        Some(None) => false,
                        Some(Some(own)) => {
                            value.clone_from(own);
                            true
                        }
                    });
                let executable = PathBuf::from(record.arguments.first()?);
                Some((executable, record))
            })
            .collect()
    }

    /// Returns every target triple the executables may have been built for: the host's, those asked for, and the
    /// directories the executables lie in, which is where a configured `build.target` shows. One too many does no harm.
    fn triples(&self) -> Result<Vec<String>, SuiteError> {
        let mut triples = vec![self.host()?];
        for target in &self.options.target {
            let name = Path::new(target).file_stem().unwrap_or_default();
            triples.push(name.to_string_lossy().into_owned());
        }
        for built in self.built {
            let directories = built.path.parent().into_iter().flat_map(Path::components);
            let names = directories.filter_map(|part| part.as_os_str().to_str());
            let plain = |name: &&str| {
                name.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            };
            triples.extend(
                names
                    .filter(plain)
                    .filter(|name| name.contains('-'))
                    .map(str::to_owned),
            );
        }
        triples.sort();
        triples.dedup();
        Ok(triples)
    }

    /// Returns the triple of the machine cargo builds on.
    fn host(&self) -> Result<String, SuiteError> {
        let mut cargo: Command = self.options.cargo();
        cargo.arg("-vV");
        let limits = Limits {
            timeout: None,
            stdout: 64 * 1024,
            stderr_tail: STDERR_TAIL,
            interrupted: self.interrupted,
        };
        let ended =
            run(&mut cargo, &limits).map_err(|source| SuiteError::io("start cargo", source))?;
        let text = String::from_utf8_lossy(&ended.stdout);
        text.lines()
            .find_map(|line| line.strip_prefix("host: "))
            .map(|host| host.trim().to_owned())
            .ok_or_else(|| SuiteError::Metadata {
                message: "it does not name its host".to_owned(),
            })
    }
}

/// Returns the variable that configures the runner of a target.
fn runner_variable(triple: &str) -> String {
    format!(
        "CARGO_TARGET_{}_RUNNER",
        triple.to_uppercase().replace('-', "_")
    )
}

/// Returns a path of the executable that cargo can split at white space, and what has to be kept alive for it.
#[cfg(unix)]
fn without_spaces(executable: &Path) -> Result<(Option<tempfile::TempDir>, String), SuiteError> {
    let plain = |path: &Path| {
        let text = path.to_str()?;
        (!text.contains(char::is_whitespace)).then(|| text.to_owned())
    };
    if let Some(text) = plain(executable) {
        return Ok((None, text));
    }
    let mut last = std::io::Error::other("every temporary directory has white space in its path");
    for base in [
        std::env::temp_dir(),
        PathBuf::from("/tmp"),
        PathBuf::from("/var/tmp"),
    ] {
        let made = tempfile::Builder::new()
            .prefix("cargo-fidelity-")
            .tempdir_in(base);
        let linked = made.and_then(|directory| {
            let link = directory.path().join("reporter");
            std::os::unix::fs::symlink(executable, &link)?;
            Ok((directory, link))
        });
        match linked {
            Ok((directory, link)) => {
                if let Some(text) = plain(&link) {
                    return Ok((Some(directory), text));
                }
            }
            Err(error) => last = error,
        }
    }
    Err(SuiteError::io(
        "link this executable to a path without white space",
        last,
    ))
}

#[cfg(not(unix))]
fn without_spaces(executable: &Path) -> Result<(Option<tempfile::TempDir>, String), SuiteError> {
    Ok((None, executable.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_variable_is_spelled_as_cargo_spells_it() {
        assert_eq!(
            runner_variable("x86_64-unknown-linux-gnu"),
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"
        );
    }

    #[cfg(unix)]
    #[test]
    fn an_executable_in_a_path_with_spaces_is_reached_through_a_link() {
        let directory = tempfile::Builder::new()
            .prefix("with space")
            .tempdir()
            .unwrap();
        let executable = directory.path().join("tool");
        std::fs::write(&executable, "x").unwrap();
        let (link, text) = without_spaces(&executable).unwrap();
        assert!(!text.contains(' '));
        assert_eq!(
            std::fs::canonicalize(&text).unwrap(),
            std::fs::canonicalize(&executable).unwrap()
        );
        drop(link);
        assert!(!Path::new(&text).exists());
    }
}
