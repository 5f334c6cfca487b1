//! Joining other stores: their runs are copied, each once.

use std::path::PathBuf;

use fidelity_core::report::number::things;
use fidelity_core::store::{Merged, SqliteStore};

use super::{Session, Tally};
use crate::commands::output::note;
use crate::error::CliError;

/// Copies the runs of other stores. One that cannot be read is named, and the others are joined.
pub fn join(
    session: &Session<'_>,
    store: &mut SqliteStore,
    others: &[PathBuf],
    tally: &mut Tally,
) -> Result<(), CliError> {
    for path in others {
        let other = match SqliteStore::open(path) {
            Ok(other) => other,
            Err(error) => {
                tally.unread.push(path.display().to_string());
                anstream::eprint!("{}", CliError::from(error).render());
                continue;
            }
        };
        if session.arguments.dry_run {
            note(
                session.global,
                &format!("{} would be joined", path.display()),
            );
            tally.usable = true;
            continue;
        }
        if other.path() == store.path() {
            note(
                session.global,
                &format!("{} is this store itself: nothing to join", path.display()),
            );
            tally.usable = true;
            continue;
        }
        match store.merge(&other) {
            Ok(merged) => {
                tally.usable = true;
                note(session.global, &words(path, &merged));
            }
            // What is wrong with ours ends the command; what is wrong with theirs does not.
            Err(error) if error.is_about(other.path()) => {
                tally.unread.push(path.display().to_string());
                anstream::eprint!("{}", CliError::from(error).render());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Says what became of the runs of a store.
fn words(path: &std::path::Path, merged: &Merged) -> String {
    let mut parts = vec![format!("{} new", runs(merged.added.len()))];
    if !merged.same.is_empty() {
        parts.push(format!("{} there already", runs(merged.same.len())));
    }
    let named = |ids: &[fidelity_core::domain::RunId]| {
        let names: Vec<String> = ids.iter().map(|id| id.short()).collect();
        names.join(", ")
    };
    if !merged.replaced.is_empty() {
        parts.push(format!(
            "{} further along there and taken from there",
            named(&merged.replaced)
        ));
    }
    if !merged.kept.is_empty() {
        parts.push(format!(
            "{} further along here and kept",
            named(&merged.kept)
        ));
    }
    if !merged.busy.is_empty() {
        parts.push(format!(
            "{} being written here and left alone: join again when it has ended",
            named(&merged.busy)
        ));
    }
    if 0 < merged.causes {
        let attributions = things(merged.causes as u64, "attribution");
        parts.push(format!("{attributions} new or further along there"));
    }
    if 0 < merged.causes_busy {
        let attributions = things(merged.causes_busy as u64, "attribution");
        parts.push(format!(
            "{attributions} being made here and left alone: join again when that has ended"
        ));
    }
    format!("joined {}: {}", path.display(), parts.join("; "))
}

fn runs(number: usize) -> String {
    match number {
        1 => "1 run".to_owned(),
        _ => format!("{number} runs"),
    }
}
