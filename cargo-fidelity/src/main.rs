//! `cargo fidelity`: finds tests that pass in a kind environment and fail in a realistic one.

use std::process::{ExitCode, Termination as _};

use clap::Parser;
use fidelity_core::exec::{canary, guardian, load, stage};
use fidelity_core::suite::capture;

mod cli;
mod clock;
mod commands;
mod console;
mod error;
mod exit_code;
mod failure;
mod signals;

use cli::{Cargo, CargoSubcommand, Command, Fidelity, Format};
use error::{CliError, ErrorKind};

fn main() -> ExitCode {
    // Before anything else is loaded or read: a guardian has to be small, and cargo starts us in the place of each
    // test binary.
    let first = std::env::args_os().nth(1);
    match first.as_deref().and_then(std::ffi::OsStr::to_str) {
        Some(guardian::ARGUMENT) => guardian::main(),
        Some(canary::ARGUMENT) => canary::main(),
        Some(stage::ARGUMENT) => stage::main(),
        Some(load::ARGUMENT) => load::main(),
        Some(capture::ARGUMENT) => capture::main(),
        _ => run(),
    }
}

/// Reads the command line and runs the command.
fn run() -> ExitCode {
    let CargoSubcommand::Fidelity(Fidelity { command, global }) = Cargo::parse().subcommand;
    global.color.apply();
    if let Some(error) = refused_format(&command, global.format) {
        return error.print().report();
    }
    let ended = match command {
        Command::Run(arguments) => commands::run::run(&arguments, &global),
        Command::Ingest(arguments) => commands::ingest::run(&arguments, &global),
        Command::Report(arguments) => commands::report::run(&arguments, &global),
        Command::Explain(arguments) => commands::explain::run(&arguments, &global),
        Command::Attribute(arguments) => commands::attribute::run(&arguments, &global),
        Command::History(arguments) => commands::history::run(&arguments, &global),
        Command::List(arguments) => commands::list::run(&arguments, &global),
        Command::Audit(arguments) => commands::audit::run(&arguments, &global),
        Command::Doctor(arguments) => commands::doctor::run(&arguments, &global),
        Command::Power(arguments) => commands::power::run(&arguments, &global),
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Generate(arguments) => commands::generate::run(&arguments),
    };
    match ended {
        Ok(code) => code.report(),
        Err(error) => error.print().report(),
    }
}

/// Returns why a command cannot print in a format; none where it can.
fn refused_format(command: &Command, format: Format) -> Option<CliError> {
    let observations = match command {
        Command::Run(arguments) => !arguments.dry_run,
        Command::Report(arguments) => !arguments.list,
        Command::Ingest(arguments) => !arguments.dry_run,
        _ => false,
    };
    let audit = matches!(command, Command::Audit(_));
    let (word, printed) = match format {
        Format::Junit => ("junit", observations),
        Format::Csv => ("csv", observations),
        Format::Markdown => ("markdown", audit),
        Format::Human | Format::Json => return None,
    };
    let hint = match (observations, audit) {
        (true, _) => "it has --format human, json, junit and csv",
        (_, true) => "it has --format human, json and markdown",
        _ => {
            "it has --format human and json; a run with its tests has more: `cargo fidelity report`"
        }
    };
    (!printed).then(|| {
        CliError::new(
            ErrorKind::Usage,
            format!("what this command prints has no format `{word}`"),
        )
        .hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cargo::command().debug_assert();
    }
}
