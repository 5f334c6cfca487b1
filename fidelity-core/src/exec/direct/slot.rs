//! A slot: one guardian as the tool sees it.
//!
//! Must not know: tests, outcomes. Invariant: a slot runs at most one process at a time.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use super::recipe::Recipe;
use crate::exec::guardian::protocol::{self, Answer, Ended, FrameReader, Order, Start, Together};
use crate::exec::libtest::Manner;
use crate::exec::stage::Stage;
use crate::exec::{ExecError, guardian, reexec, sys};

/// How long a guardian may take to end after its socket was closed, its own clean-up included.
const FAREWELL: Duration = Duration::from_secs(5);

/// One process to run.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// What the caller knows it by.
    pub(super) tag: usize,
    /// The recipe it is started by.
    pub(super) recipe: u32,
    /// Further arguments.
    pub(super) arguments: Vec<Vec<u8>>,
    /// Its time limit in milliseconds.
    pub(super) timeout_ms: u64,
    /// How long it may then take to end by itself, in milliseconds; 0 to kill it at once.
    pub(super) grace_ms: u64,
    /// Whether the output is wanted even if it passed.
    pub(super) keep_output: bool,
    /// The tests it runs together, where their results are read from its output.
    pub(super) together: Option<Company>,
    /// Seeds when it stands still, where it does.
    pub(super) seed: u64,
    /// How often it could not be started.
    pub(super) misfires: u32,
}

/// The tests a process runs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Company {
    /// Their names, in the order of their starts.
    pub(super) names: Vec<Vec<u8>>,
    /// How libtest runs them.
    pub(super) manner: Manner,
    /// The time limit of the process in milliseconds; that of the job is then one of silence.
    pub(super) limit_ms: u64,
}

/// A process that has ended.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) ended: Ended,
    /// Standard output, standard error, and the sections of its lines.
    pub(super) output: Vec<u8>,
}

/// A guardian and the connection to it.
pub(super) struct Slot {
    guardian: Child,
    stream: Option<UnixStream>,
    frames: FrameReader,
    known: BTreeSet<u32>,
    running: Option<Job>,
    used_us: u64,
}

impl Slot {
    /// Starts a guardian for slot `number`, on `stage` if there is one, and waits until it listens.
    pub(super) fn open(
        helper: &Path,
        run_directory: &Path,
        number: usize,
        stage: Option<&Stage>,
    ) -> Result<Self, ExecError> {
        let failed = |error| ExecError::system("start a guardian process", error);
        let number = number.to_string();
        let mut arguments = vec![
            guardian::ARGUMENT.as_ref(),
            run_directory.as_os_str(),
            number.as_ref(),
        ];
        arguments.extend(stage.into_iter().flat_map(Stage::entry).map(OsStr::new));
        let (guardian, ours) = reexec::start(helper, &arguments).map_err(failed)?;
        let mut slot = Self {
            guardian,
            stream: Some(ours),
            frames: FrameReader::default(),
            known: BTreeSet::new(),
            running: None,
            used_us: 0,
        };
        match slot.receive()? {
            Answer::Ready => Ok(slot),
            Answer::Unable(reason) => Err(ExecError::GuardianLost(reason)),
            Answer::Ended(_) => Err(ExecError::GuardianLost("it spoke out of turn".to_owned())),
        }
    }

    fn receive(&mut self) -> Result<Answer, ExecError> {
        self.receive_with_bytes().map(|(answer, _)| answer)
    }

    fn receive_with_bytes(&mut self) -> Result<(Answer, Vec<u8>), ExecError> {
        let stream = self.stream.as_mut();
        let received = stream.map(|stream| self.frames.receive::<Answer>(stream));
        match received {
            Some(Ok(Some(answer))) => Ok(answer),
            Some(Err(error)) => Err(ExecError::GuardianLost(error.to_string())),
            Some(Ok(None)) | None => Err(ExecError::GuardianLost(self.fate())),
        }
    }

    /// Says how the guardian ended.
    fn fate(&mut self) -> String {
        match self.guardian.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Returns the socket; readable when the process has ended.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    /// Returns whether a process runs.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Returns the guardian's process id.
    pub(super) fn pid(&self) -> Option<sys::Pid> {
        sys::Pid::try_from(self.guardian.id()).ok()
    }

    /// Starts `job`, telling the guardian about its recipe if it is new to it.
    pub(super) fn start(&mut self, job: Job, recipe: &Recipe) -> Result<(), ExecError> {
        if self.known.insert(job.recipe) {
            let template = Box::new(recipe.template(job.recipe));
            self.tell(&Order::Template(template), &recipe.bytes)?;
        }
        let order = Order::Start(Start {
            template: job.recipe,
            timeout_ms: job.timeout_ms,
            grace_ms: job.grace_ms,
            keep_output: job.keep_output,
            together: job.together.as_ref().map(|company| Together {
                arguments: job.arguments.len(),
                manner: company.manner,
                limit_ms: company.limit_ms,
            }),
            seed: job.seed,
        });
        let names = job.together.iter().flat_map(|company| &company.names);
        let bytes = protocol::join(job.arguments.iter().chain(names).map(Vec::as_slice));
        self.running = Some(job);
        self.tell(&order, &bytes)
    }

    /// Makes the guardian forget what it was told before.
    pub(super) fn forget(&mut self) -> Result<(), ExecError> {
        self.known.clear();
        self.tell(&Order::Forget, b"")
    }

    /// Has the running process killed. Its end is still to be collected.
    pub(super) fn cancel(&mut self) {
        if self.is_running() {
            // A broken connection is noticed when the end is collected.
            drop(self.tell(&Order::Cancel, b""));
        }
    }

    fn tell(&mut self, order: &Order, bytes: &[u8]) -> Result<(), ExecError> {
        match &mut self.stream {
            Some(stream) => protocol::send(stream, order, bytes)
                .and_then(|()| stream.flush())
                .map_err(|error| ExecError::GuardianLost(error.to_string())),
            None => Err(ExecError::GuardianLost("it is closed".to_owned())),
        }
    }

    /// Returns the process that ended, waiting for its end.
    pub(super) fn collect(&mut self) -> Result<Finished, ExecError> {
        let (answer, output) = self.receive_with_bytes()?;
        match (answer, self.running.take()) {
            (Answer::Ended(ended), Some(job)) => {
                self.used_us = self.used_us.max(ended.used_us);
                Ok(Finished { job, ended, output })
            }
            _ => Err(ExecError::GuardianLost("it spoke out of turn".to_owned())),
        }
    }

    /// Returns the processor time used at the end of the last process, in microseconds, by everything since the guardian
    /// was started.
    pub(super) fn used_us(&self) -> u64 {
        self.used_us
    }

    /// Returns the job whose guardian was lost.
    pub(super) fn take_job(&mut self) -> Option<Job> {
        self.running.take()
    }

    /// Breaks the connection, on which the guardian kills what runs and ends.
    pub(super) fn dismiss(&mut self) {
        self.stream = None;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.dismiss();
        let began = Instant::now();
        while matches!(self.guardian.try_wait(), Ok(None)) {
            if began.elapsed() > FAREWELL {
                drop(self.guardian.kill());
                drop(self.guardian.wait());
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
