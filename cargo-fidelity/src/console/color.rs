//! Colours and widths. `--color` wins; `auto` follows `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM` and whether the
//! stream is a terminal, as `anstream` reads them.

use std::io::{self, IsTerminal as _};

use anstream::{AutoStream, ColorChoice};
use fidelity_core::report::Style;

/// Columns of a page that is not for a terminal.
const PIPED: usize = 80;

/// Longer lines are hard to read, however wide the terminal.
const WIDEST: usize = 120;

/// When to write colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorArg {
    /// Where the stream is a terminal and the environment does not say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorArg {
    /// Makes this the choice of every stream of the process.
    pub fn apply(self) {
        ColorChoice::from(self).write_global();
    }
}

impl From<ColorArg> for ColorChoice {
    fn from(color: ColorArg) -> Self {
        match color {
            ColorArg::Auto => Self::Auto,
            ColorArg::Always => Self::Always,
            ColorArg::Never => Self::Never,
        }
    }
}

/// Returns how to lay out a page for standard output, after [`ColorArg::apply`].
pub fn page_style(verbose: u8, quiet: bool) -> Style {
    let stdout = io::stdout();
    let terminal = stdout
        .is_terminal()
        .then(|| terminal_size::terminal_size_of(&stdout));
    Style {
        color: AutoStream::choice(&stdout) != ColorChoice::Never,
        width: page_width(terminal.flatten().map(|(width, _)| width.0)),
        verbose,
        quiet,
    }
}

/// Returns whether colours are wanted on standard error, after [`ColorArg::apply`].
pub fn stderr_has_colors() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Returns the columns of a page on a terminal of so many columns; none where there is no terminal.
fn page_width(terminal: Option<u16>) -> usize {
    match terminal {
        // Some terminals do not know their size.
        None | Some(0) => PIPED,
        Some(columns) => usize::from(columns).min(WIDEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_80_columns_wide_unless_a_terminal_says_otherwise() {
        assert_eq!(page_width(None), 80);
        assert_eq!(page_width(Some(0)), 80);
        assert_eq!(page_width(Some(57)), 57);
        assert_eq!(page_width(Some(400)), 120);
    }

    #[test]
    fn an_explicit_choice_is_passed_on() {
        assert_eq!(ColorChoice::from(ColorArg::Never), ColorChoice::Never);
        assert_eq!(ColorChoice::from(ColorArg::Always), ColorChoice::Always);
        assert_eq!(ColorChoice::from(ColorArg::default()), ColorChoice::Auto);
    }
}
