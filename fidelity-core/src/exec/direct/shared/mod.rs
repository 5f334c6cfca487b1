//! Several tests of one binary in one process: which processes to start, and what their ends say of each test.
//!
//! A process that ends before all of its tests have reported leaves three kinds of them: those that have, those that
//! may have been in flight, and those that cannot have started, because libtest starts tests in the order of their
//! names and only so many at a time. If one alone can have been in flight, it did it. If several, each is run alone:
//! one that ends its process there too did it, and if none does, nobody can tell, and none of them is reported.
//! Whoever is left goes on in a new process. The same in both arms.
//!
//! Must not know: arms, the clock. Invariants: every test is reported exactly once, after a bounded number of
//! processes; a test passes only if libtest said so of it.

use std::collections::VecDeque;

use self::account::Account;
use super::slot::{Finished, Job};
use crate::domain::{CapturedOutput, Observation, TestIndex};
use crate::exec::guardian::protocol::Ending;
use crate::exec::libtest::{Manner, Said};
use crate::exec::secrets::Mask;

mod account;
mod chunk;
#[cfg(test)]
mod tests;

pub(super) use chunk::{ROOM, processes, words_for_one};

/// How often the tests of a binary that are left go on in a new process, in one pass.
pub(super) const RESTARTS: u32 = 8;
/// How many tests are run alone, at most, where any of them may have ended their process: when all had reported, or with
/// its guardian.
const CANDIDATES: usize = 64;

/// A test to run.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) test: TestIndex,
    /// Its name within the binary.
    pub(super) name: String,
    /// Whether the harness has to be told to run it.
    pub(super) ignored: bool,
}

/// How the processes of a binary are run.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The binary.
    pub(super) recipe: u32,
    pub(super) manner: Manner,
    /// What libtest shuffles by; none where it does not.
    pub(super) shuffle_seed: Option<u64>,
    /// Seeds when its processes stand still, where they do.
    pub(super) seed: u64,
    /// Time limit of a trial in milliseconds.
    pub(super) timeout_ms: u64,
    /// Arguments for every process.
    pub(super) arguments: Vec<Vec<u8>>,
    /// Bytes of names that a process is started with, at most.
    pub(super) room: usize,
}

/// The processes of one binary in one pass.
pub(super) struct Shared<'a> {
    rules: Rules,
    /// Sorted by name.
    members: Vec<Member>,
    /// Every test the binary lists, sorted, and whether it is ignored.
    listed: &'a [(String, bool)],
    mask: &'a Mask,
    /// What is still to run together, as sorted positions among the members.
    waiting: VecDeque<Vec<usize>>,
    inquiry: Option<Inquiry>,
    running: Option<Running>,
    early_ends: u32,
}

enum Running {
    /// By position among the names, the member.
    Together(Vec<Option<usize>>),
    Alone(usize),
}

/// The search for the test that ended a process.
struct Inquiry {
    /// How the process ended.
    words: String,
    /// What it printed.
    output: CapturedOutput,
    candidates: Vec<usize>,
    /// Candidates still to run.
    left: VecDeque<usize>,
    /// Candidates that did nothing of the kind alone.
    innocent: Vec<usize>,
    /// Members that had not started.
    after: Vec<usize>,
    /// What the candidates had reported, where all had.
    reported: Vec<(usize, Observation)>,
}

impl<'a> Shared<'a> {
    /// Returns the processes for `members`, of a binary that lists `listed`, sorted.
    pub(super) fn new(
        rules: Rules,
        mut members: Vec<Member>,
        listed: &'a [(String, bool)],
        mask: &'a Mask,
    ) -> Self {
        members.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            waiting: chunk::split(rules.room, &members, listed),
            rules,
            members,
            listed,
            mask,
            inquiry: None,
            running: None,
            early_ends: 0,
        }
    }

    /// Returns the next process to start; none when every test is reported. Its end has to be recorded before the next.
    pub(super) fn next(&mut self) -> Option<Job> {
        let inquiry = self.inquiry.as_mut();
        if let Some(candidate) = inquiry.and_then(|inquiry| inquiry.left.pop_front()) {
            self.running = Some(Running::Alone(candidate));
            return Some(chunk::alone(&self.rules, &self.members[candidate]));
        }
        let chunk = self.waiting.pop_front()?;
        let (job, order) = chunk::together(&self.rules, &self.members, self.listed, &chunk);
        self.running = Some(Running::Together(order));
        Some(job)
    }

    /// Takes the end of the process that ran. Returns what is known from now on.
    ///
    /// # Errors
    /// The reason, where the process never ran, which is no test's fault.
    pub(super) fn record(&mut self, end: Finished) -> Result<Vec<Observation>, String> {
        let mut seen = Vec::new();
        match self.running.take() {
            Some(Running::Together(order)) => self.record_together(&order, end, &mut seen)?,
            Some(Running::Alone(candidate)) => self.record_alone(candidate, end, &mut seen)?,
            None => {}
        }
        seen.sort_by_key(|seen| seen.test);
        Ok(seen)
    }

    fn account(&self) -> Account<'_> {
        Account {
            members: &self.members,
            mask: self.mask,
        }
    }

    fn record_together(
        &mut self,
        order: &[Option<usize>],
        mut end: Finished,
        seen: &mut Vec<Observation>,
    ) -> Result<(), String> {
        if matches!(end.ended.ending, Ending::NotStarted { errno, .. } if errno == libc::E2BIG) {
            self.halve(order.iter().flatten().copied().collect(), seen);
            return Ok(());
        }
        let words = account::ending_words(&end.ended.ending, self.rules.timeout_ms)?;
        let mut lines = end.ended.lines.take().unwrap_or_default();
        lines.said.resize(order.len(), Said::Nothing);
        let settled = lines.settle();
        let reported = self.account().reported(order, &lines, &settled, &end);
        let is_left = |at: &usize| order[*at].is_some() && settled.results[*at].is_none();
        let left: Vec<usize> = (0..order.len()).filter(is_left).collect();
        let member = |at: usize| order.get(at).copied().flatten();
        if settled.complete {
            for lost in left.into_iter().filter_map(member) {
                seen.push(self.account().not_reported(lost, account::LOST, None));
            }
            let late = account::ends_badly(&end.ended.ending, &lines);
            self.conclude(reported, late.then_some(words), end, seen);
            return Ok(());
        }
        seen.extend(reported.into_iter().map(|(_, seen)| seen));
        let manner = self.rules.manner;
        let is_lost = matches!(end.ended.ending, Ending::Lost(_));
        let (flying, after): (Vec<usize>, Vec<usize>) = left
            .into_iter()
            .partition(|&at| is_lost || account::may_be_in_flight(&lines, manner, at));
        let candidates: Vec<usize> = flying.into_iter().filter_map(member).collect();
        let after: Vec<usize> = after.into_iter().filter_map(member).collect();
        let share = account::share(&end.ended, seen.len() + candidates.len());
        seen.iter_mut().for_each(|seen| seen.duration_us = share);
        self.early_ends += 1;
        if is_lost && CANDIDATES < candidates.len() {
            for lost in candidates {
                let words = format!("its process {words}");
                seen.push(self.account().not_reported(lost, &words, None));
            }
            return Ok(());
        }
        if let [culprit] = candidates.as_slice() {
            seen.push(self.account().culprit(*culprit, share, end)?);
            self.go_on(after, &words, seen);
        } else if candidates.is_empty() {
            self.go_on(after, &words, seen);
        } else {
            self.inquiry = Some(Inquiry {
                words,
                output: end.into_output(self.mask),
                left: candidates.iter().copied().collect(),
                candidates,
                innocent: Vec::new(),
                after,
                reported: Vec::new(),
            });
        }
        Ok(())
    }

    /// Ends a process whose tests have all reported. Where it died then, in the words `late`, the one that made it is
    /// looked for, if they are not too many.
    fn conclude(
        &mut self,
        reported: Vec<(usize, Observation)>,
        late: Option<String>,
        end: Finished,
        seen: &mut Vec<Observation>,
    ) {
        let (passed, others): (Vec<_>, Vec<_>) = reported
            .into_iter()
            .partition(|(_, seen)| seen.outcome == crate::domain::Outcome::Passed);
        seen.extend(others.into_iter().map(|(_, seen)| seen));
        match late {
            Some(words) if !passed.is_empty() && passed.len() <= CANDIDATES => {
                let candidates: Vec<usize> = passed.iter().map(|(member, _)| *member).collect();
                self.inquiry = Some(Inquiry {
                    words,
                    output: end.into_output(self.mask),
                    left: candidates.iter().copied().collect(),
                    candidates,
                    innocent: Vec::new(),
                    after: Vec::new(),
                    reported: passed,
                });
            }
            _ => seen.extend(passed.into_iter().map(|(_, seen)| seen)),
        }
    }

    fn record_alone(
        &mut self,
        candidate: usize,
        end: Finished,
        seen: &mut Vec<Observation>,
    ) -> Result<(), String> {
        let ended = end.ended.clone();
        let observation = self.account().alone(candidate, end)?;
        let Some(inquiry) = &mut self.inquiry else {
            return Ok(());
        };
        if account::ends_its_process(&ended, &observation) {
            inquiry
                .reported
                .retain(|(reported, _)| *reported != candidate);
            seen.push(observation);
        } else {
            inquiry.innocent.push(candidate);
        }
        if inquiry.left.is_empty()
            && let Some(inquiry) = self.inquiry.take()
        {
            self.close(inquiry, seen);
        }
        Ok(())
    }

    /// Closes an inquiry whose candidates have all run.
    fn close(&mut self, inquiry: Inquiry, seen: &mut Vec<Observation>) {
        if !inquiry.reported.is_empty() {
            // What they had reported stands: they ended well, and whatever came later is nobody's.
            seen.extend(inquiry.reported.into_iter().map(|(_, seen)| seen));
            return;
        }
        let mut after = inquiry.after;
        if inquiry.innocent.len() < inquiry.candidates.len() {
            after.extend(inquiry.innocent);
            after.sort_unstable();
        } else {
            let words = format!(
                "one of {} tests in flight when their process {}; none of them ends it alone",
                inquiry.candidates.len(),
                inquiry.words
            );
            for candidate in inquiry.candidates {
                let output = Some(&inquiry.output);
                seen.push(self.account().not_reported(candidate, &words, output));
            }
        }
        self.go_on(after, &inquiry.words, seen);
    }

    /// Has `members` run in a new process; after too many, they are not reported.
    fn go_on(&mut self, members: Vec<usize>, words: &str, seen: &mut Vec<Observation>) {
        if self.early_ends <= RESTARTS {
            if !members.is_empty() {
                self.waiting.push_front(members);
            }
            return;
        }
        let words = format!(
            "not run: {} processes of its binary ended early; the last one {words}",
            self.early_ends
        );
        for member in members
            .into_iter()
            .chain(self.waiting.drain(..).flatten().collect::<Vec<_>>())
        {
            seen.push(self.account().not_reported(member, &words, None));
        }
    }

    /// Splits a chunk whose names the system does not take as arguments.
    fn halve(&mut self, mut members: Vec<usize>, seen: &mut Vec<Observation>) {
        if let [member] = members.as_slice() {
            let words = "not run: the system does not take its name as an argument";
            seen.push(self.account().not_reported(*member, words, None));
            return;
        }
        let second = members.split_off(members.len() / 2);
        self.waiting.push_front(second);
        self.waiting.push_front(members);
    }
}
