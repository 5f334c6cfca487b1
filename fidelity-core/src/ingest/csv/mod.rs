//! Observations as CSV: one line each, the same columns out and in.
//!
//! Made for two readers. A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a
//! formula, which the name of a test could abuse; and we read back what we wrote, without loss. So such a text, and one that
//! begins with an apostrophe, gets an apostrophe in front ([`guard`]), which [`unguard`] takes off again.

mod read;
#[cfg(test)]
mod tests;

pub use read::{CsvProblem, Line, columns_of, read, separated_by_another};

use crate::domain::Outcome;

/// The columns, in order.
pub const COLUMNS: [&str; 12] = [
    "run",
    "block",
    "pass",
    "arm",
    "binary",
    "test",
    "outcome",
    "duration_s",
    "signature",
    "commit",
    "at",
    "profile",
];

/// Returns a text as a spreadsheet takes it for a text.
pub fn guard(text: &str) -> std::borrow::Cow<'_, str> {
    match text.starts_with(is_guarded) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// Returns a text as it was before [`guard`]. A text that was never guarded stays as it is, unless it looks as if it was.
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(is_guarded) => rest,
        _ => text,
    }
}

fn is_guarded(first: char) -> bool {
    // The last four are the full-width forms, which some spreadsheets take for the same.
    matches!(
        first,
        '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'' | '＝' | '＋' | '－' | '＠'
    )
}

/// Returns a duration in seconds, with six digits after the point.
pub fn seconds(duration_us: u64) -> String {
    format!("{}.{:06}", duration_us / 1_000_000, duration_us % 1_000_000)
}

/// Returns the microseconds of a duration in seconds; none for what is no duration. Digits beyond the sixth are rounded off.
pub fn microseconds(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) {
        // Written by others: `1e-3`.
        let number: f64 = text.parse().ok()?;
        let micros = (number * 1e6).round();
        // Below 2^53, so that the cast is exact.
        return (0.0..9e15).contains(&micros).then_some(micros as u64);
    }
    let micros: String = format!("{rest:0<6}").chars().take(6).collect();
    let whole: u64 = whole.parse().ok()?;
    whole
        .checked_mul(1_000_000)?
        .checked_add(micros.parse().ok()?)
}

/// Returns the outcome that its [`std::fmt::Display`] writes like this.
pub fn outcome(text: &str) -> Option<Outcome> {
    let plain = [
        Outcome::Passed,
        Outcome::Failed,
        Outcome::TimedOut,
        Outcome::Skipped,
        Outcome::NotReported,
    ];
    if let Some(outcome) = plain
        .into_iter()
        .find(|outcome| outcome.to_string() == text)
    {
        return Some(outcome);
    }
    let signal = text.strip_prefix("crashed (signal ")?.strip_suffix(')')?;
    signal.parse().ok().map(Outcome::Crashed)
}
