//! cargo-nextest as the command of a suite: what was built is run as it is, without retries, by a configuration of the tool's
//! own that stands behind the user's.
//!
//! Whatever `.config/nextest.toml` says of setup scripts, groups, threads and time limits holds. Where it ends no test, that
//! of a trial does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use self::configuration::{Limits, Said};
use super::reports::Patterns;
use super::sources::Watch;
use super::{Call, CommandRunner, Manners, Only, Prepared, Tool};
use crate::domain::{BinaryId, KnobId, KnobValue, Problem, TestId};
use crate::exec::ExecError;
use crate::exec::direct::RunnerOptions;
use crate::ingest::junit::Case;
use crate::ingest::naming::Rules;
use crate::suite::nextest::{CONFIGURATION, Nextest, NextestList, reuse};
use crate::suite::{RunIgnored, Suite, Workspace};

mod configuration;

/// What the tool calls itself in the configuration of cargo-nextest.
const TOOL: &str = "cargo-fidelity";
/// An argument is taken up to 128 KiB; several together up to about 2 MiB.
const ARGUMENT: usize = 100 * 1024;
/// Expressions of more bytes in all are not passed.
const ROOM: usize = 512 * 1024;

/// How cargo-nextest is asked to run.
#[derive(Clone, Debug)]
pub struct NextestPasses {
    /// The tool.
    pub nextest: Nextest,
    /// What it needs.
    pub list: NextestList,
    /// Its profile; none for its default.
    pub profile: Option<String>,
    /// What of ignored tests is run.
    pub run_ignored: RunIgnored,
    /// How many tests run at a time, where the user says so on the command line.
    pub jobs: Option<usize>,
    /// How long a pass may take, in milliseconds; none for the usual time.
    pub timeout_ms: Option<u64>,
}

struct Passes {
    asked: NextestPasses,
    root: PathBuf,
    target: PathBuf,
    variables: Vec<(OsString, OsString)>,
    trial_timeout_ms: u64,
    slots: usize,
    said: Said,
    /// The time limits that authors give single tests.
    limits: Limits,
}

impl NextestPasses {
    /// Returns a runner of these passes over the built `suite`.
    ///
    /// # Errors
    /// As [`DirectRunner::new`](crate::exec::direct::DirectRunner::new).
    pub fn into_runner(
        self,
        (suite, workspace): (&Suite, &Workspace),
        options: RunnerOptions,
    ) -> Result<CommandRunner, ExecError> {
        let configuration = workspace.root.join(CONFIGURATION);
        let written = std::fs::read_to_string(configuration).unwrap_or_default();
        let timeout_ms = self.timeout_ms;
        let passes = Passes {
            said: Said::of(&written, &self.profile()),
            limits: Limits::new(),
            asked: self,
            root: workspace.root.clone(),
            target: workspace.target_directory.clone(),
            variables: std::env::vars_os().collect(),
            trial_timeout_ms: options.timeout_ms,
            slots: options.slots,
        };
        let limits = (timeout_ms, Watch::default());
        CommandRunner::new(Box::new(passes), (suite, options), limits)
    }

    fn profile(&self) -> String {
        let said = std::env::var("NEXTEST_PROFILE").ok();
        let profile = self
            .profile
            .clone()
            .or(said)
            .filter(|name| !name.is_empty());
        profile.unwrap_or_else(|| "default".to_owned())
    }
}

impl Passes {
    /// Returns where cargo-nextest keeps what it writes.
    fn store(&self) -> PathBuf {
        match &self.said.store {
            Some(store) => self.root.join(store),
            None => self.target.join("nextest"),
        }
    }

    /// Returns the configuration that stands behind the user's.
    fn configuration(&self, report: &Path, timeout_factor: u32) -> String {
        let factor = u64::from(timeout_factor);
        let own = self.limits.iter();
        let own = own.map(|(test, ms)| (test.clone(), ms.saturating_mul(factor)));
        let limit_ms = self.trial_timeout_ms.saturating_mul(factor);
        self.said
            .behind(&report.to_string_lossy(), limit_ms, &own.collect())
    }
}

/// Says why a knob cannot be imposed on what cargo-nextest runs.
fn refuses(knob: &KnobId, value: &KnobValue) -> Option<String> {
    let how = match (knob.0.as_str(), value) {
        ("order", _) => "starts tests in an order of its own",
        ("process", KnobValue::Text(text)) if text != "per-test" => {
            "gives each test a process of its own"
        }
        ("stdin" | "tty", _) => "gives tests an input and output of its own",
        ("pauses", _) => "gives each test a process group of its own, which pauses do not reach",
        _ => return None,
    };
    Some(format!(
        "cargo-nextest {how}; `[runner] kind = \"direct\"` applies it"
    ))
}

/// Returns expressions that admit exactly `tests`, short enough to be arguments; none where they are too long together.
fn expressions(tests: &[&TestId]) -> Option<Vec<String>> {
    let mut by_binary: BTreeMap<&BinaryId, Vec<&str>> = BTreeMap::new();
    for test in tests {
        by_binary.entry(&test.binary).or_default().push(&test.test);
    }
    let mut expressions = Vec::new();
    for (binary, names) in by_binary {
        let head = format!("binary_id(={}) & (", literal(&binary.0));
        let mut written = String::new();
        for name in names {
            let name = format!("test(={})", literal(name));
            if ARGUMENT < head.len() + name.len() {
                return None;
            }
            if !written.is_empty() && ARGUMENT < head.len() + written.len() + name.len() {
                expressions.push(format!("{head}{written})"));
                written.clear();
            }
            if !written.is_empty() {
                written.push_str(" | ");
            }
            written.push_str(&name);
        }
        expressions.push(format!("{head}{written})"));
    }
    let room: usize = expressions.iter().map(String::len).sum();
    (room <= ROOM).then_some(expressions)
}

/// Returns the expression that admits exactly `test`.
fn matcher(test: &TestId) -> String {
    let (binary, name) = (literal(&test.binary.0), literal(&test.test));
    format!("(binary_id(={binary}) & test(={name}))")
}

/// Writes a text as an exact matcher takes it.
fn literal(text: &str) -> String {
    let mut written = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "_:-/.<>".contains(c) {
            written.push(c);
        } else {
            written.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        }
    }
    written
}

impl Tool for Passes {
    fn prepare(&self, call: &Call<'_>) -> Result<Prepared, String> {
        let configuration = call.reports.join("nextest.toml");
        let text = self.configuration(&call.reports.join("junit.xml"), call.timeout_factor);
        std::fs::write(&configuration, text)
            .map_err(|error| format!("could not write {}: {error}", configuration.display()))?;
        let mut command: Vec<OsString> = vec![(&self.asked.nextest.program).into()];
        let mut say = |words: &[&str]| command.extend(words.iter().map(OsString::from));
        say(&[
            "nextest",
            "run",
            "--color",
            "never",
            "--no-fail-fast",
            "--retries",
            "0",
        ]);
        say(&[
            "--no-tests",
            "pass",
            "--status-level",
            "fail",
            "--final-status-level",
            "none",
        ]);
        say(&[
            "--failure-output",
            "never",
            "--success-output",
            "never",
            "--hide-progress-bar",
        ]);
        say(&["--run-ignored", self.asked.run_ignored.as_str()]);
        let configured = self.asked.jobs.is_none() && self.said.threads;
        let threads = call.threads.or((!configured).then_some(self.slots));
        if let Some(threads) = threads {
            say(&["--test-threads", &threads.max(1).to_string()]);
        }
        if let Some(profile) = &self.asked.profile {
            say(&["--profile", profile]);
        }
        say(&["--tool-config-file"]);
        command.push(format!("{TOOL}:{}", configuration.display()).into());
        command.extend(reuse(&self.asked.list.binaries, &self.asked.list.metadata));
        let only = call
            .only
            .map(|only| only.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        for expression in only.and_then(|only| expressions(&only)).unwrap_or_default() {
            command.extend(["-E".into(), expression.into()]);
        }
        let mut patterns = vec!["{dir}/*.xml".to_owned()];
        patterns.extend(
            self.said
                .junit
                .iter()
                .map(|path| glob::Pattern::escape(path)),
        );
        Ok(Prepared {
            command,
            secrets: Vec::new(),
            patterns: Patterns::new(&patterns, &self.store(), call.reports),
            // Its tests are named to the letter.
            rules: Rules::default(),
        })
    }

    fn identify(&self, case: &Case) -> Option<TestId> {
        // As it lists them, to the letter.
        Some(TestId::new(case.suite.name(), case.name.clone()))
    }

    fn manners(&self) -> Manners {
        let list = &self.asked.list;
        let program = OsString::from(&self.asked.nextest.program);
        let words = ["nextest", "list", "--list-type", "binaries-only"].map(OsString::from);
        let mut check = vec![program];
        check.extend(words);
        check.extend(reuse(&list.binaries, &list.metadata));
        Manners {
            refuses,
            check,
            writable: vec![self.store()],
        }
    }

    fn selects(&self) -> bool {
        true
    }

    fn selects_these(&self, only: &Only<'_>) -> bool {
        let ids: Vec<&TestId> = only.iter().map(|(id, _)| *id).collect();
        expressions(&ids).is_some()
    }

    fn check_in_words(&self) -> String {
        "cargo nextest list".to_owned()
    }

    fn set_limits(&mut self, limits: BTreeMap<TestId, u64>) {
        self.limits = limits;
    }

    fn limit_ms(&self, test: &TestId) -> Option<u64> {
        let own = self.limits.get(test).copied();
        Some(own.unwrap_or(self.trial_timeout_ms))
    }

    fn remarks(&self) -> Vec<Problem> {
        self.said.problems(!self.limits.is_empty())
    }

    fn place(&self) -> (&Path, &[(OsString, OsString)]) {
        (&self.root, &self.variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_name_whole_tests_and_escape_what_means_something() {
        let tests = [
            TestId::new("a", "m::one"),
            TestId::new("a::b", "odd (name), really"),
            TestId::new("a", "m::two"),
        ];
        let tests: Vec<&TestId> = tests.iter().collect();
        assert_eq!(
            expressions(&tests).unwrap(),
            [
                r"binary_id(=a) & (test(=m::one) | test(=m::two))",
                r"binary_id(=a::b) & (test(=odd\u{20}\u{28}name\u{29}\u{2c}\u{20}really))",
            ]
        );
    }

    #[test]
    fn what_it_decides_is_refused() {
        let value = KnobValue::Text("shared".to_owned());
        for knob in crate::domain::RunnerKind::Nextest.decides() {
            assert!(refuses(&KnobId::from(*knob), &value).is_some(), "{knob}");
        }
    }

    #[test]
    fn long_lists_are_several_arguments_and_too_long_ones_none() {
        let name = |number: usize| TestId::new("a", format!("{}{number}", "x".repeat(100)));
        let of = |count: usize| {
            let tests: Vec<TestId> = (0..count).map(name).collect();
            expressions(&tests.iter().collect::<Vec<_>>())
        };
        let several = of(3_000).unwrap();
        assert!(3 < several.len() && several.iter().all(|it| it.len() <= ARGUMENT + 1_000));
        assert_eq!(
            several
                .iter()
                .map(|it| it.matches("test(=").count())
                .sum::<usize>(),
            3_000
        );
        assert_eq!(of(10_000), None);
        let endless = TestId::new("a", "x".repeat(ARGUMENT));
        assert_eq!(expressions(&[&endless]), None);
    }
}
