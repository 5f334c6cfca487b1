//! `provides = ["service.db"]`: services that run beside the suite in a fidelity profile, for the tests that need them. The
//! tool starts none of them.
//!
//! Decides which names are sound.

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Node, Value};
use super::printable::quoted;

/// Reads the list. What is wrong with it goes to `findings`.
pub(super) fn read(node: &Node, findings: &mut Findings) -> Vec<String> {
    let Value::List(items) = &node.value else {
        findings.add(node.wrong_type("provides", "a list of services, like `[\"service.db\"]`"));
        return Vec::new();
    };
    let services = items.iter().filter_map(|item| service(item, findings));
    let mut services: Vec<String> = services.collect();
    services.sort_unstable();
    services.dedup();
    services
}

fn service(item: &Node, findings: &mut Findings) -> Option<String> {
    let Some(text) = item.text() else {
        findings.add(item.wrong_type("provides", "services, each as text"));
        return None;
    };
    let name = text.strip_prefix("service.").unwrap_or_default();
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(letter) {
        return Some(text.to_owned());
    }
    let message = format!("{} is no service", quoted(text));
    let error = ConfigError::at(ErrorKind::Malformed, &item.span, message)
        .label("expected `service.NAME`, as annotations call it in `needs`")
        .hint("what knobs provide (`network`, `env.NAME`) needs no word here");
    findings.add(error);
    None
}

#[cfg(test)]
mod tests {
    use crate::config::{Overrides, Source, resolve};

    fn provides(text: &str) -> Result<[Vec<String>; 2], String> {
        let source = Source::file("fidelity.toml", "fidelity.toml", text);
        let settings = resolve(Some(&source), &Overrides::default());
        settings
            .map(|settings| settings.provides)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_closest_level_that_names_services_wins() {
        let text = "[profile.low]\nprovides = [\"service.db\", \"service.bus\"]\n[profile.high]\ninherits = \"low\"\n";
        let both = vec!["service.bus".to_owned(), "service.db".to_owned()];
        assert_eq!(provides(text), Ok([both.clone(), both.clone()]));
        let own = format!("{text}provides = []\n");
        assert_eq!(provides(&own), Ok([both, Vec::new()]));
        assert_eq!(provides(""), Ok([Vec::new(), Vec::new()]));
    }

    #[test]
    fn what_is_no_service_is_told() {
        let say = |value: &str| provides(&format!("[profile.high]\nprovides = {value}\n"));
        insta::assert_snapshot!(
            ["\"service.db\"", "[1]", "[\"db\"]", "[\"network\"]", "[\"service.\"]", "[\"service.db.latency\"]"]
                .map(|value| say(value).unwrap_err()).join("\n"),
            @r#"
        fidelity.toml:2:12: `provides` takes a list of services, like `["service.db"]`, but this is a text
        fidelity.toml:2:13: `provides` takes services, each as text, but this is a whole number
        fidelity.toml:2:13: `db` is no service
        fidelity.toml:2:13: `network` is no service
        fidelity.toml:2:13: `service.` is no service
        fidelity.toml:2:13: `service.db.latency` is no service
        "#
        );
    }
}
