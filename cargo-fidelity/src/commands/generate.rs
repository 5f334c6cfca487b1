//! `cargo fidelity generate`.

use fidelity_core::config::schema;

use crate::cli::{GenerateArgs, Generated};
use crate::console::Console;
use crate::error::CliError;
use crate::exit_code::ExitCode;

/// Prints what was asked for.
pub fn run(arguments: &GenerateArgs, console: &Console) -> Result<ExitCode, CliError> {
    let text = match arguments.what {
        Generated::Schema => format!("{:#}\n", schema::json()),
    };
    console.print(&text)?;
    Ok(ExitCode::Passed)
}
