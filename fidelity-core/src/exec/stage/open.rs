//! A stage as the tool sees it.

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use super::keeper::{Answer, Order};
use super::plan::Part;
use super::{ARGUMENT, NoStage, Plan, excuse};
use crate::exec::guardian::protocol::{self, FrameReader};
use crate::exec::{ExecError, reexec, sys};

/// How long a keeper may take to make a stage, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stage that is there. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Stage {
    keeper: Child,
    stream: UnixStream,
    /// The process inside, and the names of its namespaces.
    entry: [String; 2],
}

impl Stage {
    /// Makes a stage after `plan`, kept by a process of `helper`. The inner error says why it cannot be had here.
    ///
    /// # Errors
    /// Where the keeper could not be started or was lost.
    pub(crate) fn open(
        helper: &Path,
        run_directory: &Path,
        plan: &Plan,
    ) -> Result<Result<Self, NoStage>, ExecError> {
        let failed = |error| ExecError::system("start the process that keeps namespaces", error);
        let (mut keeper, mut stream) =
            reexec::start(helper, &[ARGUMENT.as_ref(), run_directory.as_os_str()])
                .map_err(failed)?;
        let answer = protocol::send(&mut stream, &Order::Make(plan.clone()), b"")
            .and_then(|()| hear(&mut stream));
        let broken = |reason: String| NoStage {
            part: Part::Whole,
            reason: format!("the process that keeps namespaces failed: {reason}"),
        };
        let reason = match answer {
            Ok(Some(Answer::Ready(made))) => {
                let entry = [made.pid.to_string(), made.namespaces.join(",")];
                return Ok(Ok(Self {
                    keeper,
                    stream,
                    entry,
                }));
            }
            Ok(Some(Answer::Unable(failures))) => excuse::of(&failures),
            Ok(Some(Answer::Broken(reason))) => broken(reason),
            Ok(None) => broken("it ended".to_owned()),
            Err(error) => broken(error.to_string()),
        };
        bid_farewell(&mut keeper, stream);
        Ok(Err(reason))
    }

    /// Returns the arguments with which a guardian enters: see [`super::enter`].
    pub(crate) fn entry(&self) -> &[String; 2] {
        &self.entry
    }

    /// Returns the socket to the keeper, which becomes readable when that is lost.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Waits for the keeper's answer; none if it ended.
fn hear(stream: &mut UnixStream) -> std::io::Result<Option<Answer>> {
    let limit_ms = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
    if sys::wait_readable(&[stream.as_fd()], Some(limit_ms))? != [true] {
        return Err(std::io::ErrorKind::TimedOut.into());
    }
    let answer = FrameReader::default().receive::<Answer>(stream)?;
    Ok(answer.map(|(answer, _)| answer))
}

/// Tells the keeper to end and waits for it.
fn bid_farewell(keeper: &mut Child, mut stream: UnixStream) {
    // A keeper that is gone needs no farewell.
    drop(protocol::send(&mut stream, &Order::End, b"").and_then(|()| stream.flush()));
    drop(stream);
    let began = Instant::now();
    while matches!(keeper.try_wait(), Ok(None)) {
        if began.elapsed() > PATIENCE {
            drop(keeper.kill());
            drop(keeper.wait());
            return;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Ok(stream) = self.stream.try_clone() {
            bid_farewell(&mut self.keeper, stream);
        } else {
            drop(self.keeper.kill());
            drop(self.keeper.wait());
        }
    }
}
