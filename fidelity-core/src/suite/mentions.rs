//! What the sources of a package speak of: words that occur in its Rust files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::domain::KnobId;

/// Files that are read at most, and bytes of each.
const FILES: usize = 2_000;
const BYTES: u64 = 1 << 20;

/// Folders below one another that are looked into.
const DEPTH: usize = 12;

/// Returns the knobs of which a Rust file below `package` has a word, whole. What cannot be read speaks of nothing; packages
/// within the package and what was built are not looked into.
pub fn mentioned(package: &Path, words: &BTreeMap<KnobId, Vec<String>>) -> BTreeSet<KnobId> {
    let mut left = FILES;
    let mut found = BTreeSet::new();
    look(package, DEPTH, &mut left, &mut |text| {
        for (knob, words) in words {
            if !found.contains(knob) && words.iter().any(|word| has_word(text, word)) {
                found.insert(knob.clone());
            }
        }
    });
    found
}

fn look(folder: &Path, depth: usize, left: &mut usize, tell: &mut dyn FnMut(&str)) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            let is_other = name.starts_with('.') || name == "target";
            if 0 < depth && !is_other && !path.join("Cargo.toml").exists() {
                look(&path, depth - 1, left, tell);
            }
        } else if is_source && metadata.is_file() && metadata.len() <= BYTES {
            if *left == 0 {
                return;
            }
            *left -= 1;
            tell(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// Returns whether `word` occurs in `text` and is no part of a longer word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| {
        character.is_some_and(|character| character.is_alphanumeric() || character == '_')
    };
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_of_the_package_itself_are_found() {
        let package = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = package.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("src/deep/er/lib.rs", "env::var(\"APP_MODE\")");
        write("src/lib.rs", "APP_REGIONS _APP_ZONE TZ;");
        write("README.md", "APP_ELSE");
        write("target/debug/build.rs", "APP_ELSE");
        write("other/Cargo.toml", "");
        write("other/src/lib.rs", "APP_ELSE");
        let knobs = ["APP_MODE", "APP_REGION", "APP_ZONE", "APP_ELSE", "TZ"];
        let words = knobs.map(|word| (KnobId::from(word), vec![word.to_owned()]));
        let found = mentioned(package.path(), &words.into());
        assert_eq!(found, ["APP_MODE", "TZ"].map(KnobId::from).into());
        assert!(mentioned(&package.path().join("nowhere"), &BTreeMap::new()).is_empty());
    }
}
