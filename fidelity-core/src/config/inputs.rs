//! `inputs = ["migrations/**"]`: globs of files whose content belongs to the environment, so that a change of it is a
//! fidelity change.
//!
//! Decides which globs are sound; what they match is for those to find out who see files.

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Node, Value};
use super::printable::quoted;

/// The most globs of one profile.
const MOST: usize = 200;

/// Reads the list. What is wrong with it goes to `findings`.
pub(super) fn read(node: &Node, findings: &mut Findings) -> Vec<String> {
    let Value::List(items) = &node.value else {
        findings.add(node.wrong_type("inputs", "a list of globs, like `[\"migrations/**\"]`"));
        return Vec::new();
    };
    if MOST < items.len() {
        let message = format!(
            "{} globs are more than the {MOST} that are allowed",
            items.len()
        );
        findings.add(
            ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
                .hint("name folders: `migrations/**`"),
        );
        return Vec::new();
    }
    let mut globs: Vec<String> = items
        .iter()
        .filter_map(|item| glob(item, findings))
        .collect();
    globs.sort_unstable();
    globs.dedup();
    globs
}

fn glob(item: &Node, findings: &mut Findings) -> Option<String> {
    let Some(text) = item.text() else {
        findings.add(item.wrong_type("inputs", "globs, each as text"));
        return None;
    };
    let wrong = match text {
        "" => "a glob of `inputs` is empty".to_owned(),
        text if text.starts_with('/') || text.contains('\\') || text.contains('\0') => {
            format!("{} is no path below the workspace", quoted(text))
        }
        text if text.split('/').any(|part| matches!(part, "" | "." | "..")) => {
            format!("{} leads out of the workspace or nowhere", quoted(text))
        }
        text => return Some(text.to_owned()),
    };
    let error = ConfigError::at(ErrorKind::Malformed, &item.span, wrong)
        .label("expected parts of a path, separated by `/`")
        .hint("`*` stands for a part of a name, `**` for any number of folders: `migrations/**`");
    findings.add(error);
    None
}

#[cfg(test)]
mod tests {
    use crate::config::{Overrides, Source, resolve};

    fn inputs(text: &str) -> Result<[Vec<String>; 2], String> {
        let source = Source::file("fidelity.toml", "fidelity.toml", text);
        let settings = resolve(Some(&source), &Overrides::default());
        settings
            .map(|settings| settings.inputs)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_closest_level_that_names_inputs_wins_and_their_order_is_of_no_effect() {
        let text = "[profile.base]\ninputs = [\"b/**\", \"a\", \"b/**\"]\n[profile.low]\n[profile.high]\ninherits = \"base\"\n";
        let both = ["a".to_owned(), "b/**".to_owned()];
        assert_eq!(inputs(text), Ok([Vec::new(), both.to_vec()]));
        let own = format!("{text}inputs = []\n");
        assert_eq!(inputs(&own), Ok([Vec::new(), Vec::new()]));
        assert_eq!(inputs(""), Ok([Vec::new(), Vec::new()]));
    }

    #[test]
    fn what_is_no_glob_below_the_workspace_is_told() {
        let say = |value: &str| inputs(&format!("[profile.high]\ninputs = {value}\n")).unwrap_err();
        insta::assert_snapshot!(
            ["\"a\"", "[1]", "[\"\"]", "[\"/etc/**\"]", "[\"a/../b\"]", "[\"a//b\"]"].map(say).join("\n"),
            @r#"
        fidelity.toml:2:10: `inputs` takes a list of globs, like `["migrations/**"]`, but this is a text
        fidelity.toml:2:11: `inputs` takes globs, each as text, but this is a whole number
        fidelity.toml:2:11: a glob of `inputs` is empty
        fidelity.toml:2:11: `/etc/**` is no path below the workspace
        fidelity.toml:2:11: `a/../b` leads out of the workspace or nowhere
        fidelity.toml:2:11: `a//b` leads out of the workspace or nowhere
        "#
        );
        let many = format!("[{}]", "\"a\",".repeat(201));
        assert!(say(&many).contains("201 globs are more than the 200"));
    }
}
