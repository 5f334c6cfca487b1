//! The keeper of a stage: started like a guardian, it has the stage made and keeps it until its socket breaks.
//!
//! It is outside of what it keeps, so that it can remove the run directory when the tool was killed: a directory on
//! which the stage has mounted something cannot be removed from inside. Must not know: knobs, tests.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calls;
use super::holder::{Failed, Holder, Made, Means};
use super::plan::Plan;
use crate::exec::guardian::protocol::{self, FrameReader};
use crate::exec::run_directory::RunDirectory;
use crate::exec::sys;

/// How long the guardians of a killed tool may take to end: their own clean-up, and some more.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the tool tells a keeper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Make this stage.
    Make(Plan),
    /// End; the tool goes on.
    End,
}

/// What a keeper answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The stage can be entered.
    Ready(Made),
    /// It cannot be made: what failed with each of the means that were tried, the last one last.
    Unable(Vec<Failed>),
    /// It could not even be tried.
    Broken(String),
}

/// The whole life of a keeper. The program calls this before anything else if its first argument is
/// [`ARGUMENT`](super::ARGUMENT).
///
/// The argument after it: the run directory. The standard input is the socket to the tool.
pub fn main() -> ExitCode {
    let run_directory = std::env::args_os().nth(2).map(PathBuf::from);
    let Ok(mut stream) = sys::duplicate_stdin().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let mut frames = FrameReader::default();
    let run_directory = match prepare(run_directory) {
        Ok(run_directory) => run_directory,
        Err(error) => {
            let answer = Answer::Broken(error.to_string());
            drop(protocol::send(&mut stream, &answer, b""));
            return ExitCode::FAILURE;
        }
    };
    let mut tool_goes_on = false;
    if let Ok(Some((Order::Make(plan), _))) = frames.receive::<Order>(&mut stream) {
        let (answer, holder) = make(&plan);
        if protocol::send(&mut stream, &answer, b"").is_ok() {
            let last = frames.receive::<Order>(&mut stream);
            tool_goes_on = matches!(last, Ok(Some((Order::End, _))));
        }
        if let Some(holder) = holder {
            holder.end();
        }
    }
    if !tool_goes_on && let Some(run_directory) = run_directory {
        run_directory.leave(PATIENCE);
    }
    ExitCode::SUCCESS
}

/// Leaves the tool's session, so that a Ctrl-C in its terminal is the tool's alone to judge.
fn prepare(run_directory: Option<PathBuf>) -> io::Result<Option<RunDirectory>> {
    // Resets what the tool had changed. Nothing but the socket ends a keeper.
    drop(sys::hear_signals()?);
    sys::new_session()?;
    let null = std::fs::File::open("/dev/null")?;
    sys::redirect(null.as_fd(), 0)?;
    run_directory
        .map(|path| RunDirectory::join(&path))
        .transpose()
}

/// Has the stage made: with the own privileges where there are any, and in a user namespace where these do not do.
fn make(plan: &Plan) -> (Answer, Option<Holder>) {
    let means: &[Means] = if calls::user_and_group().0 == 0 {
        &[Means::Own, Means::UserNamespace]
    } else {
        &[Means::UserNamespace]
    };
    let mut failures: Vec<Failed> = Vec::new();
    for &means in means {
        match Holder::start(plan, means) {
            Ok(Ok(holder)) => return (Answer::Ready(holder.made.clone()), Some(holder)),
            Ok(Err(failed)) => {
                let forbidden = [libc::EPERM, libc::EACCES].contains(&failed.errno);
                failures.push(failed);
                // What is not a matter of privileges does not get better in a user namespace.
                if !forbidden {
                    break;
                }
            }
            Err(error) => return (Answer::Broken(error.to_string()), None),
        }
    }
    (Answer::Unable(failures), None)
}
