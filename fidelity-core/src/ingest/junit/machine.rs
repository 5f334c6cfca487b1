//! The machine that events go into and cases come out of. It knows elements, not bytes.

use std::sync::Arc;

use memchr::memchr2;

use super::attributes::{Tag, named, reference};
use super::draft::Draft;
use super::elements::{Node, child};
use super::notes::Notes;
use super::plain::{MOST, PlainTag, cdata, instruction};
use super::problem::{Fault, ProblemKind};
use super::roots;
use super::{Case, Limits, Suite, Summary};
use crate::config::printable::shown;

/// An element that is open.
struct Open {
    node: Node,
    /// Where its name starts in the names of all.
    name: usize,
}

/// The machine.
pub(super) struct Machine<'a> {
    pub(super) limits: &'a Limits,
    pub(super) sink: &'a mut dyn FnMut(&Case),
    opened: Vec<Open>,
    names: String,
    /// The suites that are open, innermost last. The first stands for the file.
    pub(super) suites: Vec<Arc<Suite>>,
    pub(super) draft: Draft,
    /// Bytes of properties kept of open suites and of the case.
    pub(super) properties: usize,
    pub(super) summary: Summary,
    pub(super) notes: Notes,
    pub(super) scratch: String,
    rooted: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn new(limits: &'a Limits, sink: &'a mut dyn FnMut(&Case)) -> Self {
        let file = Arc::default();
        Self {
            limits,
            sink,
            opened: Vec::with_capacity(8),
            names: String::with_capacity(128),
            draft: Draft::new(limits, &file),
            suites: vec![file],
            properties: 0,
            summary: Summary::default(),
            notes: Notes::default(),
            scratch: String::new(),
            rooted: false,
        }
    }

    /// Takes a start tag or, if `empty`, an element without content. `line` gives the line it stands at.
    pub(super) fn start(
        &mut self,
        tag: &Tag<'_>,
        empty: bool,
        line: impl FnOnce() -> u64,
    ) -> Result<(), Fault> {
        let name = tag.name;
        let local = tag.local();
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':') {
            let message = format!("`<{}` begins no tag", shown(name));
            return Err(Fault::new(ProblemKind::Malformed, message));
        }
        let node = match self.opened.last() {
            Some(parent) => child(parent.node, local),
            None => self.root(local)?,
        };
        if self.opened.len() >= self.limits.depth {
            let message = format!("more than {} elements within each other", self.limits.depth);
            return Err(Fault::new(ProblemKind::TooLarge, message));
        }
        match node {
            Node::Case => self.start_case(tag, line())?,
            Node::Suite => self.start_suite(tag)?,
            Node::Suites => self.start_suites(tag)?,
            Node::Failing(kind) => self.start_failure(tag, kind)?,
            Node::Retry { kind, flaky } => self.start_retry(tag, kind, flaky)?,
            Node::Skipped => self.start_skipped(tag)?,
            Node::Property => self.property(tag)?,
            _ => {}
        }
        self.open(node, name, empty);
        Ok(())
    }

    /// Returns what the root element is, which has to be that of a JUnit report.
    fn root(&mut self, name: &str) -> Result<Node, Fault> {
        if self.rooted {
            let message = format!("`<{}>` follows the end of the report", shown(name));
            return Err(Fault::new(ProblemKind::Malformed, message));
        }
        self.rooted = true;
        match name {
            "testsuites" => Ok(Node::Suites),
            "testsuite" => Ok(Node::Suite),
            _ => {
                let what = roots::known(name).unwrap_or("no JUnit report");
                let message = format!(
                    "this is {what}: its root is <{}>, that of JUnit <testsuites> or <testsuite>",
                    shown(name)
                );
                Err(Fault::new(ProblemKind::NotJunit, message))
            }
        }
    }

    /// Takes what a text begins with if that is written as nearly all is. Returns its bytes; none if it is something else, does not
    /// end there, or is a tag of `longest` bytes and more.
    #[inline]
    pub(super) fn plain(
        &mut self,
        text: &str,
        longest: usize,
        line: impl FnOnce() -> u64,
    ) -> Result<Option<usize>, Fault> {
        let taken = match text.as_bytes() {
            [b'<', b'/', ..] => self.plain_end(text),
            [b'<', b'!', ..] => match cdata(text) {
                Some((piece, length)) => {
                    self.text(piece)?;
                    Some(length)
                }
                None => None,
            },
            [b'<', b'?', ..] => instruction(text),
            [b'<', ..] => {
                let mut attributes = [("", ""); MOST];
                match PlainTag::first(text, &mut attributes) {
                    Some(tag) if tag.length < longest => {
                        self.start(&tag.with(&attributes), tag.empty, line)?;
                        Some(tag.length)
                    }
                    _ => None,
                }
            }
            [b'&', ..] => match reference(text) {
                Some((c, length)) => {
                    self.text(c.encode_utf8(&mut [0; 4]))?;
                    Some(length)
                }
                None => None,
            },
            [] => None,
            bytes => {
                let length = memchr2(b'<', b'&', bytes).unwrap_or(bytes.len());
                self.text(&text[..length])?;
                Some(length)
            }
        };
        Ok(taken)
    }

    /// Takes what a text begins with if that is the end tag of what is open.
    #[inline]
    fn plain_end(&mut self, text: &str) -> Option<usize> {
        let name = &self.names[self.opened.last()?.name..];
        let after = text[2..].strip_prefix(name)?;
        let length = name.len() + 3;
        after.starts_with('>').then(|| {
            self.close();
            length
        })
    }

    /// Opens an element, which is finished at once if it is empty.
    fn open(&mut self, node: Node, name: &str, empty: bool) {
        if empty {
            self.finish(node);
            return;
        }
        self.opened.push(Open {
            node,
            name: self.names.len(),
        });
        self.names.push_str(name);
    }

    /// Takes an end tag.
    pub(super) fn end(&mut self, name: &str) -> Result<(), Fault> {
        let Some(open) = self.opened.last() else {
            let message = format!("`</{}>` closes nothing", shown(name));
            return Err(Fault::new(ProblemKind::Malformed, message));
        };
        let expected = &self.names[open.name..];
        if expected != name {
            let message = format!(
                "`</{}>` stands where `</{}>` is expected",
                shown(name),
                shown(expected)
            );
            return Err(Fault::new(ProblemKind::Malformed, message));
        }
        self.close();
        Ok(())
    }

    /// Closes what is open.
    #[inline]
    fn close(&mut self) {
        if let Some(open) = self.opened.pop() {
            self.names.truncate(open.name);
            self.finish(open.node);
        }
    }

    #[inline]
    fn finish(&mut self, node: Node) {
        match node {
            Node::Case => self.end_case(),
            Node::Suite => self.end_suite(),
            Node::Failing(_) => self.draft.end_failure(),
            Node::Retry { .. } => self.draft.end_retry(),
            _ => {}
        }
    }

    /// Returns whether white space would be kept where the next text stands.
    #[inline]
    pub(super) fn keeps_text(&self) -> bool {
        self.opened.last().is_some_and(|open| {
            matches!(
                open.node,
                Node::Failing(_) | Node::Retry { .. } | Node::Trace | Node::Out | Node::Err
            )
        })
    }

    /// Takes text, which may be a part of what stands there.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Fault> {
        let Some(open) = self.opened.last() else {
            return self.stray(text);
        };
        match open.node {
            Node::Failing(_) | Node::Retry { .. } | Node::Trace => {
                self.draft.text(open.node, false, text);
            }
            Node::Out | Node::Err => {
                let parent = self.opened.iter().rev().nth(1).map(|open| open.node);
                let retry = matches!(parent, Some(Node::Retry { .. }));
                self.draft.text(open.node, retry, text);
            }
            // The value of a property may be its text.
            _ => {}
        }
        Ok(())
    }

    /// Takes text outside of the root.
    fn stray(&self, text: &str) -> Result<(), Fault> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Ok(());
        }
        Err(if self.rooted {
            let message = format!("`{}` follows the end of the report", shown(text));
            Fault::new(ProblemKind::Malformed, message)
        } else {
            let message = format!("this is no XML: it starts with `{}`", shown(text));
            Fault::new(ProblemKind::NotXml, message)
        })
    }

    /// Takes a reference that stands in text.
    pub(super) fn reference(&mut self, reference: &str) -> Result<(), Fault> {
        match named(reference) {
            Some(c) => self.text(c.encode_utf8(&mut [0; 4])),
            None => {
                self.unknown_reference();
                self.text("&")?;
                self.text(reference)?;
                self.text(";")
            }
        }
    }

    pub(super) fn unknown_reference(&mut self) {
        self.notes.note(ProblemKind::UnknownReference, || {
            "a reference to an entity stands for nothing here: kept as it is written".to_owned()
        });
    }

    /// Takes a DOCTYPE of so many bytes.
    pub(super) fn doctype(&mut self, bytes: usize) -> Result<(), Fault> {
        let limit = self.limits.tag;
        if bytes >= limit {
            let message = format!("a declaration is longer than {limit} bytes");
            return Err(Fault::new(ProblemKind::TooLarge, message));
        }
        self.notes.note(ProblemKind::Doctype, || {
            "it has a DOCTYPE, which is skipped: nothing it declares is used or fetched".to_owned()
        });
        Ok(())
    }

    /// Returns whether the innermost of what is open belongs to a case.
    pub(super) fn in_case(&self) -> bool {
        self.opened.iter().rev().any(|open| open.node == Node::Case)
    }

    /// Takes the end of the file.
    pub(super) fn end_of_file(&mut self) -> Result<(), Fault> {
        match (self.opened.last(), self.rooted) {
            (Some(open), _) => {
                let message = format!(
                    "the file ends before `</{}>`: {} before that are not used",
                    shown(&self.names[open.name..]),
                    counted(self.summary.trials)
                );
                Err(Fault::new(ProblemKind::Truncated, message))
            }
            (None, false) => Err(Fault::new(ProblemKind::Empty, "the file is empty")),
            (None, true) => Ok(()),
        }
    }
}

/// Returns `1 trial`, `5 trials`.
pub(super) fn counted(trials: u64) -> String {
    match trials {
        1 => "1 trial".to_owned(),
        trials => format!("{trials} trials"),
    }
}
