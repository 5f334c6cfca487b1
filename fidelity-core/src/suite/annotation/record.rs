//! The records that annotations leave in a test binary: bytes of any origin in, annotations and flaws out.
//!
//! ```text
//! record := 01 "FIDELITY" version (1F field)* 1E 00*      version := "2"
//! field  := tag value                                     tag := one letter
//! ```
//!
//! All of it is UTF-8, and no value holds a control character. The file comes last, and is cut off with what follows where a
//! record has no room for it. Linkers may put more zeros between records. What is no record is a flaw, and reading goes on at the next that looks like
//! one: nothing of what a hostile binary says can do more than that. The writer, with the meaning of the tags, is
//! `fidelity-macros/src/record.rs`. Knows bytes; no file, no test.

use memchr::memmem;

use crate::domain::{Annotation, Quarantine, Severity, TestKind};

/// What every record begins with.
const MAGIC: &[u8] = b"\x01FIDELITY";
/// The version this reader knows.
const VERSION: &[u8] = b"2";
/// What is before each field.
const FIELD: u8 = 0x1f;
/// What is after the last.
const END: u8 = 0x1e;
/// Far more than a binary has tests; bounds the memory that a binary can have us take.
const RECORDS_AT_MOST: usize = 200_000;
/// Flaws that are told one by one.
const FLAWS_AT_MOST: usize = 5;

/// One annotation as it stands in a binary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Whether it is of a module, and so of every test in it.
    pub of_module: bool,
    /// The module it stands in, crate first: `shop::orders::tests`.
    pub module: String,
    /// The function's or module's own name.
    pub name: String,
    /// Whether the user ignores the test, by an `#[ignore]` of their own.
    pub ignored: bool,
    /// What it says.
    pub annotation: Annotation,
}

/// The records of a binary, and what was wrong with the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// In the order of the section.
    pub records: Vec<Record>,
    /// Sentences without a full stop, a few at most.
    pub flaws: Vec<String>,
    /// Flaws beyond these.
    pub more_flaws: usize,
}

impl Records {
    /// Reads a section.
    pub fn read(section: &[u8]) -> Self {
        let mut all = Self::default();
        let mut at = 0;
        while let Some(found) = section[at..].iter().position(|byte| *byte != 0) {
            at += found;
            if all.records.len() >= RECORDS_AT_MOST {
                all.flaw(format!(
                    "more than {RECORDS_AT_MOST} annotations: the rest is left out"
                ));
                break;
            }
            match one(&section[at..]) {
                Ok((record, size)) => {
                    all.records.push(record);
                    at += size;
                }
                Err(Unread { why, size }) => {
                    all.flaw(format!("{why}, at byte {at}"));
                    let from = at + size.max(1);
                    let next = memmem::find(section.get(from..).unwrap_or_default(), MAGIC);
                    at = next.map_or(section.len(), |next| from + next);
                }
            }
        }
        all
    }

    fn flaw(&mut self, flaw: String) {
        if self.flaws.len() < FLAWS_AT_MOST {
            self.flaws.push(flaw);
        } else {
            self.more_flaws += 1;
        }
    }
}

/// Why there is no record, and how many bytes are known to be of no use.
struct Unread {
    why: String,
    size: usize,
}

/// Reads the record at the start of `bytes`, and returns its size.
fn one(bytes: &[u8]) -> Result<(Record, usize), Unread> {
    let unread = |why: &str, size: usize| Unread {
        why: why.to_owned(),
        size,
    };
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(unread("something that is no annotation", 0));
    };
    // A record that lost its end takes none of the next with it.
    let rest = &rest[..memmem::find(rest, MAGIC).unwrap_or(rest.len())];
    let (fields, size) = match memchr::memchr(END, rest) {
        Some(length) => (&rest[..length], length + 1),
        None => match without_end(rest) {
            Some(fields) => (fields, rest.len()),
            None => return Err(unread("an annotation that is cut off", MAGIC.len())),
        },
    };
    let size = MAGIC.len() + size;
    let mut fields = fields.split(|byte| *byte == FIELD);
    let version = fields.next().unwrap_or_default();
    if version != VERSION {
        let version = String::from_utf8_lossy(version);
        return Err(Unread {
            why: format!(
                "an annotation of version {}, which this version of the tool does not know",
                version.escape_debug()
            ),
            size,
        });
    }
    match fields_of(fields) {
        Ok(record) => Ok((record, size)),
        Err(why) => Err(Unread { why, size }),
    }
}

/// Returns the fields of a record whose file is too long for it; none where it was cut elsewhere.
fn without_end(bytes: &[u8]) -> Option<&[u8]> {
    let last = memchr::memrchr(FIELD, bytes)?;
    if bytes.get(last + 1) != Some(&b'f') {
        return None;
    }
    // Maybe in the middle of a letter.
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    bytes.get(..whole).filter(|_| last + 1 < whole)
}

fn fields_of<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Record, String> {
    let mut record = Record::default();
    let mut scope = None;
    let (mut file, mut line) = (String::new(), 0);
    let mut quarantine = [None, None, None];
    for field in fields {
        let Some((&tag, value)) = field.split_first() else {
            return Err("an annotation with an empty field".to_owned());
        };
        match tag {
            b'p' => record.module = text(value)?,
            b'n' => record.name = text(value)?,
            b's' => scope = Some(text(value)?),
            b'f' => file = text(value)?,
            b'l' => line = number::<u32>(value, "line")?,
            b'i' => record.ignored = value == b"true",
            b'u' => quarantine[0] = Some(date(value)?),
            b'o' => quarantine[1] = Some(text(value)?),
            b'r' => quarantine[2] = Some(text(value)?),
            _ => said(&mut record.annotation, tag, value)?,
        }
    }
    record.of_module = match scope.as_deref() {
        Some("fn") => false,
        Some("mod") => true,
        _ => return Err(garbled("scope")),
    };
    if record.module.is_empty() || record.name.is_empty() {
        return Err("an annotation without a name".to_owned());
    }
    record.annotation.quarantine = match quarantine {
        [Some(until), Some(owner), Some(reason)] => Some(Quarantine {
            until,
            owner,
            reason,
        }),
        [None, None, None] => None,
        _ => return Err(garbled("quarantine")),
    };
    record.annotation.place = format!("{file}:{line}");
    Ok(record)
}

/// Takes an argument. One of a later version of the macro is none of ours, and changes nothing of the others.
fn said(annotation: &mut Annotation, tag: u8, value: &[u8]) -> Result<(), String> {
    match tag {
        b'P' => annotation.profiles.push(text(value)?),
        b'N' => annotation.needs.push(text(value)?),
        b'M' => annotation.mocks.push(text(value)?),
        b'R' => annotation.real.push(text(value)?),
        b'K' => {
            let kind = text(value)?;
            let known = TestKind::ALL
                .into_iter()
                .find(|known| known.as_str() == kind);
            annotation.kind = Some(known.ok_or_else(|| garbled("kind"))?);
        }
        b'S' => {
            let severity = text(value)?;
            let known = Severity::ALL
                .into_iter()
                .find(|known| known.as_str() == severity);
            annotation.severity = Some(known.ok_or_else(|| garbled("severity"))?);
        }
        b'T' => {
            let rate: f64 = number(value, "tolerance")?;
            if !(0.0..1.0).contains(&rate) {
                return Err(garbled("tolerance"));
            }
            annotation.tolerance = Some(rate);
        }
        b't' => annotation.timeout_ms = Some(at_least_one(number(value, "timeout")?, "timeout")?),
        b'c' => annotation.trials = Some(at_least_one(number(value, "trials")?, "trials")?),
        _ => {}
    }
    Ok(())
}

fn number<T: std::str::FromStr>(value: &[u8], what: &str) -> Result<T, String> {
    text(value)?.parse().map_err(|_| garbled(what))
}

fn at_least_one<T: Default + PartialEq>(number: T, what: &str) -> Result<T, String> {
    if number == T::default() {
        Err(garbled(what))
    } else {
        Ok(number)
    }
}

fn garbled(what: &str) -> String {
    format!("an annotation whose {what} is garbled")
}

/// Returns a text that can be shown: nothing that a macro writes holds control characters.
fn text(value: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        Ok(_) => Err("an annotation with control characters".to_owned()),
        Err(_) => Err("an annotation that is not UTF-8".to_owned()),
    }
}

/// Returns a text that compares as a date.
fn date(value: &[u8]) -> Result<String, String> {
    let text = text(value)?;
    let fits = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if fits {
        Ok(text)
    } else {
        Err(garbled("quarantine"))
    }
}

#[cfg(test)]
mod tests;
