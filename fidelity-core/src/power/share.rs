//! Shares as people write them: `1/20`, `5%`, `0.05`. Knows no configuration.

use std::fmt;
use std::str::FromStr;

/// A share, more than 0 and 1 at most.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

/// Why a text is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAShare {
    /// It is no number in any of the forms.
    #[error("write it like `1/20`, `5%` or `0.05`")]
    Malformed,
    /// It is 0 or less, or more than 1.
    #[error("it has to be more than 0 and 1 at most")]
    OutOfRange,
}

impl Share {
    /// Returns the share as a number in (0, 1].
    pub fn get(self) -> f64 {
        self.0
    }

    /// Returns one in `number`; 1 for 0.
    pub fn one_in(number: u32) -> Self {
        Self(1.0 / f64::from(number.max(1)))
    }

    /// Returns the whole number this is one of, if it is.
    pub fn inverse(self) -> Option<u64> {
        let inverse = (1.0 / self.0).round();
        let close = (inverse * self.0 - 1.0).abs() < 1e-9 && inverse < 1e15;
        // Below 2^53, so that the cast is exact.
        close.then_some(inverse as u64)
    }
}

impl FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let number = |text: &str| {
            let text = text.trim();
            let plain = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b".eE-+".contains(&byte));
            let number = text
                .parse::<f64>()
                .ok()
                .filter(|number| plain && number.is_finite());
            number.ok_or(NotAShare::Malformed)
        };
        let share = match (text.split_once('/'), text.strip_suffix('%')) {
            (Some((above, below)), None) => number(above)? / number(below)?,
            (None, Some(percent)) => number(percent)? / 100.0,
            (None, None) => number(text)?,
            (Some(_), Some(_)) => return Err(NotAShare::Malformed),
        };
        if share > 0.0 && share <= 1.0 {
            Ok(Self(share))
        } else {
            Err(NotAShare::OutOfRange)
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inverse() {
            Some(1) => f.write_str("always"),
            Some(number) => write!(f, "1 in {number}"),
            None => write!(f, "{} %", (self.0 * 1e4).round() / 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Share>().map(|share| share.to_string());
        for (text, shown) in [
            ("1/20", "1 in 20"),
            ("5%", "1 in 20"),
            ("0.05", "1 in 20"),
            ("1", "always"),
            ("100%", "always"),
            ("3/7", "42.86 %"),
            (" 1 / 3 ", "1 in 3"),
            ("2/4", "1 in 2"),
            ("12.5%", "1 in 8"),
            ("1e-3", "1 in 1000"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(shown), "{text}");
        }
        for text in ["0", "0%", "0/5", "-1/20", "101%", "1.01", "5", "1/0"] {
            assert_eq!(read(text), Err(NotAShare::OutOfRange), "{text}");
        }
        for text in [
            "",
            "/",
            "1/",
            "1/2/3",
            "a",
            "5 percent",
            "1/20%",
            "nan",
            "inf",
            "%",
            "½",
        ] {
            assert_eq!(read(text), Err(NotAShare::Malformed), "{text}");
        }
    }
}
