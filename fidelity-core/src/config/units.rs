//! Quantities with units, as people write them: `15m`, `1h30m`, `2GiB`, `5%`, `077`. Knows no key.

use crate::domain::KnobValue;

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotAQuantity {
    /// What is wrong with it, as the rest of a sentence.
    pub(crate) what: &'static str,
    /// What may have been meant.
    pub(crate) meant: Option<String>,
}

impl NotAQuantity {
    fn new(what: &'static str, meant: Option<String>) -> Self {
        Self { what, meant }
    }
}

/// Units of time in milliseconds, the largest first.
pub(crate) const TIMES: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size in bytes.
pub(crate) const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a duration as milliseconds: whole numbers with units `d`, `h`, `m`, `s`, `ms`, the largest first (`1h30m`).
pub(crate) fn duration_ms(text: &str) -> Result<u64, NotAQuantity> {
    let malformed = |what| Err(NotAQuantity::new(what, meant_time(text)));
    let (mut rest, mut total, mut smallest) = (text, 0u64, u64::MAX);
    if text.is_empty() {
        return malformed("is empty");
    }
    while !rest.is_empty() {
        let (digits, after) = split_digits(rest);
        if digits.is_empty() {
            return malformed("does not start with a number");
        }
        let (unit, after) = after.split_at(
            after
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(after.len()),
        );
        if unit.is_empty() {
            return malformed("has no unit");
        }
        let Some((_, size)) = TIMES.iter().find(|(name, _)| *name == unit) else {
            return malformed("has an unknown unit");
        };
        if smallest <= *size {
            return malformed("has its units in the wrong order");
        }
        let part = digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(*size));
        match part.and_then(|part| total.checked_add(part)) {
            Some(sum) => total = sum,
            None => return malformed("is too long to be counted"),
        }
        (rest, smallest) = (after, *size);
    }
    Ok(total)
}

/// Writes a duration of `ms` milliseconds so that [`duration_ms`] reads it back.
pub(crate) fn write_duration(ms: u64) -> String {
    KnobValue::Duration(ms).to_string()
}

/// Reads a size as bytes: a whole number with a binary (`KiB`) or decimal (`kB`) unit.
pub(crate) fn bytes(text: &str) -> Result<u64, NotAQuantity> {
    let malformed = |what| Err(NotAQuantity::new(what, meant_size(text)));
    let (digits, unit) = split_digits(text);
    if digits.is_empty() {
        return malformed("does not start with a number");
    }
    if unit.is_empty() {
        return malformed("has no unit");
    }
    let Some((_, size)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        return malformed("has an unknown unit");
    };
    match digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(*size))
    {
        Some(bytes) => Ok(bytes),
        None => malformed("is too large to be counted"),
    }
}

/// Reads `5%` as 0.05.
pub(crate) fn percentage(text: &str) -> Result<f64, NotAQuantity> {
    let Some(number) = text.strip_suffix('%') else {
        return Err(NotAQuantity::new("is no percentage", None));
    };
    let shape = !number.is_empty()
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    match number.parse::<f64>() {
        Ok(percent) if shape && percent.is_finite() => Ok(percent / 100.0),
        _ => Err(NotAQuantity::new("does not start with a number", None)),
    }
}

/// Reads permission bits in octal: three digits, or four starting with 0.
pub(crate) fn mode(text: &str) -> Result<u32, NotAQuantity> {
    let octal = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let length = text.len() == 3 || (text.len() == 4 && text.starts_with('0'));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if octal && length => Ok(mode),
        Ok(mode) if octal && mode <= 0o777 => Err(NotAQuantity::new(
            "has not three digits",
            Some(format!("{mode:03o}")),
        )),
        _ => Err(NotAQuantity::new("is not octal, of digits 0 to 7", None)),
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// Returns the number and the lower-case unit of `15 Minutes`, spaces left out.
fn loosely(text: &str) -> Option<(u64, String)> {
    let (digits, unit) = split_digits(text.trim());
    Some((digits.parse().ok()?, unit.trim().to_lowercase()))
}

fn meant_time(text: &str) -> Option<String> {
    let (count, unit) = loosely(text)?;
    let unit = match unit.as_str() {
        "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    Some(format!("{count}{unit}"))
}

fn meant_size(text: &str) -> Option<String> {
    let (count, unit) = loosely(text)?;
    let unit = match unit.as_str() {
        "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "ki" | "kib" => "KiB",
        "m" | "mb" | "mi" | "mib" => "MiB",
        "g" | "gb" | "gi" | "gib" => "GiB",
        "t" | "tb" | "ti" | "tib" => "TiB",
        _ => return None,
    };
    Some(format!("{count}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units() {
        let valid = [
            ("15m", 900_000),
            ("60s", 60_000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            ("0s", 0),
            ("2d1ms", 172_800_001),
        ];
        for (text, ms) in valid {
            assert_eq!(duration_ms(text), Ok(ms), "{text}");
        }
        for text in [
            "",
            "15",
            "m",
            "-5s",
            "1.5h",
            "30m1h",
            "1h1h",
            "15 m",
            "5x",
            "99999999999999999999s",
            "9999999999999999d",
            "１s",
        ] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_written_duration_is_read_back() {
        for ms in [0, 1, 999, 1_000, 61_000, 900_000, 86_400_000, u64::MAX] {
            assert_eq!(duration_ms(&write_duration(ms)), Ok(ms));
        }
    }

    #[test]
    fn sizes_have_binary_or_decimal_units() {
        for (text, size) in [
            ("2GiB", 2u64 << 30),
            ("1kB", 1_000),
            ("7B", 7),
            ("1536KiB", 1536 << 10),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in [
            "",
            "1024",
            "GiB",
            "1.5GiB",
            "2gib",
            "2 GiB",
            "99999999999TiB",
            "-1B",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_near_miss_is_told_what_was_meant() {
        let meant = |error: NotAQuantity| error.meant;
        assert_eq!(
            duration_ms("15 min").map_err(meant),
            Err(Some("15m".to_owned()))
        );
        assert_eq!(
            bytes("512mb").map_err(meant),
            Err(Some("512MiB".to_owned()))
        );
        assert_eq!(mode("27").map_err(meant), Err(Some("027".to_owned())));
    }

    #[test]
    fn percentages_and_modes_are_checked_digit_by_digit() {
        assert_eq!(percentage("5%"), Ok(0.05));
        for text in ["5", "%", "-5%", "+5%", "inf%", "1e3%", "NaN%"] {
            assert!(percentage(text).is_err(), "{text}");
        }
        assert_eq!((mode("077"), mode("0027")), (Ok(0o077), Ok(0o027)));
        for text in ["", "7", "088", "+77", "1777", "00777"] {
            assert!(mode(text).is_err(), "{text}");
        }
    }
}
