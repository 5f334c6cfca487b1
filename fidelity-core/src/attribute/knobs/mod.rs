//! Sets of knobs: the smallest set that makes a test fail.
//!
//! A configuration says which knobs have their high value ([`Mask`]); hypotheses are single knobs, two or three that are
//! needed together, two of which either is enough, and none ([`hypothesis`]). What configurations are possible is in
//! [`constraints`], which are worth trying in [`candidates`]. A knob with several high values is one knob for each value
//! and one for "whichever" ([`constraints::Group`]).
//!
//! Knows places of knobs; not their names or values.

pub mod candidates;
pub mod constraints;
pub mod hypothesis;
mod space;

pub use constraints::{Constraints, Group};
pub use hypothesis::{Hypothesis, Shape};
pub use space::{KnobSpace, Prior};

/// Knobs by their bits: set where the knob has its high value. At most [`KNOBS_AT_MOST`].
pub type Mask = u128;

/// The most knobs that one search can hold.
pub const KNOBS_AT_MOST: usize = 128;

/// Returns the places of the bits that are set, from the lowest.
pub fn places(mask: Mask) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let place = rest.trailing_zeros() as usize;
        rest &= rest.wrapping_sub(1);
        (place < KNOBS_AT_MOST).then_some(place)
    })
}

/// Returns the mask of one place.
pub fn bit(place: usize) -> Mask {
    1 << place
}

#[cfg(test)]
mod tests;
