//! What earlier runs tried and found, and whose it is: every defect once, however many tests fail by it and runs saw it.
//!
//! Whose success a defect is, an experiment may have shown: a knob that an attribution found to be the cause has it with
//! the attribution's confidence (knobs that are needed together share it, of knobs of which either is enough each has it),
//! and where nothing that differs explains the failures, or what the test ran among does, no knob has it. Where it came to no
//! end, each suspect has as much as it is probable. The rest, and defects that nobody looked into, are shared among the knobs that
//! differed, in proportion to what the priors and those experiments say of each. What was shown of a defect once holds for every run that saw it and showed nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::likelihood::{Belief, Seen, belief};
use super::{PastTrials, Shown};
use crate::domain::{KnobId, TestId};

/// A defect as all runs together saw it.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// The tests that fail by it.
    pub members: BTreeSet<&'a TestId>,
    /// What was shown of it last; before all by an experiment that came to its end.
    shown: Option<&'a Shown>,
    /// The runs that saw it, by position, newest first, and what each showed.
    runs: Vec<(usize, Option<&'a Shown>)>,
}

/// The runs, and the defects that they saw.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    past: &'a [PastTrials],
    defects: Vec<Known<'a>>,
    /// What is believed of each knob that ever differed, after the experiments alone.
    shown: BTreeMap<&'a KnobId, f64>,
}

impl<'a> Ledger<'a> {
    /// Opens it on the runs, newest first.
    pub(super) fn new(past: &'a [PastTrials]) -> Self {
        let mut ledger = Self {
            past,
            defects: defects(past),
            shown: BTreeMap::new(),
        };
        let knobs: BTreeSet<&KnobId> = past.iter().flat_map(PastTrials::differing).collect();
        let shown = |knob| (knob, belief(knob, ledger.seen(knob, &shown_share)).mean);
        ledger.shown = knobs.into_iter().map(shown).collect();
        ledger
    }

    /// Returns what is believed of a knob.
    pub(super) fn belief(&self, knob: &KnobId) -> Belief {
        belief(knob, self.seen(knob, &|knob, at| self.share(knob, at)))
    }

    /// Returns the defects that a knob exposed, with its share of each.
    pub(super) fn exposures(&self, knob: &KnobId) -> Vec<(&Known<'a>, f64)> {
        let share = |knob: &KnobId, at: At<'_>| self.share(knob, at);
        self.defects
            .iter()
            .filter_map(|known| {
                let states = self.shares(knob, known, &share);
                let sum: f64 = states.values().sum();
                (!states.is_empty()).then(|| (known, sum / states.len() as f64))
            })
            .collect()
    }

    /// Returns the share of a knob in a defect that a run saw.
    fn share(&self, knob: &KnobId, at: At<'_>) -> f64 {
        let explained = at.shown.map_or(0.0, |shown| shown.explained);
        let mean = |knob: &KnobId| self.shown.get(knob).copied().unwrap_or_default();
        let all: f64 = at.run.differing().map(mean).sum();
        shown_share(knob, at) + (1.0 - explained) * mean(knob) / all
    }

    /// Returns what was seen of a knob, with `share` of it in each defect.
    fn seen(&self, knob: &KnobId, share: &dyn Fn(&KnobId, At<'_>) -> f64) -> Seen {
        let mut by_state: BTreeMap<&str, Members> = BTreeMap::new();
        let mut all = Members::default();
        for run in self.past.iter().filter(|run| run.differs(knob)) {
            if !run.tests.is_empty() {
                by_state.entry(&run.code).or_default().insert(&run.tests);
                all.insert(&run.tests);
            }
        }
        let mut seen = Seen {
            tried: all.count(),
            states: by_state.len() as u64,
            trials: by_state.values().map(Members::count).sum(),
            ..Seen::default()
        };
        for known in &self.defects {
            let shares = self.shares(knob, known, share);
            if shares.is_empty() {
                continue;
            }
            let sum: f64 = shares.values().sum();
            seen.successes += sum;
            seen.exposed += sum / shares.len() as f64;
            seen.caused += u64::from(self.is_cause(knob, known));
        }
        seen
    }

    /// Returns the share of a knob in a defect for each state of the code at which it was seen while the knob differed.
    fn shares(
        &self,
        knob: &KnobId,
        known: &Known<'_>,
        share: &dyn Fn(&KnobId, At<'_>) -> f64,
    ) -> BTreeMap<&str, f64> {
        let mut shares = BTreeMap::new();
        for (position, shown) in &known.runs {
            let Some(run) = self.past.get(*position).filter(|run| run.differs(knob)) else {
                continue;
            };
            let shown = better(*shown, known.shown);
            let share = || share(knob, At { run, shown });
            shares.entry(run.code.as_str()).or_insert_with(share);
        }
        shares
    }

    /// Returns whether an experiment of any run showed the knob to cause the defect.
    fn is_cause(&self, knob: &KnobId, known: &Known<'_>) -> bool {
        let mut shown = known.runs.iter().filter_map(|(_, shown)| *shown);
        shown.any(|shown| shown.found && shown.shares.contains_key(knob))
    }
}

/// A defect in a run.
#[derive(Clone, Copy, Debug)]
struct At<'a> {
    run: &'a PastTrials,
    shown: Option<&'a Shown>,
}

/// Returns the share of a knob that experiments alone showed.
fn shown_share(knob: &KnobId, at: At<'_>) -> f64 {
    let share = at.shown.and_then(|shown| shown.shares.get(knob));
    share.copied().unwrap_or_default()
}

/// Returns the first, unless only the second came to its end.
fn better<'a>(first: Option<&'a Shown>, second: Option<&'a Shown>) -> Option<&'a Shown> {
    match (first, second) {
        (Some(one), Some(other)) if other.found && !one.found => Some(other),
        (one, other) => one.or(other),
    }
}

/// Returns the defects of all runs: what has a test in common is one.
fn defects(past: &[PastTrials]) -> Vec<Known<'_>> {
    let mut all: Vec<Known<'_>> = Vec::new();
    let mut place: BTreeMap<&TestId, usize> = BTreeMap::new();
    for (position, run) in past.iter().enumerate() {
        for defect in &run.defects {
            let known = defect.members.iter().find_map(|test| place.get(test));
            let at = known.copied().unwrap_or(all.len());
            if at == all.len() {
                all.push(Known::default());
            }
            let known = &mut all[at];
            known.members.extend(&defect.members);
            known.shown = better(known.shown, defect.shown.as_ref());
            known.runs.push((position, defect.shown.as_ref()));
            for test in &defect.members {
                place.entry(test).or_insert(at);
            }
        }
    }
    all
}

/// A set of numbers.
#[derive(Default)]
struct Members(Vec<u64>);

impl Members {
    fn insert(&mut self, numbers: &[u32]) {
        let last = numbers.iter().max().map_or(0, |last| *last as usize / 64);
        if self.0.len() <= last {
            self.0.resize(last + 1, 0);
        }
        for number in numbers {
            self.0[*number as usize / 64] |= 1 << (number % 64);
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}
