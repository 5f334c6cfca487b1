//! The differences between baseline, target and production, ranked by likelihood times severity.

use std::collections::BTreeSet;

use super::ledger::Ledger;
use super::likelihood::{Belief, prior};
use super::{Gathered, ranked, severity};
use crate::config::catalogue::{self, Against};
use crate::domain::{KnobId, KnobSetting, KnobValue};
use crate::report::number::things;

/// Who differs from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The arms differ, so that runs try it.
    Tried,
    /// The target is harsher than production.
    BeyondProduction,
    /// The target is kinder than production.
    KinderThanProduction,
    /// The target differs from production, and neither is harsher.
    UnlikeProduction,
    /// The baseline is like production, and the target is not.
    OnlyInBaseline,
    /// Production is known to have a value, and the target leaves the knob alone.
    OnlyInProduction,
    /// One arm imposes what the other has of this machine anyway.
    SameHere,
}

impl Standing {
    /// Returns whether no arm is known to be like production.
    pub fn lacks_production(self) -> bool {
        matches!(
            self,
            Self::KinderThanProduction | Self::UnlikeProduction | Self::OnlyInProduction
        )
    }

    /// Returns how much worse it makes a defect.
    fn factor(self, is_fact: bool) -> f64 {
        match self {
            Self::BeyondProduction | Self::OnlyInBaseline | Self::SameHere => 0.5,
            Self::Tried if !is_fact => 1.0,
            _ => 1.5,
        }
    }
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
    /// How bad that would be: the mean weight of the tests that can meet it, of those that it made fail above all, times
    /// what production says.
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
pub(super) fn of(gathered: &Gathered, ledger: &Ledger<'_>) -> Vec<Difference> {
    let [baseline, target] = &gathered.profiles;
    let knobs: BTreeSet<&KnobId> = baseline
        .knobs
        .keys()
        .chain(target.knobs.keys())
        .chain(gathered.production.keys())
        .collect();
    let mut differences: Vec<Difference> = knobs
        .into_iter()
        .filter_map(|knob| difference(gathered, ledger, knob))
        .collect();
    differences.sort_by_cached_key(|it| (ranked(it.score()), ranked(it.severity), it.knob.clone()));
    differences
}

/// Returns the facts of production that no arm imposes and that hold on this machine all the same.
pub(super) fn had_here(gathered: &Gathered) -> Vec<(KnobId, String)> {
    let had = gathered.production.iter().filter(|(knob, fact)| {
        let mut profiles = gathered.profiles.iter();
        let is_left_alone = profiles.all(|profile| !profile.knobs.contains_key(*knob));
        is_left_alone && here(gathered, knob, fact) == Some(Against::Like)
    });
    had.map(|(knob, fact)| (knob.clone(), fact.to_string()))
        .collect()
}

/// Returns how this machine compares with a fact of production; none where it is not known what it has.
fn here(gathered: &Gathered, knob: &KnobId, fact: &KnobValue) -> Option<Against> {
    let own = KnobSetting::Fixed(gathered.here.get(knob)?.clone());
    match catalogue::against(knob, &own, fact) {
        Against::Unknown => None,
        against => Some(against),
    }
}

/// Returns what an arm has that leaves a knob to this machine, for people; nothing where it is not known.
pub(super) fn machine_has(gathered: &Gathered, knob: &KnobId) -> String {
    match gathered.here.get(knob) {
        None => String::new(),
        // The value of a variable may be a secret.
        Some(_) if knob.variable().is_some() => ", which has another".to_owned(),
        Some(KnobValue::Count(u64::MAX) | KnobValue::Bytes(u64::MAX)) => {
            ", which sets no limit".to_owned()
        }
        Some(value) => format!(", which has {value}"),
    }
}

fn difference(gathered: &Gathered, ledger: &Ledger<'_>, knob: &KnobId) -> Option<Difference> {
    let [low, high] = [0, 1].map(|arm| gathered.profiles[arm].knobs.get(knob));
    let fact = gathered.production.get(knob);
    let standing = standing(gathered, knob, [low, high], fact)?;
    let mut belief = ledger.belief(knob);
    if standing.lacks_production() && !belief.has_found() {
        // What was tried in vain is another value.
        belief = Belief {
            mean: belief.prior,
            ..belief
        };
    }
    Some(Difference {
        knob: knob.clone(),
        values: [
            low.map(ToString::to_string),
            high.map(ToString::to_string),
            fact.map(ToString::to_string),
        ],
        standing,
        belief,
        severity: severity::of(&gathered.tests, ledger, knob) * standing.factor(fact.is_some()),
        reason: reason(gathered, knob, standing, &belief),
    })
}

/// Returns who differs; none where nobody does.
fn standing(
    gathered: &Gathered,
    knob: &KnobId,
    [low, high]: [Option<&KnobSetting>; 2],
    fact: Option<&KnobValue>,
) -> Option<Standing> {
    let here = fact.and_then(|fact| here(gathered, knob, fact));
    let against = |setting: Option<&KnobSetting>| match setting.zip(fact) {
        Some((setting, fact)) => Some(catalogue::against(knob, setting, fact)),
        // What an arm leaves alone is as the machine has it: like production, or not what production has.
        None => here.filter(|here| *here == Against::Like),
    };
    let in_baseline = against(low) == Some(Against::Like);
    match against(high) {
        Some(Against::Harsher) => Some(Standing::BeyondProduction),
        Some(Against::Kinder | Against::Other) | None if in_baseline => {
            Some(Standing::OnlyInBaseline)
        }
        Some(Against::Kinder) => Some(Standing::KinderThanProduction),
        Some(Against::Other) => Some(Standing::UnlikeProduction),
        None if fact.is_some() => Some(Standing::OnlyInProduction),
        _ if low == high => None,
        _ if [(low, high), (high, low)]
            .iter()
            .any(|pair| is_same_here(gathered, knob, *pair)) =>
        {
            Some(Standing::SameHere)
        }
        _ => Some(Standing::Tried),
    }
}

/// Returns whether the second setting is what the first arm, which has none, has of this machine.
fn is_same_here(
    gathered: &Gathered,
    knob: &KnobId,
    (one, other): (Option<&KnobSetting>, Option<&KnobSetting>),
) -> bool {
    match (one, other) {
        (None, Some(KnobSetting::Fixed(value))) => {
            here(gathered, knob, value) == Some(Against::Like)
        }
        _ => false,
    }
}

fn reason(gathered: &Gathered, knob: &KnobId, standing: Standing, belief: &Belief) -> String {
    let (_, studies) = prior(knob);
    let [low, high] = &gathered.profiles;
    let against = match standing {
        Standing::Tried => None,
        Standing::BeyondProduction => Some(format!("`{}` is harsher than production", high.name)),
        Standing::KinderThanProduction => {
            Some(format!("`{}` is kinder than production", high.name))
        }
        Standing::UnlikeProduction => Some(format!("`{}` is not like production", high.name)),
        Standing::OnlyInBaseline => Some(format!("only `{}` is like production", low.name)),
        Standing::SameHere => Some("no difference on this machine, which has it anyway".to_owned()),
        Standing::OnlyInProduction => Some(format!(
            "`{}` leaves it to the machine{}",
            high.name,
            machine_has(gathered, knob)
        )),
    };
    let tried = things(belief.tried, "test");
    let found = if !standing.lacks_production() && belief.is_over_engineering() {
        let states = things(belief.states, "state");
        return format!("over-engineering: exposed nothing in {tried} at {states} of the code");
    } else if belief.caused > 0 {
        let defects = things(belief.caused, "defect");
        format!("shown by experiment to cause {defects} in {tried} tried")
    } else if belief.exposed >= 0.05 {
        let share = format!("{:.1}", belief.exposed);
        format!("exposed about {share} of the defects found in {tried} tried")
    } else if belief.tried == 0 || standing.lacks_production() {
        match against {
            Some(against) => return format!("{against}; {studies}"),
            None => return format!("not tried yet; {studies}"),
        }
    } else {
        format!("exposed nothing in {tried} tried; {studies}")
    };
    match against {
        Some(against) => format!("{against}; {found}"),
        None => found,
    }
}
