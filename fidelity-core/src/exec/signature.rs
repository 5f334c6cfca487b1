//! Failure signatures: what two failures have to share to be called alike.
//!
//! A signature is the place of the panic and the skeleton of its message: what changes from one failure to the next
//! (numbers, addresses, paths, times) is taken out. Pure: bytes in, text out.

/// A panic as the standard library's hook prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// File, line and column as printed, paths cut to what is the same on every machine.
    pub location: String,
    /// The message, lines separated by `\n`.
    pub message: String,
}

/// Longest skeleton kept, in characters.
const LONGEST: usize = 240;
/// Longest part kept of a value that an assertion compared, in characters.
const SIDE: usize = 80;
/// Lines of a message that go into a skeleton.
const MOST_LINES: usize = 6;

/// Returns the panic that decided about `test`: the last one in its thread, or else the last one.
///
/// Earlier ones were caught; those of other threads are what made it fail, or not its business.
pub fn find_panic(stderr: &[u8], test: &str) -> Option<Panic> {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().collect();
    let heads: Vec<(usize, Head<'_>)> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, head(line)?)))
        .collect();
    let (at, head) = heads
        .iter()
        .rfind(|(_, head)| head.thread == test)
        .or(heads.last())?;
    let message = match head.message {
        Some(message) => message.to_owned(),
        None => message_after(&lines[at + 1..]),
    };
    Some(Panic {
        location: shorten_location(head.location),
        message,
    })
}

/// Returns a panic's message in one line: its first, and what an assertion compared.
pub fn in_one_line(message: &str) -> String {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let sides = lines
        .map(str::trim)
        .filter(|line| line.starts_with("left: ") || line.starts_with("right: "));
    let sides: Vec<String> = sides
        .take(2)
        .map(|side| side.chars().take(SIDE).collect())
        .collect();
    match sides.is_empty() {
        true => first,
        false => format!("{first} ({})", sides.join(", ")),
    }
}

/// The line a panic begins with.
struct Head<'a> {
    thread: &'a str,
    location: &'a str,
    /// Before Rust 1.73 the message was on the same line.
    message: Option<&'a str>,
}

fn head(line: &str) -> Option<Head<'_>> {
    // Output of the test may precede it on the line.
    let (_, rest) = line.split_once("thread '")?;
    let (before, after) = rest.split_once(" panicked at ")?;
    let (thread, _) = before.rsplit_once('\'')?;
    match after.strip_suffix(':') {
        Some(location) => Some(Head {
            thread,
            location,
            message: None,
        }),
        None => {
            let (message, location) = after.strip_prefix('\'')?.rsplit_once("', ")?;
            Some(Head {
                thread,
                location,
                message: Some(message),
            })
        }
    }
}

/// Returns the lines up to what the hook or the harness says next.
fn message_after(lines: &[&str]) -> String {
    let ends = |line: &&&str| {
        [
            "note: run with `RUST_BACKTRACE",
            "stack backtrace:",
            "thread '",
        ]
        .iter()
        .any(|start| line.starts_with(start))
    };
    let message: Vec<&str> = lines
        .iter()
        .take_while(|line| !ends(line))
        .copied()
        .collect();
    message.join("\n").trim_end().to_owned()
}

/// Cuts a source path to what is the same on every machine.
fn shorten_location(location: &str) -> String {
    let cuts: [(&str, &str); 3] = [
        ("/registry/src/", ""),
        ("/git/checkouts/", ""),
        ("/library/", "library/"),
    ];
    for (mark, instead) in cuts {
        let Some((_, rest)) = location.split_once(mark) else {
            continue;
        };
        // Below the registry there is the name of an index, or of a checkout, first.
        let rest = match instead {
            "" => rest.split_once('/').map_or(rest, |(_, rest)| rest),
            _ => rest,
        };
        return format!("{instead}{rest}");
    }
    location.to_owned()
}

/// Returns the signature of a panic: location and skeleton.
pub fn of_panic(panic: &Panic) -> String {
    format!("{}: {}", panic.location, skeleton(&panic.message))
}

/// Returns ` (SIGSEGV)` and the like; nothing for a signal without a common name. By number, because reports come from other
/// machines too: that of Linux, or of macOS where this is one.
pub fn signal_name(signal: i32) -> &'static str {
    let of_this_system = match (cfg!(target_os = "macos"), signal) {
        (false, 7) | (true, 10) => " (SIGBUS)",
        (false, 31) | (true, 12) => " (SIGSYS)",
        _ => "",
    };
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        4 => " (SIGILL)",
        5 => " (SIGTRAP)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        24 => " (SIGXCPU)",
        25 => " (SIGXFSZ)",
        _ => of_this_system,
    }
}

/// Returns the signature of output without a panic: the skeleton of its last lines.
pub fn of_output(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.get(lines.len().saturating_sub(2)..)?.join("\n");
    (!last.is_empty()).then(|| skeleton(&last))
}

/// Returns `message` without what changes from one failure to the next, at most 240 characters on one line.
///
/// Numbers (with their unit of time), hexadecimal words and ids become `#`; absolute paths become `<path>`; random names of
/// temporary files become `tmp#`; runs of white space become one space.
pub fn skeleton(message: &str) -> String {
    let lines: Vec<&str> = message.lines().take(MOST_LINES).collect();
    let text = lines.join(" ");
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let (written, length) = piece(rest, first, result.chars().next_back());
        if !(written == " " && result.ends_with(' ')) {
            result.push_str(written);
        }
        rest = &rest[length..];
    }
    result.trim().chars().take(LONGEST).collect()
}

/// Returns what stands for the beginning of `rest`, and how many bytes of it that covers.
fn piece(rest: &str, first: char, before: Option<char>) -> (&str, usize) {
    if first.is_whitespace() {
        return (" ", first.len_utf8());
    }
    if first == '/' && !before.is_some_and(|before| before.is_alphanumeric() || before == '/') {
        let end = rest.find(ends_path).unwrap_or(rest.len());
        return if end > 1 { ("<path>", end) } else { ("/", 1) };
    }
    if !is_word(first) {
        return (&rest[..first.len_utf8()], first.len_utf8());
    }
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    if is_hexadecimal(word) {
        return ("#", end);
    }
    if is_temporary(word, before) {
        return ("tmp#", end);
    }
    if first.is_ascii_digit() {
        return ("#", number_length(rest));
    }
    match word.find(|c: char| c.is_ascii_digit()) {
        // A name such as `utf8` or `user_42`: keep the name, drop its number.
        Some(digits) => (&rest[..digits], digits),
        None => (word, end),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_path(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ')' | ']' | '}' | '>' | ',' | ';')
}

/// Returns whether `word` is an address, a hash or the like: `0x7f...`, or eight or more digits with a letter in them.
fn is_hexadecimal(word: &str) -> bool {
    if let Some(digits) = word.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    word.len() >= 8
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Returns whether `word` is a random name as libraries give it to temporary files and directories.
///
/// - Python's tempfile: `tmp` and eight of `a-z`, `0-9`, `_`. Where nothing says that it is the name of a file (no `/`, `\` before it), a
///   digit has to stand before the last letter: `tmp_factory` and `tmp_user_42` are words that people write. One in eight random names is
///   not recognised there.
/// - Rust's tempfile: `.tmp` and six letters and digits, a capital or a digit among them.
pub(crate) fn is_temporary(word: &str, before: Option<char>) -> bool {
    let Some(random) = word.strip_prefix("tmp") else {
        return false;
    };
    let is_python = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match before {
        Some('.') => {
            random.len() == 6
                && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && !random.bytes().all(|byte| byte.is_ascii_lowercase())
        }
        _ if random.len() != 8 || !random.bytes().all(is_python) => false,
        Some('/' | '\\') => true,
        _ => random
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .bytes()
            .any(|byte| byte.is_ascii_digit()),
    }
}

/// Returns the length of the number at the beginning of `rest`, fraction, exponent and unit of time included.
fn number_length(rest: &str) -> usize {
    let digits = |text: &str| {
        text.bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'_')
            .count()
    };
    let mut end = digits(rest);
    if let Some(fraction) = rest[end..].strip_prefix('.') {
        let length = digits(fraction);
        end += if length > 0 { 1 + length } else { 0 };
    }
    if let Some(exponent) = rest[end..].strip_prefix('e') {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let length = digits(&exponent[sign..]);
        end += if length > 0 { 1 + sign + length } else { 0 };
    }
    let unit = ["ns", "µs", "us", "ms", "s"]
        .into_iter()
        .find(|unit| {
            rest[end..]
                .strip_prefix(unit)
                .is_some_and(|after| !after.starts_with(is_word))
        })
        .map_or(0, str::len);
    end + unit
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
