//! Which known word was likely meant.

/// Returns the known word that differs from `word` in the fewest letters, if that is at most a third of them.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let longest = word.chars().count().max(3);
    known
        .iter()
        .map(|candidate| (distance(&word, candidate), *candidate))
        .filter(|(distance, _)| distance * 3 <= longest)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns how many letters have to be added, taken away or changed (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_or_two_apart_is_meant_and_more_is_not() {
        let known = ["profiles", "needs", "kind", "real"];
        assert_eq!(nearest("profile", &known), Some("profiles"));
        assert_eq!(nearest("Kind", &known), Some("kind"));
        assert_eq!(nearest("need", &known), Some("needs"));
        assert_eq!(nearest("budget", &known), None);
    }

    #[test]
    fn the_distance_is_that_of_levenshtein() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
