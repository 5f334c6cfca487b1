//! Trying an environment: a canary looks around in it, and every binary lists its tests.
//!
//! Must not know: profiles, what became of other environments. Invariant: nothing it runs is a trial.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::beside::Beside;
use super::pool::Work;
use super::recipe::Recipe;
use super::slot::{Finished, Job};
use super::whole::Process;
use super::{DirectRunner, Refusal, order};
use crate::domain::{Environment, KnobId};
use crate::exec::ExecError;
use crate::exec::canary::inside::Inside;
use crate::exec::canary::{self, CanaryReport};
use crate::exec::guardian::protocol::Ending;
use crate::exec::sandbox::{self, Sandbox, fingerprint};

/// How long a canary, or a binary that lists its tests, may take.
pub(super) const LIMIT_MS: u64 = 30_000;
/// How many canaries show the order of starts. By chance they are sorted once in 40,320 times; the seed is fixed.
const STARTERS: u32 = 8;
/// Seeds the order of those canaries.
const STARTING_SEED: u64 = 1;
/// Seeds load and pauses while an environment is tried.
const PROBING_SEED: u64 = 1;
/// The recipe of the canary; binaries count from 0.
const CANARY: u32 = u32::MAX;

/// How many tests each binary lists, by its position in the suite.
pub(super) type Lists = BTreeMap<u32, u64>;

/// Why an environment does not work: the knobs known to be responsible, and the reason.
pub(super) struct Unfit {
    pub(super) knobs: Vec<(KnobId, String)>,
    pub(super) reason: String,
}

impl Unfit {
    fn because(reason: impl Into<String>) -> Self {
        Self {
            knobs: Vec::new(),
            reason: reason.into(),
        }
    }
}

impl DirectRunner {
    /// Starts canaries and lists every binary's tests under `environment`. Returns what the canary saw.
    pub(super) fn probe(
        &mut self,
        environment: &Environment,
        lists: &Lists,
    ) -> Result<Result<CanaryReport, Unfit>, ExecError> {
        let (mut sandbox, directory) = match self.furnish(environment, 0)? {
            Ok(furnished) => furnished,
            Err(Refusal::Knobs(knobs)) => {
                return Ok(Err(Unfit {
                    knobs,
                    reason: String::new(),
                }));
            }
            Err(Refusal::Whole(reason)) => return Ok(Err(Unfit::because(reason))),
        };
        let report = match Beside::set_up(self, &mut sandbox, (0, PROBING_SEED)) {
            Ok(beside) => self.canary(environment, &sandbox, (&directory, &beside))?,
            Err(reason) => Err(reason),
        };
        self.strike(&directory);
        let report = match report {
            Ok(report) => report,
            Err(reason) => return Ok(Err(self.blame_user(&sandbox, Unfit::because(reason)))),
        };
        // A binary that lists nothing as things are is not asked: it may take the words for leave to run.
        let now = match self.lists(environment, lists.keys().copied().collect())? {
            Ok(now) => now,
            Err(reason) => return Ok(Err(Unfit::because(reason))),
        };
        let changed = lists.iter().find(|(id, count)| now.get(id) != Some(count));
        if let Some(binary) = changed.and_then(|(&id, _)| self.binaries.get(id as usize)) {
            let reason = format!(
                "the test binary {} no longer lists its tests under it",
                binary.id
            );
            return Ok(Err(self.blame_user(&sandbox, Unfit::because(reason))));
        }
        Ok(match self.untried(&sandbox, lists) {
            Some(unfit) => Err(unfit),
            None => Ok(report),
        })
    }

    /// Returns what a canary sees in `sandbox`; the inner error says why there is none.
    fn canary(
        &mut self,
        environment: &Environment,
        sandbox: &Sandbox,
        (directory, beside): (&Path, &Beside),
    ) -> Result<Result<CanaryReport, String>, ExecError> {
        let mut words = vec!["look".to_owned()];
        let own = ["home", "xdg"].into_iter();
        let own: Vec<&str> = own
            .filter(|knob| environment.0.contains_key(&KnobId::from(*knob)))
            .collect();
        words.push(own.join(","));
        let names: Vec<&str> = environment.0.keys().filter_map(KnobId::variable).collect();
        words.extend(names.iter().map(ToString::to_string));
        let seen = match self.canaries(sandbox, vec![words], 1)?.pop() {
            Some(Ok(output)) => output,
            Some(Err(reason)) => return Ok(Err(reason)),
            None => return Ok(Err("the canary did not run".to_owned())),
        };
        let Ok(mut report) = serde_json::from_slice::<CanaryReport>(&seen) else {
            return Ok(Err("the canary could not say what it sees".to_owned()));
        };
        for name in names {
            use std::os::unix::ffi::OsStrExt;
            if let Some(Some(value)) = sandbox.variables.get(std::ffi::OsStr::new(name)) {
                report
                    .expected
                    .insert(name.to_owned(), fingerprint(value.as_bytes()));
            }
        }
        match self.inside(environment, sandbox)? {
            Ok(inside) => report.inside = inside,
            Err(reason) => return Ok(Err(reason)),
        }
        if sandbox.shared {
            report.several = Some(self.several(sandbox)?);
        }
        if let Some(threads) = sandbox.threads {
            report.met = self.meeting(sandbox, directory, threads)?;
        }
        self.watch(sandbox, beside, &mut report)?;
        if environment.0.contains_key(&KnobId::from("order")) {
            report.started = self.starting(sandbox, directory)?;
        }
        Ok(Ok(report))
    }

    /// Returns what a canary saw that was asked for what costs something; the inner error says why there is none.
    fn inside(
        &mut self,
        environment: &Environment,
        sandbox: &Sandbox,
    ) -> Result<Result<Inside, String>, ExecError> {
        let asks = sandbox::asks(environment);
        let mut inside = Inside::default();
        if !asks.is_empty() {
            let began_s = now_s();
            let words = ["inside".to_owned()].into_iter().chain(asks).collect();
            let seen = match self.canaries(sandbox, vec![words], 1)?.pop() {
                Some(Ok(output)) => output,
                Some(Err(reason)) => return Ok(Err(reason)),
                None => return Ok(Err("the canary did not run".to_owned())),
            };
            inside = match serde_json::from_slice(&seen) {
                Ok(inside) => inside,
                Err(_) => return Ok(Err("the canary could not say what it sees".to_owned())),
            };
            inside.asked_s = (began_s, now_s());
        }
        inside.no_mounts = self.mounts.get().and_then(|found| found.clone().err());
        Ok(Ok(inside))
    }

    /// Returns how many canaries were alive at once when `threads` of them were started; where tests share a process, how
    /// many threads of one.
    fn meeting(
        &mut self,
        sandbox: &Sandbox,
        directory: &Path,
        threads: usize,
    ) -> Result<u64, ExecError> {
        let place = directory.join("meeting").display().to_string();
        let answers = if sandbox.shared {
            let words = vec!["crowd".to_owned(), threads.to_string()];
            self.canaries(sandbox, vec![words], 1)?
        } else {
            let words = vec!["meet".to_owned(), place, threads.to_string()];
            self.canaries(sandbox, vec![words; threads], threads)?
        };
        let counts = answers.into_iter().map(|answer| {
            let output = answer.ok()?;
            std::str::from_utf8(&output).ok()?.parse::<u64>().ok()
        });
        Ok(counts.map(Option::unwrap_or_default).min().unwrap_or(0))
    }

    /// Returns in which order numbered canaries started.
    fn starting(&mut self, sandbox: &Sandbox, directory: &Path) -> Result<Vec<u32>, ExecError> {
        let file = directory.join("starts");
        let mut numbers: Vec<u32> = (1..=STARTERS).collect();
        if sandbox.shuffle {
            order::shuffle(&mut numbers, STARTING_SEED);
        }
        let words = |number: &u32| {
            vec![
                "start".to_owned(),
                file.display().to_string(),
                number.to_string(),
            ]
        };
        self.canaries(sandbox, numbers.iter().map(words).collect(), 1)?;
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Returns the executable that becomes a canary.
    pub(super) fn canary_program(&self) -> PathBuf {
        std::fs::canonicalize(&self.options.helper).unwrap_or_else(|_| self.options.helper.clone())
    }

    /// Runs one canary for each list of `words`, `width` at a time. Returns what each printed, or why it did not.
    pub(super) fn canaries(
        &mut self,
        sandbox: &Sandbox,
        words: Vec<Vec<String>>,
        width: usize,
    ) -> Result<Vec<Result<Vec<u8>, String>>, ExecError> {
        let command = [self.canary_program().into(), canary::ARGUMENT.into()];
        // A canary runs where a test would, with what a test would get.
        let recipe = match self.binaries.first() {
            Some(binary) => Recipe::new(&command, &binary.environment, &binary.directory, sandbox),
            None => Recipe::new(&command, &[], Path::new("/"), sandbox),
        };
        let jobs = words.into_iter().enumerate().map(|(tag, words)| Job {
            tag,
            recipe: CANARY,
            arguments: words.into_iter().map(String::into_bytes).collect(),
            timeout_ms: LIMIT_MS,
            grace_ms: 0,
            keep_output: true,
            together: None,
            seed: PROBING_SEED,
            misfires: 0,
        });
        let jobs: Vec<Job> = jobs.collect();
        let mut answers: Vec<Result<Vec<u8>, String>> =
            vec![Err("it was not started".to_owned()); jobs.len()];
        let work = Work {
            recipes: &[(CANARY, recipe)].into(),
            jobs: jobs.into(),
            width,
            before: &|_| Ok(()),
        };
        let _flow = self.pool.run(work, &mut |finished| {
            for end in finished {
                if let Some(answer) = answers.get_mut(end.job.tag) {
                    *answer = printed(end)
                        .map_err(|reason| format!("a process started with it {reason}"));
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(answers)
    }

    /// Returns the lists of all binaries without any knob.
    pub(super) fn lists_as_things_are(&mut self) -> Result<Lists, ExecError> {
        // One that does not list may take the words for leave to run.
        let listing = (0_u32..).zip(&self.binaries).filter(|(_, it)| it.lists);
        let ids = listing.map(|(id, _)| id).collect();
        Ok(self
            .lists(&Environment::default(), ids)?
            .unwrap_or_default())
    }

    /// Returns how many tests each of the binaries `ids` lists under `environment`; those that list none are left out.
    fn lists(
        &mut self,
        environment: &Environment,
        ids: Vec<u32>,
    ) -> Result<Result<Lists, String>, ExecError> {
        let (mut sandbox, directory) = match self.furnish(environment, 0)? {
            Ok(furnished) => furnished,
            Err(refusal) => return Ok(Err(refusal.reason())),
        };
        let beside = match Beside::set_up(self, &mut sandbox, (0, PROBING_SEED)) {
            Ok(beside) => beside,
            Err(reason) => {
                self.strike(&directory);
                return Ok(Err(reason));
            }
        };
        let jobs = ids.into_iter().map(|id| Job {
            tag: id as usize,
            recipe: id,
            arguments: ["--list", "--format", "terse"]
                .map(|word| word.as_bytes().to_vec())
                .into(),
            timeout_ms: LIMIT_MS,
            grace_ms: 0,
            keep_output: true,
            together: None,
            seed: PROBING_SEED,
            misfires: 0,
        });
        let jobs = jobs.collect();
        let recipes = self.recipes(&jobs, &sandbox);
        let mut counts = Lists::new();
        let work = Work {
            recipes: &recipes,
            jobs,
            width: self.options.slots,
            before: &|_| Ok(()),
        };
        let _flow = self.pool.run(work, &mut |finished| {
            for end in finished {
                let id = end.job.recipe;
                let count = printed(end).map_or(0, |output| count_tests(&output));
                if count > 0 {
                    counts.insert(id, count);
                }
            }
            ControlFlow::Continue(())
        })?;
        let checked = self.check(&sandbox)?;
        let lasted = beside.take_down();
        self.strike(&directory);
        Ok(lasted.and(checked).map(|()| counts))
    }

    /// Runs what has to succeed in `sandbox` before a whole command is run in it, if there is such a thing.
    fn check(&mut self, sandbox: &Sandbox) -> Result<Result<(), String>, ExecError> {
        let manners = self.manners.as_ref();
        let command = manners.map_or_else(Vec::new, |manners| manners.check.clone());
        let (Some(program), Some(binary)) = (command.first(), self.binaries.first().cloned())
        else {
            return Ok(Ok(()));
        };
        let program = program.to_string_lossy().into_owned();
        let process = Process {
            command: &command,
            variables: &binary.environment,
            directory: &binary.directory,
            timeout_ms: LIMIT_MS,
            grace_ms: 0,
            seed: PROBING_SEED,
            secrets: &[],
        };
        let end = self.run_process(&process, sandbox)?;
        Ok(match end.ending {
            Ending::Exited(0) => Ok(()),
            _ => Err(format!("`{program}` {}", end.in_words())),
        })
    }

    /// Runs that check without any knob. The inner error says how it ended.
    ///
    /// # Errors
    /// Where nothing can be run at all.
    pub(in crate::exec) fn check_as_things_are(&mut self) -> Result<Result<(), String>, ExecError> {
        let lists = self.lists(&Environment::default(), Vec::new())?;
        Ok(lists.map(drop))
    }
}

/// Returns the standard output of a process that ended well, or how it ended.
pub(super) fn printed(end: Finished) -> Result<Vec<u8>, String> {
    let length = end.ended.stdout.0.min(end.output.len());
    let (output, errors) = end.output.split_at(length);
    let errors = String::from_utf8_lossy(errors);
    let last = errors.lines().last().unwrap_or_default();
    match end.ended.ending {
        Ending::Exited(0) => Ok(output.to_vec()),
        Ending::Exited(code) => Err(format!("ends with exit status {code} ({last})")),
        Ending::Signalled(signal) => Err(format!("dies of signal {signal} ({last})")),
        Ending::TimedOut => Err("does not end".to_owned()),
        Ending::Cancelled => Err("was cancelled".to_owned()),
        Ending::Lost(reason) => Err(format!("was lost: {reason}")),
        Ending::NotStarted { step, errno } => Err(format!(
            "could not {step}: {}",
            std::io::Error::from_raw_os_error(errno)
        )),
    }
}

/// Returns the time in seconds after 1970.
fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// Counts the tests in a list.
fn count_tests(list: &[u8]) -> u64 {
    let lines = list.split(|&byte| byte == b'\n');
    lines.filter(|line| line.ends_with(b": test")).count() as u64
}
