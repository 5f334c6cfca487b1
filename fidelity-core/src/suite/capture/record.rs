//! What a reporter writes: counted byte strings, for environments are bytes, not text. Written and read by the same
//! build of the tool, so it has no versions; whatever else appears between records is skipped.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Starts a record. A test binary's name cannot be mistaken for it.
const MAGIC: &[u8] = b"\0cargo-fidelity record\n";

/// How a process was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::suite) struct Record {
    /// Program and arguments.
    pub arguments: Vec<OsString>,
    pub directory: PathBuf,
    /// In the order it was found.
    pub environment: Vec<(OsString, OsString)>,
}

impl Record {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        count(&mut out, self.arguments.len());
        for argument in &self.arguments {
            string(&mut out, argument);
        }
        string(&mut out, self.directory.as_os_str());
        count(&mut out, self.environment.len());
        for (name, value) in &self.environment {
            string(&mut out, name);
            string(&mut out, value);
        }
        out
    }
}

fn count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u64).to_le_bytes());
}

fn string(out: &mut Vec<u8>, text: &OsStr) {
    let bytes = text.as_encoded_bytes();
    count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Returns every whole record in `bytes`.
pub(super) fn decode(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(start) = bytes
        .windows(MAGIC.len())
        .position(|window| window == MAGIC)
    {
        bytes = &bytes[start + MAGIC.len()..];
        let mut reader = Reader(bytes);
        if let Some(record) = reader.record() {
            records.push(record);
            bytes = reader.0;
        }
    }
    records
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn record(&mut self) -> Option<Record> {
        let mut record = Record::default();
        for _ in 0..self.count()? {
            record.arguments.push(self.string()?);
        }
        record.directory = self.string()?.into();
        for _ in 0..self.count()? {
            record.environment.push((self.string()?, self.string()?));
        }
        Some(record)
    }

    fn count(&mut self) -> Option<usize> {
        let (count, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*count)).ok()
    }

    fn string(&mut self) -> Option<OsString> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        to_os_string(text)
    }
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere not every byte string is one"
)]
fn to_os_string(bytes: &[u8]) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn to_os_string(bytes: &[u8]) -> Option<OsString> {
    String::from_utf8(bytes.to_vec()).ok().map(OsString::from)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn record(word: &[u8]) -> Record {
        let word = OsString::from_vec(word.to_vec());
        Record {
            arguments: vec!["/bin/t".into(), word.clone()],
            directory: "/a b".into(),
            environment: vec![("A".into(), word.clone()), (word, "".into())],
        }
    }

    #[test]
    fn records_come_back_whatever_bytes_they_hold_and_whatever_stands_between_them() {
        let records = [record(b"\xff\xfe\n="), record(MAGIC), record(b"")];
        let mut bytes = b"a wrapper says hello\n".to_vec();
        for record in &records {
            bytes.extend(record.encode());
            bytes.extend(b"\nnoise ");
        }
        assert_eq!(decode(&bytes), records);
    }

    #[test]
    fn a_record_cut_short_is_no_record_and_no_panic() {
        let bytes = record(b"xyz").encode();
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), []);
        }
    }

    #[test]
    fn a_record_that_claims_more_than_there_is_allocates_nothing() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u64::MAX.to_le_bytes());
        assert_eq!(decode(&bytes), []);
    }
}
