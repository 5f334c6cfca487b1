//! Since when, joined to because of what: what an attribution to commits adds to one to knobs.

use super::Report;
use crate::attribute::account::{Account, Cause as Since, Tally};
use crate::domain::{Attribution, AttributionEnd, Cause, CauseKind, CausingKnob, Side};

impl Report {
    /// Returns the report with since when its tests fail, of which these accounts tell.
    #[must_use]
    pub fn with_accounts(mut self, accounts: &[Account]) -> Self {
        for test in &mut self.tests {
            let mut of_test = accounts.iter().filter(|account| account.test == *test.id());
            if let Some(account) = of_test.next() {
                test.attribution = joined(test.attribution.take(), account);
            }
        }
        self
    }
}

/// Returns what is known of a cause, with the commit since which it is there and what that changed; where no knob was named, what
/// the account says takes its place.
fn joined(known: Option<Attribution>, account: &Account) -> Option<Attribution> {
    let Some(since) = &account.cause else {
        return known;
    };
    let by_knobs = known.as_ref().is_some_and(|known| known.cause.is_some());
    if since.kind == CauseKind::Outside && by_knobs {
        // What is said to be neither code nor profile is no part of a cause that knobs are.
        return known;
    }
    let mut joined = match known {
        Some(known) if known.cause.is_some() => known,
        _ => of_commits(since),
    };
    joined.trials += account.cost.trials;
    joined.builds += account.cost.builds;
    if let Some(cause) = &mut joined.cause {
        cause.kind = Some(since.kind);
        cause.commit.clone_from(&since.commit);
    }
    Some(joined)
}

fn of_commits(since: &Since) -> Attribution {
    let side = |tally: &Tally| Side {
        config: tally.place.clone(),
        trials: tally.trials,
        failures: tally.failures,
    };
    let knobs = since.knobs.iter().map(|change| CausingKnob {
        knob: change.knob.clone(),
        value: change.after.clone(),
        threshold: None,
        since: None,
    });
    Attribution {
        end: AttributionEnd::Found,
        wording: since.wording.clone(),
        cause: Some(Cause {
            knobs: knobs.collect(),
            either: since.kind == CauseKind::Either,
            confidence: since.confidence,
            sufficient: since.sufficient.iter().map(side).collect(),
            necessary: since.necessary.iter().map(side).collect(),
            kind: None,
            commit: None,
            wording: since.wording.clone(),
        }),
        suspects: Vec::new(),
        trials: 0,
        builds: 0,
        not_ruled_out: Vec::new(),
        second: None,
    }
}

#[cfg(test)]
mod tests;
