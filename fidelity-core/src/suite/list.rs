//! Asking test binaries for their tests, under the environment cargo gives them.
//!
//! Some binaries bring a harness of their own, which may know nothing of listing: it may reject the question, or run
//! everything it has. Lines that name no test are therefore skipped, and a binary without a single test has to show a
//! libtest result line before its silence is believed. No environment of an arm is imposed here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::child::{Ended, How, Limits, STDERR_TAIL, run};
use super::{SuiteError, TestBinary, WHOLE_BINARY};
use crate::domain::Problem;

/// A list of a hundred thousand tests with long names.
const LIST_LIMIT: usize = 64 * 1024 * 1024;

/// A name no test can have: Rust has no such path, and a harness that makes names from files would need this file.
const NO_TEST: &str = "no::such::test, asked for by cargo fidelity";

/// What to ask for, and how long to wait.
pub(super) struct Listing<'a> {
    pub timeout: Duration,
    /// Whether a binary that does not list is taken as one test.
    pub harnessless: bool,
    pub interrupted: &'a AtomicBool,
}

/// A binary, and whether its manifest says `harness = false`.
pub(super) struct Candidate {
    pub binary: TestBinary,
    pub own_harness: bool,
}

/// What a binary answered: names in order, with whether each is ignored.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub tests: BTreeMap<String, bool>,
    pub says_result: bool,
    pub lists: bool,
    pub problems: Vec<Problem>,
}

impl Listing<'_> {
    /// Asks all binaries, a few at a time, and returns their answers in the same order.
    ///
    /// # Errors
    /// The first, in the order of binaries, that failed.
    pub(super) fn ask_all(&self, candidates: &[Candidate]) -> Result<Vec<Listed>, SuiteError> {
        let at_a_time = std::thread::available_parallelism()
            .map_or(2, usize::from)
            .min(candidates.len());
        let next = AtomicUsize::new(0);
        let answers = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..at_a_time {
                scope.spawn(|| {
                    loop {
                        let position = next.fetch_add(1, Ordering::Relaxed);
                        let Some(candidate) = candidates.get(position) else {
                            break;
                        };
                        let answer = self.ask(candidate);
                        let failed = answer.is_err();
                        answers
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(position, answer);
                        if failed {
                            // The answers still to come would not be looked at.
                            next.store(candidates.len(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.into_values().collect()
    }

    fn ask(&self, candidate: &Candidate) -> Result<Listed, SuiteError> {
        let binary = &candidate.binary;
        let all = self.start(binary, &["--list", "--format", "terse"])?;
        if let Some(why) = self.no_list(&all) {
            return if candidate.own_harness {
                Ok(self.without_list(binary, &why))
            } else {
                Err(self.failure(binary, all))
            };
        }
        let mut listed = Listed {
            lists: true,
            says_result: self.says_result(binary)?,
            ..Listed::default()
        };
        let mut names = Names::read(&all.stdout);
        if names.tests.is_empty() && !listed.says_result {
            return Ok(self.without_list(binary, "it names no test and gives no result"));
        }
        let ignored = self.start(binary, &["--list", "--format", "terse", "--ignored"])?;
        if self.no_list(&ignored).is_some() {
            if !candidate.own_harness {
                return Err(self.failure(binary, ignored));
            }
        } else {
            names.mark_ignored(Names::read(&ignored.stdout));
        }
        listed.problems = names.problems(binary);
        listed.tests = names.tests;
        Ok(listed)
    }

    fn start(&self, binary: &TestBinary, arguments: &[&str]) -> Result<Ended, SuiteError> {
        let limits = Limits {
            timeout: Some(self.timeout),
            stdout: LIST_LIMIT,
            stderr_tail: STDERR_TAIL,
            interrupted: self.interrupted,
        };
        let ended = run(binary.command().args(arguments), &limits).map_err(|source| {
            SuiteError::ListFailed {
                binary: binary.id.clone(),
                path: binary.path.clone(),
                ended: format!("could not be started: {source}"),
                stderr: String::new(),
            }
        })?;
        match ended.how {
            How::Interrupted => Err(SuiteError::Interrupted),
            _ => Ok(ended),
        }
    }

    /// Returns why there is no list, where there is none.
    fn no_list(&self, ended: &Ended) -> Option<String> {
        match &ended.how {
            How::Exited(status) if status.success() => None,
            How::Exited(status) => Some(status.to_string()),
            How::TimedOut => Some(format!("not done after {} s", self.timeout.as_secs())),
            How::TooMuchOutput => Some(format!("more than {LIST_LIMIT} bytes")),
            How::Interrupted => Some("interrupted".to_owned()),
        }
    }

    fn failure(&self, binary: &TestBinary, ended: Ended) -> SuiteError {
        let Ended { how, stderr, .. } = ended;
        let (id, path) = (binary.id.clone(), binary.path.clone());
        match how {
            How::Exited(status) => SuiteError::ListFailed {
                binary: id,
                path,
                ended: status.to_string(),
                stderr,
            },
            How::TimedOut => SuiteError::ListTimedOut {
                binary: id,
                path,
                seconds: self.timeout.as_secs(),
                stderr,
            },
            How::TooMuchOutput => SuiteError::ListTooLong {
                binary: id,
                limit: LIST_LIMIT,
            },
            How::Interrupted => SuiteError::Interrupted,
        }
    }

    /// Returns whether the harness ends with a libtest result line when it has nothing to run.
    fn says_result(&self, binary: &TestBinary) -> Result<bool, SuiteError> {
        let ended = self.start(binary, &["--exact", NO_TEST])?;
        let finished = matches!(ended.how, How::Exited(status) if status.success());
        let text = String::from_utf8_lossy(&ended.stdout);
        Ok(finished
            && text
                .lines()
                .any(|line| line.starts_with("test result: ok. 0 passed")))
    }

    fn without_list(&self, binary: &TestBinary, why: &str) -> Listed {
        let mut listed = Listed::default();
        if self.harnessless {
            listed.tests.insert(WHOLE_BINARY.to_owned(), false);
        } else {
            listed.problems.push(Problem {
                kind: "does-not-list".to_owned(),
                message: format!(
                    "{} does not list its tests ({why}) and is left out; with --include-harnessless it is run as one test",
                    binary.id
                ),
            });
        }
        listed
    }
}

/// The names in a list, and what was wrong with the others.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    tests: BTreeMap<String, bool>,
    /// Names that occur more than once.
    repeated: Vec<String>,
    /// Names no command line can hold, escaped.
    unusable: Vec<String>,
}

impl Names {
    fn read(list: &[u8]) -> Self {
        let mut names = Self::default();
        for line in list.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(name) = [&b": test"[..], b": benchmark"]
                .iter()
                .find_map(|end| line.strip_suffix(*end))
            else {
                continue;
            };
            match std::str::from_utf8(name) {
                Ok(name) if !name.contains('\0') => {
                    if names.tests.insert(name.to_owned(), false).is_some() {
                        names.repeated.push(name.to_owned());
                    }
                }
                _ => names.unusable.push(name.escape_ascii().to_string()),
            }
        }
        names
    }

    fn mark_ignored(&mut self, ignored: Self) {
        self.tests
            .extend(ignored.tests.into_keys().map(|name| (name, true)));
    }

    fn problems(&self, binary: &TestBinary) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |kind: &str, names: &[String], what: &str| {
            if let Some(first) = names.first() {
                problems.push(Problem {
                    kind: kind.to_owned(),
                    message: format!(
                        "{} of the tests of {} {what} (`{}`)",
                        names.len(),
                        binary.id,
                        first.escape_debug()
                    ),
                });
            }
        };
        add(
            "repeated-test-name",
            &self.repeated,
            "share a name with another, and are counted as one with it",
        );
        add(
            "unusable-test-name",
            &self.unusable,
            "have a name that cannot be given on a command line, and are left out",
        );
        problems
    }
}

impl TestBinary {
    /// Returns a command that starts the binary as cargo would, with no arguments yet: the user's target runner before
    /// it, in cargo's directory, with cargo's environment and nothing else.
    pub fn command(&self) -> std::process::Command {
        let mut words = self
            .runner
            .iter()
            .map(Path::new)
            .chain([self.path.as_path()]);
        let mut command = std::process::Command::new(words.next().unwrap_or(&self.path));
        command
            .args(words)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[u8]) -> Vec<String> {
        Names::read(list).tests.into_keys().collect()
    }

    #[test]
    fn tests_and_benchmarks_are_read_and_other_lines_are_not() {
        let list = b"hello from a static constructor\n\nb::two: test\na::one: test\nz: benchmark\n3 tests, 1 benchmark\n";
        assert_eq!(read(list), ["a::one", "b::two", "z"]);
    }

    #[test]
    fn names_with_odd_characters_are_kept_as_they_are() {
        let list =
            "case: 1: test\n \u{7}x y \t: test\n: test\n--exact: test\nü/λ: test\r\n".as_bytes();
        assert_eq!(
            read(list),
            ["", " \u{7}x y \t", "--exact", "case: 1", "ü/λ"]
        );
    }

    #[test]
    fn names_no_command_line_can_hold_are_counted_apart() {
        let names = Names::read(b"ok: test\nx\xff: test\na\0b: test\n");
        assert_eq!(names.unusable, ["x\\xff", "a\\x00b"]);
        assert_eq!(names.tests.len(), 1);
    }

    #[test]
    fn a_name_listed_twice_is_one_test_and_said_so() {
        let names = Names::read(b"same: test\nsame: test\nother: test\n");
        assert_eq!(
            (names.tests.len(), names.repeated.as_slice()),
            (2, &["same".to_owned()][..])
        );
    }

    #[test]
    fn a_test_is_ignored_if_the_second_list_has_it() {
        let mut names = Names::read(b"a: test\nb: test\n");
        names.mark_ignored(Names::read(b"b: test\nc: test\n"));
        let ignored: Vec<_> = names.tests.into_iter().collect();
        assert_eq!(
            ignored,
            [("a".into(), false), ("b".into(), true), ("c".into(), true)]
        );
    }
}
