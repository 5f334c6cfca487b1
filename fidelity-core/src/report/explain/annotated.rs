//! What the authors of a test say of it, and what that means for its verdict.

use crate::domain::{Arm, VerdictKind};
use crate::report::number::things;
use crate::report::page::{Indent, Page, plain};
use crate::report::said;

use super::Explanation;
use super::page::title;

/// Writes what its authors say of it, and where it is not run for that.
pub(super) fn authors_say(page: &mut Page, explanation: &Explanation) {
    let test = &explanation.test;
    let Some(terms) = &test.terms else {
        return;
    };
    title(
        page,
        match terms.annotation.place.as_str() {
            "" => "THE CONFIGURATION SAYS",
            _ => "ITS AUTHORS SAY",
        },
    );
    let expired = test.quarantine.as_ref().map(|over| over.expired);
    let said = said::parts(&terms.annotation, expired).join("; ");
    let place = &terms.annotation.place;
    let line = format!("{said}  {place}");
    page.text(Indent::hanging(2), &[plain(line.trim_end())]);
    for arm in Arm::BOTH {
        if let Some(why) = terms.absent_from(arm) {
            let line = format!("not run in {}: {why}", explanation.run.arm(arm));
            page.text(Indent::hanging(2), &[plain(line)]);
        }
    }
}

/// Returns what would change the verdict on a test of which its authors' words say that more passes alone would not.
pub(super) fn would_change(explanation: &Explanation) -> Option<String> {
    let (run, test) = (&explanation.run, &explanation.test);
    if test.is_run_nowhere() {
        let [low, high] = [&run.baseline, &run.target];
        return Some(format!(
            "What its authors ask for, in {low} or {high}: trials in one arm judge it, trials in both compare them."
        ));
    }
    let open = matches!(test.kind(), VerdictKind::Undetermined | VerdictKind::Stable);
    if let Some(allowed) = test.used_up().filter(|_| open) {
        return Some(format!(
            "Its authors allow {} of a run in an arm: more of them, or another run of the same code, may.",
            things(u64::from(allowed), "trial")
        ));
    }
    let arm = run.arm(test.lone_arm()?);
    Some(match test.kind() {
        VerdictKind::Stable => format!("Any failure in {arm}."),
        VerdictKind::Broken => format!("One pass in {arm}."),
        _ => format!("More trials in {arm}, where alone it is run."),
    })
}
