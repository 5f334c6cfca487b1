//! Short-lived children whose output is wanted: cargo asking nothing of the user, test binaries listing their tests.
//!
//! A child may hang, flood its pipes, or leave a grandchild behind that holds them open; none of these holds us up
//! beyond the limits. Trials are not started here: they need the guardian.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much of standard error is usually kept: its end, which is where the reason stands.
pub(super) const STDERR_TAIL: usize = 4 * 1024;

/// How long pipes may stay open after their child has ended, before somebody else is holding them.
const PIPE_GRACE: Duration = Duration::from_millis(200);

/// How long a child that got the user's interrupt with us may take to end before it is killed.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);

/// What a child is allowed.
pub(super) struct Limits<'a> {
    /// Wall time; none for no limit.
    pub timeout: Option<Duration>,
    /// Bytes of standard output; a child that writes more is killed.
    pub stdout: usize,
    /// Bytes of standard error that are kept, of its end.
    pub stderr_tail: usize,
    /// Set when the user has interrupted the tool.
    pub interrupted: &'a AtomicBool,
}

/// How a child ended.
pub(super) struct Ended {
    pub how: How,
    /// Standard output up to the limit.
    pub stdout: Vec<u8>,
    /// The end of standard error, invalid UTF-8 replaced.
    pub stderr: String,
}

/// What made the end.
#[derive(Debug)]
pub(super) enum How {
    Exited(ExitStatus),
    TimedOut,
    TooMuchOutput,
    Interrupted,
}

/// Runs `command` to its end, with no standard input.
///
/// # Errors
/// Where it could not be started or waited for.
pub(super) fn run(command: &mut Command, limits: &Limits<'_>) -> io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (events, closed) = channel();
    let stdout = Pipe::read(child.stdout.take(), Keep::Head(limits.stdout), &events);
    let stderr = Pipe::read(child.stderr.take(), Keep::Tail(limits.stderr_tail), &events);
    drop(events);
    let how = wait(&mut child, &closed, limits)?;
    Ok(Ended {
        how,
        stdout: stdout.take(),
        stderr: String::from_utf8_lossy(&stderr.take()).trim().to_owned(),
    })
}

fn wait(child: &mut Child, pipes: &Receiver<Event>, limits: &Limits<'_>) -> io::Result<How> {
    let started = Instant::now();
    let mut interrupted_at = None;
    let mut pause = Duration::from_millis(1);
    let mut open = 2;
    loop {
        if let Some(status) = child.try_wait()? {
            let full = drain(pipes, open);
            let interrupted = limits.interrupted.load(Ordering::Relaxed);
            return Ok(if interrupted || by_interrupt(status) {
                How::Interrupted
            } else if full {
                How::TooMuchOutput
            } else {
                How::Exited(status)
            });
        }
        if limits.interrupted.load(Ordering::Relaxed) {
            let since = *interrupted_at.get_or_insert_with(Instant::now);
            if since.elapsed() > INTERRUPT_GRACE {
                return kill(child, How::Interrupted);
            }
        }
        if limits
            .timeout
            .is_some_and(|limit| started.elapsed() > limit)
        {
            return kill(child, How::TimedOut);
        }
        match pipes.recv_timeout(pause) {
            Ok(Event::Closed) => open -= 1,
            Ok(Event::Full) => return kill(child, How::TooMuchOutput),
            // With both pipes closed the child is about to end; asking again costs little.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(pause),
            Err(RecvTimeoutError::Timeout) => {}
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Returns whether the terminal's interrupt ended the child: it reaches all of us at once, and the child may be first.
#[cfg(unix)]
pub(super) fn by_interrupt(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(libc::SIGINT)
}

#[cfg(not(unix))]
pub(super) fn by_interrupt(_status: ExitStatus) -> bool {
    false
}

/// Waits until both readers have seen the end of their pipe, or somebody else turns out to hold one open. Returns
/// whether there was more than may be kept.
fn drain(pipes: &Receiver<Event>, mut open: usize) -> bool {
    let deadline = Instant::now() + PIPE_GRACE;
    let mut full = false;
    while open > 0 {
        let left = deadline.saturating_duration_since(Instant::now());
        match pipes.recv_timeout(left) {
            Ok(Event::Closed) => open -= 1,
            Ok(Event::Full) => full = true,
            Err(_) => break,
        }
    }
    full
}

fn kill(child: &mut Child, how: How) -> io::Result<How> {
    kill_with_descendants(child)?;
    child.wait()?;
    Ok(how)
}

/// Kills a child and what it started: cargo's build scripts and compilers do not end with cargo.
pub(super) fn kill_with_descendants(child: &mut Child) -> io::Result<()> {
    #[cfg(unix)]
    if let Ok(pid) = i32::try_from(child.id()) {
        crate::exec::guardian::fell(pid);
    }
    child.kill()
}

enum Event {
    Closed,
    Full,
}

#[derive(Clone, Copy)]
enum Keep {
    Head(usize),
    Tail(usize),
}

/// What a reader thread has kept so far. The thread is not joined: a grandchild may hold the pipe for ever.
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Pipe {
    fn read(
        source: Option<impl Read + Send + 'static>,
        keep: Keep,
        events: &Sender<Event>,
    ) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut source) = source {
            let (kept, events) = (Arc::clone(&kept), events.clone());
            std::thread::spawn(move || {
                let mut buffer = vec![0; 16 * 1024];
                let mut full = false;
                loop {
                    match source.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(count) => {
                            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                            if !append(&mut kept, &buffer[..count], keep) && !full {
                                full = true;
                                // Fails only if nobody listens any more.
                                let _ = events.send(Event::Full);
                            }
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => break,
                    }
                }
                let _ = events.send(Event::Closed);
            });
        }
        Self(kept)
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Appends what may be kept; returns whether nothing was refused.
fn append(kept: &mut Vec<u8>, bytes: &[u8], keep: Keep) -> bool {
    match keep {
        Keep::Head(limit) => {
            let room = limit.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            bytes.len() <= room
        }
        Keep::Tail(limit) => {
            kept.extend_from_slice(bytes);
            let surplus = kept.len().saturating_sub(limit);
            kept.drain(..surplus);
            true
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration, interrupted: bool) -> Ended {
        let interrupted = AtomicBool::new(interrupted);
        let limits = Limits {
            timeout: Some(timeout),
            stdout: 1000,
            stderr_tail: STDERR_TAIL,
            interrupted: &interrupted,
        };
        run(Command::new("sh").args(["-c", script]), &limits).unwrap()
    }

    #[test]
    fn output_and_status_of_a_child_come_back() {
        let ended = shell(
            "echo out; echo err >&2; exit 3",
            Duration::from_secs(60),
            false,
        );
        assert!(matches!(ended.how, How::Exited(status) if status.code() == Some(3)));
        assert_eq!(
            (ended.stdout.as_slice(), ended.stderr.as_str()),
            (&b"out\n"[..], "err")
        );
    }

    #[test]
    fn a_child_that_hangs_is_killed_and_what_it_said_is_kept() {
        let ended = shell(
            "echo why >&2; exec sleep 1000",
            Duration::from_millis(300),
            false,
        );
        assert!(matches!(ended.how, How::TimedOut), "{:?}", ended.how);
        assert_eq!(ended.stderr, "why");
    }

    #[test]
    fn a_child_that_floods_its_output_is_killed() {
        let ended = shell("yes", Duration::from_secs(60), false);
        assert!(matches!(ended.how, How::TooMuchOutput), "{:?}", ended.how);
        assert_eq!(ended.stdout.len(), 1000);
    }

    #[test]
    fn a_child_that_wrote_too_much_and_ended_is_found_out() {
        let ended = shell("head -c 1001 /dev/zero", Duration::from_secs(60), false);
        assert!(matches!(ended.how, How::TooMuchOutput), "{:?}", ended.how);
    }

    #[test]
    fn a_child_that_the_terminal_interrupts_was_interrupted() {
        let ended = shell("kill -INT $$; sleep 5", Duration::from_secs(60), false);
        assert!(matches!(ended.how, How::Interrupted), "{:?}", ended.how);
    }

    #[test]
    fn a_grandchild_that_holds_the_pipes_does_not_hold_us() {
        let started = Instant::now();
        let ended = shell("sleep 20 & echo done", Duration::from_secs(60), false);
        assert!(matches!(ended.how, How::Exited(_)), "{:?}", ended.how);
        assert_eq!(ended.stdout, b"done\n");
        assert!(started.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn an_interrupt_ends_a_child_that_ignores_it() {
        let ended = shell("exec sleep 1000", Duration::from_secs(600), true);
        assert!(matches!(ended.how, How::Interrupted), "{:?}", ended.how);
    }

    #[test]
    fn of_standard_error_the_end_is_kept() {
        let ended = shell(
            "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done",
            Duration::from_secs(60),
            false,
        );
        assert!(ended.stderr.ends_with("line 2999"));
        assert!(ended.stderr.len() <= STDERR_TAIL);
    }
}
