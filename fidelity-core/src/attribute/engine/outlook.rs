//! How much an experiment would tell: the expected drop of the posterior's entropy, in bits.
//!
//! Hypotheses with equal counts predict alike and form a *class*, so that an experiment is judged by how it splits each
//! class, not by each hypothesis. Knows a [`Belief`]; not what configurations are.

use std::collections::BTreeMap;

use super::belief::Belief;
use super::likelihood::Counts;

/// How many trials at once are looked ahead. One alone clings to what is set up already.
pub const BATCHES: [u32; 3] = [1, 4, 16];

/// Hypotheses that hold less than this are left out of the outlook: they cannot change which experiment is best.
const NEGLIGIBLE: f64 = 1e-10;

/// What an experiment costs, in trials of the ordinary kind or any other unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Of one trial, above 0.
    pub run: f64,
    /// Of setting the configuration up before its first trial, 0 or more; 0 where it stands already.
    pub setup: f64,
}

impl Price {
    /// The price of a trial where nothing has to be set up.
    pub const RUN: Self = Self {
        run: 1.0,
        setup: 0.0,
    };
}

/// Chances of each number of failures ahead, with x log2 x of each.
#[derive(Clone, Debug)]
struct Ahead {
    chance: f64,
    log_term: f64,
}

/// Hypotheses with equal counts.
#[derive(Clone, Debug)]
struct Class {
    mass: f64,
    log_mass: f64,
    /// By batch and number of failures, one after another: where active, and elsewhere.
    ahead: [Vec<Ahead>; 2],
}

/// What is known before an experiment is chosen.
#[derive(Clone, Debug)]
pub struct Outlook {
    entropy: f64,
    posterior: Vec<f64>,
    /// p log2 p of each hypothesis.
    log_terms: Vec<f64>,
    /// Class of each hypothesis; none for negligible ones.
    class_of: Vec<Option<u32>>,
    classes: Vec<Class>,
}

/// Which part of each class an experiment has active.
#[derive(Clone, Debug)]
pub struct Split(Vec<[f64; 2]>);

fn log_term(x: f64) -> f64 {
    if x > 0.0 { x * x.log2() } else { 0.0 }
}

impl Outlook {
    /// Returns the outlook of a belief.
    pub fn new(belief: &Belief) -> Self {
        Self::of(belief, belief.posterior().to_vec())
    }

    /// Returns the outlook if one of these hypotheses (at least one) is the true one.
    pub fn among(belief: &Belief, hypotheses: &[usize]) -> Self {
        let mut posterior = vec![0.0; belief.posterior().len()];
        // Evenly: the question is what tells them apart, however improbable some of them are.
        for hypothesis in hypotheses {
            posterior[*hypothesis] = 1.0 / hypotheses.len() as f64;
        }
        Self::of(belief, posterior)
    }

    fn of(belief: &Belief, posterior: Vec<f64>) -> Self {
        let log_terms: Vec<f64> = posterior.iter().copied().map(log_term).collect();
        let mut numbers: BTreeMap<Counts, u32> = BTreeMap::new();
        let mut members: Vec<(usize, f64, f64)> = Vec::new();
        let mut class_of = vec![None; posterior.len()];
        for (hypothesis, weight) in posterior.iter().copied().enumerate() {
            if weight < NEGLIGIBLE {
                continue;
            }
            let [active, _] = belief.sides(hypothesis);
            let next = numbers.len() as u32;
            let class = *numbers.entry(active).or_insert(next);
            if class == next {
                members.push((hypothesis, 0.0, 0.0));
            }
            let member = &mut members[class as usize];
            member.1 += weight;
            member.2 += log_terms[hypothesis];
            class_of[hypothesis] = Some(class);
        }
        let tables = belief.tables(BATCHES[2]);
        let classes = members
            .into_iter()
            .map(|(hypothesis, mass, log_mass)| Class {
                mass,
                log_mass,
                ahead: belief.sides(hypothesis).map(|seen| {
                    let predict = |m: u32| {
                        let tables = &tables;
                        (0..=m).map(move |f| {
                            let chance = tables.predict(Counts::new(f, m), seen);
                            Ahead {
                                chance,
                                log_term: log_term(chance),
                            }
                        })
                    };
                    BATCHES.iter().flat_map(|m| predict(*m)).collect()
                }),
            })
            .collect();
        Self {
            entropy: -log_terms.iter().sum::<f64>(),
            posterior,
            log_terms,
            class_of,
            classes,
        }
    }

    /// Returns the probability of each hypothesis.
    pub fn posterior(&self) -> &[f64] {
        &self.posterior
    }

    /// Returns the split in which nothing is active.
    pub fn nothing_active(&self) -> Split {
        Split(vec![[0.0; 2]; self.classes.len()])
    }

    /// Makes one more hypothesis active in a split.
    pub fn activate(&self, split: &mut Split, hypothesis: usize) {
        if let Some(class) = self.class_of[hypothesis] {
            let part = &mut split.0[class as usize];
            part[0] += self.posterior[hypothesis];
            part[1] += self.log_terms[hypothesis];
        }
    }

    /// Returns the split of an experiment, given whether a hypothesis is active there.
    pub fn split(&self, active: impl Fn(usize) -> bool) -> Split {
        let mut split = self.nothing_active();
        for (hypothesis, class) in self.class_of.iter().enumerate() {
            if let Some(class) = class
                && active(hypothesis)
            {
                let part = &mut split.0[*class as usize];
                part[0] += self.posterior[hypothesis];
                part[1] += self.log_terms[hypothesis];
            }
        }
        split
    }

    /// Returns the probability that is active in a split.
    pub fn active_mass(&self, split: &Split) -> f64 {
        split.0.iter().map(|part| part[0]).sum()
    }

    /// Returns the bits that `BATCHES[batch]` trials are expected to tell, at least 0.
    ///
    /// # Method
    /// H(post) - E[H'], with E[H'] summed over the number of failures; a posterior after f failures has the unnormalised
    /// weights p_h BetaBin(f; m, counts of the side h puts the experiment on).
    pub fn gain(&self, split: &Split, batch: usize) -> f64 {
        let first: u32 = BATCHES[..batch].iter().map(|m| m + 1).sum();
        let expected: f64 = (first..=first + BATCHES[batch])
            .map(|place| {
                let (mut mass, mut logs) = (0.0, 0.0);
                for (class, on) in self.classes.iter().zip(&split.0) {
                    let off = [class.mass - on[0], class.log_mass - on[1]];
                    for (side, part) in [on, &off].into_iter().enumerate() {
                        let ahead = &class.ahead[side][place as usize];
                        mass += part[0] * ahead.chance;
                        logs += part[1] * ahead.chance + part[0] * ahead.log_term;
                    }
                }
                log_term(mass) - logs
            })
            .sum();
        (self.entropy - expected).max(0.0)
    }

    /// Returns the best rate of bits per cost over the batches, and which batch has it.
    pub fn rate(&self, split: &Split, price: Price) -> (f64, u32) {
        // Without a set-up, more at once never pays: information is concave in the number of trials.
        let looked = if price.setup > 0.0 { BATCHES.len() } else { 1 };
        (0..looked)
            .map(|batch| {
                let runs = BATCHES[batch];
                let cost = f64::from(runs) * price.run + price.setup;
                (self.gain(split, batch) / cost, runs)
            })
            .fold(
                (0.0, 1),
                |best, next| if next.0 > best.0 { next } else { best },
            )
    }
}
