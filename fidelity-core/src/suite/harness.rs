//! Which targets have a harness of their own (`harness = false`). Cargo's metadata does not say; the manifest does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::build::Built;

/// Manifests read so far.
#[derive(Default)]
pub(super) struct Manifests(BTreeMap<PathBuf, Option<Table>>);

impl Manifests {
    /// Returns whether the target brings its own harness. A manifest that cannot be read says nothing: cargo could
    /// read it a moment ago.
    pub(super) fn own_harness(&mut self, built: &Built) -> bool {
        let manifest = self
            .0
            .entry(built.manifest.clone())
            .or_insert_with(|| read(&built.manifest));
        manifest
            .as_ref()
            .is_some_and(|manifest| says_no_harness(manifest, &built.kind, &built.target))
    }
}

fn read(path: &Path) -> Option<Table> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

fn says_no_harness(manifest: &Table, kind: &str, target: &str) -> bool {
    let off = |table: &Value| table.get("harness").and_then(Value::as_bool) == Some(false);
    match kind {
        "lib" | "proc-macro" => manifest.get("lib").is_some_and(off),
        _ => manifest
            .get(kind)
            .and_then(Value::as_array)
            .is_some_and(|targets| {
                targets.iter().any(|table| {
                    table.get("name").and_then(Value::as_str) == Some(target) && off(table)
                })
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_target_of_the_kind_is_meant() {
        let manifest: Table = "[lib]\nharness = false\n\
             [[test]]\nname = \"own\"\nharness = false\n\
             [[test]]\nname = \"usual\"\n\
             [[bench]]\nname = \"usual\"\nharness = false\n"
            .parse()
            .unwrap();
        let own = |kind, target| says_no_harness(&manifest, kind, target);
        assert!(own("lib", "anything"));
        assert!(own("test", "own"));
        assert!(own("bench", "usual"));
        assert!(!own("test", "usual"));
        assert!(!own("test", "absent"));
        assert!(!own("bin", "own"));
    }
}
