//! The standard input, output and errors of a trial: pipes, or pseudo-terminals.
//!
//! Must not know: how a trial ends. Invariant: what is read of a stream is what was written to it, byte for byte.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::launch::{Input, NotStarted};
use crate::exec::capture::Capture;
use crate::exec::libtest::Scanner;
use crate::exec::sandbox::{Confinement, Stdin, TERMINAL_SIZE};
use crate::exec::sys;
use crate::exec::sys::terminal::{self, PseudoTerminal};

/// One stream of a trial, as its guardian reads it.
pub(super) struct Stream {
    source: Option<PipeReader>,
    pub(super) capture: Capture,
    /// Reads results from it, where the process runs several tests.
    pub(super) scanner: Option<Scanner>,
}

/// What a trial's descriptors 0 to 2 are made of, before it is started.
pub(super) struct Channels {
    streams: [Stream; 2],
    /// The ends that the trial writes to.
    outputs: [OwnedFd; 2],
    /// The end it reads from; none where it has none, or gets the guardian's or a terminal.
    input: Option<OwnedFd>,
    /// The other end of that.
    silent: Option<OwnedFd>,
    stdin: Option<Stdin>,
    terminal: bool,
}

impl Channels {
    /// Makes the channels that `confinement` asks for.
    pub(super) fn open(confinement: &Confinement) -> Result<Self, NotStarted> {
        let make = if confinement.terminal {
            of_terminal
        } else {
            of_pipe
        };
        let step = if confinement.terminal {
            "open a pseudo-terminal"
        } else {
            "make its pipes"
        };
        let failed = |error| NotStarted { step, error };
        let (stdout, to_stdout) = make().map_err(failed)?;
        let (stderr, to_stderr) = make().map_err(failed)?;
        let (input, silent) = match confinement.stdin {
            Some(Stdin::Pipe) => {
                let (reader, writer) = io::pipe().map_err(failed)?;
                (Some(reader.into()), Some(writer.into()))
            }
            _ => (None, None),
        };
        if let Some(identity) = &confinement.identity {
            // Or the user could not open them again by the names they have under /dev and /proc.
            for end in [&to_stdout, &to_stderr].into_iter().chain(&input) {
                sys::give(end.as_fd(), identity.owner.user, identity.owner.group)
                    .map_err(failed)?;
            }
        }
        Ok(Self {
            streams: [stdout, stderr],
            outputs: [to_stdout, to_stderr],
            input,
            silent,
            stdin: confinement.stdin,
            terminal: confinement.terminal,
        })
    }

    /// Returns what the trial reads from.
    pub(super) fn input(&self) -> Input<'_> {
        match (&self.input, self.stdin) {
            (Some(input), _) => Input::From(input.as_fd()),
            (None, Some(Stdin::Closed)) => Input::Closed,
            (None, _) if self.terminal => Input::From(self.outputs[0].as_fd()),
            (None, _) => Input::Inherited,
        }
    }

    /// Returns what the trial writes its output and its errors to.
    pub(super) fn outputs(&self) -> [BorrowedFd<'_>; 2] {
        self.outputs.each_ref().map(AsFd::as_fd)
    }

    /// Returns the streams of a trial that was started, and what has to stay open until everything below it is dead:
    /// the other end of its input, and its terminals, which would otherwise end whenever nobody has them open.
    pub(super) fn started(self) -> ([Stream; 2], Vec<OwnedFd>) {
        let mut held: Vec<OwnedFd> = self.silent.into_iter().collect();
        if self.terminal {
            held.extend(self.outputs);
        }
        (self.streams, held)
    }
}

/// Makes a stream that ends when nobody writes to it any more.
fn of_pipe() -> io::Result<(Stream, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((Stream::new(reader)?, writer.into()))
}

/// Makes a stream whose other end is a terminal.
fn of_terminal() -> io::Result<(Stream, OwnedFd)> {
    let PseudoTerminal { master, terminal } = terminal::open(TERMINAL_SIZE)?;
    Ok((Stream::new(PipeReader::from(master))?, terminal))
}

impl Stream {
    fn new(source: PipeReader) -> io::Result<Self> {
        sys::set_nonblocking(source.as_fd())?;
        Ok(Self {
            source: Some(source),
            capture: Capture::default(),
            scanner: None,
        })
    }

    /// Returns what becomes readable when something was written; none after the end.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.source.as_ref().map(AsFd::as_fd)
    }

    /// Reads what is there without waiting, up to about `limit` bytes. Closes the source at its end.
    pub(super) fn read_available(&mut self, limit: usize) {
        let Some(source) = &mut self.source else {
            return;
        };
        let mut chunk = [0_u8; 16 * 1024];
        let mut total = 0;
        while total < limit {
            match source.read(&mut chunk) {
                Ok(0) => {
                    self.source = None;
                    return;
                }
                Ok(length) => {
                    self.capture.extend(&chunk[..length]);
                    if let Some(scanner) = &mut self.scanner {
                        scanner.feed(&chunk[..length]);
                    }
                    total += length;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.source = None;
                    return;
                }
            }
        }
    }
}
