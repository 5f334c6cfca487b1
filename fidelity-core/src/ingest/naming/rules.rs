//! What a name loses because it differs from run to run.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::paths;

/// A rule for names. Each can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// `@stress-N` of a cargo-nextest suite is the number of a pass and no part of the name.
    Stress,
    /// The number after the word seed: `rspec --seed 4711` is `rspec --seed *`.
    Seeds,
    /// What parameters show of memory and chance: `[<Db object at 0x7f30a1b2c3d4>]` is `[<Db object at 0x*>]`, a UUID is `*`.
    Parameters,
    /// Absolute paths: below the workspace or the checkout of a known CI service they are relative to it, a home directory is `~`, and a
    /// temporary directory `<tmp>`, without the parts of its name that are random.
    Paths,
    /// White space: none around a name, one space within.
    Spaces,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 5] = [
        Self::Stress,
        Self::Seeds,
        Self::Parameters,
        Self::Paths,
        Self::Spaces,
    ];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stress => "stress",
            Self::Seeds => "seeds",
            Self::Parameters => "parameters",
            Self::Paths => "paths",
            Self::Spaces => "spaces",
        }
    }

    /// Returns the rule with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }
}

/// The rules that names are made by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    off: Vec<Rule>,
    /// Directories that paths are relative to, with `/` between parts, none at the end.
    roots: Vec<String>,
}

static SEED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(seed)([ =:]+)(0x[0-9a-f]+|[0-9]+)\b").ok());
static ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(at )0x[0-9a-fA-F]{6,16}\b|\b0xc000[0-9a-f]{6}\b").ok());
static UUID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
        .ok()
});

/// What a rule leaves may make room for another one; never more often than this.
const ROUNDS: usize = 8;

impl Rules {
    /// Returns the same rules without one.
    #[must_use]
    pub fn without(mut self, rule: Rule) -> Self {
        self.off.push(rule);
        self
    }

    /// Returns the same rules with a directory that paths are relative to: the workspace, or where the suite ran.
    #[must_use]
    pub fn relative_to(mut self, directory: &str) -> Self {
        let root = directory.replace('\\', "/");
        let root = root.trim_end_matches('/');
        if !root.is_empty() {
            self.roots.push(root.to_owned());
        }
        self
    }

    /// Returns whether a rule holds.
    pub fn is_on(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// Returns a name by these rules.
    ///
    /// # Guarantee
    /// Idempotent: the result is its own result.
    pub fn normal<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let mut name = Cow::Borrowed(name);
        for _ in 0..ROUNDS {
            let Some(changed) = self.round(&name) else {
                return name;
            };
            name = Cow::Owned(changed);
        }
        name
    }

    /// Applies each rule once; none if nothing changes.
    fn round(&self, name: &str) -> Option<String> {
        let mut changed: Option<String> = None;
        if self.is_on(Rule::Spaces) && has_odd_spaces(name) {
            let words: Vec<&str> = name.split_whitespace().collect();
            changed = Some(words.join(" "));
        }
        let mut apply = |rule, sign: &str, regex: &LazyLock<Option<Regex>>, by: &str| {
            let text = changed.as_deref().unwrap_or(name);
            if self.is_on(rule)
                && contains_word(text, sign)
                && let Some(regex) = regex.as_ref()
                && let Cow::Owned(replaced) = regex.replace_all(text, by)
                && replaced != text
            {
                changed = Some(replaced);
            }
        };
        apply(Rule::Seeds, "seed", &SEED, "${1}${2}*");
        apply(Rule::Parameters, "at 0x", &ADDRESS, "${1}0x*");
        apply(Rule::Parameters, "0xc000", &ADDRESS, "${1}0x*");
        apply(Rule::Parameters, "-", &UUID, "*");
        if self.is_on(Rule::Paths) {
            let text = changed.as_deref().unwrap_or(name);
            if let Some(replaced) = paths::shortened(text, &self.roots) {
                changed = Some(replaced);
            }
        }
        changed
    }
}

fn has_odd_spaces(name: &str) -> bool {
    let mut before = true;
    for c in name.chars() {
        let space = c.is_whitespace();
        if space && (before || c != ' ') {
            return true;
        }
        before = space;
    }
    before && !name.is_empty()
}

/// Returns whether a text contains a word of small letters, its own letters being of either size.
fn contains_word(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}
