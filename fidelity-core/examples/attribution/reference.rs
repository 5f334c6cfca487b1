//! The reference of the table of knobs: the plain search that the specification describes ("full + confirm"), on the same seeds.
//!
//! The posterior over all hypotheses, always the experiment with the most bits, an end at 95 %, then both sides of the claim. It has none of the
//! rules that the tool has beyond that: a higher bar where the test also fails without the cause, trials of the confirmation made earlier,
//! none where a side that is said to fail did so twice, and the trial of whatever nothing tried so far tells from the claim.

use std::collections::BTreeMap;

use fidelity_core::attribute::engine::confirm;
use fidelity_core::attribute::engine::{Belief, Counts, Expect, Outlook, Price, Question, Space};
use fidelity_core::attribute::knobs::{KnobSpace, Mask};
use fidelity_core::attribute::simulate::{Knobs, Played};

/// The posterior that ends it.
const ENOUGH: f64 = 0.95;

/// Trials after which it gives up.
const AT_MOST: u32 = 400;

/// What was seen of each configuration, and what follows from it.
struct State<'a> {
    space: &'a KnobSpace,
    belief: Belief,
    cells: BTreeMap<Mask, Counts>,
}

impl State<'_> {
    fn take(&mut self, config: Mask, failed: bool) {
        let seen = Counts::one(failed);
        let cell = self.cells.entry(config).or_default();
        *cell = cell.plus(seen);
        let space = self.space;
        self.belief
            .take(seen, |hypothesis| space.is_active(hypothesis, &config));
        self.belief.update();
    }

    fn leader(&self) -> (usize, f64) {
        let oriented = self.belief.oriented();
        oriented.into_iter().enumerate().fold(
            (0, 0.0),
            |best, next| if next.1 > best.1 { next } else { best },
        )
    }

    /// Returns the side of a claim to look at next, none where enough was seen; an error where the claim does not hold.
    fn unconfirmed(&self, hypothesis: usize, draw: u64) -> Result<Option<Mask>, ()> {
        let [active, _] = self.belief.sides(hypothesis);
        let needed = confirm::trials_needed(active.mean(), false);
        let checks = self.space.checks(hypothesis, &|_| true);
        let mut open = Vec::new();
        for (place, check) in checks.iter().enumerate() {
            let seen = self.cells.get(&check.config).copied().unwrap_or_default();
            let must_fail = check.expect == Expect::Fails && seen.failures < 2;
            if must_fail && 2 * needed <= seen.trials {
                return Err(());
            }
            if must_fail || seen.trials < needed {
                open.push((place, seen.trials));
            }
        }
        Ok(confirm::next_side(&open, draw).map(|place| checks[place].config))
    }

    /// Returns the configuration with the most bits.
    fn most_telling(&self, draw: u64) -> Option<Mask> {
        let tried: Vec<Mask> = self.cells.keys().copied().collect();
        let choice = self.space.best(&Question {
            outlook: &Outlook::new(&self.belief),
            price: &|_| Price::RUN,
            testable: &|_| true,
            tried: &tried,
            wanted: &[],
            draw,
        })?;
        Some(choice.config)
    }
}

/// Plays one search over the planted cause of this seed, with the outcomes that the tool's own search draws from.
pub fn play(knobs: &Knobs, space: &KnobSpace, seed: u64) -> Played {
    let mut planted = knobs.planted(seed);
    let mut state = State {
        space,
        belief: Belief::new(&space.weights()),
        cells: BTreeMap::new(),
    };
    for (config, failed) in knobs.pilot(space, &mut planted) {
        state.take(config, failed);
    }
    let mut runs = 0;
    while runs < AT_MOST {
        let (leader, probability) = state.leader();
        let next = if probability < ENOUGH {
            state.most_telling(seed ^ u64::from(runs) << 32)
        } else if space.none() == Some(leader) {
            None
        } else {
            match state.unconfirmed(leader, confirm::mixed(seed ^ u64::from(runs))) {
                Ok(Some(config)) => Some(config),
                Ok(None) => {
                    return Played {
                        right: space.hypothesis(leader) == planted.truth,
                        named: true,
                        runs,
                        setups: 0,
                    };
                }
                Err(()) => None,
            }
        };
        let Some(config) = next else { break };
        state.take(config, planted.fails(config));
        runs += 1;
    }
    Played {
        runs,
        ..Played::default()
    }
}
