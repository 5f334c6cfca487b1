//! What may be the cause: which knobs, and how they work together.

use super::{Constraints, KNOBS_AT_MOST, Mask, bit, places};

/// How the members of a set work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// The test fails where all of them are high. One member: that knob alone.
    All,
    /// The test fails where any of them is high.
    Any,
    /// The test never fails at a higher rate: nothing of this is the cause.
    Never,
}

/// A set of knobs that may be the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hypothesis {
    /// How they work together.
    pub shape: Shape,
    /// Which.
    pub members: Mask,
}

impl Hypothesis {
    /// Returns the hypothesis that all of these are needed.
    pub fn all(members: Mask) -> Self {
        Self {
            shape: Shape::All,
            members,
        }
    }

    /// Returns the hypothesis that any of these is enough.
    pub fn any(members: Mask) -> Self {
        Self {
            shape: Shape::Any,
            members,
        }
    }

    /// Returns the hypothesis that it is none of them.
    pub fn never() -> Self {
        Self {
            shape: Shape::Never,
            members: 0,
        }
    }

    /// Returns whether the test fails at its higher rate in a configuration.
    pub fn is_active(self, config: Mask) -> bool {
        match self.shape {
            Shape::All => config & self.members == self.members,
            Shape::Any => config & self.members != 0,
            Shape::Never => false,
        }
    }
}

/// What is believed before anything was tried, by kind of hypothesis; within a kind the products of the knobs' weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// One knob.
    pub single: f64,
    /// Two together.
    pub pair: f64,
    /// Either of two.
    pub either: f64,
    /// Three together.
    pub triple: f64,
    /// None.
    pub none: f64,
}

impl Default for Prior {
    fn default() -> Self {
        Self {
            single: 0.5,
            pair: 0.25,
            either: 0.1,
            triple: 0.1,
            none: 0.05,
        }
    }
}

/// Returns all hypotheses over the atoms of `constraints` with their weights, the last being that it is none.
///
/// `triples_with`: triples must have one of these knobs.
pub fn enumerate(
    constraints: &Constraints,
    prior: Prior,
    triples_with: Mask,
) -> (Vec<Hypothesis>, Vec<f64>) {
    let count = constraints.count();
    debug_assert!(count <= KNOBS_AT_MOST, "{count} knobs");
    let pairs: Vec<Mask> = (0..count)
        .flat_map(|a| (a + 1..count).map(move |b| bit(a) | bit(b)))
        .collect();
    let triples = pairs.iter().flat_map(|pair| {
        let last = KNOBS_AT_MOST - pair.leading_zeros() as usize;
        (last..count).map(move |c| pair | bit(c))
    });
    let kinds: [(f64, Vec<Hypothesis>); 4] = [
        (
            prior.single,
            (0..count).map(|a| Hypothesis::all(bit(a))).collect(),
        ),
        (
            prior.pair,
            pairs
                .iter()
                .filter(|pair| constraints.can_be_together(**pair))
                .map(|pair| Hypothesis::all(*pair))
                .collect(),
        ),
        (
            prior.either,
            pairs
                .iter()
                .filter(|pair| constraints.can_be_alternatives(**pair))
                .map(|pair| Hypothesis::any(*pair))
                .collect(),
        ),
        (
            prior.triple,
            triples
                .filter(|triple| triple & triples_with != 0 && constraints.can_be_together(*triple))
                .map(Hypothesis::all)
                .collect(),
        ),
    ];
    let (mut hypotheses, mut weights) = (Vec::new(), Vec::new());
    for (share, kind) in kinds {
        let products: Vec<f64> = kind
            .iter()
            .map(|hypothesis| {
                places(hypothesis.members)
                    .map(|place| constraints.weight(place))
                    .product()
            })
            .collect();
        let sum: f64 = products.iter().sum();
        if share > 0.0 && sum > 0.0 {
            hypotheses.extend(kind);
            weights.extend(products.iter().map(|product| share * product / sum));
        }
    }
    if prior.none > 0.0 {
        hypotheses.push(Hypothesis::never());
        weights.push(prior.none);
    }
    (hypotheses, weights)
}
