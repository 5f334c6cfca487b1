//! Which tool runs the suite of a project that is not cargo's, told by the files at its root, and the `[runner]` that fits it.
//!
//! What is tried with these tools stands in `docs/runners.md`.

/// A tool, and the `[runner]` for it as `fidelity.toml` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// What people call the tool, and what it needs beside itself.
    pub tool: &'static str,
    /// Files of which any says that it is this tool.
    files: &'static [&'static str],
    /// A word that such a file has to have; none where the file says enough.
    word: Option<&'static str>,
    /// Keys of `[runner]` with their values.
    keys: [(&'static str, &'static str); 3],
}

/// The tools that are recognised, the first that fits first.
const RECIPES: [Recipe; 5] = [
    Recipe {
        tool: "pytest",
        files: &[
            "pytest.ini",
            "conftest.py",
            "pyproject.toml",
            "tox.ini",
            "setup.cfg",
            "setup.py",
        ],
        word: None,
        keys: [
            (
                "command",
                "[\"python3\", \"-m\", \"pytest\", \"--junitxml={dir}/junit.xml\"]",
            ),
            ("junit", "[\"{dir}/junit.xml\"]"),
            ("select", "\"pytest\""),
        ],
    },
    Recipe {
        tool: "Go (by gotestsum)",
        files: &["go.mod"],
        word: None,
        keys: [
            (
                "command",
                "[\"gotestsum\", \"--junitfile={dir}/go.xml\", \"--\", \"-count=1\", \"{select}\", \"./...\"]",
            ),
            ("junit", "[\"{dir}/go.xml\"]"),
            ("select", "\"go\""),
        ],
    },
    Recipe {
        tool: "Maven",
        files: &["pom.xml"],
        word: None,
        keys: [
            ("command", "[\"mvn\", \"-q\", \"test\"]"),
            ("junit", "[\"target/surefire-reports/TEST-*.xml\"]"),
            ("select", "\"maven\""),
        ],
    },
    Recipe {
        tool: "Jest (with jest-junit)",
        files: &["package.json"],
        word: Some("jest"),
        keys: [
            (
                "command",
                "[\"npx\", \"jest\", \"--ci\", \"--reporters=jest-junit\"]",
            ),
            ("junit", "[\"junit.xml\"]"),
            ("select", "\"jest\""),
        ],
    },
    Recipe {
        tool: "node's own runner",
        files: &["package.json"],
        word: Some("node --test"),
        keys: [
            (
                "command",
                "[\"node\", \"--test\", \"--test-reporter=junit\", \"--test-reporter-destination={dir}/node.xml\", \"{select}\"]",
            ),
            ("junit", "[\"{dir}/node.xml\"]"),
            ("select", "\"node\""),
        ],
    },
];

impl Recipe {
    /// Returns the value of a key of `[runner]`; none where the tool needs none.
    pub(super) fn value(&self, key: &str) -> Option<&'static str> {
        let mut keys = self.keys.iter();
        keys.find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// Returns the tool that the files of a project say it uses, where `read` gives the text of a file that is there.
pub fn recognised(read: &dyn Fn(&str) -> Option<String>) -> Option<Recipe> {
    let says = |recipe: &&Recipe| {
        let mut texts = recipe.files.iter().filter_map(|file| read(file));
        texts.any(|text| recipe.word.is_none_or(|word| text.contains(word)))
    };
    RECIPES.iter().find(says).copied()
}

/// Returns what people call the tools that are recognised.
pub fn tools() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|recipe| recipe.tool)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Source, init, resolve};
    use crate::domain::RunnerKind;

    #[test]
    fn every_recipe_makes_a_file_that_can_be_read_and_runs_a_command() {
        for recipe in RECIPES {
            let text = init::text_for(Some(&recipe));
            let source = Source::file("fidelity.toml", "fidelity.toml", text);
            let settings = resolve(Some(&source), &Overrides::default());
            let runner = settings.expect(recipe.tool).runner;
            assert_eq!(runner.kind, RunnerKind::Command, "{}", recipe.tool);
            assert!(!runner.junit.is_empty(), "{}", recipe.tool);
            assert!(runner.select.is_some(), "{}", recipe.tool);
        }
    }

    #[test]
    fn a_tool_is_recognised_by_its_files_and_by_what_they_say() {
        let tool = |files: &[(&str, &str)]| {
            let read = |name: &str| {
                let mut files = files.iter();
                let found = files.find(|(file, _)| *file == name);
                found.map(|(_, text)| (*text).to_owned())
            };
            recognised(&read).map(|recipe| recipe.tool)
        };
        assert_eq!(tool(&[("setup.py", "")]), Some("pytest"));
        assert_eq!(tool(&[("go.mod", "module m")]), Some("Go (by gotestsum)"));
        let scripts = r#"{"scripts": {"test": "node --test"}}"#;
        assert_eq!(
            tool(&[("package.json", scripts)]),
            Some("node's own runner")
        );
        let jest = r#"{"devDependencies": {"jest": "29"}}"#;
        assert_eq!(
            tool(&[("package.json", jest)]),
            Some("Jest (with jest-junit)")
        );
        assert_eq!(tool(&[("package.json", "{}")]), None);
        assert_eq!(tool(&[("README.md", "jest")]), None);
    }
}
