//! Globs over paths, part by part, so that folders that cannot hold a match are not looked into.
//!
//! `*` is any text within a name and `?` any character of it; `**` is any number of folders, and everything below at the
//! end; everything else is itself.

/// A glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `**`.
    Folders,
    /// A name.
    Name(Vec<u8>),
}

/// How far a path has matched: the parts that may come next, ascending.
pub(super) type Progress = Vec<usize>;

impl Glob {
    /// Reads the glob, which configuration has found sound.
    pub(super) fn new(text: &str) -> Self {
        let parts = text.split('/').filter(|part| !part.is_empty());
        Self {
            parts: parts
                .map(|part| match part {
                    "**" => Part::Folders,
                    name => Part::Name(name.as_bytes().to_vec()),
                })
                .collect(),
        }
    }

    /// Returns where every path begins.
    pub(super) fn start(&self) -> Progress {
        self.closed(vec![0])
    }

    /// Returns how far a path has matched that goes on with the folder `name`; nothing where no match can be below it.
    pub(super) fn enter(&self, progress: &Progress, name: &[u8]) -> Progress {
        let mut next = Vec::new();
        for &at in progress {
            match self.parts.get(at) {
                Some(Part::Folders) => next.push(at),
                Some(Part::Name(pattern)) if matches(pattern, name) => next.push(at + 1),
                _ => {}
            }
        }
        self.closed(next)
    }

    /// Returns the only name that can come next, where there is only one: most globs begin with a folder.
    pub(super) fn only(&self, progress: &Progress) -> Option<&str> {
        let [at] = progress.as_slice() else {
            return None;
        };
        match self.parts.get(*at) {
            Some(Part::Name(name)) if !name.iter().any(|byte| matches!(byte, b'*' | b'?')) => {
                std::str::from_utf8(name).ok()
            }
            _ => None,
        }
    }

    /// Returns whether a path matches that ends with the file `name`.
    pub(super) fn is_match(&self, progress: &Progress, name: &[u8]) -> bool {
        let last = self.parts.len().wrapping_sub(1);
        progress.iter().any(|&at| match self.parts.get(at) {
            Some(Part::Folders) => at == last,
            Some(Part::Name(pattern)) => at == last && matches(pattern, name),
            None => false,
        })
    }

    /// Adds what `**` may stand for: no folder at all.
    fn closed(&self, mut progress: Progress) -> Progress {
        let mut position = 0;
        while let Some(&at) = progress.get(position) {
            if self.parts.get(at) == Some(&Part::Folders) {
                progress.push(at + 1);
            }
            position += 1;
        }
        progress.retain(|at| *at < self.parts.len());
        progress.sort_unstable();
        progress.dedup();
        progress
    }
}

impl Glob {
    /// Returns whether the glob matches a whole path, whose parts are separated by `/`.
    pub(super) fn matches(&self, path: &str) -> bool {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut progress = self.start();
        for folder in folders.split('/').filter(|part| !part.is_empty()) {
            progress = self.enter(&progress, folder.as_bytes());
        }
        self.is_match(&progress, name.as_bytes())
    }
}

/// Returns whether `name` is what `pattern` says, with `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(&byte), _) if byte == b'?' || name.get(from) == Some(&byte) => {
                at += 1;
                from += 1;
            }
            (_, Some((position, taken))) => {
                star = Some((position, taken + 1));
                at = position + 1;
                from = taken + 1;
            }
            _ => return false,
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(glob: &str, path: &str) -> bool {
        Glob::new(glob).matches(path)
    }

    #[test]
    fn names_match_part_by_part() {
        for (glob, path) in [
            ("a", "a"),
            ("a/*.sql", "a/1.sql"),
            ("a/*", "a/.hidden"),
            ("a/**", "a/b"),
            ("a/**", "a/b/c/d"),
            ("**", "a/b"),
            ("**/x", "x"),
            ("**/x", "a/b/x"),
            ("a/**/x", "a/x"),
            ("a/**/x", "a/b/c/x"),
            ("a?c*e/f", "abcde/f"),
            ("*a*b", "xaybab"),
            ("**/b/**", "a/b/c"),
            ("**/**", "a"),
        ] {
            assert!(is_match(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("a", "a/b"),
            ("a", "b"),
            ("a/*.sql", "a/b/1.sql"),
            ("a/**", "a"),
            ("a/**", "b/a/c"),
            ("a/**/x", "a/y"),
            ("**/x", "a/x/y"),
            ("a?", "a"),
            ("*a*b", "xayba"),
            ("", "a"),
        ] {
            assert!(!is_match(glob, path), "{glob} {path}");
        }
    }
}
