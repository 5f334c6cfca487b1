//! The values of a numeric knob between its two sides, mildest first: the places of a chain.

use crate::config::catalogue::{Harsher, KnobKind, named};
use crate::domain::{KnobId, KnobValue};

/// The most values of a grid.
const VALUES: usize = 64;

/// How far beyond the high value is looked where the low side leaves the knob alone, as a factor.
const BEYOND: u64 = 64;

/// Returns the number behind a value.
fn number(value: &KnobValue) -> Option<u64> {
    match value {
        KnobValue::Count(number) | KnobValue::Bytes(number) | KnobValue::Duration(number) => {
            Some(*number)
        }
        KnobValue::Share(percent) => Some(u64::from(*percent)),
        _ => None,
    }
}

/// Returns a value of the same kind with another number.
fn with_number(value: &KnobValue, number: u64) -> KnobValue {
    match value {
        KnobValue::Bytes(_) => KnobValue::Bytes(number),
        KnobValue::Duration(_) => KnobValue::Duration(number),
        KnobValue::Share(_) => KnobValue::Share(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => KnobValue::Count(number),
    }
}

/// Returns the smallest and largest number that a knob takes.
fn limits(knob: &KnobId) -> Option<(u64, u64)> {
    match named(&knob.0)?.kind {
        KnobKind::Count { min, max }
        | KnobKind::Size { min, max }
        | KnobKind::Duration { min, max } => Some((min, max)),
        KnobKind::Share { min, max } => Some((u64::from(min), u64::from(max))),
        _ => None,
    }
}

/// Returns the values from just beyond `low` to `high`, the last being `high`; none where the knob is no number, or where
/// there is nothing between.
pub fn between(knob: &KnobId, low: Option<&KnobValue>, high: &KnobValue) -> Option<Vec<KnobValue>> {
    let to = number(high)?;
    let (min, max) = limits(knob)?;
    let from = match low {
        Some(low) => number(low)?,
        None => match named(&knob.0)?.production {
            Harsher::IfLower => to.saturating_mul(BEYOND).min(max),
            Harsher::IfHigher => (to / BEYOND).max(min),
            _ => return None,
        },
    };
    // Where the low side has a value, that is the first place of the chain itself.
    let numbers = spaced(from, to, low.is_some());
    let grid: Vec<KnobValue> = numbers
        .into_iter()
        .map(|number| with_number(high, number))
        .collect();
    (grid.len() > 1).then_some(grid)
}

/// Returns numbers from `from` to `to`, every one where there are few, else in equal ratios; the first left out if asked.
fn spaced(from: u64, to: u64, without_first: bool) -> Vec<u64> {
    let span = from.abs_diff(to);
    let count = usize::try_from(span).unwrap_or(usize::MAX).min(VALUES - 1);
    let mut numbers: Vec<u64> = (0..=count)
        .map(|step| {
            if step == 0 {
                return from;
            }
            if step == count {
                return to;
            }
            let share = step as f64 / count as f64;
            let number = if count as u64 == span {
                from as f64 + share * (to as f64 - from as f64)
            } else {
                // One more keeps 0 in the range of logarithms.
                let (from, to) = ((from as f64 + 1.0).ln(), (to as f64 + 1.0).ln());
                (from + share * (to - from)).exp() - 1.0
            };
            rounded(number.round() as u64, from.max(to))
        })
        .collect();
    numbers.dedup();
    // Rounding may have carried a number past an end.
    let (least, most) = (from.min(to), from.max(to));
    numbers.retain(|number| (least..=most).contains(number));
    if without_first && numbers.first() == Some(&from) {
        numbers.remove(0);
    }
    numbers
}

/// Returns a number that people can read: sizes in whole KiB.
fn rounded(number: u64, largest: u64) -> u64 {
    if largest >= 1 << 20 && number >= 1 << 11 {
        number >> 10 << 10
    } else {
        number
    }
}

/// Returns in words from where on the test fails: the mildest value at which it does, and the one before.
pub fn words(fails: &KnobValue, passes: Option<&KnobValue>) -> String {
    let (Some(at), Some(before)) = (number(fails), passes.and_then(number)) else {
        return format!("fails from {fails} on");
    };
    let passes = with_number(fails, before);
    if before == at + 1 {
        format!("fails below {passes}")
    } else if before > at {
        format!("fails at {fails} and below, passes at {passes}")
    } else {
        format!("fails from {fails}, passes at {passes}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_all_tried_and_many_in_equal_ratios() {
        let knob = KnobId::from("cpus");
        let count = KnobValue::Count;
        let few = between(&knob, Some(&count(8)), &count(1)).unwrap();
        assert_eq!(few, [7, 6, 5, 4, 3, 2, 1].map(count));
        let files = KnobId::from("open-files");
        let many = between(&files, None, &count(64)).unwrap();
        assert!(many.len() <= VALUES && many.len() > 40, "{}", many.len());
        assert_eq!(many.first(), Some(&count(64 * 64)));
        assert_eq!(many.last(), Some(&count(64)));
        assert!(many.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn what_is_no_number_has_no_grid() {
        let zone = KnobValue::Text("UTC".to_owned());
        assert_eq!(between(&KnobId::from("tz"), None, &zone), None);
    }

    #[test]
    fn a_threshold_is_told_from_both_sides() {
        let (files, ms) = (KnobValue::Count, KnobValue::Duration);
        assert_eq!(words(&files(95), Some(&files(96))), "fails below 96");
        assert_eq!(
            words(&files(64), Some(&files(96))),
            "fails at 64 and below, passes at 96"
        );
        assert_eq!(
            words(&ms(40), Some(&ms(39))),
            "fails from 40ms, passes at 39ms"
        );
        assert_eq!(words(&ms(40), None), "fails from 40ms on");
    }
}
