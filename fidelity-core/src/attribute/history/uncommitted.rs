//! The work tree as the last point of history: what of the environment is changed and not committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use git2::{ObjectType, Oid, StatusOptions};

use super::error::git;
use super::file::{Files, Text, knob_of};
use super::glob::Glob;
use super::repository::Repository;
use super::{At, HistoryError, Point, State, Values};
use crate::config;
use crate::domain::{Arm, KnobSetting, KnobValue};

/// Returns the point of the work tree, after the point `head` of the commit it is at. `path` is where the configuration is
/// within the repository.
pub(super) fn point(
    repository: &Repository,
    files: &Files<'_>,
    path: &Path,
    head: Option<&Point>,
) -> Result<Option<Point>, HistoryError> {
    let file = repository.workdir().join(path);
    let folder = repository.workdir().join(repository.workspace());
    let explicit = file.symlink_metadata().is_ok().then_some(file.as_path());
    let state = match config::load(&folder, explicit) {
        Err(errors) => {
            let first = errors.errors().first().map(ToString::to_string);
            State::Unreadable(first.unwrap_or_default().into())
        }
        Ok(source) => match files.of_today(source.as_ref()) {
            Text::Unreadable(reason) => State::Unreadable(reason),
            Text::Resolved { values, globs } if globs.iter().all(Vec::is_empty) => {
                State::Known(values)
            }
            Text::Resolved { values, globs } => {
                State::Known(with_inputs(repository, (&values, &globs), head)?)
            }
        },
    };
    Ok(Some(Point {
        at: At::Uncommitted,
        merges: 0,
        has_file: explicit.is_some(),
        state,
    }))
}

/// Adds the content of inputs: that of the commit, unless a file that a glob matches differs from it.
fn with_inputs(
    repository: &Repository,
    (values, globs): (&Values, &[Vec<String>; 2]),
    head: Option<&Point>,
) -> Result<Rc<Values>, HistoryError> {
    let changed = changed_files(repository)?;
    let committed = match head.map(|point| &point.state) {
        Some(State::Known(values)) => Some(values),
        _ => None,
    };
    let mut arms = Arm::BOTH.map(|arm| values.of(arm).clone());
    for (arm, (knobs, globs)) in Arm::BOTH.into_iter().zip(arms.iter_mut().zip(globs)) {
        for glob in globs {
            let knob = knob_of(glob);
            let matched = matched(&changed, glob);
            let before = committed.and_then(|values| values.of(arm).get(&knob));
            let setting = match (before, matched) {
                (Some(before), None) => before.clone(),
                (_, Some(digest)) => text(format!("not committed, content {digest}")),
                (None, None) => text("as committed".to_owned()),
            };
            knobs.insert(knob, setting);
        }
    }
    let [baseline, target] = arms;
    Ok(Rc::new(Values::new(baseline, target)))
}

fn text(text: String) -> KnobSetting {
    KnobSetting::Fixed(KnobValue::Text(text))
}

/// Returns the files of the workspace that differ from the commit, by their paths in it, each with the id of its content
/// now; none for one that is gone.
fn changed_files(repository: &Repository) -> Result<BTreeMap<String, Option<Oid>>, HistoryError> {
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(false)
        .exclude_submodules(true)
        .update_index(false);
    let statuses = repository
        .git()
        .statuses(Some(&mut options))
        .map_err(|error| git("compare the work tree with its commit", error))?;
    let mut changed = BTreeMap::new();
    for status in &statuses {
        let Ok(path) = std::str::from_utf8(status.path_bytes()) else {
            continue;
        };
        let Ok(within) = Path::new(path).strip_prefix(repository.workspace()) else {
            continue;
        };
        let file = repository.workdir().join(path);
        let id = Oid::hash_file(ObjectType::Blob, file).ok();
        changed.insert(within.to_string_lossy().into_owned(), id);
    }
    Ok(changed)
}

/// Returns a digest of those of the changed files that `glob` matches; none where it matches none of them.
fn matched(changed: &BTreeMap<String, Option<Oid>>, glob: &str) -> Option<String> {
    let glob = Glob::new(glob);
    let mut hasher = blake3::Hasher::new();
    let mut any = false;
    for (path, id) in changed {
        if glob.matches(path) {
            any = true;
            hasher.update(path.as_bytes());
            hasher.update(id.as_ref().map_or(&[][..], Oid::as_bytes));
        }
    }
    let digest = hasher.finalize().to_hex();
    any.then(|| digest.as_str()[..8].to_owned())
}
