//! A shop that takes orders: small enough to read, with tests that say what they need.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Takes money. The real one is elsewhere.
pub trait Cards {
    /// Charges an amount in cents, and says whether that worked.
    fn charge(&mut self, cents: u32) -> bool;
}

/// The orders of a shop, by number.
#[derive(Debug, Default)]
pub struct Orders {
    orders: BTreeMap<u32, u32>,
}

impl Orders {
    /// Charges a card and keeps the order; returns its number, or none where the card was refused.
    pub fn place(&mut self, cents: u32, cards: &mut dyn Cards) -> Option<u32> {
        let number = self.orders.len() as u32 + 1;
        cards.charge(cents).then(|| {
            self.orders.insert(number, cents);
            number
        })
    }

    /// Writes a file for every order.
    pub fn export(&self, folder: &Path) -> io::Result<usize> {
        // All at once: a defect where only a few files may be open.
        let files: Vec<fs::File> = self
            .orders
            .keys()
            .map(|number| fs::File::create(folder.join(format!("{number}.txt"))))
            .collect::<io::Result<_>>()?;
        Ok(files.len())
    }
}

/// Returns a price with its taxes, rounded to cents.
pub fn with_taxes(cents: u32, percent: u32) -> u32 {
    (cents * (100 + percent) + 50) / 100
}

// Says of every test in it that it covers a part.
#[cfg(test)]
#[fidelity_macros::fidelity(kind = "unit", mocks("cards"))]
mod tests {
    use super::*;
    use fidelity_macros::fidelity;
    use rstest::rstest;

    /// Never refuses. Real cards do.
    struct Generous;

    impl Cards for Generous {
        fn charge(&mut self, _: u32) -> bool {
            true
        }
    }

    #[test]
    fn an_order_gets_the_next_number() {
        let mut orders = Orders::default();
        assert_eq!(orders.place(500, &mut Generous), Some(1));
        assert_eq!(orders.place(700, &mut Generous), Some(2));
    }

    // The annotation is that of every case.
    #[fidelity(severity = "high", timeout = "5s")]
    #[rstest]
    #[case::none(100, 0, 100)]
    #[case::some(100, 19, 119)]
    #[case::rounded(3, 19, 4)]
    fn taxes_are_added(#[case] cents: u32, #[case] percent: u32, #[case] expected: u32) {
        assert_eq!(with_taxes(cents, percent), expected);
    }

    #[fidelity(trials = 2)]
    #[tokio::test]
    async fn waiting_costs_no_order() {
        tokio::task::yield_now().await;
        assert_eq!(Orders::default().place(1, &mut Generous), Some(1));
    }
}
