//! Which configurations are possible: knobs that need others, and knobs with several high values.

use super::{Mask, bit, places};

/// A knob with several high values, of which a configuration has one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The place that stands for the knob being high, whatever its value.
    pub whole: usize,
    /// The places of its values.
    pub values: Vec<usize>,
}

/// Weights and limits of the knobs of one search.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraints {
    weights: Vec<f64>,
    groups: Vec<Group>,
    /// Pairs (a, b): a can only be high where b is.
    needs: Vec<(usize, usize)>,
}

impl Constraints {
    /// Returns `count` knobs of equal weight without limits.
    pub fn free(count: usize) -> Self {
        Self::new(vec![1.0; count])
    }

    /// Returns knobs with these weights (above 0, on any scale) without limits.
    pub fn new(weights: Vec<f64>) -> Self {
        Self {
            weights,
            groups: Vec::new(),
            needs: Vec::new(),
        }
    }

    /// Makes these places one knob with several values; its weight is that of `whole`, half of it for its values together.
    #[must_use]
    pub fn with_group(mut self, group: Group) -> Self {
        let weight = self.weights[group.whole] / 2.0;
        self.weights[group.whole] = weight;
        for value in &group.values {
            self.weights[*value] = weight / group.values.len() as f64;
        }
        self.groups.push(group);
        self
    }

    /// Says that knob `a` can only be high where `b` is.
    #[must_use]
    pub fn with_need(mut self, a: usize, b: usize) -> Self {
        self.needs.push((a, b));
        self
    }

    /// Returns the number of places.
    pub fn count(&self) -> usize {
        self.weights.len()
    }

    /// Returns the weight of a place.
    pub fn weight(&self, place: usize) -> f64 {
        self.weights[place]
    }

    /// Returns the knobs with several values.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns every place.
    pub fn everything(&self) -> Mask {
        (0..self.count()).fold(0, |mask, place| mask | bit(place))
    }

    fn group_of(&self, place: usize) -> Option<&Group> {
        self.groups
            .iter()
            .find(|group| group.whole == place || group.values.contains(&place))
    }

    /// Returns the high end, taking turns between the values of knobs that have several.
    pub fn high(&self, number: u32) -> Mask {
        let mut mask = self.everything();
        for group in &self.groups {
            let chosen = group.values[number as usize % group.values.len()];
            for value in group.values.iter().filter(|value| **value != chosen) {
                mask &= !bit(*value);
            }
        }
        mask
    }

    /// Returns whether every knob is high, with whatever value.
    pub fn is_high(&self, config: Mask) -> bool {
        let values = self
            .groups
            .iter()
            .flat_map(|group| &group.values)
            .fold(0, |mask, value| mask | bit(*value));
        config | values == self.everything() && self.is_possible(config)
    }

    /// Returns whether a configuration can be set up as far as is known.
    pub fn is_possible(&self, config: Mask) -> bool {
        let groups = self.groups.iter().all(|group| {
            let values = group
                .values
                .iter()
                .filter(|value| config & bit(**value) != 0)
                .count();
            values == usize::from(config & bit(group.whole) != 0)
        });
        let needs = self
            .needs
            .iter()
            .all(|(a, b)| config & bit(*a) == 0 || config & bit(*b) != 0);
        groups && needs
    }

    /// Returns a configuration with one more knob high, and whatever that needs.
    pub fn raised(&self, config: Mask, place: usize) -> Mask {
        let mut config = config | bit(place);
        if let Some(group) = self.group_of(place) {
            let any = |config: Mask| {
                let mut values = group.values.iter().copied();
                values.find(|value| config & bit(*value) != 0)
            };
            let value = if place == group.whole {
                any(config).unwrap_or(group.values[0])
            } else {
                place
            };
            for other in &group.values {
                config &= !bit(*other);
            }
            config |= bit(group.whole) | bit(value);
        }
        for (a, b) in &self.needs {
            if config & bit(*a) != 0 && config & bit(*b) == 0 {
                return self.raised(config, *b);
            }
        }
        config
    }

    /// Returns a configuration with one knob low, and whatever needs it.
    pub fn lowered(&self, config: Mask, place: usize) -> Mask {
        let mut config = config & !bit(place);
        if let Some(group) = self.group_of(place) {
            config &= !bit(group.whole);
            for value in &group.values {
                config &= !bit(*value);
            }
        }
        for (a, b) in &self.needs {
            if config & bit(*a) != 0 && config & bit(*b) == 0 {
                return self.lowered(config, *a);
            }
        }
        config
    }

    /// Returns the configuration in which exactly these are high, and whatever they need.
    pub fn only(&self, members: Mask) -> Mask {
        places(members).fold(0, |config, place| self.raised(config, place))
    }

    /// Returns the high end without these, with the values in `preferred` where a knob has several.
    pub fn without(&self, members: Mask, preferred: Mask) -> Mask {
        let high = places(preferred).fold(self.high(0), |config, place| self.raised(config, place));
        places(members).fold(high, |config, place| self.without_one(config, place))
    }

    /// Lowers one place; of a knob with several values, takes another value if only that value is meant.
    fn without_one(&self, config: Mask, place: usize) -> Mask {
        let other = self.group_of(place).and_then(|group| {
            let mut values = group.values.iter().copied();
            (place != group.whole)
                .then(|| values.find(|value| *value != place))
                .flatten()
        });
        match other {
            _ if config & bit(place) == 0 => config,
            Some(other) => self.raised(config, other),
            None => self.lowered(config, place),
        }
    }

    /// Returns whether all of these can be high at once and say more than fewer of them.
    pub fn can_be_together(&self, members: Mask) -> bool {
        self.groups.iter().all(|group| {
            let values = group
                .values
                .iter()
                .filter(|value| members & bit(**value) != 0);
            values.count() + usize::from(members & bit(group.whole) != 0) <= 1
        })
    }

    /// Returns whether any of these says more than fewer of them.
    pub fn can_be_alternatives(&self, members: Mask) -> bool {
        self.groups.iter().all(|group| {
            let values = group
                .values
                .iter()
                .filter(|value| members & bit(**value) != 0)
                .count();
            let whole = members & bit(group.whole) != 0;
            !(whole && values > 0) && values < group.values.len().max(2)
        })
    }
}
