//! One trial: start, wait, limit, clean up, and say how it ended.
//!
//! Must not know: which test it is. Invariants: when [`run`] returns, nothing the trial started is alive (but for what
//! the system refuses to kill); the group is killed before its leader is reaped, because only then its number cannot
//! belong to anyone else.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::channels::{Channels, Stream};
use super::child;
use super::launch::{Launch, NotStarted};
use super::pauses::Schedule;
use super::protocol::{Ended, Ending, FrameReader, Order, Start};
use super::sweep::{self, Aftermath};
use super::{Recipe, drain, litter, not_started};
use crate::exec::libtest::Scanner;
use crate::exec::result_line;
use crate::exec::sys::{self, Pid, Status};

/// Output is left in the pipes this long, so that a short trial does not wake the guardian for every line it prints.
const QUIET: Duration = Duration::from_millis(2);
/// How long a killed process may take to end before the trial is reported without it.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// What is read of a stream after the trial, at most: more than a pipe holds means that a writer survived.
const DRAIN_LIMIT: usize = 16 << 20;

/// The connection to the tool while a trial runs.
pub(super) struct ToolLink<'a> {
    pub(super) stream: &'a mut UnixStream,
    pub(super) frames: &'a mut FrameReader,
}

impl ToolLink<'_> {
    /// Reads what the tool says during a trial, which is to cancel it, or nothing any more. Both end the trial.
    fn says_stop(&mut self) -> bool {
        !matches!(
            self.frames.receive::<Order>(self.stream),
            Ok(Some((Order::Forget, _)))
        )
    }
}

/// What to start.
pub(super) struct StartOrder<'a> {
    pub(super) start: &'a Start,
    /// The tests the process runs together.
    pub(super) names: Vec<Vec<u8>>,
    /// The mount namespace it runs in.
    pub(super) mounts: Option<BorrowedFd<'a>>,
}

/// Runs one trial. Returns how it ended, and the output to send.
pub(super) fn run(
    recipe: &Recipe,
    order: &StartOrder<'_>,
    signals: BorrowedFd<'_>,
    tool: &mut ToolLink<'_>,
) -> (Ended, Vec<u8>) {
    let began = Instant::now();
    let (leader, mut streams, held) = match launch(recipe, order.mounts) {
        Ok(launched) => launched,
        Err(NotStarted { step, error }) => {
            return not_started(step, error.raw_os_error().unwrap_or(0));
        }
    };
    let start = order.start;
    let together = start.together.as_ref();
    streams[0].scanner = together.map(|together| Scanner::new(&order.names, together.manner));
    let mut watch = Watch::new(leader, began, recipe, start);
    let forced = watch.until_leader_ends(&mut streams, signals, tool);
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let Aftermath { status, leaked } = sweep::after(leader, signals);
    if recipe.confinement.leaves_shared_memory {
        litter::remove(leader);
    }
    for stream in &mut streams {
        stream.read_available(DRAIN_LIMIT);
    }
    drop(held);
    let [mut stdout, stderr] = streams;
    let (lines, mut sections) = stdout.scanner.take().map(Scanner::finish).unzip();
    let result = result_line::find(stdout.capture.end());
    let ending = match (forced, status) {
        (Some(forced), _) => forced,
        (None, Some(Status::Exited(code))) => Ending::Exited(code),
        (None, Some(Status::Signalled(signal))) => Ending::Signalled(signal),
        // It has ended, so that its status can only be lost to a bug.
        (None, None) => Ending::Cancelled,
    };
    let passed = ending == Ending::Exited(0)
        && (!recipe.says_result || result.is_some_and(|line| line.passed > 0 && line.failed == 0));
    let mut ended = Ended {
        ending,
        duration_us,
        used_us: sys::family_time_us(),
        leaked,
        result,
        stdout: (0, 0),
        stderr: (0, 0),
        lines,
    };
    if passed && !start.keep_output {
        return (ended, Vec::new());
    }
    let (mut output, omitted) = stdout.capture.finish();
    ended.stdout = (output.len(), omitted);
    let (mut errors, omitted) = stderr.capture.finish();
    ended.stderr = (errors.len(), omitted);
    output.append(&mut errors);
    output.append(sections.get_or_insert_default());
    (ended, output)
}

/// A started trial: its leader, what is read of it, and what stays open until it is over.
type Started = (Pid, [Stream; 2], Vec<OwnedFd>);

/// Starts the process of `recipe` in the mount namespace `mounts`.
fn launch(recipe: &Recipe, mounts: Option<BorrowedFd<'_>>) -> Result<Started, NotStarted> {
    let channels = Channels::open(&recipe.confinement)?;
    let [stdout, stderr] = channels.outputs();
    let leader = child::start(&Launch {
        arguments: &recipe.arguments,
        variables: &recipe.variables,
        directory: &recipe.directory,
        mounts,
        confinement: &recipe.confinement,
        filter: &recipe.filter,
        cpus: &recipe.cpus,
        stdin: channels.input(),
        stdout,
        stderr,
        groups: recipe.groups.as_deref().unwrap_or_default(),
    })?;
    let (streams, held) = channels.started();
    Ok((leader, streams, held))
}

/// The wait for the end of a leader.
struct Watch {
    leader: Pid,
    began: Instant,
    limits: Limits,
    /// How many tests have been heard of, and the age at which the last was.
    heard: (usize, Duration),
    /// The age at which it was asked to end.
    asked: Option<Duration>,
    /// Why the leader was killed, and when.
    forced: Option<(Ending, Instant)>,
    /// When it stands still; none where it never does.
    pauses: Option<Schedule>,
}

/// How long a process may run.
struct Limits {
    /// Without a test being heard of that was not before; of a process that runs one test, in all.
    silence: Duration,
    /// In all, where the process runs several tests.
    whole: Option<Duration>,
    /// After it was asked to end; zero where it is not asked.
    grace: Duration,
}

impl Watch {
    fn new(leader: Pid, began: Instant, recipe: &Recipe, start: &Start) -> Self {
        let together = start.together.as_ref();
        let pauses = recipe.confinement.pauses;
        Self {
            leader,
            began,
            limits: Limits {
                silence: Duration::from_millis(start.timeout_ms),
                whole: together.map(|together| Duration::from_millis(together.limit_ms)),
                grace: Duration::from_millis(start.grace_ms),
            },
            asked: None,
            heard: (0, Duration::ZERO),
            forced: None,
            pauses: pauses.map(|pauses| Schedule::new(pauses, start.seed)),
        }
    }

    /// Returns the age at which the process is killed.
    fn limit(&self) -> Duration {
        if let Some(asked) = self.asked {
            return asked.saturating_add(self.limits.grace);
        }
        let silent = self.heard.1.saturating_add(self.limits.silence);
        self.limits.whole.map_or(silent, |whole| whole.min(silent))
    }

    /// Notes whether a test was heard of.
    fn listen(&mut self, streams: &[Stream; 2]) {
        let progress = streams[0].scanner.as_ref().map_or(0, Scanner::progress);
        if self.heard.0 < progress {
            self.heard = (progress, self.began.elapsed());
        }
    }

    /// Waits until the leader has ended, ending its group at the limit or when the tool says so. Returns the reason.
    fn until_leader_ends(
        &mut self,
        streams: &mut [Stream; 2],
        signals: BorrowedFd<'_>,
        tool: &mut ToolLink<'_>,
    ) -> Option<Ending> {
        while !self.is_over() {
            self.listen(streams);
            self.enforce_limit();
            self.pause_or_go_on();
            if matches!(self.forced, Some((_, since)) if since.elapsed() > KILL_PATIENCE) {
                break;
            }
            let listening = self.forced.is_none();
            // What the tool said may have come together with the order to start: then no reading would tell.
            let (woken, readable) = if listening && tool.frames.has_frame() {
                (false, true)
            } else {
                self.wait(streams, signals, tool)
            };
            if woken {
                drain(signals);
            }
            if listening && (sys::asked_to_end() || readable && tool.says_stop()) {
                self.force(Ending::Cancelled);
            }
        }
        if self.pauses.is_some() {
            // What is about to end on its own, and was stopped just now, is not left behind.
            drop(sys::kill_group(self.leader, libc::SIGCONT));
        }
        let asked = self.asked.map(|_| Ending::TimedOut);
        self.forced.take().map(|(ending, _)| ending).or(asked)
    }

    /// Returns whether the leader has ended, and has nothing more to wait for: of what was asked to end, others may still
    /// be writing down what they know.
    fn is_over(&self) -> bool {
        let ended = sweep::reap_ended(self.leader).leader;
        let others = self.asked.is_some() && self.forced.is_none();
        ended && !(others && sweep::is_anything_alive())
    }

    fn enforce_limit(&mut self) {
        if self.forced.is_some() || self.began.elapsed() < self.limit() {
            return;
        }
        if self.asked.is_none() && !self.limits.grace.is_zero() {
            self.ask_to_end();
        } else {
            self.force(Ending::TimedOut);
        }
    }

    /// Interrupts the leader's group, as a terminal does.
    fn ask_to_end(&mut self) {
        for signal in [libc::SIGINT, libc::SIGCONT] {
            drop(sys::kill_group(self.leader, signal));
        }
        self.asked = Some(self.began.elapsed());
    }

    /// Returns whether nothing has been done to end it.
    fn goes_on(&self) -> bool {
        self.forced.is_none() && self.asked.is_none()
    }

    /// Returns when it is to stand still, or to go on; none where it is not to stand still any more.
    fn pauses(&self) -> Option<&Schedule> {
        self.pauses.as_ref().filter(|_| self.goes_on())
    }

    /// Stops or continues the leader's group where that is due.
    ///
    /// A group that stands still is killed like any other, so that nothing else has to know.
    fn pause_or_go_on(&mut self) {
        let goes_on = self.goes_on();
        let Some(pauses) = self.pauses.as_mut().filter(|_| goes_on) else {
            return;
        };
        let age = self.began.elapsed();
        if pauses.next() <= age {
            let signal = if pauses.advance(age) {
                libc::SIGSTOP
            } else {
                libc::SIGCONT
            };
            drop(sys::kill_group(self.leader, signal));
        }
    }

    /// Kills the leader's group, which exists as long as the leader is not reaped.
    fn force(&mut self, ending: Ending) {
        if self.forced.is_none() {
            drop(sys::kill_group(self.leader, libc::SIGKILL));
            // It may have left its group.
            drop(sys::kill(self.leader, libc::SIGKILL));
            self.forced = Some((ending, Instant::now()));
        }
    }

    /// Waits for something to happen and reads what was printed. Returns whether a signal came, and whether the tool
    /// has said something.
    fn wait(
        &self,
        streams: &mut [Stream; 2],
        signals: BorrowedFd<'_>,
        tool: &ToolLink<'_>,
    ) -> (bool, bool) {
        let age = self.began.elapsed();
        let listening = self.forced.is_none();
        let quiet = age < QUIET && listening;
        let until = match self.forced {
            Some(_) => age + Duration::from_millis(50),
            None if quiet => QUIET.min(self.limit()),
            None => self.limit(),
        };
        let until = self
            .pauses()
            .map_or(until, |pauses| until.min(pauses.next()));
        let rest = until.saturating_sub(age);
        let mut descriptors = vec![signals];
        if listening {
            descriptors.push(tool.stream.as_fd());
        }
        let fixed = descriptors.len();
        if !quiet {
            descriptors.extend(streams.iter().filter_map(Stream::descriptor));
        }
        let ready = match self.pauses {
            Some(_) => sys::wait_readable_closely(&descriptors, rest),
            None => {
                let rest = u64::try_from(rest.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
                sys::wait_readable(&descriptors, Some(rest))
            }
        };
        let Ok(ready) = ready else {
            return (false, false);
        };
        let any_output = ready[fixed..].contains(&true);
        let (woken, said) = (ready[0], listening && ready[1]);
        if any_output {
            for stream in streams {
                stream.read_available(1 << 20);
            }
        }
        (woken, said)
    }
}
