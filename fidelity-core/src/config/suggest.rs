//! The nearest valid word to one that is not valid.

use std::borrow::Cow;

/// How alike two words have to be, from 0 to 1, for the one to be proposed for the other.
const ALIKE: f64 = 0.6;

/// A word that could have been meant, and how it is really called.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) word: Cow<'a, str>,
    pub(crate) stands_for: Cow<'a, str>,
}

impl<'a> Candidate<'a> {
    /// Returns a word that stands for itself.
    pub(crate) fn plain(word: &'a str) -> Self {
        Self::alias(word, word)
    }

    /// Returns a word that stands for another.
    pub(crate) fn alias(word: &'a str, stands_for: &'a str) -> Self {
        Self {
            word: Cow::Borrowed(word),
            stands_for: Cow::Borrowed(stands_for),
        }
    }
}

/// Returns what the candidate nearest to `word` stands for; none where none is near. Case and `_` for `-` do not count.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Option<String> {
    // Similarity takes time in proportion to the length of both words; a key of a megabyte is like nothing we know.
    const LONGEST: usize = 100;
    if LONGEST < word.len() {
        return None;
    }
    let word = word.to_lowercase().replace('_', "-");
    let mut best: Option<(f64, String)> = None;
    for candidate in candidates {
        let known = candidate.word.to_lowercase().replace('_', "-");
        let alike = strsim::normalized_damerau_levenshtein(&word, &known);
        let better = best.as_ref().is_none_or(|(score, _)| *score < alike);
        if ALIKE <= alike && better {
            best = Some((alike, candidate.stands_for.into_owned()));
        }
    }
    best.map(|(_, stands_for)| stands_for)
}

/// Returns the one of `words` that was probably meant by `word`; none where none is near.
pub fn nearest_word(word: &str, words: &[&str]) -> Option<String> {
    nearest(word, words.iter().copied().map(Candidate::plain))
}

/// Returns what was probably meant by a name that nothing has: what has it but for case, or has it as a part alone, or is called most
/// alike. Names come as `(name, what it stands for)`.
pub fn nearest_name(name: &str, names: &[(&str, &str)]) -> Option<String> {
    let lower = name.to_lowercase();
    let mut within = names
        .iter()
        .filter(|(other, _)| other.to_lowercase().contains(&lower));
    if let Some((_, meant)) = within.next()
        && within.all(|(_, other)| other == meant)
    {
        return Some((*meant).to_owned());
    }
    let candidates = names.iter();
    nearest(
        name,
        candidates.map(|(name, meant)| Candidate::alias(name, meant)),
    )
}

/// Returns the hint that proposes the nearest of `words` to `word`, or else lists them all.
pub(crate) fn hint<'a>(word: &str, words: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, words.clone().into_iter().map(Candidate::plain)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of {}", list(words)),
    }
}

/// Returns the words in backquotes, separated by commas.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_a_part_of_it_in_another_case_and_by_how_alike_it_is() {
        let names = [
            ("shop dates::is_due", "dates::is_due"),
            ("dates::is_due", "dates::is_due"),
            ("is_due", "dates::is_due"),
            ("pay::adds", "pay::adds"),
            ("adds", "pay::adds"),
        ];
        let meant = |name| nearest_name(name, &names);
        assert_eq!(meant("Is_Due").as_deref(), Some("dates::is_due"));
        assert_eq!(meant("is-deu").as_deref(), Some("dates::is_due"));
        assert_eq!(meant("pya::adds").as_deref(), Some("pay::adds"));
        assert_eq!(meant("nothing_like_it"), None);
        // A part that several have names none of them.
        assert_eq!(meant("D"), None);
    }

    #[test]
    fn the_nearest_word_is_proposed_whatever_its_case() {
        let words = ["open-files", "cpus", "memory"];
        let near = |word: &str| nearest(word, words.into_iter().map(Candidate::plain));
        assert_eq!(near("Open_Files").as_deref(), Some("open-files"));
        assert_eq!(near("memroy").as_deref(), Some("memory"));
        assert_eq!(near("colour"), None);
        assert_eq!(near(&"cpus".repeat(1_000_000)), None);
    }
}
