//! `cargo fidelity`: finds tests that pass in a kind environment and fail in a realistic one.

use std::process::ExitCode;

use fidelity_core::suite::capture;

fn main() -> ExitCode {
    // Before anything else is loaded: cargo starts us in the place of each test binary.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == capture::ARGUMENT)
    {
        return capture::main();
    }
    ExitCode::SUCCESS
}
