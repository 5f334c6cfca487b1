//! Times as tools write them.

use std::time::Duration;

/// A case that took longer than a year did not: some tools write nanoseconds where seconds belong.
const LONGEST: f64 = 366.0 * 86_400.0;

/// Returns the duration a `time` attribute gives in seconds.
///
/// Understands decimals, exponents, signs, a trailing or leading dot, thousands separators (`1,234.5`, `2_503.1`), a decimal comma (`0,5`)
/// and the units `s` and `ms`. `1,234` is a thousand and more: tools that group digits write that, while those that write a decimal comma
/// nearly always have another number of digits after it.
///
/// # Errors
/// Why it is no duration: a fragment for people.
pub(super) fn seconds(text: &str) -> Result<Duration, &'static str> {
    if let Some(nanos) = plain(text) {
        return Ok(Duration::from_nanos(nanos));
    }
    let text = text.trim();
    let value = match text.parse::<f64>() {
        Ok(value) => value,
        Err(_) => unusual(text).ok_or("is no number")?,
    };
    // A clock that stood still may show -0.
    if value < 0.0 {
        return Err("is negative");
    }
    if !value.is_finite() {
        return Err("is not finite");
    }
    if value > LONGEST {
        return Err("is more than a year");
    }
    Ok(Duration::from_secs_f64(value))
}

/// Returns the nanoseconds of a short decimal, which nearly all times are.
#[inline]
fn plain(text: &str) -> Option<u64> {
    /// More digits may not fit, or be more than a year.
    const LONGEST: usize = 9;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || fraction.is_empty() || whole.len() > 6 || fraction.len() > LONGEST {
        return None;
    }
    let number = |digits: &str| {
        digits.bytes().try_fold(0_u64, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u64::from(byte - b'0'))
        })
    };
    let scale = 10_u64.pow(u32::try_from(LONGEST - fraction.len()).ok()?);
    Some(number(whole)? * 1_000_000_000 + number(fraction)? * scale)
}

/// Reads what `f64` does not.
fn unusual(text: &str) -> Option<f64> {
    let (text, scale) = match text.strip_suffix("ms") {
        Some(text) => (text, 1e-3),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let text = text.trim_end();
    let text: String = if text.contains('.') {
        text.chars().filter(|c| !is_separator(*c)).collect()
    } else if text.matches(',').count() == 1 && !text.split_once(',').is_some_and(is_grouped) {
        text.replace(',', ".")
    } else {
        text.chars().filter(|c| !is_separator(*c)).collect()
    };
    text.parse::<f64>().ok().map(|value| value * scale)
}

/// Returns whether the comma between these groups digits.
fn is_grouped((before, after): (&str, &str)) -> bool {
    let before = before.trim_start_matches(['+', '-']);
    after.len() == 3
        && (1..=3).contains(&before.len())
        && !before.starts_with('0')
        && before
            .bytes()
            .chain(after.bytes())
            .all(|byte| byte.is_ascii_digit())
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        ',' | '_' | '\'' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2019}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_tools_write_them() {
        let micros = |text: &str| seconds(text).unwrap().as_micros();
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("0.", 0),
            (".5", 500_000),
            (" 1.25 ", 1_250_000),
            ("+1.5", 1_500_000),
            ("1.7e-05", 17),
            ("4.50611114501953e-05", 45),
            ("1E2", 100_000_000),
            ("2,503.1", 2_503_100_000),
            ("1,234", 1_234_000_000),
            ("1,234,567.8", 1_234_567_800_000),
            ("12,345,678", 12_345_678_000_000),
            ("0,005", 5_000),
            ("1,5", 1_500_000),
            ("3,1415", 3_141_500),
            ("1'234.5", 1_234_500_000),
            ("1 234.5", 1_234_500_000),
            ("1.5s", 1_500_000),
            ("12 ms", 12_000),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, reason) in [
            ("", "is no number"),
            ("<<computed>>", "is no number"),
            ("1.2.3", "is no number"),
            ("-7951.4", "is negative"),
            ("-1e-9", "is negative"),
            ("NaN", "is not finite"),
            ("inf", "is not finite"),
            ("1e999", "is not finite"),
            ("1967986371", "is more than a year"),
            ("1,2,3", "is no number"),
        ] {
            // Digits in odd groups may be read or refused, but never as something negative or endless.
            match seconds(text) {
                Err(said) => assert_eq!(said, reason, "{text}"),
                Ok(read) => assert!(text == "1,2,3" && read.as_secs() == 123, "{text}"),
            }
        }
    }
}
