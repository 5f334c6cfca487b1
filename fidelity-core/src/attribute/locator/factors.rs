//! What differs between two arms, as knobs that a search can turn: names and values behind the places of a
//! [`Mask`].

use std::collections::BTreeMap;

use super::weights::Weights;
use crate::attribute::knobs::{
    Constraints, Group, Hypothesis, KNOBS_AT_MOST, Mask, Shape, bit, places,
};
use crate::domain::{
    Environment, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue, Scope,
};

/// The name of the knob that stands for what a test runs among.
pub const SCOPE: &str = "scope";

/// A knob that differs between the arms. An absent value leaves the knob alone.
#[derive(Clone, Debug, PartialEq)]
struct Factor {
    knob: KnobId,
    low: Vec<Option<KnobValue>>,
    high: Vec<Option<KnobValue>>,
    /// The place of the knob, and those of its values where it has several.
    whole: usize,
    values: Vec<usize>,
}

/// Everything that differs between the arms.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    names: [String; 2],
    /// What both arms share.
    shared: BTreeMap<KnobId, Vec<KnobValue>>,
    factors: Vec<Factor>,
    /// The place of the company, and which it is.
    scope: Option<(usize, Scope)>,
    count: usize,
    /// Knobs that differ and were left out, because there are too many.
    left_out: Vec<KnobId>,
    /// Knobs that differ and were not applied.
    not_applied: Vec<String>,
    weights: Weights,
}

fn values(setting: Option<&KnobSetting>) -> Vec<Option<KnobValue>> {
    match setting {
        Some(setting) => setting.values().iter().cloned().map(Some).collect(),
        None => vec![None],
    }
}

impl Factors {
    /// Returns what differs between `low` and `high`, knobs that were not applied left out; with the company `scope` as a
    /// knob where the test fails in company only: the last, so that configurations without it are the same ones.
    pub fn new(
        low: &FidelityProfile,
        high: &FidelityProfile,
        statuses: &[KnobStatus],
        scope: Option<Scope>,
    ) -> Self {
        let mut factors = Self {
            names: [low.name.clone(), high.name.clone()],
            shared: BTreeMap::new(),
            factors: Vec::new(),
            scope: None,
            count: 0,
            left_out: Vec::new(),
            not_applied: Vec::new(),
            weights: Weights::default(),
        };
        let dropped = |knob: &KnobId| {
            statuses
                .iter()
                .any(|status| status.knob == *knob && !status.applied)
        };
        let mut knobs: Vec<&KnobId> = low.knobs.keys().chain(high.knobs.keys()).collect();
        knobs.sort_unstable();
        knobs.dedup();
        for knob in knobs {
            let (low, high) = (values(low.knobs.get(knob)), values(high.knobs.get(knob)));
            if dropped(knob) {
                if low != high {
                    factors.not_applied.push(knob.0.clone());
                }
            } else if low == high {
                let shared = low.into_iter().flatten().collect();
                factors.shared.insert(knob.clone(), shared);
            } else {
                factors.add(knob, low, high);
            }
        }
        if let Some(scope) = scope {
            factors.scope = Some((factors.count, scope));
            factors.count += 1;
        }
        factors
    }

    /// Returns the same with other weights of the knobs.
    #[must_use]
    pub fn weighed(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    fn add(&mut self, knob: &KnobId, low: Vec<Option<KnobValue>>, high: Vec<Option<KnobValue>>) {
        let several = if high.len() > 1 { high.len() } else { 0 };
        // One more for the company.
        if self.count + 1 + several >= KNOBS_AT_MOST {
            self.left_out.push(knob.clone());
            return;
        }
        let whole = self.count;
        self.count += 1 + several;
        self.factors.push(Factor {
            knob: knob.clone(),
            low,
            high,
            whole,
            values: (whole + 1..self.count).collect(),
        });
    }

    /// Returns how many knobs differ.
    pub fn number(&self) -> usize {
        self.factors.len() + usize::from(self.scope.is_some())
    }

    /// Returns the knobs that differ and were not applied.
    pub fn not_applied(&self) -> &[String] {
        &self.not_applied
    }

    /// Returns the knobs that are not looked into because there are too many.
    pub fn left_out(&self) -> &[KnobId] {
        &self.left_out
    }

    /// Returns what configurations are possible.
    pub fn constraints(&self) -> Constraints {
        let mut weights = vec![1.0; self.count];
        for factor in &self.factors {
            weights[factor.whole] = self.weights.of(&factor.knob);
        }
        let mut constraints = Constraints::new(weights);
        for factor in self
            .factors
            .iter()
            .filter(|factor| !factor.values.is_empty())
        {
            constraints = constraints.with_group(Group {
                whole: factor.whole,
                values: factor.values.clone(),
            });
        }
        // An order within a process needs a process that tests share.
        let word = |text: &str| Some(KnobValue::Text(text.to_owned()));
        let order = self
            .factor("order")
            .filter(|factor| factor.high.contains(&word("shuffle-in-process")));
        let process = self
            .factor("process")
            .filter(|factor| !factor.low.contains(&word("shared")));
        match (order, process) {
            (Some(order), Some(process)) => constraints.with_need(order.whole, process.whole),
            _ => constraints,
        }
    }

    fn factor(&self, name: &str) -> Option<&Factor> {
        self.factors.iter().find(|factor| factor.knob.0 == name)
    }

    /// Returns what a test runs among in a configuration.
    pub fn scope(&self, config: Mask) -> Scope {
        match self.scope {
            Some((place, scope)) if config & bit(place) != 0 => scope,
            _ => Scope::Alone,
        }
    }

    /// Returns the knob values of a configuration; where a side has several, those of its trial `number`.
    pub fn environment(&self, config: Mask, number: u32) -> Environment {
        let pick =
            |values: &[Option<KnobValue>]| values[number as usize % values.len().max(1)].clone();
        let mut environment = BTreeMap::new();
        for (knob, values) in &self.shared {
            if let Some(value) = values.get(number as usize % values.len().max(1)) {
                environment.insert(knob.clone(), value.clone());
            }
        }
        for factor in &self.factors {
            let chosen = factor
                .values
                .iter()
                .position(|place| config & bit(*place) != 0);
            let value = match chosen {
                Some(position) => factor.high[position].clone(),
                None if config & bit(factor.whole) != 0 => factor.high[0].clone(),
                None => pick(&factor.low),
            };
            if let Some(value) = value {
                environment.insert(factor.knob.clone(), value);
            }
        }
        Environment(environment)
    }

    /// Returns the configuration that an environment is; none where a value belongs to both sides or to neither, and where the test
    /// ran in other company than it does in the search.
    pub fn mask_of(&self, environment: &Environment, scope: Scope) -> Option<Mask> {
        let mut mask = 0;
        match self.scope {
            Some((place, company)) if scope == company => mask |= bit(place),
            _ if scope.is_narrow() => {}
            _ => return None,
        }
        for factor in &self.factors {
            let value = environment
                .0
                .get(&factor.knob)
                .map(KnobValue::without_users);
            let is = |side: &[Option<KnobValue>]| {
                side.iter()
                    .position(|candidate| candidate.as_ref().map(KnobValue::without_users) == value)
            };
            match (is(&factor.low), is(&factor.high)) {
                (Some(_), None) => {}
                (None, Some(position)) => {
                    mask |= bit(factor.whole);
                    mask |= factor.values.get(position).map_or(0, |place| bit(*place));
                }
                _ => return None,
            }
        }
        Some(mask)
    }

    /// Returns the knob and, where it matters, the value behind a place.
    pub fn named(&self, place: usize) -> (String, Option<String>) {
        if let Some((scope, company)) = self.scope
            && scope == place
        {
            let among = match company {
                Scope::Suite => "suite",
                Scope::Binary => "binary",
                Scope::Suspects | Scope::Alone => "suspects",
            };
            return (SCOPE.to_owned(), Some(among.to_owned()));
        }
        let says = |value: &Option<KnobValue>| match value {
            Some(value) => value.without_users().to_string(),
            None => "as it is".to_owned(),
        };
        for factor in &self.factors {
            if factor.whole == place {
                let only = (factor.values.is_empty()).then(|| says(&factor.high[0]));
                return (factor.knob.0.clone(), only);
            }
            if let Some(position) = factor.values.iter().position(|value| *value == place) {
                return (factor.knob.0.clone(), Some(says(&factor.high[position])));
            }
        }
        (String::new(), None)
    }

    /// Returns a place in words: `tz = Pacific/Apia`, or `tz` where any of its values will do.
    pub fn words(&self, place: usize) -> String {
        match self.named(place) {
            (knob, Some(value)) => format!("{knob} = {value}"),
            (knob, None) => knob,
        }
    }

    /// Returns a hypothesis in words.
    pub fn hypothesis(&self, hypothesis: Hypothesis) -> String {
        let words: Vec<String> = places(hypothesis.members)
            .map(|place| self.words(place))
            .collect();
        match hypothesis.shape {
            Shape::Never => "none of the knobs".to_owned(),
            Shape::Any => words.join(" or "),
            Shape::All if words.len() > 1 => format!("{} together", words.join(" and ")),
            Shape::All => words.concat(),
        }
    }

    /// Returns in words where a claim was looked at: `low + tz` for what has to fail, `high - tz` for what has to pass.
    pub fn side(&self, sufficient: bool, members: Mask) -> String {
        let names: Vec<String> = places(members)
            .map(|place| {
                let (knob, value) = self.named(place);
                let is_value = self
                    .factors
                    .iter()
                    .any(|factor| factor.values.contains(&place));
                match value {
                    Some(value) if is_value => format!("{knob}={value}"),
                    _ => knob,
                }
            })
            .collect();
        let [low, high] = &self.names;
        if sufficient {
            format!("{low} + {}", names.join(" + "))
        } else {
            format!("{high} - {}", names.join(" - "))
        }
    }

    /// Returns the knob of a place with the low and high value, where both are one and the high one is set.
    pub fn numeric(&self, place: usize) -> Option<(&KnobId, Option<&KnobValue>, &KnobValue)> {
        let factor = self
            .factors
            .iter()
            .find(|factor| factor.whole == place || factor.values.contains(&place))?;
        let position = factor.values.iter().position(|value| *value == place);
        let high = match (position, factor.values.is_empty()) {
            (Some(position), _) => factor.high.get(position)?.as_ref()?,
            (None, true) => factor.high.first()?.as_ref()?,
            (None, false) => return None,
        };
        let [low] = factor.low.as_slice() else {
            return None;
        };
        Some((&factor.knob, low.as_ref(), high))
    }
}
