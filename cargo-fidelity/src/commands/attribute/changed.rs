//! Which of the values that a version of the profile changed are told to be the cause.

use fidelity_core::attribute::account::{KnobChange, Tally};
use fidelity_core::attribute::commit_search::Why;
use fidelity_core::attribute::engine::Expect;
use fidelity_core::attribute::inquiry::Needed;

/// What was found out of the values; none where there is one alone.
pub type Values<'a> = Option<&'a Result<Needed, Why>>;

/// Returns those of the changes that it takes: none where they were not told apart, because each would be blamed for all.
pub fn taken(mut changed: Vec<KnobChange>, values: Values<'_>) -> Vec<KnobChange> {
    match values {
        None => {}
        Some(Ok(needed)) => {
            changed.retain(|change| needed.knobs.iter().any(|knob| knob.0 == change.knob));
        }
        Some(Err(_)) => changed.clear(),
    }
    changed
}

/// Returns the word and the sentence for a search of the values that was stopped: it goes on when it is asked for again.
pub fn stopped(values: Values<'_>) -> Option<(String, String)> {
    let sentence = "it was stopped before it was told which of the values that changed it takes";
    matches!(values, Some(Err(Why::Stopped))).then(|| ("stopped".to_owned(), sentence.to_owned()))
}

/// Returns what there is to say of them, where that is not plain.
pub fn said(changed: &[KnobChange], values: Values<'_>) -> Option<String> {
    let why = match values? {
        Ok(needed) if needed.knobs.len() < 2 => return None,
        Ok(needed) if needed.either => {
            return Some("either of these values is enough".to_owned());
        }
        Ok(_) => return Some("it takes these values together".to_owned()),
        Err(Why::OutOfBudget) => "the limit of trials was reached",
        Err(Why::Stopped) => return None,
        Err(Why::Untestable) => "what has to be tried for it cannot be tried here",
        Err(Why::Unconfirmed | Why::NotNecessary) => "no set of up to three of them explains it",
    };
    let knobs: Vec<&str> = changed.iter().map(|change| change.knob.as_str()).collect();
    let knobs = knobs.join(", ");
    Some(format!(
        "the values of {knobs} changed at once; which of them it takes was not told: {why}"
    ))
}

/// Returns the sides of the claim on the values, as they were tried: what fails and what passes.
pub fn sides(needed: &Needed) -> (Option<Tally>, Vec<Tally>) {
    let of = |wanted| {
        let sides = needed.sides.iter();
        sides
            .filter(move |(_, expect, _)| *expect == wanted)
            .map(|(place, _, seen)| Tally::new(place.as_str(), *seen))
    };
    (of(Expect::Fails).next(), of(Expect::Passes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fidelity_core::domain::KnobId;

    fn changed() -> Vec<KnobChange> {
        let change = |knob: &str| KnobChange {
            knob: knob.to_owned(),
            before: None,
            after: Some("1".to_owned()),
        };
        ["env.MODE", "locale", "tz"].map(change).to_vec()
    }

    fn needed(knobs: &[&str], either: bool) -> Result<Needed, Why> {
        Ok(Needed {
            knobs: knobs.iter().map(|knob| KnobId::from(*knob)).collect(),
            either,
            probability: 0.97,
            sides: Vec::new(),
        })
    }

    #[test]
    fn values_that_were_not_told_apart_are_no_cause_and_named() {
        let all = [
            needed(&["tz"], false),
            needed(&["locale", "tz"], false),
            needed(&["env.MODE", "locale"], true),
            Err(Why::OutOfBudget),
            Err(Why::Untestable),
            Err(Why::Unconfirmed),
            Err(Why::NotNecessary),
        ];
        let lines = all.map(|values| {
            let taken: Vec<String> = taken(changed(), Some(&values))
                .into_iter()
                .map(|change| change.knob)
                .collect();
            let said = said(&changed(), Some(&values)).unwrap_or_default();
            format!("[{}] {said}", taken.join(", "))
                .trim_end()
                .to_owned()
        });
        insta::assert_snapshot!(lines.join("\n"), @r"
        [tz]
        [locale, tz] it takes these values together
        [env.MODE, locale] either of these values is enough
        [] the values of env.MODE, locale, tz changed at once; which of them it takes was not told: the limit of trials was reached
        [] the values of env.MODE, locale, tz changed at once; which of them it takes was not told: what has to be tried for it cannot be tried here
        [] the values of env.MODE, locale, tz changed at once; which of them it takes was not told: no set of up to three of them explains it
        [] the values of env.MODE, locale, tz changed at once; which of them it takes was not told: no set of up to three of them explains it
        ");
        assert_eq!(taken(changed(), None), changed());
        assert_eq!(said(&changed(), None), None);
        assert_eq!(stopped(Some(&needed(&["tz"], false))), None);
        let (word, _) = stopped(Some(&Err(Why::Stopped))).unwrap();
        assert_eq!(word, "stopped");
    }
}
