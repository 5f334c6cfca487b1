//! Published and specified numbers that the tables stand beside.

use fidelity_core::attribute::simulate::{Rates, Truth};

/// A row of the table of commit searches.
pub struct CommitRow {
    /// Failure rates from the culprit on, and before.
    pub rates: Rates,
    /// Commits in the range.
    pub length: usize,
    /// Published mean runs of `git_bayesect`.
    pub runs: f64,
    /// And the commits that it built.
    pub built: f64,
}

/// Mean runs and commits built of `git_bayesect`, measured with its own code or a port of it.
pub fn commit_rows() -> Vec<CommitRow> {
    let lengths = [64, 256, 1024];
    [
        (1.0, 0.0, [(13.3, 8.0), (15.8, 10.0), (18.0, 13.0)]),
        (0.5, 0.0, [(50.8, 18.0), (60.5, 28.0), (71.6, 39.0)]),
        (0.2, 0.0, [(143.0, 27.0), (165.2, 50.0), (190.4, 76.0)]),
        (0.3, 0.02, [(118.8, 26.0), (140.3, 45.0), (166.9, 69.0)]),
        (0.6, 0.1, [(72.6, 21.0), (86.7, 35.0), (97.9, 48.0)]),
    ]
    .into_iter()
    .flat_map(|(active, elsewhere, numbers)| {
        lengths
            .into_iter()
            .zip(numbers)
            .map(move |(length, (runs, built))| CommitRow {
                rates: Rates { active, elsewhere },
                length,
                runs,
                built,
            })
    })
    .collect()
}

/// A row of the table of knob searches.
pub struct KnobRow {
    /// How many knobs.
    pub count: usize,
    /// Which kind of cause.
    pub truth: Truth,
    /// Failure rates with the cause, and without.
    pub rates: Rates,
    /// Mean runs that are expected of the full model with confirmation; NaN where that was not simulated.
    pub runs: f64,
}

/// Mean runs of the full model with confirmation, from a reference simulation.
pub fn knob_rows() -> Vec<KnobRow> {
    let certain = Rates {
        active: 1.0,
        elsewhere: 0.0,
    };
    let noisy = Rates {
        active: 1.0,
        elsewhere: 0.05,
    };
    let half = Rates {
        active: 0.5,
        elsewhere: 0.0,
    };
    let both = Rates {
        active: 0.5,
        elsewhere: 0.05,
    };
    let row = |count, truth, runs: [f64; 4]| {
        [certain, noisy, half, both]
            .into_iter()
            .zip(runs)
            .map(move |(rates, runs)| KnobRow {
                count,
                truth,
                rates,
                runs,
            })
    };
    let mut rows: Vec<KnobRow> = Vec::new();
    rows.extend(row(8, Truth::All(1), [8.5, 8.9, 19.8, 30.5]));
    rows.extend(row(8, Truth::All(2), [13.4, 14.3, 34.9, 54.9]));
    rows.extend(row(16, Truth::All(1), [9.5, 10.4, 23.0, 37.4]));
    rows.extend(row(16, Truth::All(2), [15.9, 17.3, 41.9, 64.8]));
    rows.extend(row(32, Truth::All(1), [10.8, 11.9, 23.6, 45.0]));
    rows.extend(row(32, Truth::All(2), [18.4, 19.9, 48.4, 83.7]));
    let unspecified = f64::NAN;
    rows.extend(row(16, Truth::Any(2), [18.0, unspecified, 53.0, 85.0]));
    // The reference has three together without confirmation only.
    rows.extend(row(16, Truth::All(3), [unspecified; 4]));
    rows
}
