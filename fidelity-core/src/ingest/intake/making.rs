//! Making passes out of files that were looked at. [IO]

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::Intake;
use super::file::read_file;
use crate::domain::{
    Arm, Environment, Observation, Origin, PassEnd, PassRecord, PassSpec, Phase, Scope, SourceFile,
    TestIndex,
};
use crate::ingest::junit::{Problem, ProblemKind};
use crate::ingest::pairing::{Part, PartKey, PassPlan};
use crate::ingest::rows::Row;

/// Trials of passes that are made at once, unless one pass has more.
const BATCH: u64 = 1 << 20;
/// Files of passes that are made at once, unless one pass has more.
const BATCH_FILES: usize = 64;

impl Intake {
    /// Makes the passes that `plans` say of `parts` and gives each to `sink`, in order; `positions` says where each test
    /// stands in the list of the run. A file that is no more what it was is named in the result, and its passes are not made.
    ///
    /// # Errors
    /// The first error of `sink`.
    pub fn make<E>(
        &self,
        (plans, parts): (&[PassPlan], &[Part]),
        positions: &[TestIndex],
        sink: &mut dyn FnMut(PassRecord) -> Result<(), E>,
    ) -> Result<Vec<Problem>, E> {
        let mut problems = Vec::new();
        let mut rest = plans;
        let mut number = 1;
        let mut made = [0; 2];
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_size(rest));
            rest = later;
            let (passes, changed) = self.batch(batch, parts, positions);
            problems.extend(changed);
            for (plan, observations) in batch.iter().zip(passes) {
                let Some(observations) = observations else {
                    continue;
                };
                let before = &mut made[plan.key.arm.index()];
                sink(self.pass((plan, parts), observations, (number, *before)))?;
                number += 1;
                *before += 1;
            }
        }
        Ok(problems)
    }

    /// Returns the observations of each pass of a batch; none of those with a file that changed.
    fn batch(
        &self,
        batch: &[PassPlan],
        parts: &[Part],
        positions: &[TestIndex],
    ) -> (Vec<Option<Vec<Observation>>>, Vec<Problem>) {
        let mut wanted: BTreeMap<usize, BTreeMap<&PartKey, usize>> = BTreeMap::new();
        for (pass, plan) in batch.iter().enumerate() {
            for part in &plan.parts {
                let part = &parts[*part];
                wanted.entry(part.file).or_default().insert(&part.key, pass);
            }
        }
        let files: Vec<_> = wanted.into_iter().collect();
        let read: Vec<_> = files
            .par_iter()
            .map(|(file, passes)| (*file, self.read_again(*file, passes, positions)))
            .collect();
        let mut observations: Vec<Option<Vec<Observation>>> =
            batch.iter().map(|_| Some(Vec::new())).collect();
        let mut problems = Vec::new();
        let mut by_file: BTreeMap<usize, BTreeMap<usize, Vec<Observation>>> = BTreeMap::new();
        for (file, result) in read {
            match result {
                Some(rows) => _ = by_file.insert(file, rows),
                None => problems.push(self.changed(file)),
            }
        }
        for ((pass, plan), slot) in batch.iter().enumerate().zip(&mut observations) {
            let mut all = Vec::new();
            for part in &plan.parts {
                let rows = by_file.get_mut(&parts[*part].file);
                match (rows, slot.is_some()) {
                    (Some(rows), true) => all.append(&mut rows.remove(&pass).unwrap_or_default()),
                    _ => *slot = None,
                }
            }
            if let Some(slot) = slot {
                *slot = numbered(all);
            }
        }
        (observations, problems)
    }

    /// Returns the rows of a file by pass; none if it is no more what it was.
    fn read_again(
        &self,
        file: usize,
        passes: &BTreeMap<&PartKey, usize>,
        positions: &[TestIndex],
    ) -> Option<BTreeMap<usize, Vec<Observation>>> {
        let mut by_key: BTreeMap<usize, Vec<Observation>> = BTreeMap::new();
        // What the keys are is known at the end; rows of passes that are not wanted now must not pile up meanwhile.
        let known: Vec<&PartKey> = self
            .parts
            .iter()
            .filter(|part| part.file == file)
            .map(|part| &part.key)
            .collect();
        let mut after = 0;
        let (outcomes, digest) = read_file(&self.sources[file], &self.reading, &mut |row: Row| {
            let is_wanted = known
                .get(row.key)
                .is_some_and(|key| passes.contains_key(key));
            if !is_wanted {
                return;
            }
            if let Some(number) = self.number_of(&row.id, &mut after) {
                by_key.entry(row.key).or_default().push(Observation {
                    test: positions[number as usize],
                    attempt: 0,
                    outcome: row.outcome,
                    duration_us: row.duration_us,
                    failure: row.failure,
                    leaked: 0,
                });
            }
        })
        .ok()?;
        if digest != self.files[file].digest || outcomes.broken {
            return None;
        }
        let mut rows = BTreeMap::new();
        for (key, observations) in by_key {
            let pass = outcomes.keys.get(key).and_then(|key| passes.get(key))?;
            rows.insert(*pass, observations);
        }
        Some(rows)
    }

    fn changed(&self, file: usize) -> Problem {
        Problem {
            kind: ProblemKind::Unreadable,
            source: self.files[file].name.clone(),
            line: 0,
            column: 0,
            message: "it changed while it was read; nothing of its passes was taken in".to_owned(),
            more: 0,
        }
    }

    fn pass(
        &self,
        (plan, parts): (&PassPlan, &[Part]),
        observations: Vec<Observation>,
        (number, arm_pass): (u32, u32),
    ) -> PassRecord {
        let mut tests: Vec<TestIndex> = observations.iter().map(|seen| seen.test).collect();
        tests.dedup();
        let files: BTreeSet<usize> = plan.parts.iter().map(|part| parts[*part].file).collect();
        let mut sources: Vec<SourceFile> = files
            .into_iter()
            .map(|file| SourceFile {
                digest: self.files[file].digest,
                name: self.files[file].name.clone(),
            })
            .collect();
        sources.sort_by(|one, other| (one.digest, &one.name).cmp(&(other.digest, &other.name)));
        let time_us = observations.iter().map(|seen| seen.duration_us);
        let time_us = time_us.fold(0, u64::saturating_add);
        PassRecord {
            spec: PassSpec {
                number,
                phase: Phase::Ingested,
                arm: plan.key.arm,
                // Nothing was drawn.
                target_probability: match plan.key.arm {
                    Arm::Baseline => 0.0,
                    Arm::Target => 1.0,
                },
                scope: Scope::Suite,
                tests,
                arm_pass,
                order_seed: 0,
                timeout_factor: 1,
            },
            environment: Environment::default(),
            observations,
            end: Some((PassEnd::Completed, time_us / 1000)),
            machine: None,
            origin: Some(Box::new(Origin {
                block: plan.key.block.clone(),
                at_us: plan.at_us,
                sources,
                part: plan.key.part.clone(),
            })),
        }
    }
}

/// Returns how many plans from the front are made at once.
fn batch_size(plans: &[PassPlan]) -> usize {
    let (mut trials, mut files) = (0, 0);
    let fits = |plan: &&PassPlan| {
        trials += plan.trials;
        files += plan.parts.len();
        trials <= BATCH && files <= BATCH_FILES
    };
    plans.iter().take_while(fits).count().max(1)
}

/// Returns trials in the order of test and attempt, numbered in the order they stand in.
fn numbered(mut trials: Vec<Observation>) -> Vec<Observation> {
    // Stable: trials of one test stay in the order they were made in.
    trials.sort_by_key(|seen| seen.test);
    let mut last: Option<(TestIndex, u16)> = None;
    for seen in &mut trials {
        seen.attempt = match last {
            Some((test, attempt)) if test == seen.test => attempt.saturating_add(1),
            _ => 0,
        };
        last = Some((seen.test, seen.attempt));
    }
    // More trials than there are numbers: the rest says nothing that counts.
    trials.dedup_by_key(|seen| (seen.test, seen.attempt));
    trials
}
