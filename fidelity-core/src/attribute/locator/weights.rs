//! How much more probable a knob is to take part before anything was tried: it was changed lately, or the tests speak of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{FidelityProfile, KnobId};

/// The weight of a knob whose value changed since the test last passed, as a factor.
const CHANGED: f64 = 3.0;

/// That of a knob that the sources of the test speak of.
const MENTIONED: f64 = 2.0;

/// Weights of knobs; 1 where nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(BTreeMap<KnobId, f64>);

impl Weights {
    /// Returns the weights of knobs that were changed and that are spoken of.
    pub fn new(changed: &BTreeSet<KnobId>, mentioned: &BTreeSet<KnobId>) -> Self {
        let mut weights = Self::default();
        for (knobs, factor) in [(changed, CHANGED), (mentioned, MENTIONED)] {
            for knob in knobs {
                *weights.0.entry(knob.clone()).or_insert(1.0) *= factor;
            }
        }
        weights
    }

    /// Returns the weight of a knob.
    pub fn of(&self, knob: &KnobId) -> f64 {
        self.0.get(knob).copied().unwrap_or(1.0)
    }
}

/// Returns the knobs whose effective value is another one now than in the profile under which the test last passed.
pub fn changed(green: &FidelityProfile, now: &FidelityProfile) -> BTreeSet<KnobId> {
    let (green, now) = (green.without_users(), now.without_users());
    let knobs = green.knobs.keys().chain(now.knobs.keys());
    knobs
        .filter(|knob| green.knobs.get(*knob) != now.knobs.get(*knob))
        .cloned()
        .collect()
}

/// Returns the words by which sources speak of a knob: the variable that it sets, its name as it is written in Rust.
pub fn words(knob: &KnobId) -> Vec<String> {
    match knob.variable() {
        Some(variable) => vec![variable.to_owned()],
        None if knob.0 == "tz" => vec!["TZ".to_owned()],
        None => vec![knob.0.replace(['-', '.'], "_")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KnobSetting, KnobValue};

    fn profile(knobs: &[(&str, &str)]) -> FidelityProfile {
        let knobs = knobs.iter().map(|(knob, value)| {
            let value = KnobValue::Text((*value).to_owned());
            (KnobId::from(*knob), KnobSetting::Fixed(value))
        });
        FidelityProfile {
            name: "high".to_owned(),
            knobs: knobs.collect(),
        }
    }

    #[test]
    fn what_was_changed_and_is_spoken_of_weighs_most() {
        let green = profile(&[("env.A", "1"), ("env.B", "1"), ("tz", "UTC")]);
        let now = profile(&[("env.A", "2"), ("env.B", "1"), ("locale", "C")]);
        let changed = changed(&green, &now);
        let names: Vec<&str> = changed.iter().map(|knob| knob.0.as_str()).collect();
        assert_eq!(names, ["env.A", "locale", "tz"]);
        let spoken = ["env.A", "env.B"].map(KnobId::from).into();
        let weights = Weights::new(&changed, &spoken);
        let of = |knob: &str| weights.of(&KnobId::from(knob));
        assert_eq!(
            [of("env.A"), of("tz"), of("env.B"), of("cpus")],
            [6.0, 3.0, 2.0, 1.0]
        );
    }

    #[test]
    fn a_change_of_the_user_of_a_url_is_none() {
        let url = |user: &str| profile(&[("env.URL", &format!("postgres://{user}@db/x"))]);
        assert!(changed(&url("ann"), &url("bob")).is_empty());
    }

    #[test]
    fn sources_speak_of_a_knob_by_its_variable_or_name() {
        let words = |knob: &str| words(&KnobId::from(knob));
        assert_eq!(words("env.APP_MODE"), ["APP_MODE"]);
        assert_eq!(words("tz"), ["TZ"]);
        assert_eq!(words("open-files"), ["open_files"]);
    }
}
