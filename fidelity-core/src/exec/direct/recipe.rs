//! Recipes: how processes of one binary are started under one sandbox.
//!
//! Must not know: tests, outcomes. A recipe holds the resolved environment and is never stored.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::exec::guardian::protocol::{self, Template};
use crate::exec::sandbox::{Confinement, Place, Sandbox};
use crate::suite::TestBinary;

/// How processes of one binary are started under one sandbox.
pub(super) struct Recipe {
    /// Program, arguments, variables and directory, as a guardian is told them.
    pub(super) bytes: Vec<u8>,
    arguments: usize,
    confinement: Confinement,
    says_result: bool,
}

impl Recipe {
    /// Returns the recipe for tests of `binary`.
    pub(super) fn for_binary(binary: &TestBinary, sandbox: &Sandbox) -> Self {
        let mut command = binary.runner.clone();
        command.push(binary.path.clone().into());
        Self::new(&command, &binary.environment, &binary.directory, sandbox)
            .says_result(binary.says_result)
    }

    /// Returns the recipe for `command` (program first) in `directory` with `variables`, changed by `sandbox`.
    pub(super) fn new(
        command: &[OsString],
        variables: &[(OsString, OsString)],
        directory: &Path,
        sandbox: &Sandbox,
    ) -> Self {
        let variables = environment(variables, sandbox);
        let path = variables.get(OsStr::new("PATH"));
        let mut command = command.to_vec();
        if let Some(program) = command.first_mut() {
            *program = find_program(program, path.map(OsString::as_os_str)).into();
        }
        let arguments = command.len();
        let mut strings: Vec<Vec<u8>> = command
            .into_iter()
            .map(|argument| argument.as_bytes().to_vec())
            .collect();
        strings.extend(
            variables
                .iter()
                .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat()),
        );
        strings.push(directory.as_os_str().as_bytes().to_vec());
        Self {
            bytes: protocol::join(strings.iter().map(Vec::as_slice)),
            arguments,
            confinement: sandbox.confinement.clone(),
            says_result: false,
        }
    }

    fn says_result(mut self, says_result: bool) -> Self {
        self.says_result = says_result;
        self
    }

    /// Returns the recipe as a guardian is told it, under number `id`.
    pub(super) fn template(&self, id: u32) -> Template {
        Template {
            id,
            arguments: self.arguments,
            confinement: self.confinement.clone(),
            says_result: self.says_result,
        }
    }
}

/// Returns `variables` as `sandbox` changes them.
fn environment(
    variables: &[(OsString, OsString)],
    sandbox: &Sandbox,
) -> BTreeMap<OsString, OsString> {
    let mut result: BTreeMap<OsString, OsString> = variables.iter().cloned().collect();
    if sandbox.pin_tool_homes
        && let Some(home) = result.get(OsStr::new("HOME")).map(PathBuf::from)
    {
        for (name, directory) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            result
                .entry(name.into())
                .or_insert_with(|| home.join(directory).into());
        }
    }
    for (name, value) in &sandbox.variables {
        match value {
            Some(value) => result.insert(name.clone(), value.clone()),
            None => result.remove(name),
        };
    }
    result
}

/// Returns the path of `program`, looked up as a shell does. What is not found is left to fail when it is started.
pub(in crate::exec) fn find_program(program: &OsStr, path: Option<&OsStr>) -> PathBuf {
    if program.as_bytes().contains(&b'/') {
        return program.into();
    }
    let candidates = std::env::split_paths(path.unwrap_or_default()).map(|part| part.join(program));
    let is_executable = |candidate: &PathBuf| {
        fs::metadata(candidate)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    candidates
        .into_iter()
        .find(is_executable)
        .unwrap_or_else(|| program.into())
}

/// Makes everything in `places`. Permissions are set last, so that nothing stands in its own way.
///
/// # Errors
/// What stopped it.
pub(super) fn furnish(places: &[Place]) -> io::Result<()> {
    for place in places {
        match place {
            Place::Directory { path, .. } => fs::create_dir_all(path)?,
            Place::Link { path, to } => std::os::unix::fs::symlink(to, path)?,
        }
    }
    for place in places.iter().rev() {
        if let Place::Directory { path, mode } = place {
            fs::set_permissions(path, fs::Permissions::from_mode(*mode))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn cargo_and_rustup_keep_their_homes_when_home_changes() {
        let mut sandbox = Sandbox {
            pin_tool_homes: true,
            ..Sandbox::default()
        };
        sandbox
            .variables
            .insert("HOME".into(), Some("/elsewhere".into()));
        let result = environment(
            &variables(&[("HOME", "/home/a"), ("RUSTUP_HOME", "/opt/rustup")]),
            &sandbox,
        );
        assert_eq!(result[OsStr::new("CARGO_HOME")], "/home/a/.cargo");
        assert_eq!(result[OsStr::new("RUSTUP_HOME")], "/opt/rustup");
        assert_eq!(result[OsStr::new("HOME")], "/elsewhere");
    }

    #[test]
    fn variables_are_set_and_removed() {
        let mut sandbox = Sandbox::default();
        sandbox.variables.insert("A".into(), None);
        sandbox.variables.insert("B".into(), Some("2".into()));
        let result = environment(&variables(&[("A", "1"), ("B", "1"), ("C", "1")]), &sandbox);
        let names: Vec<_> = result.keys().collect();
        assert_eq!(names, ["B", "C"]);
        assert_eq!(result[OsStr::new("B")], "2");
    }

    #[test]
    fn a_target_runner_is_looked_up_in_the_path() {
        let path = OsStr::new("/nowhere:/bin:/usr/bin");
        let found = find_program(OsStr::new("sh"), Some(path));
        assert!(found.is_absolute() && found.exists());
        assert_eq!(
            find_program(OsStr::new("./x"), Some(path)),
            Path::new("./x")
        );
        assert_eq!(
            find_program(OsStr::new("no-such"), Some(path)),
            Path::new("no-such")
        );
    }
}
