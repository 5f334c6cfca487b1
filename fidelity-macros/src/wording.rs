//! How arguments are written and told: examples, alternatives, lists.

use crate::nearest::nearest;

/// How an argument is written.
pub fn example(name: &str) -> &'static str {
    match name {
        "profiles" => r#"profiles("high")"#,
        "needs" => r#"needs("service.db", "network")"#,
        "kind" => r#"kind = "integration""#,
        "mocks" => r#"mocks("stripe")"#,
        "real" => r#"real("fs")"#,
        "tolerance" => "tolerance = 0.01",
        "timeout" => r#"timeout = "5s""#,
        "trials" => "trials = 50",
        "severity" => r#"severity = "critical""#,
        "until" => r#"until = "2027-01-31""#,
        "owner" => r#"owner = "payments""#,
        "reason" => r#"reason = "the sandbox drops webhooks""#,
        "quarantine" => {
            r#"quarantine(until = "2027-01-31", owner = "payments", reason = "the sandbox drops webhooks")"#
        }
        _ => r#"kind = "unit", needs("service.db")"#,
    }
}

/// Returns the word if it is known, and else what was likely meant.
pub fn one_of(name: &str, word: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&word) {
        return Ok(word.to_owned());
    }
    let help = match nearest(word, known) {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        None => format!("it is one of {}", quoted(known)),
    };
    Err(format!(
        "`{}` is no {name}\nhelp: {help}",
        word.escape_debug()
    ))
}

/// Returns names in backquotes: "`a`, `b` and `c`".
pub fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
