//! Absolute paths in names: what is left of them on another machine.

/// Where CI services put a checkout; `*` is any one part, and `=` the same part once more.
const CHECKOUTS: [&str; 16] = [
    "/home/runner/work/*/=",
    "/Users/runner/work/*/=",
    "/__w/*/=",
    "?:/a/*/=",
    "/github/workspace",
    "/builds/*/*",
    "/home/circleci/project",
    "/root/project",
    "/home/travis/build/*/*",
    "/home/vsts/work/1/s",
    "?:/a/1/s",
    "/var/lib/jenkins/workspace/*",
    "/var/jenkins_home/workspace/*",
    "/home/jenkins/workspace/*",
    "/home/jenkins/agent/workspace/*",
    "/workspaces/*",
];
/// Where temporary files are.
const TEMPORARY: [&str; 5] = [
    "/tmp",
    "/var/tmp",
    "/private/var/folders/*/*/T",
    "/var/folders/*/*/T",
    "?:/Users/*/AppData/Local/Temp",
];
/// Where the files of a user are.
const HOMES: [&str; 4] = ["/home/*", "/Users/*", "?:/Users/*", "/root"];

/// Returns a text with its absolute paths shortened; none if there are none to shorten.
pub(super) fn shortened(text: &str, roots: &[String]) -> Option<String> {
    if !text.contains(['/', '\\']) {
        return None;
    }
    let mut result = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        if begins_word(before) && is_absolute(rest) {
            let end = rest
                .char_indices()
                .find(|(index, c)| ends_path(*c) && !(*c == ':' && *index == 1))
                .map_or(rest.len(), |(index, _)| index);
            let path = &rest[..end];
            match short(path, roots) {
                Some(short) => {
                    result.push_str(&short);
                    changed = true;
                }
                None => result.push_str(path),
            }
            rest = &rest[end..];
            before = '/';
        } else {
            result.push(c);
            rest = &rest[c.len_utf8()..];
            before = c;
        }
    }
    changed.then_some(result)
}

/// Returns whether a path may begin after this character.
fn begins_word(before: char) -> bool {
    before.is_whitespace()
        || matches!(
            before,
            '"' | '\'' | '`' | '(' | '[' | '{' | '=' | ':' | ',' | ';'
        )
}

fn ends_path(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | ':' | ',' | ';'
        )
}

fn is_absolute(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'/', second, ..] => *second != b'/',
        [letter, b':', b'\\' | b'/', ..] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Returns an absolute path as it is called elsewhere; none if it is called the same.
fn short(path: &str, roots: &[String]) -> Option<String> {
    let path = path.replace('\\', "/");
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let own = roots.iter().filter_map(|root| below(&parts, root, false));
    let checkouts = CHECKOUTS
        .iter()
        .filter_map(|root| below(&parts, root, true));
    // The longest root: the shortest rest.
    if let Some(rest) = own.chain(checkouts).min_by_key(|rest| rest.len()) {
        return Some(if rest.is_empty() {
            ".".to_owned()
        } else {
            rest.join("/")
        });
    }
    let rest_below = |places: &[&str]| places.iter().find_map(|place| below(&parts, place, true));
    if let Some(rest) = rest_below(&TEMPORARY) {
        let first = rest.iter().position(|part| !is_random(part));
        let rest = first.map_or(&[][..], |first| &rest[first..]);
        return Some([&["<tmp>"], rest].concat().join("/"));
    }
    let rest = rest_below(&HOMES)?;
    Some([&["~"], rest].concat().join("/"))
}

/// Returns whether a part of a temporary directory's name may be another one next time.
fn is_random(part: &str) -> bool {
    part.starts_with(".tmp")
        || part.starts_with("tmp")
        || part.starts_with("pytest-of-")
        || part.bytes().any(|byte| byte.is_ascii_digit()) && !part.contains('.')
}

/// Returns the parts below a directory; none if the path does not lead there.
fn below<'p, 'a>(parts: &'p [&'a str], directory: &str, pattern: bool) -> Option<&'p [&'a str]> {
    let mut before = "";
    let mut taken = 0;
    for wanted in directory.split('/').filter(|part| !part.is_empty()) {
        let part = *parts.get(taken)?;
        let fits = match wanted {
            "*" if pattern => true,
            "=" if pattern => part == before,
            "?:" if pattern => part.len() == 2 && part.ends_with(':'),
            _ => part == wanted,
        };
        if !fits {
            return None;
        }
        before = part;
        taken += 1;
    }
    Some(&parts[taken..])
}
