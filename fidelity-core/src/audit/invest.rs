//! Where to invest next: what is not tried yet and promises most, by likelihood times severity.

use std::collections::{BTreeMap, BTreeSet};

use super::differences::{Difference, Standing, had_here, machine_has};
use super::ledger::Ledger;
use super::likelihood;
use super::substitutes::Substitute;
use super::{Gathered, PROPOSED, ranked, severity};
use crate::config::catalogue;
use crate::domain::{Arm, KnobId};
use crate::report::number::things;

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Investment {
    /// What, in the imperative.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Likelihood times severity.
    pub score: f64,
}

/// Returns what to do next, first what promises most.
pub(super) fn proposals(
    gathered: &Gathered,
    ledger: &Ledger<'_>,
    differences: &[Difference],
    substitutes: &[Substitute],
) -> Vec<Investment> {
    let mut all = production(gathered, differences);
    all.extend(mocked(substitutes));
    all.extend(missing(gathered));
    all.extend(untried(gathered, ledger));
    all.sort_by_cached_key(|it| (ranked(it.score), it.what.clone()));
    // Before any run it is the cheapest by far, whatever the rest promises.
    let mut proposed: Vec<Investment> = waiting(gathered, differences).into_iter().collect();
    proposed.extend(all);
    proposed.truncate(PROPOSED);
    proposed
}

/// Facts of production that the target does not impose.
pub(super) fn production(gathered: &Gathered, differences: &[Difference]) -> Vec<Investment> {
    let target = &gathered.profiles[1].name;
    let lacking = differences.iter().filter_map(|difference| {
        let Difference { knob, values, .. } = difference;
        let [_, own, fact] = values.each_ref().map(|it| it.as_deref().unwrap_or_default());
        let (what, why) = match difference.standing {
            Standing::OnlyInProduction => (
                format!("set `{knob}` to {fact} in `{target}`"),
                match machine_has(gathered, knob).as_str() {
                    "" => "production has it, and no arm sets it: tests meet it where a machine happens to have it".to_owned(),
                    has => format!("production has it, and no arm sets it: tests are left to this machine{has}"),
                },
            ),
            Standing::KinderThanProduction => (
                format!("set `{knob}` to {fact} in `{target}`"),
                format!("production has it, and `{target}` is kinder ({own})"),
            ),
            // What the target has is there for something: it stays beside the other.
            Standing::UnlikeProduction => (
                format!("let `{target}` take turns with {fact} for `{knob}` (`one-of`)"),
                format!("production has it, and `{target}` has {own}"),
            ),
            _ => return None,
        };
        Some(Investment {
            what,
            reason: why,
            score: difference.score(),
        })
    });
    lacking.collect()
}

/// What the arms differ in already, where no run has tried it: nothing is cheaper.
fn waiting(gathered: &Gathered, differences: &[Difference]) -> Option<Investment> {
    let waiting = differences.iter().filter(|it| {
        let [low, high] = [0, 1].map(|arm| gathered.profiles[arm].knobs.get(&it.knob));
        low != high
    });
    let scores: Vec<f64> = waiting.map(Difference::score).collect();
    let is_first = gathered.past.is_empty() && !scores.is_empty();
    is_first.then(|| Investment {
        what: "run the suite: `cargo fidelity run`".to_owned(),
        reason: format!(
            "no run is stored; it tries {} between the arms",
            things(scores.len() as u64, "difference")
        ),
        score: scores.iter().sum(),
    })
}

/// Components that are mocked more often than used.
fn mocked(substitutes: &[Substitute]) -> Vec<Investment> {
    let (likely, _) = likelihood::prior(&KnobId::from("service"));
    substitutes
        .iter()
        .map(|substitute| {
            let Substitute {
                component,
                mocking,
                real,
                idle,
                weight,
                place,
            } = substitute;
            let idle = match idle {
                0 => String::new(),
                idle => format!(", and {idle} that run nowhere"),
            };
            let mock_only = f64::from(*mocking) / f64::from(mocking + real);
            Investment {
                what: format!("test against a real `{component}`"),
                reason: format!(
                    "tests that mock it: {mocking}; that use it as it is: {real}{idle} ({place})"
                ),
                score: likely * weight * mock_only,
            }
        })
        .collect()
}

/// What tests need that no arm they are meant for provides: these tests never run. Only what a configuration can say is
/// proposed, and no test that its user ignores is counted.
pub(super) fn missing(gathered: &Gathered) -> Vec<Investment> {
    let (likely, _) = likelihood::prior(&KnobId::from("service"));
    let mut lacking: BTreeMap<String, (u32, f64)> = BTreeMap::new();
    for test in &gathered.tests {
        if test.ignored || Arm::BOTH.into_iter().any(|arm| test.runs_in(arm)) {
            continue;
        }
        if let Some(what) = provide(gathered, &test.lacks) {
            let (count, weight) = lacking.entry(what).or_default();
            *count += 1;
            *weight = weight.max(test.weight());
        }
    }
    lacking
        .into_iter()
        .map(|(what, (count, weight))| Investment {
            what,
            reason: format!("tests that never run without it: {count}"),
            // They tell nothing at all today.
            score: 2.0 * likely * weight,
        })
        .collect()
}

/// Returns what to do so that a test gets what it lacks; none where no configuration can say it.
fn provide(gathered: &Gathered, lacks: &[Option<String>; 2]) -> Option<String> {
    let (arm, need) = match lacks {
        [Some(need), Some(_)] => ("an arm".to_owned(), need),
        [None, Some(need)] => (format!("`{}`", gathered.profiles[1].name), need),
        [Some(need), None] => (format!("`{}`", gathered.profiles[0].name), need),
        [None, None] => return None,
    };
    match need.as_str() {
        // What is there unless an arm takes it away.
        "network" | "ipv6" => Some(format!("leave `{need}` alone in {arm}")),
        _ if need.starts_with("service.") => Some(format!(
            "run a `{}` beside the suite and say so in {arm} (`provides`)",
            need.trim_start_matches("service.")
        )),
        _ => catalogue::of(&KnobId::from(need.as_str()))
            .map(|_| format!("provide `{need}` in {arm}")),
    }
}

/// Knobs in which the arms do not differ, by what is known of them.
fn untried(gathered: &Gathered, ledger: &Ledger<'_>) -> Vec<Investment> {
    let [low, high] = &gathered.profiles;
    let differ = |knob: &&KnobId| low.knobs.get(knob) != high.knobs.get(knob);
    let set: BTreeSet<&KnobId> = low
        .knobs
        .keys()
        .chain(high.knobs.keys())
        .filter(differ)
        .chain(gathered.production.keys())
        .collect();
    let family = |knob: &KnobId| likelihood::prior(knob).1;
    // What the machine has as production does, nobody varies and nobody is told to.
    let had: Vec<KnobId> = had_here(gathered)
        .into_iter()
        .map(|(knob, _)| knob)
        .collect();
    let tried = set.iter().filter(|knob| !had.contains(knob));
    let tried: BTreeSet<&str> = tried.map(|knob| family(knob)).collect();
    let mean = severity::mean(gathered.tests.iter());
    let mut proposed = BTreeSet::new();
    likelihood::known()
        .filter(|knob| !matches!(knob.0.as_str(), "service" | "errno" | "env"))
        .filter(|knob| !gathered.runner.decides().contains(&knob.0.as_str()))
        .filter(|knob| !set.contains(knob) && !tried.contains(family(knob)))
        .filter(|knob| proposed.insert(family(knob)))
        .map(|knob| Investment {
            reason: format!("no arm varies anything like it; {}", family(&knob)),
            score: ledger.belief(&knob).mean * mean,
            what: format!("vary `{knob}`"),
        })
        .collect()
}
