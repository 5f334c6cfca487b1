//! The target runner the user has configured, from what cargo says it would start (`cargo test --no-run --verbose`), so
//! that cargo's rules for finding it (files, variables, `cfg(...)` keys, precedence) need not be written down twice.
//!
//! Cargo prints the program as it is and quotes the arguments for a shell.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::build::Built;
use super::child::{How, Limits, run};
use super::{CargoOptions, SuiteError};

/// A line for each binary: far below this.
const LINES_LIMIT: usize = 64 * 1024 * 1024;

/// Returns the words cargo would put before each executable, by the executable's path; none for most projects.
///
/// A path that is missing from the answer is one that cargo did not name.
pub(super) fn target_runners(
    options: &CargoOptions,
    built: &[Built],
    interrupted: &AtomicBool,
) -> Result<BTreeMap<PathBuf, Vec<OsString>>, SuiteError> {
    let mut cargo = options.cargo();
    cargo
        .args(["test", "--no-run", "--verbose", "--color", "never"])
        .args(options.build_arguments());
    let limits = Limits {
        timeout: None,
        stdout: LINES_LIMIT,
        stderr_tail: LINES_LIMIT,
        interrupted,
    };
    let ended = run(&mut cargo, &limits).map_err(|source| SuiteError::io("start cargo", source))?;
    if matches!(ended.how, How::Interrupted) {
        return Err(SuiteError::Interrupted);
    }
    let commands = ended.stderr.lines().filter_map(|line| {
        line.trim_start()
            .strip_prefix("Executable `")?
            .strip_suffix('`')
    });
    let plain: BTreeMap<&str, &Path> = built
        .iter()
        .filter_map(|built| Some((built.path.to_str()?, built.path.as_path())))
        .collect();
    Ok(commands
        .filter_map(|command| match plain.get(command) {
            Some(path) => Some((path.to_path_buf(), Vec::new())),
            None => {
                let (path, runner) = with_runner(command, |program| program.is_file())?;
                Some((path, runner))
            }
        })
        .collect())
}

/// Splits `runner 'an argument' /path/of/binary` into the binary and what stands before it.
fn with_runner(command: &str, is_file: impl Fn(&Path) -> bool) -> Option<(PathBuf, Vec<OsString>)> {
    // The program is not quoted. It ends at the first blank, unless that would leave a path that leads nowhere.
    let ends = || command.match_indices(' ').map(|(end, _)| end);
    let end = ends()
        .find(|end| is_file(Path::new(&command[..*end])))
        .or_else(|| ends().next())?;
    let mut words = unquote(&command[end..])?;
    let binary = words.pop()?;
    let mut runner = vec![OsString::from(&command[..end])];
    runner.extend(words.into_iter().map(OsString::from));
    Some((binary.into(), runner))
}

/// Splits words quoted for a shell with single quotes and backslashes; none where a quote is left open.
fn unquote(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        quoted => word.push(quoted),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(command: &str) -> (String, Vec<String>) {
        let exists = |path: &Path| path == Path::new("/opt/my runner/run");
        let (binary, runner) = with_runner(command, exists).unwrap();
        let text = |word: OsString| word.into_string().unwrap();
        (
            binary.to_str().unwrap().to_owned(),
            runner.into_iter().map(text).collect(),
        )
    }

    #[test]
    fn quoted_arguments_are_taken_apart_as_a_shell_would() {
        let (binary, runner) = split(r#"env 'a'\''b' '$x' ''\!'q' 'a"b' '' '/tmp/a prøj/t-1'"#);
        assert_eq!(binary, "/tmp/a prøj/t-1");
        assert_eq!(runner, ["env", "a'b", "$x", "!q", "a\"b", ""]);
    }

    #[test]
    fn a_program_with_a_space_in_its_path_is_one_word() {
        let (binary, runner) = split("/opt/my runner/run -x /t");
        assert_eq!(
            (binary.as_str(), runner),
            ("/t", vec!["/opt/my runner/run".to_owned(), "-x".to_owned()])
        );
    }

    #[test]
    fn a_program_that_is_not_found_ends_at_the_first_space() {
        let (binary, runner) = split("qemu -L /usr/x /t");
        assert_eq!(binary, "/t");
        assert_eq!(runner, ["qemu", "-L", "/usr/x"]);
    }

    #[test]
    fn an_open_quote_is_no_command() {
        assert_eq!(with_runner("env 'a /t", |_| false), None);
    }
}
