//! Before anything is searched: does the test still fail at the one end and pass at the other?
//!
//! Knows the counts of both ends. A difference that is not there now cannot be traced to anything.

use super::likelihood::{Counts, Tables};

/// The evidence of a difference that opens the gate: a Bayes factor of 20.
pub const OPEN_AT: f64 = 20.0;

/// Trials at each end after which the gate is given up.
pub const AT_MOST: u32 = 100;

/// Returns the logarithm of the Bayes factor of two different rates over one common rate.
///
/// # Method
/// lnL(f1, n1) + lnL(f0, n0) - lnL(f1 + f0, n1 + n0), each a marginal likelihood under Jeffreys' prior.
pub fn ln_bayes_factor(low: Counts, high: Counts) -> f64 {
    let mut tables = Tables::default();
    tables.reach(low.trials + high.trials);
    tables.ln_marginal(high) + tables.ln_marginal(low) - tables.ln_marginal(high.plus(low))
}

/// Where the gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The ends differ: the search may begin.
    Open,
    /// One more trial is needed at the low end (`true`) or the high end.
    More {
        /// Whether at the low end.
        at_low: bool,
    },
    /// The ends do not differ within [`AT_MOST`] trials each.
    Closed,
}

/// Returns where the gate stands with these counts: the high end first, then in turn ABBA.
pub fn gate(low: Counts, high: Counts) -> Gate {
    if high.rate() > low.rate() && ln_bayes_factor(low, high) >= OPEN_AT.ln() {
        return Gate::Open;
    }
    if low.trials >= AT_MOST && high.trials >= AT_MOST {
        return Gate::Closed;
    }
    let at_low = match low.trials.cmp(&high.trials) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => low.trials % 2 == 1,
    };
    Gate::More { at_low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_of_ten_against_none_of_ten_is_not_yet_enough() {
        let (low, high) = (Counts::new(0, 10), Counts::new(5, 10));
        let log = ln_bayes_factor(low, high);
        assert!((log - 2.915951).abs() < 1e-6);
        assert!((log.exp() - 18.47).abs() < 0.01);
        assert_eq!(gate(low, high), Gate::More { at_low: false });
        assert_eq!(gate(low, Counts::new(6, 10)), Gate::Open);
    }

    #[test]
    fn a_difference_the_other_way_never_opens_it() {
        assert!(gate(Counts::new(20, 20), Counts::new(0, 20)) != Gate::Open);
        assert_eq!(
            gate(Counts::new(100, 100), Counts::new(0, 100)),
            Gate::Closed
        );
    }

    #[test]
    fn trials_alternate_with_the_ends_in_turn() {
        let mut order = String::new();
        let (mut low, mut high) = (Counts::default(), Counts::default());
        for _ in 0..8 {
            let Gate::More { at_low } = gate(low, high) else {
                panic!("equal ends cannot open it");
            };
            order.push(if at_low { 'l' } else { 'h' });
            let end = if at_low { &mut low } else { &mut high };
            *end = end.plus(Counts::one(false));
        }
        assert_eq!(order, "hllhhllh");
    }
}
