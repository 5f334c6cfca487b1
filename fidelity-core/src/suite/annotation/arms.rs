//! In which arms an annotated test is run: a function of what is said of it and of what the arms provide.
//!
//! | needed | provided by an arm that |
//! |---|---|
//! | `network` | does not take the outside network away |
//! | `ipv6` | does not turn it off |
//! | `env.NAME` | sets it, or leaves it alone where the tool itself was given it |
//! | `service.db` | says `provides = ["service.db"]` |
//! | any other knob | sets it, or something below it, with effect |
//!
//! Knows values; touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::catalogue;
use crate::domain::{
    Annotation, Arm, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue, Problem, Terms,
};

/// What the arms of a run provide.
pub struct Provided<'a> {
    /// The fidelity profiles by arm.
    pub profiles: [&'a FidelityProfile; 2],
    /// By arm, the services that run beside the suite.
    pub services: [&'a [String]; 2],
    /// What became of their knobs.
    pub knobs: &'a [KnobStatus],
    /// Says whether tests are given an environment variable that no arm speaks of.
    pub ambient: &'a dyn Fn(&str) -> bool,
}

impl Provided<'_> {
    /// Returns the terms on which a test with this annotation is tried.
    pub fn terms(&self, annotation: &Annotation) -> Terms {
        Terms {
            absent: Arm::BOTH.map(|arm| self.absent(annotation, arm)),
            annotation: annotation.clone(),
        }
    }

    /// Returns the first of its needs that an arm does not provide, whether it is meant for the arm or not.
    pub fn lacks<'b>(&self, annotation: &'b Annotation, arm: Arm) -> Option<&'b str> {
        let mut needs = annotation.needs.iter();
        let missing = needs.find(|need| !self.provides(arm, need));
        missing.map(String::as_str)
    }

    fn absent(&self, annotation: &Annotation, arm: Arm) -> Option<String> {
        let profile = self.profiles[arm.index()];
        let meant = &annotation.profiles;
        if !meant.is_empty() && !meant.contains(&profile.name) {
            return Some(format!("meant for {} only", quoted(meant)));
        }
        let missing = self.lacks(annotation, arm)?;
        let mut set = profile.knobs.keys();
        let in_vain = set.any(|knob| is_at_or_below(knob, missing) && !self.has_effect(knob));
        let name = &profile.name;
        Some(if in_vain {
            format!("needs `{missing}`, which could not be applied in `{name}`")
        } else {
            format!("needs `{missing}`, which `{name}` does not provide")
        })
    }

    fn provides(&self, arm: Arm, need: &str) -> bool {
        if let Some(name) = service(need) {
            let mut services = self.services[arm.index()].iter();
            return services.any(|provided| service(provided) == Some(name));
        }
        let mut set = self.profiles[arm.index()]
            .knobs
            .iter()
            .filter(|(knob, _)| is_at_or_below(knob, need) && self.has_effect(knob));
        if takes_away(need) {
            return set.next().is_none();
        }
        match KnobId::from(need).variable() {
            Some(variable) => match set.next() {
                Some((_, setting)) => !unsets(setting),
                None => (self.ambient)(variable),
            },
            None => set.next().is_some(),
        }
    }

    fn has_effect(&self, knob: &KnobId) -> bool {
        let status = self.knobs.iter().find(|status| status.knob == *knob);
        status.is_none_or(|status| status.applied)
    }
}

/// Returns whether a knob of this name takes away what is there without it.
fn takes_away(need: &str) -> bool {
    matches!(need, "network" | "ipv6")
}

fn unsets(setting: &KnobSetting) -> bool {
    setting.values().contains(&KnobValue::Unset)
}

fn is_at_or_below(knob: &KnobId, need: &str) -> bool {
    knob.0
        .strip_prefix(need)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns what is odd about the names in `annotations`: fidelity profiles and knobs that do not exist, and services that
/// look like a slip of the pen.
///
/// `profiles` are the names of all fidelity profiles, `arms` and `provided` are those of this run and their services.
pub fn unknown_names<'a>(
    annotations: impl Iterator<Item = &'a Annotation>,
    profiles: &BTreeSet<String>,
    arms: [&FidelityProfile; 2],
    provided: [&[String]; 2],
) -> Vec<Problem> {
    let mut unknown: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for annotation in annotations {
        let place = annotation.place.as_str();
        for profile in &annotation.profiles {
            if !profiles.contains(profile) {
                unknown.insert(("fidelity profile", profile, place));
            }
        }
        for need in &annotation.needs {
            match service(need) {
                Some(name) => services.entry(name).or_default().push(place),
                None if !is_known(need, arms) => {
                    unknown.insert(("knob", need, place));
                }
                None => {}
            }
        }
    }
    let knobs = || {
        let set = arms.into_iter().flat_map(|profile| profile.knobs.keys());
        let names = catalogue::KNOBS.iter().filter(|knob| !knob.kind.is_group());
        set.map(|knob| knob.0.as_str())
            .chain(names.map(|knob| knob.name))
    };
    let mut problems: Vec<Problem> = unknown
        .into_iter()
        .map(|(what, name, place)| {
            let near = match what {
                "knob" => nearest(name, knobs()),
                _ => nearest(name, profiles.iter().map(String::as_str)),
            };
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Problem {
                kind: format!("unknown-{}", what.replace(' ', "-")),
                message: format!("the annotation at {place} names the {what} `{name}`, which does not exist{hint}"),
            }
        })
        .collect();
    problems.extend(odd_services(&services, provided));
    problems
}

/// Returns the services that no arm provides: those that are named almost like one that an arm provides, or that more
/// annotations need, one by one, the others together. No list of services can be complete, so that a name of its own is no
/// mistake.
fn odd_services(needed: &BTreeMap<&str, Vec<&str>>, provided: [&[String]; 2]) -> Vec<Problem> {
    let provided: BTreeSet<&str> = provided
        .into_iter()
        .flatten()
        .filter_map(|name| service(name))
        .collect();
    let candidates = |name: &str, times: usize| {
        let others = needed
            .iter()
            .filter(move |(_, places)| times < places.len())
            .map(|(other, _)| *other);
        // `cache-1` and `cache-2` are two services.
        let letters = without_digits(name);
        let all = provided.iter().copied().chain(others);
        nearest(name, all.filter(|other| without_digits(other) != letters))
    };
    let unknown = needed.iter().filter(|(name, _)| !provided.contains(*name));
    let (mut problems, mut others) = (Vec::new(), Vec::new());
    for (name, places) in unknown {
        match (candidates(name, places.len()), places.iter().min()) {
            (Some(near), Some(first)) => problems.push(Problem {
                kind: "unknown-service".to_owned(),
                message: format!(
                    "the annotation at {first} needs `service.{name}`, which no arm provides; did you mean `service.{near}`?"
                ),
            }),
            _ => others.push(format!("service.{name}")),
        }
    }
    if let Some(first) = others.first() {
        let (names, are) = (
            quoted(&others),
            if others.len() == 1 { "is" } else { "are" },
        );
        problems.push(Problem {
            kind: "service-not-provided".to_owned(),
            message: format!(
                "{names} {are} needed by tests and provided by neither arm; of a service that runs beside the suite a fidelity profile says `provides = [\"{first}\"]`"
            ),
        });
    }
    problems
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Returns the name of the service that a need or knob is about: `db` of `service.db.latency`.
fn service(need: &str) -> Option<&str> {
    let name = need.strip_prefix("service.")?.split('.').next()?;
    (!name.is_empty()).then_some(name)
}

/// Returns whether a knob of this name can exist.
fn is_known(need: &str, arms: [&FidelityProfile; 2]) -> bool {
    catalogue::of(&KnobId::from(need)).is_some()
        || arms
            .into_iter()
            .flat_map(|profile| profile.knobs.keys())
            .any(|knob| is_at_or_below(knob, need))
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let candidates = known.map(crate::config::suggest::Candidate::plain);
    crate::config::suggest::nearest(name, candidates)
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, knobs: &[(&str, &str)]) -> FidelityProfile {
        let knobs = knobs.iter().map(|(knob, value)| {
            let value = match *value {
                "unset" => KnobValue::Unset,
                text => KnobValue::Text(text.to_owned()),
            };
            (KnobId::from(*knob), KnobSetting::Fixed(value))
        });
        FidelityProfile {
            name: name.to_owned(),
            knobs: knobs.collect(),
        }
    }

    fn status(knob: &str, applied: bool) -> KnobStatus {
        KnobStatus {
            knob: KnobId::from(knob),
            baseline: None,
            target: None,
            applied,
            reason: String::new(),
            beyond_production: false,
        }
    }

    fn needs(need: &str) -> Annotation {
        Annotation {
            needs: vec![need.to_owned()],
            ..Annotation::default()
        }
    }

    fn absent(annotation: &Annotation, knobs: &[KnobStatus]) -> [Option<String>; 2] {
        let low = profile("low", &[("env.CI", "unset")]);
        let high = profile(
            "high",
            &[
                ("network", "loopback"),
                ("env.DATABASE_URL", "postgres://localhost"),
                ("tty", "true"),
            ],
        );
        let provided = Provided {
            profiles: [&low, &high],
            services: [&[], &["service.db".to_owned()]],
            knobs,
            ambient: &|name| matches!(name, "HOME" | "CI"),
        };
        provided.terms(annotation).absent
    }

    #[test]
    fn a_test_is_run_where_its_needs_are_met_and_elsewhere_it_is_said_what_lacks() {
        let lacks =
            |need: &str, arm: &str| Some(format!("needs `{need}`, which `{arm}` does not provide"));
        for (need, expected) in [
            ("service.db", [lacks("service.db", "low"), None]),
            (
                "service.db.latency",
                [lacks("service.db.latency", "low"), None],
            ),
            (
                "service.mail",
                [lacks("service.mail", "low"), lacks("service.mail", "high")],
            ),
            ("network", [None, lacks("network", "high")]),
            ("ipv6", [None, None]),
            ("env.DATABASE_URL", [lacks("env.DATABASE_URL", "low"), None]),
            ("env.HOME", [None, None]),
            ("env.CI", [lacks("env.CI", "low"), None]),
            ("tty", [lacks("tty", "low"), None]),
        ] {
            assert_eq!(absent(&needs(need), &[]), expected, "{need}");
        }
    }

    #[test]
    fn a_knob_without_effect_provides_nothing_and_takes_nothing_away() {
        let tty = absent(&needs("tty"), &[status("tty", false)]);
        let words = "needs `tty`, which could not be applied in `high`";
        assert_eq!(tty[1].as_deref(), Some(words));
        let network = absent(&needs("network"), &[status("network", false)]);
        assert_eq!(network, [None, None]);
    }

    #[test]
    fn a_test_for_some_profiles_is_run_in_these_alone() {
        let annotation = Annotation {
            profiles: vec!["high".to_owned(), "staging".to_owned()],
            ..Annotation::default()
        };
        let absent = absent(&annotation, &[]);
        assert_eq!(
            absent,
            [Some("meant for `high` and `staging` only".to_owned()), None]
        );
    }

    #[test]
    fn names_that_do_not_exist_are_told_with_the_nearest_that_does() {
        let annotations = [
            Annotation {
                profiles: vec!["hihg".to_owned(), "low".to_owned()],
                needs: vec![
                    "netwrok".to_owned(),
                    "service.db".to_owned(),
                    "env.X".to_owned(),
                ],
                place: "src/lib.rs:7".to_owned(),
                ..Annotation::default()
            },
            needs("quantum"),
        ];
        let known = ["low", "high"].map(str::to_owned).into();
        let (low, high) = (profile("low", &[]), profile("high", &[]));
        let problems = unknown_names(annotations.iter(), &known, [&low, &high], [&[], &[]]);
        let said: Vec<String> = problems
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_service_that_is_named_almost_like_a_better_known_one_is_told() {
        let at = |place: &str, need: &str| Annotation {
            place: place.to_owned(),
            ..needs(need)
        };
        let annotations = [
            at("a.rs:1", "service.postgres"),
            at("a.rs:2", "service.postgres"),
            at("a.rs:3", "service.postgers"),
            at("a.rs:4", "service.cache-1"),
            at("a.rs:5", "service.cache-1"),
            at("a.rs:6", "service.cache-2"),
            at("a.rs:7", "service.mial.latency"),
            at("a.rs:8", "service.stripe"),
        ];
        let (low, high) = (profile("low", &[]), profile("high", &[]));
        let provided = ["service.mail".to_owned()];
        let problems = unknown_names(
            annotations.iter(),
            &BTreeSet::new(),
            [&low, &high],
            [&[], &provided],
        );
        let said: Vec<String> = problems
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        assert_eq!(
            said,
            [
                "the annotation at a.rs:7 needs `service.mial`, which no arm provides; did you mean `service.mail`?",
                "the annotation at a.rs:3 needs `service.postgers`, which no arm provides; did you mean `service.postgres`?",
                "`service.cache-1` and `service.cache-2` and `service.postgres` and `service.stripe` are needed by tests and provided by neither arm; of a service that runs beside the suite a fidelity profile says `provides = [\"service.cache-1\"]`",
            ]
        );
    }
}
