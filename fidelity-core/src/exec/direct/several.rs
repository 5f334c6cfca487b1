//! Asking test binaries whether several of their tests can run in one process.
//!
//! Invariant: no test runs; a binary lists, or is asked for a test it does not have.

use std::collections::BTreeSet;

use super::DirectRunner;
use super::probe::{LIMIT_MS, printed};
use super::shared::{self, Member};
use super::slot::Job;
use super::together::can_share;
use crate::domain::TestIndex;
use crate::exec::ExecError;
use crate::exec::sandbox::{Sandbox, Several};

/// A seed that binaries are asked to shuffle by.
const ASKED_SEED: u64 = 7;
/// A name no test can have, so that nothing is run.
const NO_TEST: &str = "no::such::test, asked for by cargo fidelity";
/// Binaries named in one sentence.
const NAMED: usize = 3;

impl DirectRunner {
    /// Asks every binary whose tests are to share a process for two of them at once, without running any.
    pub(super) fn several(&mut self, sandbox: &Sandbox) -> Result<Several, ExecError> {
        let mut several = Several {
            threads: self.threads(sandbox).0,
            ..Several::default()
        };
        let mut silent = Vec::new();
        let used: BTreeSet<usize> = self
            .tests
            .iter()
            .flatten()
            .map(|test| test.binary)
            .collect();
        for at in used {
            let (Some(binary), Some(names)) = (self.binaries.get(at), self.names.get(at)) else {
                continue;
            };
            let id = binary.id.clone();
            if !can_share(binary) {
                several.others.push(id.to_string());
                continue;
            }
            several.asked += 1;
            several.split.extend(self.split_words(at));
            let wanted: BTreeSet<String> = [names.first(), names.last()]
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect();
            match self.selected(at, &wanted, sandbox)? {
                Ok(selected) if selected == wanted => {}
                Ok(_) => several.refusals.push(format!(
                    "the test binary {id} does not take the names of several tests"
                )),
                Err(reason) => several.refusals.push(format!(
                    "the test binary {id}, asked for several tests, {reason}"
                )),
            }
            if sandbox.shuffle_within && !self.says_it_shuffles(at, sandbox)? {
                silent.push(format!(
                    "the test binary {id} does not shuffle although RUSTC_BOOTSTRAP is set"
                ));
            }
        }
        several.others.truncate(NAMED);
        several.split.truncate(NAMED);
        several.shuffles = sandbox.shuffle_within.then_some((several.asked, silent));
        Ok(several)
    }

    /// Says that the tests chosen of a binary do not fit into one process, if so.
    fn split_words(&self, at: usize) -> Option<String> {
        let chosen = self.tests.iter().flatten().filter(|test| test.binary == at);
        let members = chosen.map(|test| Member {
            test: TestIndex(0),
            name: test.name.clone(),
            ignored: test.ignored,
        });
        let members: Vec<Member> = members.collect();
        let processes = shared::processes(&members, &self.names[at]);
        let id = &self.binaries[at].id;
        (1 < processes).then(|| {
            format!(
                "{processes} processes for {id}, because the names of its tests do not fit into one"
            )
        })
    }

    /// Returns the tests that a binary lists when it is asked for `wanted`.
    fn selected(
        &mut self,
        at: usize,
        wanted: &BTreeSet<String>,
        sandbox: &Sandbox,
    ) -> Result<Result<BTreeSet<String>, String>, ExecError> {
        let mut words = vec!["--list", "--format", "terse", "--exact"];
        if wanted.iter().any(|name| name.starts_with('-')) {
            words.push("--");
        }
        words.extend(wanted.iter().map(String::as_str));
        let listed = self.ask(at, &words, sandbox)?;
        Ok(listed.map(|list| {
            let list = String::from_utf8_lossy(&list);
            let names = list.lines().filter_map(|line| {
                line.strip_suffix(": test")
                    .or_else(|| line.strip_suffix(": benchmark"))
            });
            names.map(str::to_owned).collect()
        }))
    }

    /// Returns whether a binary says that it would shuffle its tests.
    fn says_it_shuffles(&mut self, at: usize, sandbox: &Sandbox) -> Result<bool, ExecError> {
        let seed = ASKED_SEED.to_string();
        let words = [
            "-Zunstable-options",
            "--shuffle-seed",
            &seed,
            "--exact",
            NO_TEST,
        ];
        let said = self.ask(at, &words, sandbox)?;
        let wanted = format!("(shuffle seed: {ASKED_SEED})");
        Ok(said.is_ok_and(|said| String::from_utf8_lossy(&said).contains(&wanted)))
    }

    /// Returns what a binary prints when it is started with `words`, or how it ended.
    fn ask(
        &mut self,
        at: usize,
        words: &[&str],
        sandbox: &Sandbox,
    ) -> Result<Result<Vec<u8>, String>, ExecError> {
        let job = Job {
            tag: 0,
            recipe: u32::try_from(at).unwrap_or(u32::MAX),
            arguments: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            timeout_ms: LIMIT_MS,
            grace_ms: 0,
            keep_output: true,
            together: None,
            seed: ASKED_SEED,
            misfires: 0,
        };
        let end = self.run_one(job, sandbox)?;
        Ok(end.map_or_else(|| Err("reported no end".to_owned()), printed))
    }
}
