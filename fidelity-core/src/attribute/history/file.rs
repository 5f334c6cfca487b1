//! The configuration at a commit: the file in its tree, resolved, with the content of its inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{Delta, DiffFindOptions, ErrorCode, ObjectType, Oid, Repository, Tree};

use super::inputs::{Digest, Inputs};
use super::repository::Subject;
use super::{State, Values};
use crate::config::{Overrides, Settings, Source, resolve};
use crate::domain::{Arm, KnobId, KnobSetting, KnobValue};

/// The largest file that is read, in bytes, as for the file of today.
const LARGEST: usize = 1 << 20;
/// What the mode of a symbolic link is in a tree.
const LINK: i32 = 0o120_000;

/// Reads configurations out of trees, each text once.
pub(super) struct Files<'r> {
    repository: &'r Repository,
    overrides: Overrides,
    /// The workspace within the repository.
    workspace: PathBuf,
    by_text: BTreeMap<Option<Oid>, Rc<Text>>,
    inputs: Inputs,
    /// By glob, what its content was called last.
    said: BTreeMap<String, Said>,
    /// The last answer that has inputs.
    last: Option<Last>,
}

/// The content of what a glob matches, as a knob and its value.
struct Said {
    knob: KnobId,
    digest: Digest,
    content: KnobSetting,
}

/// An answer, with what it was worked out from.
struct Last {
    text: Option<Oid>,
    folder: Option<Oid>,
    values: Rc<Values>,
    globs: [Vec<String>; 2],
    digests: [Vec<Digest>; 2],
    state: State,
}

/// A configuration, resolved but for the content of its inputs.
pub(super) enum Text {
    Resolved {
        values: Rc<Values>,
        globs: [Vec<String>; 2],
    },
    Unreadable(Rc<str>),
}

impl<'r> Files<'r> {
    pub(super) fn new(
        repository: &'r Repository,
        subject: &Subject<'_>,
        workspace: PathBuf,
    ) -> Self {
        Self {
            repository,
            overrides: Overrides {
                baseline: subject.baseline.map(str::to_owned),
                target: subject.target.map(str::to_owned),
                ..Overrides::default()
            },
            workspace,
            by_text: BTreeMap::new(),
            inputs: Inputs::default(),
            said: BTreeMap::new(),
            last: None,
        }
    }

    /// Returns what the configuration at `path` comes to in a commit with the tree `tree`.
    /// Whether the file is there is told beside it.
    pub(super) fn state(&mut self, tree: Oid, path: &Path) -> Result<(State, bool), git2::Error> {
        let root = self.repository.find_tree(tree)?;
        let file = self.entry(&root, path)?;
        let state = self.state_of(&root, file, path)?;
        Ok((state, file.is_some()))
    }

    fn state_of(
        &mut self,
        root: &Tree<'_>,
        file: Option<(Oid, i32)>,
        path: &Path,
    ) -> Result<State, git2::Error> {
        let id = file.map(|(id, _)| id);
        let text = match file {
            Some((_, LINK)) => {
                return Ok(State::Unreadable("the file is a symbolic link".into()));
            }
            _ => self.text(id, path)?,
        };
        let (values, globs) = match &*text {
            Text::Unreadable(reason) => return Ok(State::Unreadable(Rc::clone(reason))),
            Text::Resolved { values, globs } => (values, globs),
        };
        if globs.iter().all(Vec::is_empty) {
            return Ok(State::Known(Rc::clone(values)));
        }
        let workspace = match self.workspace.as_os_str().is_empty() {
            true => Some(root.id()),
            false => {
                let folder = self.entry(root, &self.workspace)?;
                folder.map(|(id, _)| id)
            }
        };
        if let Some(last) = &self.last
            && (last.text, last.folder) == (id, workspace)
        {
            return Ok(last.state.clone());
        }
        let digests = self.digests(workspace, globs)?;
        // Most commits change neither a value nor an input: equal values are one value, which is cheap to compare.
        let state = match &self.last {
            Some(last)
                if last.digests == digests && last.globs == *globs && last.values == *values =>
            {
                last.state.clone()
            }
            _ => State::Known(Rc::new(self.with_inputs(values, globs, &digests))),
        };
        self.last = Some(Last {
            text: id,
            folder: workspace,
            values: Rc::clone(values),
            globs: globs.clone(),
            digests,
            state: state.clone(),
        });
        Ok(state)
    }

    /// Returns the digests of what the globs of each arm match in the workspace; there may be none at that commit.
    fn digests(
        &mut self,
        workspace: Option<Oid>,
        globs: &[Vec<String>; 2],
    ) -> Result<[Vec<Digest>; 2], git2::Error> {
        let mut digests = [Vec::new(), Vec::new()];
        for (digests, globs) in digests.iter_mut().zip(globs) {
            *digests = match workspace {
                Some(folder) => self.inputs.digests(self.repository, folder, globs)?,
                None => vec![None; globs.len()],
            };
        }
        Ok(digests)
    }

    /// Adds the content of inputs to the values.
    fn with_inputs(
        &mut self,
        values: &Values,
        globs: &[Vec<String>; 2],
        digests: &[Vec<Digest>; 2],
    ) -> Values {
        let mut arms = Arm::BOTH.map(|arm| values.of(arm).clone());
        for (knobs, (globs, digests)) in arms.iter_mut().zip(globs.iter().zip(digests)) {
            for (glob, digest) in globs.iter().zip(digests) {
                let now = || Said {
                    knob: knob_of(glob),
                    digest: *digest,
                    content: content(*digest),
                };
                let said = self.said.entry(glob.clone()).or_insert_with(now);
                if said.digest != *digest {
                    *said = now();
                }
                knobs.insert(said.knob.clone(), said.content.clone());
            }
        }
        let [baseline, target] = arms;
        Values::new(baseline, target)
    }

    /// Returns the entry at `path` below `root`, with its mode.
    fn entry(&self, root: &Tree<'_>, path: &Path) -> Result<Option<(Oid, i32)>, git2::Error> {
        let mut names = path.iter().map(|name| name.as_encoded_bytes()).peekable();
        let mut below: Option<Tree<'_>> = None;
        while let Some(name) = names.next() {
            let folder = below.as_ref().unwrap_or(root);
            let Some(entry) = entry_named(folder, name) else {
                return Ok(None);
            };
            let (id, mode, kind) = entry;
            if names.peek().is_none() {
                return Ok(Some((id, mode)));
            }
            if kind != Some(ObjectType::Tree) {
                return Ok(None);
            }
            below = Some(self.repository.find_tree(id)?);
        }
        Ok(None)
    }

    fn text(&mut self, id: Option<Oid>, path: &Path) -> Result<Rc<Text>, git2::Error> {
        if let Some(known) = self.by_text.get(&id) {
            return Ok(Rc::clone(known));
        }
        let source = match id {
            None => Ok(None),
            Some(id) => match self.repository.find_blob(id) {
                Ok(blob) => source(path, blob.content()).map(Some),
                // Of a partial clone.
                Err(error) if error.code() == ErrorCode::NotFound => {
                    Err("the file is not in this clone")
                }
                Err(error) => return Err(error),
            },
        };
        let text = Rc::new(match source {
            Ok(source) => resolved(source.as_ref(), &self.overrides),
            Err(reason) => Text::Unreadable(reason.into()),
        });
        self.by_text.insert(id, Rc::clone(&text));
        Ok(text)
    }

    /// Resolves the configuration of the work tree.
    pub(super) fn of_today(&self, source: Option<&Source>) -> Text {
        resolved(source, &self.overrides)
    }

    /// Returns where the file at `path` of the commit `child` was in `parent`, if it was renamed in between.
    pub(super) fn renamed_from(
        &self,
        (parent, child): (Oid, Oid),
        path: &Path,
    ) -> Result<Option<PathBuf>, git2::Error> {
        let trees = (
            self.repository.find_tree(parent)?,
            self.repository.find_tree(child)?,
        );
        let mut diff = self
            .repository
            .diff_tree_to_tree(Some(&trees.0), Some(&trees.1), None)?;
        if diff.deltas().all(|delta| delta.status() != Delta::Deleted) {
            return Ok(None);
        }
        diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
        let renamed = diff.deltas().find(|delta| {
            delta.status() == Delta::Renamed && delta.new_file().path() == Some(path)
        });
        Ok(renamed.and_then(|delta| delta.old_file().path().map(Path::to_owned)))
    }
}

fn entry_named(folder: &Tree<'_>, name: &[u8]) -> Option<(Oid, i32, Option<ObjectType>)> {
    let name = std::str::from_utf8(name).ok()?;
    let entry = folder.get_name(name)?;
    Some((entry.id(), entry.filemode(), entry.kind()))
}

/// Returns the text of a blob, or why it is none.
fn source(path: &Path, bytes: &[u8]) -> Result<Source, &'static str> {
    if LARGEST < bytes.len() {
        return Err("the file is larger than 1 MiB");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8")?;
    Ok(Source::file(path, path.to_string_lossy(), text))
}

fn resolved(source: Option<&Source>, overrides: &Overrides) -> Text {
    match resolve(source, overrides) {
        Ok(Settings {
            baseline,
            target,
            inputs,
            ..
        }) => Text::Resolved {
            values: Rc::new(Values::new(baseline.knobs, target.knobs)),
            globs: inputs,
        },
        Err(errors) => {
            let first = errors.errors().first().map(ToString::to_string);
            Text::Unreadable(first.unwrap_or_default().into())
        }
    }
}

/// Returns the knob that the content of what `glob` matches is.
pub(super) fn knob_of(glob: &str) -> KnobId {
    KnobId(format!("inputs.{glob}"))
}

/// Returns the value of such a knob.
pub(super) fn content(digest: Digest) -> KnobSetting {
    let text = match digest {
        None => "no file".to_owned(),
        Some((files, digest)) => {
            let digest: String = digest[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let s = if files == 1 { "" } else { "s" };
            format!("{files} file{s}, content {digest}")
        }
    };
    KnobSetting::Fixed(KnobValue::Text(text))
}
