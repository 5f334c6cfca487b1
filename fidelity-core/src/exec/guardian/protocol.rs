//! What the tool and a guardian say to each other, and how it is framed.
//!
//! A frame is two little-endian lengths (4 bytes each), a JSON head and raw bytes: heads stay small and typed, and
//! output or environments are not spelled as JSON numbers. Must not know: processes.
//! Invariant: both ends are the same executable, so the format needs no version.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::libtest::{Lines, Manner};
use super::super::result_line::ResultLine;
use super::super::sandbox::Confinement;

/// No frame is longer than this; a longer one means the stream is out of step.
const FRAME_LIMIT: usize = 64 << 20;

/// What the tool tells a guardian.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// How to start processes from now on. Bytes: program, arguments, variables (`NAME=value`), working directory.
    Template(Box<Template>),
    /// Start a process after template `template`. Bytes: further arguments, then the names of tests it runs together.
    Start(Start),
    /// Forget every template.
    Forget,
    /// Kill what runs; it is still answered with [`Ended`].
    Cancel,
}

/// How to start processes of one binary under one environment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Template {
    /// Its number, chosen by the tool.
    pub(crate) id: u32,
    /// How many of the strings are program and arguments; the last string is the directory, the rest are variables.
    pub(crate) arguments: usize,
    /// What is imposed on the process.
    pub(crate) confinement: Confinement,
    /// Whether an exit status of 0 needs a result line to count as passed.
    pub(crate) says_result: bool,
}

/// One process to start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The template.
    pub(crate) template: u32,
    /// Its time limit in milliseconds.
    pub(crate) timeout_ms: u64,
    /// How long it may take to end after it was interrupted at that limit, in milliseconds; 0 to kill it at once.
    pub(crate) grace_ms: u64,
    /// Whether the output is sent even if the process passed.
    pub(crate) keep_output: bool,
    /// How tests are run, where the process runs several whose results are read from its output.
    pub(crate) together: Option<Together>,
    /// Seeds when it stands still, where it does.
    pub(crate) seed: u64,
}

/// How a process runs several tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Together {
    /// How many of the strings are arguments; the rest are the names of the tests, in the order of their starts.
    pub(crate) arguments: usize,
    /// How libtest runs them.
    pub(crate) manner: Manner,
    /// The time limit of the process in milliseconds. That of [`Start`] is then one of silence: of no test's result.
    pub(crate) limit_ms: u64,
}

/// What a guardian tells the tool.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It is in its own session and listens.
    Ready,
    /// It could not set itself up; the reason.
    Unable(String),
    /// The process ended and everything below it is gone. Bytes: standard output, standard error, then the sections of
    /// its lines.
    Ended(Ended),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// Interrupted or killed at its time limit.
    TimedOut,
    /// Killed because the tool said so.
    Cancelled,
    /// Its guardian was lost, for this reason. Said by the tool itself, never by a guardian.
    Lost(String),
    /// It never ran: the step that failed, and the system's error number.
    NotStarted {
        /// The step, as an infinitive.
        step: String,
        /// The error number; 0 where there is none.
        errno: i32,
    },
}

/// The end of one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) ending: Ending,
    /// Wall time in microseconds.
    pub(crate) duration_us: u64,
    /// The processor time the guardian and all it has reaped have used so far, in microseconds.
    pub(crate) used_us: u64,
    /// Processes it left behind.
    pub(crate) leaked: u32,
    /// The sum the harness printed at its end.
    pub(crate) result: Option<ResultLine>,
    /// Length of the standard output that is sent, and what was left out of it.
    pub(crate) stdout: (usize, u64),
    /// The same of standard error.
    pub(crate) stderr: (usize, u64),
    /// What its output says of the tests it ran together.
    pub(crate) lines: Option<Lines>,
}

/// Writes one frame.
pub(crate) fn send(stream: &mut impl Write, head: &impl Serialize, bytes: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let mut frame = Vec::with_capacity(8 + head.len() + bytes.len());
    for length in [head.len(), bytes.len()] {
        let length = u32::try_from(length).map_err(io::Error::other)?;
        frame.extend_from_slice(&length.to_le_bytes());
    }
    frame.extend_from_slice(&head);
    frame.extend_from_slice(bytes);
    stream.write_all(&frame)
}

/// The reading side of a stream of frames.
#[derive(Default)]
pub(crate) struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Returns the next frame, waiting for it; none at the end of the stream.
    ///
    /// # Errors
    /// Those of `stream`; `UnexpectedEof` within a frame; `InvalidData` for what is no frame.
    pub(crate) fn receive<T: DeserializeOwned>(
        &mut self,
        stream: &mut impl Read,
    ) -> io::Result<Option<(T, Vec<u8>)>> {
        loop {
            if let Some((head, end)) = self.lengths()? {
                let value = serde_json::from_slice(&self.buffer[8..head])?;
                let bytes = self.buffer[head..end].to_vec();
                self.buffer.drain(..end);
                return Ok(Some((value, bytes)));
            }
            let mut chunk = [0_u8; 4096];
            match stream.read(&mut chunk) {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns whether a whole frame is already here, so that [`Self::receive`] would not wait.
    pub(crate) fn has_frame(&self) -> bool {
        matches!(self.lengths(), Ok(Some(_)))
    }

    /// Returns where head and bytes of the first frame end, if all of it is here.
    fn lengths(&self) -> io::Result<Option<(usize, usize)>> {
        let Some(lengths) = self.buffer.first_chunk::<8>() else {
            return Ok(None);
        };
        let [a, b, c, d, e, f, g, h] = *lengths;
        let head = 8 + u32::from_le_bytes([a, b, c, d]) as usize;
        let end = head.saturating_add(u32::from_le_bytes([e, f, g, h]) as usize);
        if end > FRAME_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok((self.buffer.len() >= end).then_some((head, end)))
    }
}

/// Joins strings into bytes; each is ended by a NUL, which none may hold.
pub(crate) fn join<'a>(strings: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for string in strings {
        bytes.extend_from_slice(string);
        bytes.push(0);
    }
    bytes
}

/// Takes apart what [`join`] made.
pub(crate) fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut strings: Vec<Vec<u8>> = bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    strings.pop();
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut stream = Vec::new();
        send(&mut stream, &Answer::Ready, b"").unwrap();
        send(&mut stream, &Answer::Unable("x".into()), &[7; 10_000]).unwrap();
        for cut in [1, 3, 4096] {
            let mut source = Dribble(&stream, cut);
            let mut reader = FrameReader::default();
            let (first, bytes) = reader.receive::<Answer>(&mut source).unwrap().unwrap();
            assert!(matches!(first, Answer::Ready) && bytes.is_empty());
            let (second, bytes) = reader.receive::<Answer>(&mut source).unwrap().unwrap();
            assert!(matches!(second, Answer::Unable(_)));
            assert_eq!(bytes, [7; 10_000]);
            assert!(reader.receive::<Answer>(&mut source).unwrap().is_none());
        }
    }

    #[test]
    fn a_stream_that_breaks_within_a_frame_is_an_error() {
        let mut stream = Vec::new();
        send(&mut stream, &Answer::Ready, b"abc").unwrap();
        stream.pop();
        let error = FrameReader::default().receive::<Answer>(&mut stream.as_slice());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let nonsense = [255_u8; 64];
        let error = FrameReader::default().receive::<Answer>(&mut nonsense.as_slice());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn joined_strings_come_apart_again_empty_ones_too() {
        let strings: Vec<&[u8]> = vec![b"a", b"", b"\xff b", b""];
        assert_eq!(split(&join(strings.clone())), strings);
        assert!(split(&join([])).is_empty());
    }

    /// A source that gives out a few bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }
}
