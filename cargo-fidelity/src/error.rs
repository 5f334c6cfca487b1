//! Errors as the user sees them: what went wrong, why, and what to do. Hints are added here, where flags are known,
//! and never in the library.
//!
//! ```text
//! error: could not read fidelity.toml
//!   caused by: permission denied (os error 13)
//!   hint: give another file with --config-file
//! ```

use std::error::Error;
use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use fidelity_core::report::text::clean;

use crate::exit_code::ExitCode;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const CAUSE: Style = Style::new().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// What kind of thing went wrong: says the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line or the configuration is wrong, or there are no tests.
    Usage,
    /// There are no tests, or none is chosen.
    NoTests,
    /// The suite does not build or list.
    Build,
    /// The environment could not be provided, or changed under the run.
    Environment,
    /// The user interrupted.
    Interrupted,
    /// What was given is there, and nothing of it can be used.
    Unreadable,
    /// What was asked about cannot be concluded.
    NoConclusion,
    /// A bug of this tool, or a machine that fails it.
    Internal,
}

impl ErrorKind {
    /// Returns the exit code.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Usage | Self::NoTests => ExitCode::Usage,
            Self::Build => ExitCode::Build,
            Self::Environment => ExitCode::Environment,
            Self::Interrupted => ExitCode::Interrupted,
            Self::Unreadable => ExitCode::PartialInput,
            Self::NoConclusion => ExitCode::NoConclusion,
            Self::Internal => ExitCode::Internal,
        }
    }
}

/// An error that ends a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// What went wrong: a lowercase fragment; empty where the snippet says it.
    pub message: String,
    /// The place in a file, already laid out and free of anything unsafe; shown as it is.
    pub snippet: Option<String>,
    /// Why, from the nearest cause to the root.
    pub causes: Vec<String>,
    /// The end of what a process printed that could not be used.
    pub printed: Option<Box<str>>,
    /// What to do: imperatives that name the flag or key.
    pub hints: Vec<String>,
}

impl CliError {
    /// Returns an error without cause or hint.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            snippet: None,
            causes: Vec::new(),
            printed: None,
            hints: Vec::new(),
        }
    }

    /// Returns `error` as the message, with its sources as causes.
    pub fn from_error(kind: ErrorKind, error: &dyn Error) -> Self {
        let mut cli_error = Self::new(kind, error.to_string());
        if let Some(source) = error.source() {
            cli_error = cli_error.caused_by(source);
        }
        cli_error
    }

    /// Adds `error` and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Adds the place in a file.
    #[must_use]
    pub fn with_snippet(mut self, snippet: impl Into<String>) -> Self {
        self.snippet = Some(snippet.into());
        self
    }

    /// Adds the end of what a process printed.
    #[must_use]
    pub fn printed(mut self, printed: &str) -> Self {
        self.printed = Some(printed.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the text with colours, ending with a line end; `anstream` takes them out where they are not wanted.
    pub fn render(&self) -> String {
        let mut text = String::new();
        if !self.message.is_empty() || self.snippet.is_none() {
            part(&mut text, "", ("error", ERROR), &self.message);
        }
        if let Some(snippet) = &self.snippet {
            let _ = writeln!(text, "{}", snippet.trim_end());
        }
        // A source that only repeats what is said already helps nobody.
        let mut said: &str = &self.message;
        for cause in &self.causes {
            if !said.contains(cause.as_str()) {
                part(&mut text, "  ", ("caused by", CAUSE), cause);
            }
            said = cause;
        }
        if let Some(printed) = &self.printed {
            part(&mut text, "  ", ("it printed", CAUSE), printed);
        }
        for hint in &self.hints {
            part(&mut text, "  ", ("hint", HINT), hint);
        }
        text
    }

    /// Writes the error to standard error, and returns what to exit with.
    pub fn print(&self) -> ExitCode {
        anstream::eprint!("{}", self.render());
        self.kind.exit_code()
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CliError {}

/// Writes `label: text`, further lines of the text below its first.
fn part(written: &mut String, indent: &str, (label, style): (&str, Style), text: &str) {
    let hanging = " ".repeat(indent.len() + label.len() + 2);
    let _ = write!(written, "{indent}{style}{label}{style:#}: ");
    for (position, line) in text.trim_end().lines().enumerate() {
        let before = if position == 0 { "" } else { &hanging };
        let _ = writeln!(written, "{before}{}", clean(line));
    }
    if text.trim_end().is_empty() {
        written.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("unexpected end of file at byte {at}")]
    struct Truncated {
        at: u64,
        #[source]
        source: std::io::Error,
    }

    fn truncated() -> Truncated {
        Truncated {
            at: 10_432,
            source: std::io::Error::other("the disk \x1b[31mis gone"),
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn an_error_shows_causes_and_hints() {
        let error = CliError::new(ErrorKind::Environment, "could not provide high\nfor pass 7")
            .caused_by(&truncated())
            .hint("raise `timeout` in fidelity.toml,\nor pass --timeout 600s");
        insta::assert_snapshot!(plain(&error.render()), @r"
        error: could not provide high
               for pass 7
          caused by: unexpected end of file at byte 10432
          caused by: the disk \x1b[31mis gone
          hint: raise `timeout` in fidelity.toml,
                or pass --timeout 600s
        ");
        assert_eq!(error.kind.exit_code(), ExitCode::Environment);
    }

    #[test]
    fn a_cause_that_repeats_the_message_is_left_out() {
        let error = CliError::new(
            ErrorKind::Usage,
            "bad store: unexpected end of file at byte 10432",
        )
        .caused_by(&truncated());
        assert!(!plain(&error.render()).contains("caused by: unexpected"));
        assert!(plain(&error.render()).contains("caused by: the disk"));
    }

    #[test]
    fn the_sources_of_a_library_error_are_kept() {
        let error = CliError::from_error(ErrorKind::Internal, &truncated());
        assert_eq!(error.message, "unexpected end of file at byte 10432");
        assert_eq!(error.causes, ["the disk \x1b[31mis gone"]);
    }

    #[test]
    fn labels_are_coloured_and_a_snippet_is_shown_as_it_is() {
        let error = CliError::new(ErrorKind::Usage, "unknown key `tolerence`")
            .with_snippet("3 | tolerence = 0.1\n  | ^^^^^^^^^\n");
        let text = error.render();
        assert!(
            text.starts_with("\x1b[1m\x1b[31merror\x1b[0m: unknown key"),
            "{text:?}"
        );
        assert!(
            text.contains("\n3 | tolerence = 0.1\n  | ^^^^^^^^^\n"),
            "{text:?}"
        );
    }
}
