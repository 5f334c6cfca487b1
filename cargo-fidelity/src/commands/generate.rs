//! `cargo fidelity generate`.

use fidelity_core::config::schema;

use super::output::print;
use crate::cli::{GenerateArgs, Generated};
use crate::error::CliError;
use crate::exit_code::ExitCode;

/// Prints what was asked for.
pub fn run(arguments: &GenerateArgs) -> Result<ExitCode, CliError> {
    let text = match arguments.what {
        Generated::Schema => format!("{:#}\n", schema::json()),
    };
    print(&text)?;
    Ok(ExitCode::Passed)
}
