//! How numbers are written for people: counts, percentages, evidence, durations. Plain ASCII, no locale.

/// Returns a count with thousands separated: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// Returns a count of things: `1 test`, `1,200 tests`. The plural takes an `s`, or `es` after an `s`.
pub fn things(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ if noun.ends_with('s') => format!("{} {noun}es", count(number)),
        _ => format!("{} {noun}s", count(number)),
    }
}

/// Returns a share in [0, 1] in percent without the sign: `45`, `0.3`, `99.9`. Only exact ends read `0` and `100`.
pub fn percent(share: f64) -> String {
    let percent = share.clamp(0.0, 1.0) * 100.0;
    if percent == 0.0 {
        "0".to_owned()
    } else if percent < 0.01 {
        "0.01".to_owned()
    } else if percent < 0.095 {
        format!("{percent:.2}")
    } else if percent < 0.95 {
        format!("{percent:.1}")
    } else if (99.5..100.0).contains(&percent) {
        format!("{:.1}", percent.min(99.9))
    } else {
        format!("{percent:.0}")
    }
}

/// Returns an interval of shares in percent: `0-34 %`.
pub fn percent_range((low, high): (f64, f64)) -> String {
    format!("{}-{} %", percent(low), percent(high))
}

/// Returns a share of a confidence in percent, as it was set: `95 %`, `99.5 %`.
pub fn confidence(share: f64) -> String {
    let percent = format!("{:.2}", share * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// Returns an e-value: `0.3`, `8.2`, `1,240`, `3.1e12`. What is no number reads as 1, which is no evidence.
pub fn evidence(e_value: f64) -> String {
    let e_value = if e_value.is_nan() {
        1.0
    } else {
        e_value.max(0.0)
    };
    if e_value.is_infinite() {
        "beyond 1e308".to_owned()
    } else if e_value >= 1e7 {
        scientific(e_value)
    } else if e_value >= 9.95 {
        // Below 1e7 here, so the conversion is exact.
        count(e_value.round() as u64)
    } else if e_value >= 0.095 || e_value == 0.0 {
        let written = format!("{e_value:.1}");
        written
            .strip_suffix(".0")
            .map(str::to_owned)
            .unwrap_or(written)
    } else {
        small(e_value)
    }
}

/// Returns a p-value: `0.31`, `0.0021`, `2.1e-7`. Never reads as 0 unless it is.
pub fn p_value(p: f64) -> String {
    if p >= 0.095 {
        format!("{p:.2}")
    } else {
        small(p)
    }
}

/// Returns a duration of so many milliseconds: `0.4 ms` is not told from `0 ms`; `850 ms`, `41.3 s`, `12 min 3 s`,
/// `2 h 5 min`.
pub fn duration_ms(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=59_949 => {
            let written = format!("{:.1}", ms as f64 / 1000.0);
            format!("{} s", written.strip_suffix(".0").unwrap_or(&written))
        }
        _ => long_duration((ms + 500) / 1000),
    }
}

/// Returns a duration of so many microseconds: `80 us`, `1.2 ms`, `41.3 s`.
pub fn duration_us(us: u64) -> String {
    match us {
        0..=999 => format!("{us} us"),
        1_000..=9_949 => format!("{:.1} ms", us as f64 / 1000.0),
        _ => duration_ms(us.saturating_add(500) / 1000),
    }
}

/// Returns the failure rate above which nothing is left when `trials` trials saw no failure, at `confidence`.
///
/// # Method
/// The one-sided Clopper-Pearson bound, which for no failures is `1 - (1 - confidence)^(1 / trials)`; 1 without trials.
pub fn excluded_above(trials: u32, confidence: f64) -> f64 {
    if trials == 0 {
        return 1.0;
    }
    // expm1 keeps the digits when many trials make the rate small.
    -((1.0 - confidence).ln() / f64::from(trials)).exp_m1()
}

/// Returns how many trials without a failure exclude a rate above `rate`, in (0, 1), at `confidence`.
pub fn trials_to_exclude(rate: f64, confidence: f64) -> u64 {
    let exact = (1.0 - confidence).ln() / (-rate).ln_1p();
    // A whole number may come out a rounding error too high.
    (exact - 1e-9).ceil().max(1.0) as u64
}

fn long_duration(seconds: u64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) if rest == 0 => format!("{minutes} min"),
        (0, minutes) => format!("{minutes} min {rest} s"),
        (hours, 0) => format!("{} h", count(hours)),
        (hours, minutes) => format!("{} h {minutes} min", count(hours)),
    }
}

/// Returns a number below 0.1 with at most two digits that matter.
fn small(number: f64) -> String {
    if number >= 9.5e-3 {
        format!("{number:.3}").trim_end_matches('0').to_owned()
    } else if number >= 9.5e-5 {
        format!("{number:.5}").trim_end_matches('0').to_owned()
    } else {
        scientific(number)
    }
}

fn scientific(number: f64) -> String {
    format!("{number:.1e}").replace(".0e", "e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_thousands_separators() {
        let written: Vec<_> = [0, 999, 1_000, 12_345, 1_234_567].map(count).into();
        assert_eq!(written, ["0", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(things(1, "pass"), "1 pass");
        assert_eq!(things(2_000, "pass"), "2,000 passes");
        assert_eq!(things(0, "test"), "0 tests");
    }

    #[test]
    fn only_exact_ends_read_as_never_and_always() {
        let shares = [
            0.0, 1e-9, 0.0004, 0.003, 0.0123, 0.4507, 0.95, 0.996, 0.999_99, 1.0,
        ];
        let written: Vec<_> = shares.map(percent).into();
        assert_eq!(
            written,
            [
                "0", "0.01", "0.04", "0.3", "1", "45", "95", "99.6", "99.9", "100"
            ]
        );
        assert_eq!(confidence(0.95), "95 %");
        assert_eq!(confidence(0.995), "99.5 %");
    }

    #[test]
    fn evidence_reads_like_a_number_people_say() {
        let written: Vec<_> = [
            0.0,
            1e-9,
            0.34,
            1.0,
            8.24,
            9.96,
            35.2,
            1_240.4,
            3.14e12,
            f64::INFINITY,
            f64::NAN,
        ]
        .map(evidence)
        .into();
        assert_eq!(
            written,
            [
                "0",
                "1e-9",
                "0.3",
                "1",
                "8.2",
                "10",
                "35",
                "1,240",
                "3.1e12",
                "beyond 1e308",
                "1"
            ]
        );
        let p: Vec<_> = [1.0, 0.31, 0.05, 0.0104, 0.0021, 2.1e-4, 2.06e-7]
            .map(p_value)
            .into();
        assert_eq!(
            p,
            [
                "1.00", "0.31", "0.05", "0.01", "0.0021", "0.00021", "2.1e-7"
            ]
        );
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        let written: Vec<_> = [
            0, 850, 1_000, 41_300, 59_949, 59_950, 723_000, 7_500_000, 7_200_000,
        ]
        .map(duration_ms)
        .into();
        assert_eq!(
            written,
            [
                "0 ms",
                "850 ms",
                "1 s",
                "41.3 s",
                "59.9 s",
                "1 min",
                "12 min 3 s",
                "2 h 5 min",
                "2 h"
            ]
        );
        let written: Vec<_> = [80, 1_234, 9_960, 41_300_000].map(duration_us).into();
        assert_eq!(written, ["80 us", "1.2 ms", "10 ms", "41.3 s"]);
    }

    #[test]
    fn five_passes_without_a_failure_exclude_45_percent() {
        assert_eq!(percent(excluded_above(5, 0.95)), "45");
        assert_eq!(percent(excluded_above(1, 0.95)), "95");
        assert_eq!(percent(excluded_above(0, 0.95)), "100");
        for trials in 1..500 {
            let rate = excluded_above(trials, 0.95);
            // The oracle: at that rate, the chance of seeing no failure is what is left of the confidence.
            assert!(
                ((1.0 - rate).powf(f64::from(trials)) - 0.05).abs() < 1e-12,
                "{trials}"
            );
            assert_eq!(trials_to_exclude(rate, 0.95), u64::from(trials));
        }
        assert_eq!(trials_to_exclude(0.1, 0.95), 29);
    }
}
