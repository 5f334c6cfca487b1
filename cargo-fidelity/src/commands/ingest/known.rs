//! What was taken in before: a file is known by its bytes, within a comparison of two fidelity profiles, and a pass of a CSV by
//! the run it was exported from.

use std::collections::{BTreeMap, BTreeSet};

use fidelity_core::domain::{
    Arm, BlockId, Fingerprint, PassName, RunId, Withdrawal, natural_order,
};
use fidelity_core::ingest::intake::Intake;
use fidelity_core::ingest::pairing::Part;
use fidelity_core::store::{IngestedPass, SqliteStore, Store};

use crate::error::CliError;

/// Why a part of a file is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was taken in before, with this run.
    Stored(usize, RunId),
    /// This pass of a run was, or the run itself is in the store.
    Pass(usize, PassName, RunId),
    /// The run that this pass is of was withdrawn.
    Withdrawn(usize, PassName),
    /// Another file of this call has the same bytes.
    Twin(usize, usize),
    /// Another file of this call has the same pass of a run.
    Again(usize, usize, PassName),
}

/// What the store holds, as far as it was asked.
struct Earlier<'a> {
    store: &'a SqliteStore,
    /// The runs of the comparison: what another has of the same files is no evidence here, nor what was withdrawn.
    runs: BTreeSet<RunId>,
    /// Every run that was withdrawn.
    withdrawn: BTreeMap<RunId, Withdrawal>,
    /// Files that are in the store for another arm or block, with the run that has them.
    elsewhere: BTreeMap<Elsewhere, BTreeSet<usize>>,
    /// Of the file asked for last.
    of_file: Option<(usize, Vec<IngestedPass>)>,
    /// All of it, for files that say which pass of which run they hold.
    by_name: Option<BTreeMap<PassName, RunId>>,
}

/// Where a file was taken in for another arm or block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elsewhere {
    /// With which run.
    pub run: RunId,
    /// For which arm.
    pub arm: Arm,
    /// For which block.
    pub block: BlockId,
}

/// What is to be taken in, and what is known of it.
#[derive(Debug, Default)]
pub struct Sorted {
    /// What is new.
    pub parts: Vec<Part>,
    /// What is left out, and why.
    pub known: Vec<Known>,
    /// Files that are taken in although their bytes were, for another arm or block.
    pub elsewhere: BTreeMap<Elsewhere, BTreeSet<usize>>,
}

impl Earlier<'_> {
    /// Returns why a part is known; none where it is not.
    fn known(&mut self, intake: &Intake, part: &Part) -> Result<Option<Known>, CliError> {
        if self
            .of_file
            .as_ref()
            .is_none_or(|(file, _)| *file != part.file)
        {
            let passes = self.store.ingested_from(&intake.files[part.file].digest)?;
            self.of_file = Some((part.file, passes));
        }
        let passes = self.of_file.iter().flat_map(|(_, passes)| passes);
        let passes = passes.filter(|pass| self.runs.contains(&pass.run));
        let passes: Vec<&IngestedPass> = passes.collect();
        let key = &part.key;
        let in_place =
            |pass: &&&IngestedPass| pass.arm == key.arm && pass.origin.block == key.block;
        let mut there = passes.iter().filter(in_place);
        if let Some(pass) = there.clone().find(|pass| pass.origin.part == key.part) {
            return Ok(Some(Known::Stored(part.file, pass.run)));
        }
        let Some(name) = PassName::of_part(&part.key.part) else {
            if let (None, Some(pass)) = (there.next(), passes.first()) {
                let elsewhere = Elsewhere {
                    run: pass.run,
                    arm: pass.arm,
                    block: pass.origin.block.clone(),
                };
                self.elsewhere
                    .entry(elsewhere)
                    .or_default()
                    .insert(part.file);
            }
            return Ok(None);
        };
        if self.withdrawn.contains_key(&name.run) {
            return Ok(Some(Known::Withdrawn(part.file, name)));
        }
        if self.by_name.is_none() {
            let withdrawn: BTreeSet<RunId> = self.withdrawn.keys().copied().collect();
            self.by_name = Some(self.store.passes_by_name(&withdrawn)?);
        }
        let run = self.by_name.as_ref().and_then(|passes| passes.get(&name));
        Ok(run.map(|run| Known::Pass(part.file, name, *run)))
    }
}

/// Returns the parts of files that the comparison `fingerprint` has not taken in before, each content once, and what is left
/// out.
pub fn new_parts(
    store: &SqliteStore,
    intake: &Intake,
    fingerprint: &Fingerprint,
) -> Result<Sorted, CliError> {
    let mut known = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let withdrawn = store.withdrawals()?;
    let mut order: Vec<&Part> = intake.parts.iter().collect();
    order.sort_by(|one, other| {
        let name = |part: &Part| intake.files[part.file].name.as_str();
        natural_order(name(one), name(other))
    });
    let runs = store.comparable(fingerprint)?;
    let mut earlier = Earlier {
        store,
        runs: runs
            .into_iter()
            .map(|run| run.id)
            .filter(|run| !withdrawn.contains_key(run))
            .collect(),
        withdrawn,
        elsewhere: BTreeMap::new(),
        of_file: None,
        by_name: None,
    };
    for part in order {
        match earlier
            .known(intake, part)?
            .or_else(|| twin(intake, &parts, part))
        {
            Some(why) => known.push(why),
            None => parts.push(part.clone()),
        }
    }
    Ok(Sorted {
        parts,
        known,
        elsewhere: earlier.elsewhere,
    })
}

/// Returns which of the parts that are taken in a part repeats; none where it repeats none.
fn twin(intake: &Intake, parts: &[Part], part: &Part) -> Option<Known> {
    let digest = |part: &Part| &intake.files[part.file].digest;
    let name = PassName::of_part(&part.key.part);
    let alike = parts
        .iter()
        .filter(|other| other.key == part.key && other.file != part.file);
    alike.into_iter().find_map(|other| match name {
        _ if digest(other) == digest(part) => Some(Known::Twin(part.file, other.file)),
        // Somebody may have cut a CSV in pieces; a pass has each test once.
        Some(name)
            if other
                .tests
                .iter()
                .any(|test| part.tests.binary_search(test).is_ok()) =>
        {
            Some(Known::Again(part.file, other.file, name))
        }
        _ => None,
    })
}
