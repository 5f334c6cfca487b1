//! Whom a focus pass samples, and when a suspect is settled. Reads evidence; draws nothing.

use crate::classify::{BROKEN_AFTER, broken_after, fails_always, is_broken};
use crate::domain::{Arm, Policy, TestIndex};
use crate::evidence::Evidence;
use crate::evidence::book::ArmCounts;
use crate::evidence::suspicion::Suspicion;

/// Returns whether more passes would change nothing that the policy wants to pay for: it is decided, broken, given up
/// as futile, or has had its passes. `passes` counts those of this run beyond the screening; `broken_after` is how many
/// failures in each arm make it broken.
pub fn is_settled(
    suspicion: &Suspicion,
    arms: &[ArmCounts; 2],
    passes: u32,
    policy: &Policy,
    broken_after: u32,
) -> bool {
    if passes >= policy.max_passes || suspicion.has_claim() {
        return true;
    }
    // Excluding a worse target makes a test flaky only if one arm saw both outcomes. One that fails in the baseline
    // alone excludes it from the start, and waits for the claim that the baseline is worse.
    if suspicion.close() && arms.iter().any(ArmCounts::both_outcomes) {
        return true;
    }
    if fails_always(arms) {
        return is_broken(arms, broken_after);
    }
    let hopeless = Arm::BOTH.iter().all(|arm| suspicion.log_e(*arm) < 0.0);
    passes >= policy.futile_after && hopeless
}

/// Returns the suspects of this run that are not settled, sorted.
pub fn open_suspects(evidence: &Evidence, policy: &Policy) -> Vec<TestIndex> {
    let run = evidence.run_number();
    (0_u32..)
        .map(TestIndex)
        .zip(evidence.books())
        .filter(|(test, book)| {
            let listed = &evidence.tests()[test.get()];
            listed.selected
                && !evidence.is_used_up(*test)
                && book.failing.as_ref().is_some_and(|failing| {
                    failing.suspicion.as_ref().is_some_and(|suspicion| {
                        let passes = failing.run_tally(run).passes();
                        !is_settled(suspicion, &book.arms, passes, policy, broken_after(listed))
                    })
                })
        })
        .map(|(test, _)| test)
        .collect()
}

/// Returns whether the pool of the mass failure wants focus passes: it happened more than once, speaks for somebody,
/// and is not settled.
pub fn pool_is_open(evidence: &Evidence, policy: &Policy) -> bool {
    evidence.pool().is_some_and(|pool| {
        let passes = pool.focus_passes(evidence.run_number());
        pool.repeats
            && pool.represented(evidence.books()).next().is_some()
            && !is_settled(&pool.suspicion, &pool.arms, passes, policy, BROKEN_AFTER)
    })
}

/// Returns the suspects whose claim rests on time-outs alone and was never tried with more time, sorted.
pub fn unchecked_timeouts(evidence: &Evidence, policy: &Policy) -> Vec<TestIndex> {
    use crate::evidence::suspicion::Claim;
    (0_u32..)
        .map(TestIndex)
        .zip(evidence.books())
        .filter(|(test, book)| {
            let [baseline, target] = &book.arms;
            let listed = &evidence.tests()[test.get()];
            listed.runs_in(Arm::Target)
                && !evidence.is_used_up_in(*test, Arm::Target)
                && target.failures > 0
                && target.timeouts == target.failures
                && baseline.passes(listed.tolerance(policy))
                && book.failing.as_ref().is_some_and(|failing| {
                    failing.passes_with_more_time.is_none()
                        && failing
                            .suspicion
                            .as_ref()
                            .is_some_and(|suspicion| suspicion.claimed(Claim::HiddenDefect))
                })
        })
        .map(|(test, _)| test)
        .collect()
}
