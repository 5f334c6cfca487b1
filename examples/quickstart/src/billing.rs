//! Dates and amounts of an invoice.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Returns the day an invoice is dated, for the moment it was issued.
///
/// The defect: the machine's time zone decides, where the customer's should.
pub fn invoice_date(issued: Timestamp) -> Date {
    issued.to_zoned(TimeZone::system()).date()
}

/// Returns the hour of the day at which an invoice was issued, for its letterhead. Same defect.
pub fn issue_hour(issued: Timestamp) -> i8 {
    issued.to_zoned(TimeZone::system()).hour()
}

/// Returns the tax on an amount in cents, rounded down.
pub fn tax(cents: u64, percent: u64) -> u64 {
    cents * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_invoice_is_dated_on_the_day_it_is_issued() {
        // Half past one at night: west of Greenwich it is still yesterday.
        assert_eq!(
            invoice_date(at("2026-03-01T01:30:00Z")).to_string(),
            "2026-03-01"
        );
    }

    #[test]
    fn the_letterhead_shows_the_hour_of_issue() {
        assert_eq!(issue_hour(at("2026-03-01T12:00:00Z")), 12);
    }

    #[test]
    fn tax_is_rounded_to_the_nearest_cent() {
        // Broken everywhere: 19 % of 1.50 is 28.5 cents, and `tax` rounds down.
        assert_eq!(tax(150, 19), 29);
    }

    #[test]
    fn tax_of_nothing_is_nothing() {
        assert_eq!(tax(0, 19), 0);
    }

    #[test]
    fn tax_grows_with_the_amount() {
        assert!(tax(10_000, 19) > tax(5_000, 19));
    }

    #[test]
    fn tax_grows_with_the_rate() {
        assert!(tax(10_000, 19) > tax(10_000, 7));
    }
}
