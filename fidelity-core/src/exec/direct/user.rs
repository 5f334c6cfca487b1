//! Tests as another user: what of the checkout, the toolchain and the pass's directories that user reaches, and why not.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::DirectRunner;
use super::probe::{Lists, Unfit};
use super::reach::{self, Reach, needs};
use crate::domain::KnobId;
use crate::exec::ExecError;
use crate::exec::sandbox::{self, Identity, Mapped, Sandbox, Tree};
use crate::suite::TestBinary;

/// What was found out about the owners that can be mapped for a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Mappings {
    /// The trees for which it works.
    trees: BTreeSet<Tree>,
    /// Why it does not for one of the others.
    refused: Option<String>,
}

impl DirectRunner {
    /// Makes `sandbox`, whose places are in `pass_directory`, one that its user can work in. Nothing to do where tests run
    /// as the tool's own user.
    pub(super) fn welcome(
        &mut self,
        sandbox: &mut Sandbox,
        pass_directory: &Path,
    ) -> Result<io::Result<()>, ExecError> {
        let Some(identity) = sandbox.confinement.identity.clone() else {
            return Ok(Ok(()));
        };
        let mappings = match self.mappings.get(&identity) {
            Some(known) => known.clone(),
            None => {
                let found = self.find_mappings(&identity)?;
                self.mappings.insert(identity.clone(), found.clone());
                found
            }
        };
        if !mappings.trees.is_empty() {
            sandbox.confinement.mapped = Some(Mapped {
                trees: mappings.trees.iter().cloned().collect(),
                owner: identity.owner,
            });
        }
        let mut reach = Reach {
            identity: &identity,
            trees: mappings.trees,
        };
        // What is mounted for the pass is not mapped with what it is in.
        if let Some(room) = &mut sandbox.stage.room {
            room.owner = Some((identity.owner.user, identity.owner.group));
        }
        if sandbox.stage.read_only_but.is_some() {
            let real = pass_directory.canonicalize();
            let real = real.unwrap_or_else(|_| pass_directory.to_owned());
            reach
                .trees
                .retain(|tree| !real.starts_with(reach::root(tree)));
        }
        Ok(reach.hand_over(pass_directory, &sandbox.places))
    }

    /// Finds out which trees have to be mapped for `identity`, and for which that works.
    fn find_mappings(&mut self, identity: &Identity) -> Result<Mappings, ExecError> {
        let mut reach = Reach {
            identity,
            trees: BTreeSet::new(),
        };
        let (needed, wanted) = needs(&self.binaries);
        for path in self.own_needs().iter().chain(&needed).chain(&wanted) {
            reach.open(path);
        }
        for directory in &self.checkout {
            reach.own(directory);
        }
        let mut trees = reach.trees;
        let mut refused = None;
        if let Err(reason) = self.can_map(identity, &trees)? {
            // One at a time: not every file system can be mapped.
            refused = Some(reason);
            for tree in trees.clone() {
                if self
                    .can_map(identity, &BTreeSet::from([tree.clone()]))?
                    .is_err()
                {
                    trees.remove(&tree);
                }
            }
        }
        Ok(Mappings { trees, refused })
    }

    /// Returns what of the runner's own a test has to reach.
    fn own_needs(&self) -> Vec<PathBuf> {
        let around = self.pool.run_directory.parent().map(Path::to_owned);
        around.into_iter().chain([self.canary_program()]).collect()
    }

    /// Returns whether the owners of all `trees` can be mapped to `identity`, by having a guardian do it.
    fn can_map(
        &mut self,
        identity: &Identity,
        trees: &BTreeSet<Tree>,
    ) -> Result<Result<(), String>, ExecError> {
        if trees.is_empty() {
            return Ok(Ok(()));
        }
        let mut sandbox = Sandbox::default();
        sandbox.confinement.mapped = Some(Mapped {
            trees: trees.iter().cloned().collect(),
            owner: identity.owner,
        });
        let looks = self
            .canaries(&sandbox, vec![vec!["look".to_owned()]], 1)?
            .pop();
        Ok(match looks {
            Some(Err(reason)) => Err(reason),
            _ => Ok(()),
        })
    }

    /// Returns `unfit`, with the knob that is responsible if it is that the user of `sandbox` does not get far enough.
    pub(super) fn blame_user(&self, sandbox: &Sandbox, unfit: Unfit) -> Unfit {
        let needed = self.own_needs().into_iter().chain(needs(&self.binaries).0);
        match self.kept_out(sandbox, needed) {
            Some(reason) => because_of_user(reason),
            None => unfit,
        }
    }

    /// Returns why the user of `sandbox` cannot start a binary that does not list its tests, which is therefore not
    /// tried; none where nothing is in the way.
    pub(super) fn untried(&self, sandbox: &Sandbox, lists: &Lists) -> Option<Unfit> {
        let untried: Vec<TestBinary> = (0..)
            .zip(&self.binaries)
            .filter(|(at, _)| !lists.contains_key(at))
            .map(|(_, binary)| binary.clone())
            .collect();
        self.kept_out(sandbox, needs(&untried).0)
            .map(because_of_user)
    }

    /// Returns why the user of `sandbox` cannot use one of the paths `needed`.
    fn kept_out(
        &self,
        sandbox: &Sandbox,
        needed: impl IntoIterator<Item = PathBuf>,
    ) -> Option<String> {
        let identity = sandbox.confinement.identity.as_ref()?;
        let mappings = self.mappings.get(identity).cloned().unwrap_or_default();
        let reach = Reach {
            identity,
            trees: mappings.trees,
        };
        let mut needed = needed.into_iter();
        let obstacle = needed.find_map(|path| reach.obstacle(&path))?;
        let mut reason = obstacle.reason(&identity.name);
        if let Some(refused) = mappings.refused {
            reason.push_str(&format!(
                ". It could not be made to look like {}'s own here: {refused}",
                identity.name
            ));
        }
        Some(reason)
    }
}

fn because_of_user(reason: String) -> Unfit {
    Unfit {
        knobs: vec![(KnobId::from(sandbox::USER), reason)],
        reason: String::new(),
    }
}
