//! Furnishing a pass: its directory, its places and its stage; and clearing all of it away.
//!
//! Must not know: tests, trials. Invariant: what a pass runs in is made anew for it, and ends with it.

use std::path::{Path, PathBuf};

use super::refusal::Refusal;
use super::{DirectRunner, faketime, recipe, whole};
use crate::domain::Environment;
use crate::exec::sandbox::{self, Place, Sandbox, Scene};
use crate::exec::stage::{NoStage, Plan, Stage};
use crate::exec::{ExecError, run_directory, sys};

impl DirectRunner {
    /// Prepares the sandbox of `environment` in the directory of pass `number`, which is made anew, and has everything
    /// run on its stage from now on.
    ///
    /// The inner error is the reason why the environment cannot be provided.
    pub(super) fn furnish(
        &mut self,
        environment: &Environment,
        number: u32,
    ) -> Result<Result<(Sandbox, PathBuf), Refusal>, ExecError> {
        self.pool.leave();
        let directory = self.pool.run_directory.join(number.to_string());
        let fresh =
            run_directory::remove_tree(&directory).and_then(|()| std::fs::create_dir(&directory));
        fresh.map_err(|error| ExecError::system("make the directory of a pass", error))?;
        let (mut sandbox, refused) = sandbox::prepare(
            environment,
            &Scene {
                pass_directory: &directory,
                cpus: sys::allowed_cpus().len(),
                variable: &|name| std::env::var(name).ok(),
                mounts: &|| self.can_mount(),
                faketime: &faketime::library,
                writable: &self.writable(),
                privileged: sys::effective_user() == 0,
            },
        );
        if !refused.is_empty() {
            return Ok(Err(Refusal::Knobs(refused)));
        }
        if self.manners.is_some() {
            sandbox.places.push(Place::Directory {
                path: whole::reports_in(&directory),
                mode: 0o700,
            });
        }
        let made = match recipe::furnish(&sandbox.places) {
            Ok(()) => self.welcome(&mut sandbox, &directory)?,
            error => error,
        };
        if let Err(error) = made {
            return Ok(Err(Refusal::Whole(format!(
                "the directories of the pass could not be made: {error}"
            ))));
        }
        if !sandbox.stage.is_empty() {
            match self.open_stage(&sandbox.stage)? {
                Ok(stage) => self.pool.enter(stage),
                Err(missing) => {
                    let stranded = sandbox::without_stage(environment, &missing);
                    return Ok(Err(if stranded.is_empty() {
                        Refusal::Whole(missing.reason)
                    } else {
                        Refusal::Knobs(stranded)
                    }));
                }
            }
        }
        Ok(Ok((sandbox, directory)))
    }

    fn open_stage(&self, plan: &Plan) -> Result<Result<Stage, NoStage>, ExecError> {
        Stage::open(&self.pool.helper, &self.pool.run_directory, plan)
    }

    /// Finds out, once, whether this machine allows mounts of one's own.
    fn can_mount(&self) -> Result<(), String> {
        let plan = Plan {
            mounts: true,
            ..Plan::default()
        };
        let tried = self.mounts.get_or_init(|| match self.open_stage(&plan) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(missing)) => Err(missing.reason),
            Err(error) => Err(error.to_string()),
        });
        tried.clone()
    }

    /// Returns the directories that cargo gives tests to write to.
    fn writable(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = self
            .binaries
            .iter()
            .filter_map(|binary| target_tmpdir(&binary.path))
            .collect();
        let own = self.manners.iter().flat_map(|manners| &manners.writable);
        found.extend(own.filter(|path| path.is_dir()).cloned());
        found.sort();
        found.dedup();
        found
    }

    /// Ends what `furnish` made. What of the directory cannot be removed is left to the end of the run.
    pub(super) fn strike(&mut self, directory: &Path) {
        self.pool.leave();
        drop(run_directory::remove_tree(directory));
    }
}

/// Returns what cargo calls CARGO_TARGET_TMPDIR: `tmp` in the target directory, which is marked as a cache.
fn target_tmpdir(binary: &Path) -> Option<PathBuf> {
    let marked = |directory: &&Path| directory.join("CACHEDIR.TAG").exists();
    let target = binary.ancestors().skip(1).find(marked)?;
    Some(target.join("tmp")).filter(|path| path.is_dir())
}
