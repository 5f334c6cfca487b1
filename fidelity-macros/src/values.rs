//! The values of arguments: names, rates, times, counts and dates. An error says what is wrong, and what to write.

/// A name of a profile, knob, service or component: printable, and nothing a list of them could trip over.
pub fn name(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("the name is empty".to_owned());
    }
    let fits =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | ':' | '/');
    match text.chars().find(|letter| !fits(*letter)) {
        Some(letter) => Err(format!(
            "`{}` cannot be part of a name",
            letter.escape_debug()
        )),
        None => Ok(()),
    }
}

/// A text for people.
pub fn words(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the text is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("the text holds control characters".to_owned());
    }
    Ok(())
}

/// A failure rate, at least 0 and less than 1.
pub fn rate(digits: &str) -> Result<String, String> {
    match digits.parse::<f64>() {
        Ok(rate) if (0.0..1.0).contains(&rate) => Ok(digits.to_owned()),
        _ => Err(
            "a tolerance is a failure rate, at least 0 and less than 1\nhelp: write `tolerance = 0.01` for one in a hundred"
                .to_owned(),
        ),
    }
}

/// A number of trials, at least 1.
pub fn count(digits: &str) -> Result<u32, String> {
    match digits.parse::<u32>() {
        Ok(count) if count > 0 => Ok(count),
        Ok(_) => Err(
            "a test that is never tried says nothing\nhelp: `#[ignore]` leaves a test out"
                .to_owned(),
        ),
        Err(_) => Err(format!(
            "the number is too large\nhelp: at most {} trials can be asked for",
            u32::MAX
        )),
    }
}

/// A time with its unit, in milliseconds, at least one.
pub fn duration_ms(text: &str) -> Result<u64, String> {
    let help = "help: write a number with `ms`, `s`, `m` or `h`, as in `timeout = \"5s\"`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("`{}` is no time\n{help}", text.escape_debug())),
    };
    match number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
    {
        Some(0) => Err(format!("no test ends in no time\n{help}")),
        Some(ms) => Ok(ms),
        None => Err(format!("`{}` is no time\n{help}", text.escape_debug())),
    }
}

/// A day of the Gregorian calendar, `YYYY-MM-DD`. Whether it has passed is for a run to say, not for a build.
pub fn date(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, length: usize| {
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| digits)
    };
    let read = match parts[..] {
        [year, month, day] => (number(year, 4), number(month, 2), number(day, 2)),
        _ => (None, None, None),
    };
    let (Some(year), Some(month), Some(day)) = read else {
        return Err(format!("`{}` is no date", text.escape_debug()));
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(format!("`{text}` is no date: there is no month {month}")),
    };
    if day == 0 || days < day {
        return Err(format!("`{text}` is no date: that month has {days} days"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_do_not_overflow() {
        assert_eq!(duration_ms("250ms"), Ok(250));
        assert_eq!(duration_ms("5s"), Ok(5_000));
        assert_eq!(duration_ms("2m"), Ok(120_000));
        assert_eq!(duration_ms("1h"), Ok(3_600_000));
        for wrong in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "0s",
            "5x",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(duration_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for right in ["2027-01-31", "2028-02-29", "2000-02-29", "0001-12-31"] {
            assert_eq!(date(right), Ok(()), "{right}");
        }
        for wrong in [
            "2027-02-29",
            "1900-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-04-31",
            "27-01-31",
            "2027-1-1",
            "soon",
            "2027-01-31T",
            "+027-01-31",
            "2027-01-00",
        ] {
            assert!(date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tolerance_is_a_rate_below_one() {
        assert_eq!(rate("0.01").as_deref(), Ok("0.01"));
        assert_eq!(rate("0").as_deref(), Ok("0"));
        for wrong in ["1", "1.0", "5", "-0.1", "nan", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_printable_and_without_separators() {
        for right in [
            "high",
            "service.db",
            "env.DATABASE_URL",
            "preset:hostile",
            "größe",
        ] {
            assert_eq!(name(right), Ok(()), "{right}");
        }
        for wrong in ["", "a b", "a,b", "a\n", "\u{1b}[31m"] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
