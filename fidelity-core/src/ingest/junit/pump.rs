//! Moves a report through the window into the machine, and says where something went wrong.

use std::io::{self, BufRead};

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::errors::{Error, SyntaxError};
use quick_xml::events::Event;

use super::attributes::{Tag, boundary_before};
use super::machine::Machine;
use super::problem::{Fault, ProblemKind};
use super::tag::{LongTag, Progress};
use super::window::{Lines, Place, Window};
use super::{Case, Limits, Summary};

/// Why reading ended early, and where; without a place it concerns the file as a whole.
type Broken = (Fault, Option<Place>);

/// What may be too long to be looked at in one piece, and is passed through.
#[derive(Clone, Copy)]
struct Long {
    begins: &'static str,
    ends: &'static str,
    /// Whether it is text of the element around it.
    text: bool,
}

const LONG: [Long; 3] = [
    Long {
        begins: "<![CDATA[",
        ends: "]]>",
        text: true,
    },
    Long {
        begins: "<!--",
        ends: "-->",
        text: false,
    },
    Long {
        begins: "<?",
        ends: "?>",
        text: false,
    },
];

/// What starts like a reference and goes on longer is text.
const REFERENCE: usize = 64;

/// A reader of one report.
pub(super) struct Pump<'a, R> {
    window: Window<R>,
    machine: Machine<'a>,
}

impl<'a, R: BufRead> Pump<'a, R> {
    pub(super) fn new(reader: R, limits: &'a Limits, sink: &'a mut dyn FnMut(&Case)) -> Self {
        Self {
            window: Window::new(reader),
            machine: Machine::new(limits, sink),
        }
    }

    /// Reads the report to its end.
    pub(super) fn run(mut self, source: &str) -> Summary {
        if let Err((fault, place)) = self.pump() {
            self.machine.notes.note(fault.kind, || fault.message);
            self.machine.notes.place(place);
        }
        self.window.spend();
        let machine = &mut self.machine;
        if self.window.foreign() > 0 {
            machine.notes.note(ProblemKind::ForeignBytes, || {
                "it holds bytes that do not exist in its encoding: read as windows-1252".to_owned()
            });
        }
        Summary {
            source: source.to_owned(),
            bytes: self.window.decoded(),
            problems: std::mem::take(&mut machine.notes).finish(source),
            ..std::mem::take(&mut machine.summary)
        }
    }

    fn pump(&mut self) -> Result<(), Broken> {
        match self.window.begin() {
            Err(error) => return Err((unreadable(&error), None)),
            Ok(Some(fault)) if fault.kind.breaks() => return Err((fault, None)),
            Ok(Some(fault)) => {
                self.machine.notes.note(fault.kind, || fault.message);
                self.machine.notes.place(None);
            }
            Ok(None) => {}
        }
        loop {
            self.refill()?;
            self.look()?;
            if self.window.text().len() >= self.machine.limits.tag {
                self.pass()?;
            } else if self.window.ended() {
                break;
            }
        }
        let place = self.window.place(0);
        let ended = self.machine.end_of_file();
        ended.map_err(|fault| {
            let is_empty = fault.kind == ProblemKind::Empty;
            (fault, (!is_empty).then_some(place))
        })
    }

    fn refill(&mut self) -> Result<(), Broken> {
        let result = self.window.refill();
        let end = self.window.text().len();
        if let Err(error) = result {
            return Err((unreadable(&error), Some(self.window.place(end))));
        }
        let limit = self.machine.limits.file;
        if self.window.decoded() > limit {
            let message = format!("it is larger than {limit} bytes");
            let fault = Fault::new(ProblemKind::TooLarge, message);
            return Err((fault, Some(self.window.place(end))));
        }
        Ok(())
    }

    /// Looks at what the window holds, up to what it does not hold to the end.
    fn look(&mut self) -> Result<(), Broken> {
        let window = &self.window;
        let mut lines = window.lines();
        let done = events(
            window.text(),
            (window.ended(), self.machine.limits.tag),
            &mut self.machine,
            &mut lines,
            &|position| window.place(position),
        )?;
        self.window.advance(done, lines);
        Ok(())
    }

    /// Passes through what is too long to be looked at in one piece.
    fn pass(&mut self) -> Result<(), Broken> {
        let text = self.window.text();
        let space = text.len() - text.trim_ascii_start().len();
        if space > 0 {
            self.window.skip(space);
            return Ok(());
        }
        if let Some(long) = LONG.iter().find(|long| text.starts_with(long.begins)) {
            self.pass_text(*long)
        } else if text.starts_with("<!") {
            let place = self.window.place(0);
            let declared = self.machine.doctype(text.len());
            declared.map_err(|fault| (fault, Some(place)))
        } else {
            self.pass_tag()
        }
    }

    fn pass_text(&mut self, long: Long) -> Result<(), Broken> {
        let begin = self.window.place(0);
        self.window.skip(long.begins.len());
        loop {
            let text = self.window.text();
            let end = memmem::find(text.as_bytes(), long.ends.as_bytes());
            let kept = text.len().saturating_sub(long.ends.len() - 1);
            let done = end.unwrap_or_else(|| boundary_before(text, kept));
            if long.text {
                let piece = self.machine.text(&text[..done]);
                piece.map_err(|fault| (fault, Some(begin)))?;
            }
            if end.is_some() {
                self.window.skip(done + long.ends.len());
                return Ok(());
            }
            self.window.skip(done);
            if self.window.ended() {
                let message = format!(
                    "the file ends before the `{}` of what begins here",
                    long.ends
                );
                return Err((Fault::new(ProblemKind::Truncated, message), Some(begin)));
            }
            self.refill()?;
        }
    }

    fn pass_tag(&mut self) -> Result<(), Broken> {
        let begin = self.window.place(0);
        let broken = |kind, message: &str| Err((Fault::new(kind, message), Some(begin)));
        let mut tag = LongTag::new(self.machine.limits);
        loop {
            let piece = self.window.text();
            let progress = tag.take(piece);
            let done = match progress {
                Progress::Done(taken) => taken,
                Progress::More => piece.len(),
                Progress::TooLong => {
                    return broken(ProblemKind::TooLarge, "a tag is too long to be one");
                }
            };
            self.window.skip(done);
            if progress != Progress::More {
                break;
            }
            if self.window.ended() {
                return broken(
                    ProblemKind::Truncated,
                    "the file ends within a tag that begins here",
                );
            }
            self.refill()?;
        }
        let omitted = tag.omitted;
        let tag = tag.finish();
        if omitted > 0 {
            let message = || format!("{omitted} bytes of a tag's values are left out");
            self.machine.cut(message);
        }
        let mut lines = Lines::from(begin);
        let whole = usize::MAX;
        events(&tag, (true, whole), &mut self.machine, &mut lines, &|_| {
            begin
        })?;
        Ok(())
    }
}

/// Gives the events of a text to the machine. Returns where the first begins that the text does not hold to its end;
/// if the text ends the file, there is none. Tags of `longest` bytes and more are none of its business either.
fn events(
    text: &str,
    (ended, longest): (bool, usize),
    machine: &mut Machine<'_>,
    lines: &mut Lines,
    place: &dyn Fn(usize) -> Place,
) -> Result<usize, Broken> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // Tags are matched by the machine: the reader sees a part of them.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    // Whether the reader stands between two events, so that something may be taken from it.
    let mut between = true;
    let mut at = 0;
    loop {
        // White space between tags is most of the text there is, and nobody's.
        let skips = !machine.keeps_text();
        if between {
            at = if skips { begin(text, at) } else { at };
            let plain = machine.plain(&text[at..], longest, || lines.line_at(text, at));
            let taken = plain.map_err(|fault| (fault, Some(place(at))))?;
            if machine.notes.fresh() {
                machine.notes.place(Some(place(at)));
            }
            if let Some(length) = taken {
                at += length;
                continue;
            }
            *reader.get_mut() = &text.as_bytes()[at..];
        }
        reader.config_mut().trim_text_start = skips;
        between = true;
        let taken = match reader.read_event() {
            Ok(Event::Text(piece)) => {
                let torn = piece.starts_with('&');
                if torn && !ended && piece.len() < REFERENCE && at + piece.len() == text.len() {
                    return Ok(at);
                }
                if torn {
                    machine.unknown_reference();
                }
                between = false;
                machine.text(&piece)
            }
            // Whether such a tag is in the window to its end is chance: it is passed through either way.
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.len() >= longest => return Ok(at),
            Ok(Event::Start(tag)) => machine.start(&Tag::from(&tag), false, || {
                lines.line_at(text, begin(text, at))
            }),
            Ok(Event::Empty(tag)) => machine.start(&Tag::from(&tag), true, || {
                lines.line_at(text, begin(text, at))
            }),
            Ok(Event::End(tag)) => machine.end(tag.name().0),
            Ok(Event::CData(piece)) => machine.text(&piece),
            Ok(Event::GeneralRef(reference)) => machine.reference(&reference),
            Ok(Event::DocType(declaration)) => machine.doctype(declaration.len()),
            Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_)) => Ok(()),
            Ok(Event::Eof) => return Ok(text.len()),
            Err(Error::Syntax(_)) if !ended => return Ok(at),
            Err(error) => Err(broken(&error)),
        };
        taken.map_err(|fault| (fault, Some(place(begin(text, at)))))?;
        if machine.notes.fresh() {
            machine.notes.place(Some(place(begin(text, at))));
        }
        at = text.len() - reader.get_ref().len();
    }
}

/// Returns where what is looked at begins, after the white space before it.
fn begin(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    text.len() - rest.trim_ascii_start().len()
}

/// Returns what an error of the XML reader means.
fn broken(error: &Error) -> Fault {
    match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) => {
            Fault::new(ProblemKind::Malformed, "`<!` begins no markup")
        }
        Error::Syntax(syntax) => {
            let what = match syntax {
                SyntaxError::UnclosedCData => "a CDATA section",
                SyntaxError::UnclosedComment => "a comment",
                SyntaxError::UnclosedDoctype => "a DOCTYPE",
                SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl => "an instruction",
                _ => "a tag",
            };
            let message = format!("the file ends within {what} that begins here");
            Fault::new(ProblemKind::Truncated, message)
        }
        error => Fault::new(ProblemKind::Malformed, error.to_string()),
    }
}

fn unreadable(error: &io::Error) -> Fault {
    Fault::new(
        ProblemKind::Unreadable,
        format!("it cannot be read: {error}"),
    )
}
