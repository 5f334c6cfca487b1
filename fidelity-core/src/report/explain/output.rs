//! What failing trials printed: one example for each signature, the panic first, escaped.

use crate::domain::Arm;
use crate::report::number::{count, things};
use crate::report::page::{Indent, Page, Tone, plain, span};
use crate::report::{Style, text};

use super::page::title;
use super::{Explanation, FailureKind};

/// Signatures and lines of an output shown, where nothing more is asked for.
const KINDS: usize = 4;
const LINES: usize = 20;

/// What a Rust test writes first when it panics.
const PANIC: &str = "panicked at";

pub(super) fn write(page: &mut Page, explanation: &Explanation, style: &Style) {
    let kinds = &explanation.failures;
    if kinds.is_empty() {
        return;
    }
    let shown = if 0 < style.verbose {
        kinds.len()
    } else {
        KINDS.min(kinds.len())
    };
    title(page, "FAILURES");
    for kind in &kinds[..shown] {
        write_kind(page, explanation, kind, style);
    }
    if shown < kinds.len() {
        let left = things((kinds.len() - shown) as u64, "more kind");
        page.text(
            Indent::all(2),
            &[span(
                Tone::Faint,
                format!("and {left} of failure (-v shows them)"),
            )],
        );
    }
}

fn write_kind(page: &mut Page, explanation: &Explanation, kind: &FailureKind, style: &Style) {
    let numbers: Vec<String> = Arm::BOTH
        .into_iter()
        .filter(|arm| 0 < kind.number[arm.index()])
        .map(|arm| {
            format!(
                "{} in {}",
                kind.number[arm.index()],
                explanation.run.arm(arm)
            )
        })
        .collect();
    page.text(
        Indent::hanging(2),
        &[
            span(Tone::Bad, &kind.message),
            plain(format!(" ({})", numbers.join(", "))),
        ],
    );
    if !kind.signature.is_empty() && kind.signature != kind.message {
        let signature = format!("signature {}", kind.signature);
        page.text(Indent::hanging(4), &[span(Tone::Faint, signature)]);
    }
    if let Some(example) = explanation.trials.get(kind.example) {
        let mut seen = format!(
            "seen in pass {} ({}",
            example.pass,
            explanation.run.arm(example.arm)
        );
        for (knob, value) in &example.drawn {
            seen.push_str(&format!(", {knob} = {value}"));
        }
        page.text(Indent::hanging(4), &[span(Tone::Faint, format!("{seen})"))]);
    }
    // A report has the text of a failure beside what was printed, and both are kept in one.
    let stderr = match kind.reported {
        true => "failure and stderr",
        false => "stderr",
    };
    let mut streams = [
        Stream::new(stderr, &kind.output.stderr, kind.output.stderr_omitted),
        Stream::new("stdout", &kind.output.stdout, kind.output.stdout_omitted),
    ];
    if kind.reported && style.verbose == 0 {
        streams[0].leave_out(&kind.message);
    }
    streams.sort_by_key(|stream| stream.panic_at.is_none());
    for stream in streams {
        stream.write(page, style);
    }
}

/// One stream of an output, by lines.
struct Stream<'a> {
    name: &'static str,
    lines: Vec<&'a [u8]>,
    omitted: u64,
    panic_at: Option<usize>,
}

impl<'a> Stream<'a> {
    fn new(name: &'static str, bytes: &'a [u8], omitted: u64) -> Self {
        let mut lines: Vec<&[u8]> = bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii_end)
            .collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        let panic_at = lines.iter().position(|line| {
            line.windows(PANIC.len())
                .any(|window| window == PANIC.as_bytes())
        });
        Self {
            name,
            lines,
            omitted,
            panic_at,
        }
    }

    /// Leaves out the first line where it is what stands above already.
    fn leave_out(&mut self, told: &str) {
        let first = self.lines.first();
        let is_told = first.is_some_and(|line| line.trim_ascii() == told.trim().as_bytes());
        if is_told && self.panic_at != Some(0) {
            self.lines.remove(0);
            self.panic_at = self.panic_at.map(|panic_at| panic_at - 1);
        }
    }

    /// Shows from the panic on, or else the end, which is where other failures are told.
    fn write(&self, page: &mut Page, style: &Style) {
        if self.lines.is_empty() {
            return;
        }
        let (first, last) = match self.panic_at {
            _ if 0 < style.verbose => (0, self.lines.len()),
            Some(panic_at) => (panic_at, self.lines.len().min(panic_at + LINES)),
            None => (self.lines.len().saturating_sub(LINES), self.lines.len()),
        };
        let mut notes = Vec::new();
        if 0 < first || last < self.lines.len() {
            let all = things(self.lines.len() as u64, "line");
            notes.push(format!("lines {} to {last} of {all}", first + 1));
        }
        if 0 < self.omitted {
            notes.push(format!(
                "{} bytes in its middle were not kept",
                count(self.omitted)
            ));
        }
        let notes = match notes.is_empty() {
            true => String::new(),
            false => format!(" ({})", notes.join("; ")),
        };
        page.text(
            Indent::hanging(4),
            &[span(Tone::Faint, format!("{}{notes}:", self.name))],
        );
        for line in &self.lines[first..last] {
            // A tab would be escaped; in an output it is only an indent.
            let line = text::clean_bytes(line).replace("\\t", "    ");
            let lines = if 0 < style.verbose { usize::MAX } else { 4 };
            page.quoted(
                lines,
                Indent { first: 6, rest: 8 },
                &[span(Tone::Faint, "| "), plain(line)],
            );
        }
    }
}
