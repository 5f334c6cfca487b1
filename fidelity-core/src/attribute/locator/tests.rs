//! Whole inquiries against planted truths: what the locator asks is answered by a function of the environment, and what
//! it says has to be that function.

use std::collections::BTreeMap;

use super::*;
use crate::attribute::engine::Expect;
use crate::domain::{AttributionEnd, FidelityProfile, KnobId, KnobSetting, KnobValue, Outcome};

fn text(word: &str) -> KnobValue {
    KnobValue::Text(word.to_owned())
}

fn profile(name: &str, knobs: Vec<(&str, KnobSetting)>) -> FidelityProfile {
    FidelityProfile {
        name: name.to_owned(),
        knobs: knobs
            .into_iter()
            .map(|(knob, setting)| (KnobId::from(knob), setting))
            .collect(),
    }
}

/// Five knobs that differ, one of them with two values, and one that both arms share.
fn factors() -> Factors {
    let fixed = |value| KnobSetting::Fixed(value);
    let low = profile("low", vec![("locale", fixed(text("C")))]);
    let high = profile(
        "high",
        vec![
            ("cpus", fixed(KnobValue::Count(1))),
            ("home", fixed(text("missing"))),
            ("locale", fixed(text("C"))),
            ("open-files", fixed(KnobValue::Count(64))),
            (
                "tz",
                KnobSetting::OneOf(vec![text("Pacific/Apia"), text("America/St_Johns")]),
            ),
            ("umask", fixed(KnobValue::Mode(0o077))),
        ],
    );
    Factors::new(&low, &high, &[], None)
}

fn locator() -> Locator {
    of(factors())
}

fn of(factors: Factors) -> Locator {
    let inquiry = Inquiry {
        test: TestIndex(3),
        second: None,
        signatures: BTreeSet::new(),
        rules: Rules::of_knobs(),
    };
    Locator::new(factors, inquiry)
}

/// What a test comes to under knob values.
type Truth = fn(&BTreeMap<KnobId, KnobValue>) -> bool;

fn has(knobs: &BTreeMap<KnobId, KnobValue>, knob: &str, value: &KnobValue) -> bool {
    knobs.get(&KnobId::from(knob)) == Some(value)
}

fn trial(wanted: Wanted, fails: Truth) -> AttributionTrial {
    assert!(has(&wanted.environment.0, "locale", &text("C")));
    AttributionTrial {
        stage: wanted.stage,
        test: wanted.test,
        config: wanted.config,
        scope: wanted.scope,
        outcome: Some(if fails(&wanted.environment.0) {
            Outcome::Failed
        } else {
            Outcome::Passed
        }),
        environment: wanted.environment,
        alike: true,
        elapsed_ms: 1,
    }
}

fn price(_: &str, _: Scope) -> Price {
    Price {
        run: 1.0,
        setup: 0.0,
    }
}

/// Answers until nothing is asked any more.
fn inquire(fails: Truth) -> (Locator, Vec<AttributionTrial>) {
    inquire_with(locator(), fails)
}

fn inquire_with(mut locator: Locator, fails: Truth) -> (Locator, Vec<AttributionTrial>) {
    let mut made = Vec::new();
    while let Some(wanted) = locator.next(&price) {
        let trial = trial(wanted, fails);
        assert!(locator.record(&trial));
        made.push(trial);
        assert!(made.len() < 400, "it never ends");
    }
    (locator, made)
}

/// Returns how an inquiry ended and the cause in words.
fn cause_of(fails: Truth) -> (AttributionEnd, String) {
    let attribution = inquire(fails).0.attribution().unwrap();
    let words = attribution.cause.map(|cause| cause.wording);
    (attribution.end, words.unwrap_or_default())
}

#[test]
fn one_knob_two_together_and_either_of_two_are_told_apart() {
    let found = |words: &str| (AttributionEnd::Found, words.to_owned());
    let umask: Truth = |knobs| has(knobs, "umask", &KnobValue::Mode(0o077));
    assert_eq!(cause_of(umask), found("umask = 077"));
    let both: Truth = |knobs| {
        has(knobs, "umask", &KnobValue::Mode(0o077)) && has(knobs, "home", &text("missing"))
    };
    assert_eq!(
        cause_of(both),
        found("home = missing and umask = 077 together")
    );
    let either: Truth = |knobs| {
        has(knobs, "umask", &KnobValue::Mode(0o077)) || has(knobs, "home", &text("missing"))
    };
    assert_eq!(cause_of(either), found("home = missing or umask = 077"));
}

#[test]
fn of_a_choice_the_value_is_named_that_makes_the_test_fail() {
    let apia: Truth = |knobs| has(knobs, "tz", &text("Pacific/Apia"));
    let (end, words) = cause_of(apia);
    assert_eq!(
        (end, words.as_str()),
        (AttributionEnd::Found, "tz = Pacific/Apia")
    );
    let any: Truth = |knobs| knobs.contains_key(&KnobId::from("tz"));
    let attribution = inquire(any).0.attribution().unwrap();
    let knob = &attribution.cause.unwrap().knobs[0];
    assert_eq!((knob.knob.as_str(), &knob.value), ("tz", &None));
}

#[test]
fn a_number_is_followed_to_where_the_test_begins_to_fail() {
    let few: Truth = |knobs| match knobs.get(&KnobId::from("open-files")) {
        Some(KnobValue::Count(count)) => *count < 100,
        _ => false,
    };
    let attribution = inquire(few).0.attribution().unwrap();
    let cause = attribution.cause.unwrap();
    let threshold = cause.knobs[0].threshold.clone().unwrap();
    let numbers: Vec<u64> = threshold
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(
        numbers.iter().any(|number| (96..=112).contains(number)),
        "{threshold}"
    );
}

#[test]
fn a_test_that_passes_everywhere_now_is_not_reproducible() {
    let (end, words) = cause_of(|_| false);
    assert_eq!((end, words.as_str()), (AttributionEnd::NotReproducible, ""));
}

#[test]
fn stored_trials_count_only_in_the_company_that_the_search_has() {
    let environment = factors().environment(0, 0);
    let mask = |factors: &Factors, scope| factors.mask_of(&environment, scope);
    let alone = factors();
    assert_eq!(mask(&alone, Scope::Alone), Some(0));
    assert_eq!(mask(&alone, Scope::Suspects), Some(0));
    assert_eq!(mask(&alone, Scope::Suite), None);
    let (low, high) = (profile("low", Vec::new()), profile("high", Vec::new()));
    let among = Factors::new(&low, &high, &[], Some(Scope::Suite));
    let nothing = Environment::default();
    assert_eq!(among.mask_of(&nothing, Scope::Suite), Some(1));
    assert_eq!(among.mask_of(&nothing, Scope::Alone), Some(0));
    assert_eq!(among.mask_of(&nothing, Scope::Binary), None);
}

#[test]
fn a_second_test_that_says_nothing_has_no_cause_that_agrees() {
    let seen = Counts::new(3, 3);
    let checked = [
        (1, Expect::Fails, seen),
        (0, Expect::Passes, Counts::new(0, 3)),
    ]
    .map(|(config, expect, seen)| Checked {
        config,
        expect,
        seen,
    });
    let agrees = |low: Seen, high: Seen| {
        let mut second = Second::new((TestIndex(1), "b t".to_owned()), &checked, 1);
        while let Some(config) = second.next() {
            second.record(config, if config == 0 { low } else { high });
        }
        second
            .seen(|_, _| String::new())
            .map(|second| second.agrees)
    };
    assert_eq!(agrees(Seen::Passed, Seen::Failed), Some(true));
    assert_eq!(agrees(Seen::Failed, Seen::Failed), Some(false));
    assert_eq!(agrees(Seen::Nothing, Seen::Failed), None);
    assert_eq!(agrees(Seen::Passed, Seen::Untestable), None);
}

#[test]
fn both_sides_of_a_claim_were_seen() {
    let umask: Truth = |knobs| has(knobs, "umask", &KnobValue::Mode(0o077));
    let cause = inquire(umask).0.attribution().unwrap().cause.unwrap();
    for side in &cause.sufficient {
        assert!(
            side.failures >= 2 && side.failures == side.trials,
            "{side:?}"
        );
    }
    for side in &cause.necessary {
        assert!(side.failures == 0 && side.trials >= 3, "{side:?}");
    }
    assert!(!cause.sufficient.is_empty() && !cause.necessary.is_empty());
}

#[test]
fn an_inquiry_that_was_cut_short_goes_on_where_it_was() {
    let umask: Truth = |knobs| has(knobs, "umask", &KnobValue::Mode(0o077));
    let (whole, made) = inquire(umask);
    for cut in 0..=made.len() {
        let mut again = locator();
        for stored in &made[..cut] {
            again.next(&price);
            assert!(again.record(stored), "{cut}");
        }
        for expected in &made[cut..] {
            let asked = trial(again.next(&price).unwrap(), umask);
            assert_eq!(&asked, expected, "{cut}");
            assert!(again.record(&asked));
        }
        assert_eq!(again.next(&price), None);
        assert_eq!(again.attribution(), whole.attribution());
    }
}

#[test]
fn a_knob_that_was_changed_lately_is_looked_at_first_and_believed_no_sooner() {
    let weighed = |knob: &str| {
        let changed = [KnobId::from(knob)].into();
        let spoken = [KnobId::from(knob)].into();
        of(factors().weighed(Weights::new(&changed, &spoken)))
    };
    let umask: Truth = |knobs| has(knobs, "umask", &KnobValue::Mode(0o077));
    let trials = |knob: &str| {
        let (locator, made) = inquire_with(weighed(knob), umask);
        let cause = locator.attribution().unwrap().cause.unwrap();
        // What was tried decides, whatever was thought before.
        assert_eq!(cause.wording, "umask = 077");
        made.len()
    };
    assert!(trials("umask") <= trials("cpus"));
}

#[test]
fn one_that_is_stopped_or_out_of_trials_says_which_limit_it_was() {
    let mut stopped = locator();
    let wanted = stopped.next(&price).unwrap();
    stopped.record(&trial(wanted, |_| true));
    stopped.stop();
    assert_eq!(stopped.next(&price), None);
    assert_eq!(
        stopped.attribution().unwrap().wording,
        "the time limit was reached after 1 trial, before one cause was left"
    );
    let mut limited = locator();
    limited.inquiry.rules.budget = 2;
    limited.search = Search::new(
        limited.search.space().clone(),
        limited.inquiry.rules.clone(),
    );
    let (limited, _) = inquire_with(limited, |_| true);
    assert_eq!(
        limited.attribution().unwrap().wording,
        "the limit of 2 trials was reached before one cause was left"
    );
}

#[test]
fn what_is_probable_where_it_was_stopped_names_its_knobs() {
    let truth: Truth = |knobs| has(knobs, "home", &text("missing"));
    let after = |trials: u32| {
        let mut locator = locator();
        for _ in 0..trials {
            let wanted = locator.next(&price)?;
            locator.record(&trial(wanted, truth));
        }
        locator.stop();
        assert_eq!(locator.next(&price), None);
        Some(locator.attribution()?.suspects)
    };
    let suspects: Vec<_> = (1..40).filter_map(after).flatten().collect();
    assert!(!suspects.is_empty());
    for suspect in suspects {
        let is_none = suspect.wording == "none of the knobs";
        assert_eq!(suspect.knobs.is_empty(), is_none, "{suspect:?}");
        for knob in &suspect.knobs {
            assert!(suspect.wording.contains(knob.as_str()), "{suspect:?}");
        }
    }
}
