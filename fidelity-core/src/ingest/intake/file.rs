//! Reading a file to its end, and the digest of its bytes. [IO]

use std::io::{self, BufRead, Read};

use super::Source;
use crate::ingest::inputs::{self, Input};
use crate::ingest::rows::{self, Reading, Row};

/// Reads a file row by row; returns what became of it, and the digest of all its bytes.
pub(super) fn read_file(
    source: &Source,
    reading: &Reading,
    sink: &mut dyn FnMut(Row),
) -> io::Result<(rows::Outcomes, [u8; 32])> {
    let reader = inputs::reader(&Input::File(source.path.clone()))?;
    let mut reader = Hashing {
        reader,
        hasher: blake3::Hasher::new(),
    };
    let outcomes = rows::read(&mut reader, &source.name, reading, sink);
    // A file that is refused early has a digest all the same. Its error, if it is one of reading, was told.
    if !outcomes.broken {
        io::copy(&mut reader, &mut io::sink())?;
    }
    Ok((outcomes, *reader.hasher.finalize().as_bytes()))
}

/// A reader that hashes what is read.
struct Hashing {
    reader: Box<dyn BufRead>,
    hasher: blake3::Hasher,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

impl BufRead for Hashing {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed was filled before; filling again returns the same bytes.
        if let Ok(bytes) = self.reader.fill_buf() {
            self.hasher.update(&bytes[..amount.min(bytes.len())]);
        }
        self.reader.consume(amount);
    }
}
