//! The words of a command: what stands in the configuration, filled in for one pass. Pure.
//!
//! `{dir}` is the directory of the pass for reports, `{port}` a free TCP port, `{select}` the place for what selects tests,
//! `{env:NAME}` a variable of the tool's own environment. Other braces are left alone.

use std::ffi::OsString;

use crate::exec::secrets;

/// Stands for the directory of a pass.
pub(super) const DIRECTORY: &str = "{dir}";
/// Stands for a free port.
pub(super) const PORT: &str = "{port}";
/// Stands for what selects tests.
const SELECT: &str = "{select}";

/// What is filled in.
pub(super) struct Blanks<'a> {
    /// The directory of the pass.
    pub(super) directory: &'a str,
    /// A free port; none where the command asks for none.
    pub(super) port: Option<u16>,
    /// What selects tests; empty where all are run.
    pub(super) select: &'a [String],
    /// Looks up a variable of this process.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// A command that can be started.
pub(super) struct Filled {
    /// Program and arguments.
    pub(super) command: Vec<OsString>,
    /// What must not be shown of it.
    pub(super) secrets: Vec<String>,
}

/// Returns whether `command` wants a port.
pub(super) fn wants_port(command: &[String]) -> bool {
    command.iter().any(|word| word.contains(PORT))
}

/// Returns `command` with everything filled in. What selects tests comes last where nothing says its place.
///
/// # Errors
/// The reason, where a variable is not set.
pub(super) fn fill(command: &[String], blanks: &Blanks<'_>) -> Result<Filled, String> {
    let mut filled = Filled {
        command: Vec::new(),
        secrets: Vec::new(),
    };
    for word in command {
        if word == SELECT {
            filled.select(blanks);
            continue;
        }
        // The variable last: what it holds is no word of the configuration.
        let word = word.replace(DIRECTORY, blanks.directory);
        let word = match blanks.port {
            Some(port) => word.replace(PORT, &port.to_string()),
            None => word,
        };
        let (word, secrets) = secrets::resolve(&word, blanks.variable)?;
        filled.secrets.extend(secrets);
        filled.command.push(word.into());
    }
    if !command.iter().any(|word| word == SELECT) {
        filled.select(blanks);
    }
    Ok(filled)
}

impl Filled {
    fn select(&mut self, blanks: &Blanks<'_>) {
        let words = blanks.select.iter().map(OsString::from);
        self.command.extend(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(command: &[&str], select: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let blanks = Blanks {
            directory: "/run/7",
            port: Some(4711),
            select: &words(select),
            variable: &|name| (name == "TOKEN").then(|| "s3cret{dir}".to_owned()),
        };
        let filled = fill(&words(command), &blanks)?;
        let command = filled.command.into_iter();
        let command = command.map(|word| word.to_string_lossy().into_owned());
        Ok((command.collect(), filled.secrets))
    }

    #[test]
    fn blanks_are_filled_wherever_they_stand_and_other_braces_stay() {
        let (command, secrets) = filled(
            &[
                "sh",
                "-c",
                "awk '{print}' {}",
                "--to={dir}/a.xml",
                "-p{port}",
            ],
            &[],
        )
        .unwrap();
        let expected = [
            "sh",
            "-c",
            "awk '{print}' {}",
            "--to=/run/7/a.xml",
            "-p4711",
        ];
        assert_eq!(command, expected);
        assert!(secrets.is_empty());
    }

    #[test]
    fn selected_tests_come_last_unless_their_place_is_said() {
        assert_eq!(
            filled(&["a", "b"], &["-k", "x"]).unwrap().0,
            ["a", "b", "-k", "x"]
        );
        let placed = filled(&["a", "{select}", "b"], &["-k", "x"]).unwrap().0;
        assert_eq!(placed, ["a", "-k", "x", "b"]);
        assert_eq!(filled(&["a", "{select}", "b"], &[]).unwrap().0, ["a", "b"]);
    }

    #[test]
    fn a_secret_is_filled_in_last_and_remembered_as_one() {
        let (command, secrets) = filled(&["a", "--token={env:TOKEN}"], &[]).unwrap();
        assert_eq!(command, ["a", "--token=s3cret{dir}"]);
        assert_eq!(secrets, ["s3cret{dir}"]);
        let error = filled(&["a", "{env:NOPE}"], &[]).unwrap_err();
        assert!(error.contains("NOPE"), "{error}");
    }
}
