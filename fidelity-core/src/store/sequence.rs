//! Sequences of whole numbers as few bytes: test ids, positions in a list, durations.
//!
//! A sequence is cut into stretches of consecutive numbers, each written as two variable-length numbers: its distance
//! from the end of the stretch before (zigzag) and its length. A whole suite is three bytes. Knows no table and no file;
//! reads bytes of any origin without a panic, and without setting aside memory for what they merely claim.

use super::error::{Fault, damaged};

/// A stretch of consecutive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first number.
    pub(super) start: i64,
    /// How many there are, at least 1. `start + length` does not overflow.
    pub(super) length: i64,
}

/// Returns the sequence `numbers` as bytes.
pub(super) fn pack(numbers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut end = 0_i64;
    let mut open: Option<Stretch> = None;
    for number in numbers {
        match &mut open {
            Some(stretch) if stretch.start.checked_add(stretch.length) == Some(number) => {
                stretch.length += 1;
            }
            _ => {
                if let Some(done) = open.replace(Stretch {
                    start: number,
                    length: 1,
                }) {
                    end = push_stretch(&mut bytes, end, done);
                }
            }
        }
    }
    if let Some(done) = open {
        push_stretch(&mut bytes, end, done);
    }
    bytes
}

/// Appends a stretch that follows one ending before `end`; returns the new end.
fn push_stretch(bytes: &mut Vec<u8>, end: i64, stretch: Stretch) -> i64 {
    let distance = stretch.start.wrapping_sub(end);
    push_number(bytes, zigzag(distance));
    push_number(bytes, stretch.length.unsigned_abs());
    stretch.start.wrapping_add(stretch.length)
}

/// Maps small numbers of either sign to small numbers.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The inverse of [`zigzag`].
fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Appends a number as 1 to 10 bytes, seven bits each, lowest first.
pub(super) fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number off the front of `bytes`; none where there is no whole number of at most 64 bits.
pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (position, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if position == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * position);
        if byte & 0x80 == 0 {
            *bytes = &bytes[position + 1..];
            return Some(number);
        }
    }
    None
}

/// The stretches of a packed sequence.
pub(super) struct Stretches<'a> {
    bytes: &'a [u8],
    end: i64,
}

/// Returns the stretches of a packed sequence.
pub(super) fn stretches(bytes: &[u8]) -> Stretches<'_> {
    Stretches { bytes, end: 0 }
}

impl Stretches<'_> {
    /// Reads one stretch; none where the bytes are no stretch.
    fn read(&mut self) -> Option<Stretch> {
        let distance = unzigzag(take_number(&mut self.bytes)?);
        let length = i64::try_from(take_number(&mut self.bytes)?).ok()?;
        let start = self.end.checked_add(distance)?;
        self.end = start.checked_add(length)?;
        (length > 0).then_some(Stretch { start, length })
    }
}

impl Iterator for Stretches<'_> {
    type Item = Result<Stretch, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let stretch = self.read();
        if stretch.is_none() {
            self.bytes = &[];
        }
        Some(stretch.ok_or_else(|| damaged("a packed sequence is garbled")))
    }
}

/// Returns the stretches of a packed set of positions, each checked to be ascending and below `limit`.
pub(super) fn position_stretches(
    bytes: &[u8],
    limit: u32,
) -> impl Iterator<Item = Result<(u32, u32), Fault>> {
    let mut end = 0_i64;
    stretches(bytes).map(move |stretch| {
        let Stretch { start, length } = stretch?;
        let inside = start >= end && start + length <= i64::from(limit);
        end = start + length;
        match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) if inside => Ok((start, length)),
            _ => Err(damaged("a packed sequence names tests that are not listed")),
        }
    })
}

/// Returns a packed set of positions, each checked to be ascending and below `limit`.
pub(super) fn positions(bytes: &[u8], limit: u32) -> Result<Vec<u32>, Fault> {
    let mut count = 0;
    for stretch in position_stretches(bytes, limit) {
        count += stretch?.1 as usize;
    }
    let mut all = Vec::with_capacity(count);
    for stretch in position_stretches(bytes, limit) {
        let (start, length) = stretch?;
        all.extend(start..start + length);
    }
    Ok(all)
}

/// Returns how many members of a packed set of positions come before `position`, if it is one.
pub(super) fn rank(bytes: &[u8], limit: u32, position: u32) -> Result<Option<u32>, Fault> {
    let mut before = 0;
    for stretch in position_stretches(bytes, limit) {
        let (start, length) = stretch?;
        if position < start {
            break;
        }
        if position - start < length {
            return Ok(Some(before + (position - start)));
        }
        before += length;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::random::Random;

    fn unpack(bytes: &[u8]) -> Option<Vec<i64>> {
        let mut all = Vec::new();
        for stretch in stretches(bytes) {
            let Stretch { start, length } = stretch.ok()?;
            all.extend((start..start + length).take(10_000));
        }
        Some(all)
    }

    #[test]
    fn a_whole_suite_takes_four_bytes_at_most() {
        assert_eq!(pack(0..10_000).len(), 3);
        assert_eq!(pack(1..=10_000).len(), 3);
        assert_eq!(pack([]).len(), 0);
    }

    #[test]
    fn any_sequence_is_read_back() {
        for seed in 0..500 {
            let mut random = Random::new(seed);
            let numbers: Vec<i64> = (0..random.below(60))
                .scan(0_i64, |last, _| {
                    *last = match random.below(10) {
                        0 => (random.next() >> 2).cast_signed(),
                        1 => -((random.next() >> 2).cast_signed()),
                        2..=4 => *last + 2,
                        _ => *last + 1,
                    };
                    Some(*last)
                })
                .collect();
            let read = unpack(&pack(numbers.iter().copied()));
            assert_eq!(read.as_ref(), Some(&numbers), "seed {seed}");
        }
    }

    #[test]
    fn numbers_of_any_size_are_read_back() {
        for number in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, u64::MAX >> bit]) {
            let mut bytes = Vec::new();
            push_number(&mut bytes, number);
            let mut rest = bytes.as_slice();
            assert_eq!(take_number(&mut rest), Some(number));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn bytes_of_any_origin_are_read_or_refused() {
        for seed in 0..20_000 {
            let mut random = Random::new(seed);
            let length = random.below(12) as usize;
            let bytes = random.bytes(length);
            let _ = unpack(&bytes);
            if let Ok(all) = positions(&bytes, 1000) {
                assert!(all.is_sorted_by(|a, b| a < b), "seed {seed}");
                assert!(all.iter().all(|position| *position < 1000), "seed {seed}");
                for position in 0..1000 {
                    let expected = all.binary_search(&position).ok().map(|rank| rank as u32);
                    assert_eq!(
                        rank(&bytes, 1000, position).ok(),
                        Some(expected),
                        "seed {seed}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_claim_of_endless_numbers_is_refused() {
        let mut bytes = Vec::new();
        push_number(&mut bytes, 0);
        push_number(&mut bytes, u64::MAX >> 1);
        assert!(positions(&bytes, u32::MAX).is_err());
        assert!(rank(&bytes, u32::MAX, 5).is_err());
    }
}
