//! Code or fidelity? Two factors, old and new code with old and new profile: a search over knobs in which the factors are the knobs.
//! Lock file and toolchain are part of the code, as the commits have them.
//!
//! Knows places of factors; what they are is for whoever sets them up.

use super::engine::Rules;
use super::engine::Search;
use super::knobs::{Constraints, Hypothesis, KnobSpace, Prior, Shape, bit};

/// The place of the code.
pub const CODE: usize = 0;

/// The place of the profile.
pub const PROFILE: usize = 1;

/// Which of code and profile made the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The code alone.
    Code,
    /// The profile alone.
    Profile,
    /// The new code only fails with the new profile.
    Both,
    /// Either of them is enough.
    Either,
    /// Another factor takes part.
    Other,
    /// None of the factors.
    Neither,
}

/// Returns a search over `factors` (2..=4) of which [`CODE`] and [`PROFILE`] are the first two.
pub fn search(factors: usize, rules: Rules) -> Search<KnobSpace> {
    let space = KnobSpace::new(Constraints::free(factors), Prior::default());
    Search::new(space, rules)
}

/// Returns which side a hypothesis of such a search puts the difference on.
pub fn side(hypothesis: Hypothesis) -> Side {
    let (code, profile) = (bit(CODE), bit(PROFILE));
    let Hypothesis { shape, members } = hypothesis;
    match shape {
        Shape::Never => Side::Neither,
        _ if members == code => Side::Code,
        _ if members == profile => Side::Profile,
        Shape::All if members == code | profile => Side::Both,
        Shape::Any if members == code | profile => Side::Either,
        _ => Side::Other,
    }
}
