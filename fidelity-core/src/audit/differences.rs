//! The differences between baseline, target and production, ranked by likelihood times severity.

use std::collections::BTreeSet;

use super::likelihood::{Belief, belief, prior};
use super::{Gathered, ranked};
use crate::domain::{KnobId, KnobSetting};

/// Who differs from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The arms differ, so that runs try it.
    Tried,
    /// The arms differ, by more than production has.
    BeyondProduction,
    /// Production has a value that no arm imposes.
    OnlyInProduction,
}

/// A difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The knob.
    pub knob: KnobId,
    /// Its value in the baseline, in the target, in production; none where it is left alone.
    pub values: [Option<String>; 3],
    /// Who differs.
    pub standing: Standing,
    /// How likely it is to expose something.
    pub belief: Belief,
    /// How bad that would be: the mean weight of the tests that can meet it, times what production says.
    pub severity: f64,
    /// Why it ranks where it does, for people.
    pub reason: String,
}

impl Difference {
    /// Returns what it is ranked by.
    pub fn score(&self) -> f64 {
        self.belief.mean * self.severity
    }
}

/// Returns every difference, the one that matters most first.
pub fn of(gathered: &Gathered) -> Vec<Difference> {
    let [baseline, target] = &gathered.profiles;
    let knobs: BTreeSet<&KnobId> = baseline
        .knobs
        .keys()
        .chain(target.knobs.keys())
        .chain(gathered.production.keys())
        .collect();
    let mut differences: Vec<Difference> = knobs
        .into_iter()
        .filter_map(|knob| difference(gathered, knob))
        .collect();
    differences.sort_by_cached_key(|it| (ranked(it.score()), ranked(it.severity), it.knob.clone()));
    differences
}

fn difference(gathered: &Gathered, knob: &KnobId) -> Option<Difference> {
    let [baseline, target] = &gathered.profiles;
    let (low, high) = (baseline.knobs.get(knob), target.knobs.get(knob));
    let fact = gathered.production.get(knob);
    let imposes = |setting: Option<&KnobSetting>| {
        let fact = fact.filter(|fact| setting.is_some_and(|it| it.values().contains(fact)));
        fact.is_some()
    };
    let standing = if low != high {
        match gathered.beyond.contains(knob) {
            true => Standing::BeyondProduction,
            false => Standing::Tried,
        }
    } else if fact.is_some() && !imposes(low) {
        Standing::OnlyInProduction
    } else {
        return None;
    };
    let belief = belief(knob, &gathered.past);
    let weight = mean_weight(gathered, knob);
    let factor = match standing {
        Standing::BeyondProduction => 0.5,
        Standing::OnlyInProduction => 1.5,
        Standing::Tried if fact.is_some() => 1.5,
        Standing::Tried => 1.0,
    };
    Some(Difference {
        knob: knob.clone(),
        values: [
            low.map(ToString::to_string),
            high.map(ToString::to_string),
            fact.map(ToString::to_string),
        ],
        standing,
        belief,
        severity: weight * factor,
        reason: reason(knob, standing, &belief),
    })
}

/// Returns the mean weight of the tests that say they need the knob, or of all where none does.
fn mean_weight(gathered: &Gathered, knob: &KnobId) -> f64 {
    let needing = gathered.tests.iter().filter(|test| {
        let said = test.annotation.as_ref();
        said.is_some_and(|said| {
            said.needs
                .iter()
                .any(|need| knob.0 == *need || knob.0.starts_with(&format!("{need}.")))
        })
    });
    let weights: Vec<f64> = needing.map(super::AuditedTest::weight).collect();
    let all = || gathered.tests.iter().map(super::AuditedTest::weight);
    let mean = |weights: Vec<f64>| weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    match weights.is_empty() {
        true => mean(all().collect()),
        false => mean(weights),
    }
}

fn reason(knob: &KnobId, standing: Standing, belief: &Belief) -> String {
    let (_, studies) = prior(knob);
    if belief.is_over_engineering() {
        return format!(
            "over-engineering: exposed nothing in {} tests tried",
            belief.tried
        );
    }
    match standing {
        _ if belief.caused > 0 => format!(
            "shown by experiment to cause {} in {} tests tried",
            match belief.caused {
                1 => "1 defect".to_owned(),
                defects => format!("{defects} defects"),
            },
            belief.tried
        ),
        _ if belief.exposed > 0.0 => format!(
            "exposed about {:.1} of the defects found in {} tests tried",
            belief.exposed, belief.tried
        ),
        Standing::OnlyInProduction => format!("no arm is like production; {studies}"),
        Standing::BeyondProduction => format!("harsher than production; {studies}"),
        Standing::Tried if belief.tried == 0 => format!("not tried yet; {studies}"),
        Standing::Tried => format!("exposed nothing in {} tests tried; {studies}", belief.tried),
    }
}
