//! A page of lines for a terminal. Knows width, tones and wrapping; nothing of reports.
//!
//! Invariants: every text becomes clean on its way in, so the only control characters of a page are its own line ends
//! and colours; no line takes more columns than the page has, but for a path that is quoted.

use super::Style;
use super::text;

/// Narrower than this nothing can be laid out.
const NARROWEST: usize = 40;

/// A column narrower than this is no place to wrap a text in.
const NARROWEST_COLUMN: usize = 24;

/// Columns between two cells.
pub(super) const GAP: usize = 3;

/// Words that stay with the number before them.
const UNITS: [&str; 7] = ["%", "us", "ms", "s", "min", "h", "MiB"];

/// A role of a piece of text, shown as a colour where there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    Strong,
    Faint,
    Bad,
    Warn,
    Good,
    Hint,
    BadTitle,
    WarnTitle,
    GoodTitle,
}

impl Tone {
    fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Bad => "\x1b[31m",
            Self::Warn => "\x1b[33m",
            Self::Good => "\x1b[32m",
            Self::Hint => "\x1b[36m",
            Self::BadTitle => "\x1b[1;31m",
            Self::WarnTitle => "\x1b[1;33m",
            Self::GoodTitle => "\x1b[1;32m",
        }
    }
}

/// A piece of clean text with its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    tone: Tone,
    text: String,
}

/// Returns `text`, cleaned, in `tone`.
pub(super) fn span(tone: Tone, text: impl AsRef<str>) -> Span {
    Span {
        tone,
        text: text::clean(text.as_ref()).into_owned(),
    }
}

/// Returns `text`, cleaned, in no particular tone.
pub(super) fn plain(text: impl AsRef<str>) -> Span {
    span(Tone::Plain, text)
}

/// Returns the columns `spans` take on one line.
pub(super) fn width(spans: &[Span]) -> usize {
    spans.iter().map(|span| text::width(&span.text)).sum()
}

/// Columns to leave free before a text: of its first line, and of the lines it is wrapped to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Indent {
    pub(super) first: usize,
    pub(super) rest: usize,
}

impl Indent {
    /// The same for every line.
    pub(super) fn all(columns: usize) -> Self {
        Self {
            first: columns,
            rest: columns,
        }
    }

    /// Lines after the first hang by two more columns.
    pub(super) fn hanging(columns: usize) -> Self {
        Self {
            first: columns,
            rest: columns + 2,
        }
    }
}

/// Lines being written.
#[derive(Debug)]
pub(super) struct Page {
    color: bool,
    width: usize,
    written: String,
}

impl Page {
    /// Returns an empty page.
    pub(super) fn new(style: &Style) -> Self {
        Self {
            color: style.color,
            width: style.width.max(NARROWEST),
            written: String::new(),
        }
    }

    /// Returns the columns a line may take.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Leaves a line free, unless the page is empty or just did.
    pub(super) fn blank(&mut self) {
        if !self.written.is_empty() && !self.written.ends_with("\n\n") {
            self.written.push('\n');
        }
    }

    /// Writes `spans` as one text, wrapped at spaces.
    pub(super) fn text(&mut self, indent: Indent, spans: &[Span]) {
        self.text_at_most(usize::MAX, indent, spans);
    }

    /// Writes `spans` as one text, wrapped at spaces, and cut after `lines` lines.
    pub(super) fn text_at_most(&mut self, lines: usize, indent: Indent, spans: &[Span]) {
        self.wrapped(lines, indent, spans, split_line);
    }

    /// Writes a line that somebody else wrote, like [`Self::text_at_most`], but breaks no path: it is there to be copied, and
    /// a terminal goes on in its next line.
    pub(super) fn quoted(&mut self, lines: usize, indent: Indent, spans: &[Span]) {
        self.wrapped(lines, indent, spans, split_beside_paths);
    }

    fn wrapped(&mut self, lines: usize, indent: Indent, spans: &[Span], split: Split) {
        let cells: Vec<(char, Tone)> = spans
            .iter()
            .flat_map(|span| span.text.chars().map(|character| (character, span.tone)))
            .collect();
        let mut rest = cells.as_slice();
        let mut columns = indent.first;
        for line in 1.. {
            let room = self.width.saturating_sub(columns).max(2);
            let (taken, left) = split(rest, room);
            if line == lines && !left.is_empty() {
                let (short, _) = split_line(rest, room - 3);
                let mut short = trimmed(short).to_vec();
                let tone = short.last().map_or(Tone::Plain, |cell| cell.1);
                short.extend("...".chars().map(|character| (character, tone)));
                self.line(columns, &short);
                return;
            }
            self.line(columns, taken);
            if left.is_empty() {
                return;
            }
            rest = left;
            columns = indent.rest;
        }
    }

    /// Writes `cells` side by side, padded to `widths`; the last one wraps within its column. Where they do not fit,
    /// the first is on its own line and the others are on the next.
    pub(super) fn columns(&mut self, indent: usize, cells: &[Vec<Span>], widths: &[usize]) {
        let Some((last, padded)) = cells.split_last() else {
            return;
        };
        let mut line: Vec<Span> = Vec::new();
        let mut fits = true;
        for (position, cell) in padded.iter().enumerate() {
            let wanted = widths.get(position).copied().unwrap_or(0);
            fits &= width(cell) <= wanted;
            line.extend(cell.iter().cloned());
            line.push(plain(" ".repeat(wanted.saturating_sub(width(cell)) + GAP)));
        }
        let start = indent + width(&line);
        fits &= start + width(last).min(NARROWEST_COLUMN) <= self.width;
        if fits {
            line.extend(last.iter().cloned());
            let rest = if padded.is_empty() { indent + 2 } else { start };
            self.text(
                Indent {
                    first: indent,
                    rest,
                },
                &line,
            );
        } else {
            self.stacked(indent, cells);
        }
    }

    fn stacked(&mut self, indent: usize, cells: &[Vec<Span>]) {
        let Some((first, others)) = cells.split_first() else {
            return;
        };
        self.text(Indent::hanging(indent), first);
        let mut line: Vec<Span> = Vec::new();
        for cell in others.iter().filter(|cell| 0 < width(cell)) {
            if !line.is_empty() {
                line.push(plain(" ".repeat(GAP)));
            }
            line.extend(cell.iter().cloned());
        }
        if !line.is_empty() {
            self.text(Indent::hanging(indent + 4), &line);
        }
    }

    /// Returns what was written, ending with a line end unless nothing was.
    pub(super) fn finish(mut self) -> String {
        let end = self.written.trim_end_matches('\n').len();
        self.written.truncate(end);
        if !self.written.is_empty() {
            self.written.push('\n');
        }
        self.written
    }

    fn line(&mut self, indent: usize, cells: &[(char, Tone)]) {
        let cells = trimmed(cells);
        if !cells.is_empty() {
            self.written.extend(std::iter::repeat_n(' ', indent));
        }
        let mut tone = Tone::Plain;
        for (character, wanted) in cells {
            // Spaces look the same in every tone here; not switching for them keeps the escapes few.
            if self.color && *wanted != tone && *character != ' ' {
                self.switch(tone, *wanted);
                tone = *wanted;
            }
            self.written.push(*character);
        }
        if self.color {
            self.switch(tone, Tone::Plain);
        }
        self.written.push('\n');
    }

    fn switch(&mut self, from: Tone, to: Tone) {
        if from == to {
            return;
        }
        if from != Tone::Plain {
            self.written.push_str("\x1b[0m");
        }
        self.written.push_str(to.sgr());
    }
}

/// A character with its tone.
type Cell = (char, Tone);

/// Splits off the first line of a text that is to be so wide.
type Split = fn(&[Cell], usize) -> (&[Cell], &[Cell]);

/// The longest path that is not broken, in characters: what is longer is hardly one.
const LONGEST_PATH: usize = 400;

/// Splits off the first line as [`split_line`] does, and leaves a path whole that no line has room for.
fn split_beside_paths(cells: &[Cell], room: usize) -> (&[Cell], &[Cell]) {
    let (taken, left) = split_line(cells, room);
    if left.is_empty() {
        return (taken, left);
    }
    let is_space = |cell: &Cell| cell.0 == ' ';
    let at = cells.len() - left.len();
    let start = cells[..at]
        .iter()
        .rposition(is_space)
        .map_or(0, |space| space + 1);
    let end = cells[at..]
        .iter()
        .position(is_space)
        .map_or(cells.len(), |space| at + space);
    let word = &cells[start..end];
    let width: usize = word.iter().map(|cell| text::char_width(cell.0)).sum();
    if width <= room || !is_path(word) {
        return (taken, left);
    }
    let spaces = cells[end..].iter().position(|cell| !is_space(cell));
    let next = spaces.map_or(cells.len(), |spaces| end + spaces);
    (&cells[..end], &cells[next..])
}

/// Returns whether a word is a path, with a line in the file or not: escaped bytes are none.
fn is_path(word: &[Cell]) -> bool {
    let drive =
        matches!(word, [(letter, _), (':', _), ('\\', _), ..] if letter.is_ascii_alphabetic());
    let separator = if drive { '\\' } else { '/' };
    let is_plain = |cell: &Cell| cell.0.is_alphanumeric() || "._-+:@~()[]".contains(cell.0);
    word.len() <= LONGEST_PATH
        && word.iter().any(|cell| cell.0 == separator)
        && word
            .iter()
            .all(|cell| cell.0 == separator || is_plain(cell))
}

/// Splits off the first line: as many whole words as fit into `room` columns, or as much of a long word as does.
fn split_line(cells: &[Cell], room: usize) -> (&[Cell], &[Cell]) {
    let mut used = 0;
    let mut last_space = None;
    let mut word_seen = false;
    for (position, (character, _)) in cells.iter().enumerate() {
        used += text::char_width(*character);
        let is_space = *character == ' ';
        if is_space && word_seen && !is_before_unit(cells, position) {
            last_space = Some(position);
        }
        word_seen |= !is_space;
        if room < used {
            let cut = last_space.unwrap_or(position.max(1));
            let next = cells[cut..]
                .iter()
                .position(|(character, _)| *character != ' ')
                .map_or(cells.len(), |spaces| cut + spaces);
            return (&cells[..cut], &cells[next..]);
        }
    }
    (cells, &[])
}

/// Returns whether the space at `position` stands between a number and its unit.
fn is_before_unit(cells: &[Cell], position: usize) -> bool {
    let before = position.checked_sub(1).map(|before| cells[before].0);
    if !before.is_some_and(|character| character.is_ascii_digit()) {
        return false;
    }
    let word: String = cells[position + 1..]
        .iter()
        .map(|cell| cell.0)
        .take_while(|character| *character == '%' || character.is_ascii_alphabetic())
        .take(4)
        .collect();
    UNITS.contains(&word.as_str())
}

fn trimmed(cells: &[Cell]) -> &[Cell] {
    let end = cells
        .iter()
        .rposition(|(character, _)| *character != ' ')
        .map_or(0, |last| last + 1);
    &cells[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize) -> Page {
        Page::new(&Style {
            width,
            ..Style::default()
        })
    }

    #[test]
    fn text_wraps_at_spaces_and_long_words_are_broken() {
        let mut page = page(40);
        page.text(
            Indent::hanging(2),
            &[
                plain("one two three four five six seven eight nine"),
                plain(" x".repeat(2)),
            ],
        );
        page.text(Indent::all(0), &[plain("w".repeat(50))]);
        let expected = format!(
            "  one two three four five six seven\n    eight nine x x\n{}\n{}\n",
            "w".repeat(40),
            "w".repeat(10)
        );
        assert_eq!(page.finish(), expected);
    }

    #[test]
    fn a_number_keeps_its_unit() {
        let mut page = page(40);
        page.text(
            Indent::all(0),
            &[plain(
                "a rate of failure that is higher than 45 %; and 7 seconds",
            )],
        );
        assert_eq!(
            page.finish(),
            "a rate of failure that is higher than\n45 %; and 7 seconds\n"
        );
    }

    #[test]
    fn the_last_column_wraps_within_itself() {
        let mut page = page(40);
        page.columns(
            2,
            &[
                vec![plain("tz")],
                vec![plain("seen as two different zones here")],
            ],
            &[8],
        );
        assert_eq!(
            page.finish(),
            "  tz         seen as two different zones\n             here\n"
        );
    }

    #[test]
    fn a_text_with_a_limit_ends_in_dots() {
        let mut page = page(40);
        page.text_at_most(1, Indent::all(0), &[plain("word ".repeat(20))]);
        assert_eq!(page.finish(), "word word word word word word word...\n");
    }

    #[test]
    fn a_path_that_is_quoted_is_not_broken_and_other_words_are() {
        let path = "/rustc/5980/library/std/src/panicking.rs:689:5";
        let mut page = page(40);
        let line = format!("             at {path}");
        page.quoted(
            4,
            Indent { first: 6, rest: 8 },
            &[plain("| "), plain(&line)],
        );
        page.quoted(
            2,
            Indent::all(0),
            &[plain(format!(
                "see {path} and what follows it there is more"
            ))],
        );
        page.quoted(2, Indent::all(0), &[plain("w".repeat(50))]);
        page.quoted(2, Indent::all(0), &[plain("a/".repeat(300))]);
        let (whole, rest) = ("a/".repeat(20), "a/".repeat(18));
        let expected = format!(
            "      |              at {path}\nsee {path}\nand what follows it there is more\n{}\n{}\n{whole}\n{rest}a...\n",
            "w".repeat(40),
            "w".repeat(10),
        );
        assert_eq!(page.finish(), expected);
    }

    #[test]
    fn tones_are_closed_at_the_end_of_every_line() {
        let mut page = Page::new(&Style {
            color: true,
            width: 40,
            ..Style::default()
        });
        page.text(
            Indent::all(0),
            &[span(Tone::Bad, "word ".repeat(10)), plain("end")],
        );
        for line in page.finish().lines() {
            assert_eq!(line.matches("\x1b[31m").count(), 1, "{line:?}");
            assert_eq!(line.matches("\x1b[0m").count(), 1, "{line:?}");
        }
    }

    #[test]
    fn columns_that_do_not_fit_go_below_the_first() {
        let mut page = page(40);
        let cells = |name: &str| {
            vec![
                vec![plain(name)],
                vec![plain("low 0/9")],
                vec![plain("always")],
            ]
        };
        page.columns(2, &cells("short"), &[10, 7, 0]);
        page.columns(2, &cells("a_name_longer_than_its_column"), &[10, 7, 0]);
        assert_eq!(
            page.finish(),
            "  short        low 0/9   always\n  a_name_longer_than_its_column\n      low 0/9   always\n"
        );
    }

    #[test]
    fn an_escape_in_a_text_never_gets_through() {
        let mut page = page(80);
        page.text(Indent::all(0), &[plain("a\x1b[31mb\nc")]);
        assert_eq!(page.finish(), "a\\x1b[31mb\\nc\n");
    }
}
