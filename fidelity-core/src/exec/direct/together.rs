//! Passes in which the tests of a binary share processes: joins the decisions of [`super::shared`] to the pool.
//!
//! As under cargo, one binary runs after the other. Tests of a harness of the user's own are left to the trials of one
//! process each, because such a harness may understand no more of libtest's options than it needs.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use super::located::Located;
use super::pool::Work;
use super::shared::{Member, ROOM, Rules, Shared};
use super::slot::{Finished, Job};
use super::{DirectRunner, binary, order};
use crate::domain::{Observation, PassEnd, PassSpec, Problem, TestIndex};
use crate::exec::ExecError;
use crate::exec::libtest::Manner;
use crate::exec::sandbox::Sandbox;
use crate::exec::secrets::Mask;
use crate::suite::TestBinary;

/// What a pass is run with.
pub(super) struct Pass<'a> {
    pub(super) spec: &'a PassSpec,
    pub(super) sandbox: &'a Sandbox,
    /// Time limit of a trial.
    pub(super) timeout_ms: u64,
    pub(super) mask: &'a Mask,
}

impl Pass<'_> {
    /// Returns the time limit of a trial of this test: its own, where its authors give it one.
    pub(super) fn limit_ms(&self, located: &Located) -> u64 {
        let factor = u64::from(self.spec.timeout_factor.max(1));
        let own = located.timeout_ms.map(|ms| ms.saturating_mul(factor));
        own.unwrap_or(self.timeout_ms)
    }
}

/// What became of the tests that share processes.
pub(super) enum Together {
    /// All of them are reported; these tests are left.
    Done(Vec<TestIndex>),
    /// The pass ends here.
    Over(PassEnd),
}

/// Returns whether the tests of `binary` can share a process.
pub(super) fn can_share(binary: &TestBinary) -> bool {
    binary.lists && binary.says_result && !binary.own_harness
}

impl DirectRunner {
    /// Runs those of the tests `order` that share processes, if any do.
    pub(super) fn run_together(
        &mut self,
        pass: &Pass<'_>,
        order: Vec<TestIndex>,
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<Together, ExecError> {
        if !pass.sandbox.shared {
            return Ok(Together::Done(order));
        }
        let (groups, left) = self.groups(pass, order);
        let listed = std::mem::take(&mut self.names);
        let mut ended = Ok(ControlFlow::Continue(()));
        for (id, members) in groups {
            let rules = self.rules(pass, id);
            let names = listed.get(id as usize).map_or(&[][..], Vec::as_slice);
            let shared = Shared::new(rules, members, names, pass.mask);
            ended = self.run_binary(id, shared, pass, seen);
            if !matches!(ended, Ok(ControlFlow::Continue(()))) {
                break;
            }
        }
        self.names = listed;
        Ok(match ended? {
            ControlFlow::Continue(()) => Together::Done(left),
            ControlFlow::Break(end) => Together::Over(end),
        })
    }

    /// Returns the tests of each binary that share processes, in the order of binaries, and the rest.
    fn groups(
        &self,
        pass: &Pass<'_>,
        tests: Vec<TestIndex>,
    ) -> (Vec<(u32, Vec<Member>)>, Vec<TestIndex>) {
        let mut groups: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
        let mut left = Vec::new();
        for test in tests {
            let located = self.tests.get(test.get()).and_then(Option::as_ref);
            let shares = |binary: usize| self.binaries.get(binary).is_some_and(can_share);
            match located {
                Some(located) if shares(located.binary) => {
                    groups.entry(located.binary).or_default().push(Member {
                        test,
                        name: located.name.clone(),
                        ignored: located.ignored,
                    });
                }
                _ => left.push(test),
            }
        }
        let mut binaries: Vec<usize> = (0..self.binaries.len()).collect();
        if pass.sandbox.shuffle {
            // All of them are shuffled, so that a resumed pass goes on in the order it began with.
            order::shuffle(&mut binaries, pass.spec.order_seed);
        }
        let groups = binaries.into_iter().filter_map(|binary| {
            let members = groups.remove(&binary)?;
            Some((u32::try_from(binary).ok()?, members))
        });
        (groups.collect(), left)
    }

    fn rules(&mut self, pass: &Pass<'_>, id: u32) -> Rules {
        let (threads, arguments) = self.threads(pass.sandbox);
        let all = (0..).map(TestIndex).zip(&self.tests);
        let limits: Vec<(TestIndex, u64)> = all
            .filter_map(|(test, located)| Some((test, located.as_ref()?)))
            .filter(|(_, located)| u32::try_from(located.binary) == Ok(id))
            .map(|(test, located)| (test, pass.limit_ms(located)))
            .collect();
        // One limit holds for a process, so that of its most patient test does.
        let longest = limits.iter().map(|(_, limit_ms)| *limit_ms).max();
        let timeout_ms = longest.unwrap_or(pass.timeout_ms);
        let shorter = limits.iter().filter(|(test, limit_ms)| {
            let own = self.tests.get(test.get()).and_then(Option::as_ref);
            *limit_ms < timeout_ms && own.is_some_and(|own| own.timeout_ms.is_some())
        });
        self.outwaited.extend(shorter.map(|(test, _)| *test));
        Rules {
            recipe: id,
            manner: Manner {
                threads,
                in_order: !pass.sandbox.shuffle_within,
            },
            shuffle_seed: pass.sandbox.shuffle_within.then_some(pass.spec.order_seed),
            seed: order::trial_seed(pass.spec.order_seed, id),
            timeout_ms,
            arguments,
            room: ROOM,
        }
    }

    /// Returns what is to be said of tests whose own time limit did not hold.
    pub(super) fn outwaited_tests(&self) -> Option<Problem> {
        let name = |test: &TestIndex| Some(self.tests.get(test.get())?.as_ref()?.name.as_str());
        let names: Vec<&str> = self.outwaited.iter().filter_map(name).collect();
        let first = names.first()?;
        let which = match names.len() - 1 {
            0 => format!("of `{first}`"),
            more => format!("of `{first}` and {more} more"),
        };
        Some(Problem {
            kind: "timeout-overridden".to_owned(),
            message: format!(
                "the `timeout` {which} does not hold where the tests of a binary share a process: the longest of them does"
            ),
        })
    }

    /// Returns how many tests run at a time in a process, and the user's arguments without the one that says so, which
    /// comes before the knob: libtest takes it only once.
    pub(super) fn threads(&self, sandbox: &Sandbox) -> (usize, Vec<Vec<u8>>) {
        const OPTION: &[u8] = b"--test-threads";
        let mut threads = sandbox.threads.unwrap_or(self.options.slots).max(1);
        let mut left = Vec::new();
        let mut arguments = self.own_arguments().into_iter();
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
        while let Some(argument) = arguments.next() {
            let said = match argument.strip_prefix(OPTION) {
                Some([]) => arguments.next().and_then(|value| number(&value)),
                Some([b'=', value @ ..]) => number(value),
                _ => {
                    left.push(argument);
                    continue;
                }
            };
            threads = said.filter(|said| 0 < *said).unwrap_or(threads);
        }
        (threads, left)
    }

    /// Runs the processes of one binary. Breaks with the end of the pass.
    fn run_binary(
        &mut self,
        id: u32,
        mut shared: Shared<'_>,
        pass: &Pass<'_>,
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<PassEnd>, ExecError> {
        while let Some(job) = shared.next() {
            let Some(end) = self.run_one(job, pass.sandbox)? else {
                return Err(ExecError::GuardianLost("it reported no end".to_owned()));
            };
            match shared.record(end) {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    if seen(batch).is_break() {
                        return Ok(ControlFlow::Break(PassEnd::Completed));
                    }
                }
                Err(reason) => return Ok(ControlFlow::Break(PassEnd::Discarded { reason })),
            }
        }
        binary::check(&self.binaries, &self.stamps, id)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Runs one process.
    pub(super) fn run_one(
        &mut self,
        job: Job,
        sandbox: &Sandbox,
    ) -> Result<Option<Finished>, ExecError> {
        let jobs: VecDeque<Job> = [job].into();
        let recipes = self.recipes(&jobs, sandbox);
        let work = Work {
            recipes: &recipes,
            jobs,
            width: 1,
            before: &|job: &Job| binary::check(&self.binaries, &self.stamps, job.recipe),
        };
        let mut end = None;
        let _flow = self.pool.run(work, &mut |mut finished| {
            end = finished.pop();
            ControlFlow::Continue(())
        })?;
        Ok(end)
    }
}
