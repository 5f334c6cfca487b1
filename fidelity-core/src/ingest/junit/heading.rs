//! What the start tag of a case says.

use std::sync::Arc;

use super::attributes::{Raw, Tag, each};
use super::machine::Machine;
use super::outcome::Word;
use super::problem::{Fault, ProblemKind};

/// What the tag of a case says.
struct Heading<'a> {
    name: String,
    class: String,
    timestamp: String,
    said: [Word; 2],
    time: Option<Raw<'a>>,
}

impl<'a> Heading<'a> {
    /// Takes an attribute. Returns whether it is one of ours.
    #[inline]
    fn take(&mut self, machine: &mut Machine<'_>, attribute: &str, raw: Raw<'a>) -> bool {
        match attribute {
            "name" => machine.name(raw, &mut self.name),
            "classname" | "class" if !raw.is_empty() => {
                self.class.clear();
                machine.name(raw, &mut self.class);
            }
            "time" => self.time = Some(raw),
            "duration" => self.time = self.time.or(Some(raw)),
            "timestamp" => machine.name(raw, &mut self.timestamp),
            "file" | "filepath" if !raw.is_empty() => {
                machine.draft.case.file = Some(machine.named(raw));
            }
            "line" | "lineno" => machine.draft.case.line = raw.text.trim().parse().ok(),
            "status" => self.said[0] = machine.draft.word(raw.text),
            "result" => self.said[1] = machine.draft.word(raw.text),
            _ => return false,
        }
        true
    }
}

impl Machine<'_> {
    #[inline]
    pub(super) fn start_case(&mut self, tag: &Tag<'_>, line: u64) -> Result<(), Fault> {
        let mut heading = self.begin_case();
        each(tag, |attribute, raw| heading.take(self, attribute, raw))?;
        self.head_case(heading, line);
        Ok(())
    }

    /// Begins a case. What the case before had is used again: asking for memory is what costs most here.
    #[inline]
    fn begin_case<'a>(&mut self) -> Heading<'a> {
        self.summary.elements += 1;
        self.draft.clear();
        let case = &mut self.draft.case;
        let mut heading = Heading {
            name: std::mem::take(&mut case.name),
            class: case.classname.take().unwrap_or_default(),
            timestamp: case.trial.timestamp.take().unwrap_or_default(),
            said: [Word::Nothing; 2],
            time: None,
        };
        heading.name.clear();
        heading.class.clear();
        heading.timestamp.clear();
        heading
    }

    #[inline]
    fn head_case(&mut self, heading: Heading<'_>, line: u64) {
        if heading.name.is_empty() {
            self.notes
                .note(ProblemKind::NoName, || "a case without a name".to_owned());
        }
        let duration = heading.time.and_then(|raw| self.duration(raw));
        self.draft.seen.word = heading.said[0].max(heading.said[1]);
        let suite = self.suite();
        if !Arc::ptr_eq(&self.draft.case.suite, suite) {
            self.draft.case.suite = Arc::clone(suite);
        }
        let given = |text: String| (!text.is_empty()).then_some(text);
        let case = &mut self.draft.case;
        case.name = heading.name;
        case.classname = given(heading.class);
        case.trial.timestamp = given(heading.timestamp);
        case.at = line;
        case.trial.duration = duration;
    }
}
