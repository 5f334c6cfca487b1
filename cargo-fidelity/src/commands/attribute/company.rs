//! Inquiries into failures that need other tests beside the one that fails.
//!
//! A test is tried alone, which is cheaper and says more. Where it was only ever seen to fail among others, it is tried among
//! them: at once if it is known to pass without, else as soon as it has passed at the bad end.

use fidelity_core::attribute::inquiry::{self, Answer, Case};

use super::Session;
use super::lab::Laboratory;
use crate::error::CliError;

/// Looks into the case, in the company that it takes. Afterwards the case has the stored trials of that company.
pub fn inquire(
    session: &Session<'_>,
    case: &mut Case,
    lab: &mut Laboratory<'_>,
) -> Result<Answer, CliError> {
    let evidence = &session.evidence;
    let Some(company) = &evidence.company else {
        return inquiry::inquire(case, lab);
    };
    let mut alone = None;
    if !evidence.needs_company {
        let answer = inquiry::inquire(case, lab)?;
        if !answer.passes_at_the_bad_end() {
            return Ok(answer);
        }
        alone = Some(answer.spent);
    }
    lab.bench.run_among(company.clone());
    case.pilots = session.pilots(&case.line, company.scope);
    if let Some(among) = lab.among() {
        let words = format!("it passes alone, and is tried among {among}");
        lab.follower.console().note(&words);
    }
    let mut answer = inquiry::inquire(case, lab)?;
    if let Some(spent) = alone {
        answer.spent = answer.spent.plus(spent);
    }
    Ok(answer)
}
