//! The keys of `[policy]`: one table that the parser, the schema, `init` and the documents are made from.

use crate::domain::{Condition, Policy, Screen, VerdictKind};

use super::diagnostics::{ConfigError, ErrorKind, Findings, quoted, shown};
use super::model::{Entry, Node, Table, Value};
use super::setting::{malformed, out_of_range};
use super::suggest;
use super::units;

/// A key of `[policy]`.
pub struct PolicyKey {
    /// Its name.
    pub name: &'static str,
    /// What it takes, and where it goes.
    pub kind: PolicyKind,
    /// What it says, in a line.
    pub help: &'static str,
}

/// What a key of `[policy]` takes, with the way from and to a [`Policy`].
pub enum PolicyKind {
    /// A share, as a number or a percentage.
    Share(ShareRange, fn(&mut Policy) -> &mut f64),
    /// A whole number in a range, both ends included.
    Count(u32, u32, fn(&mut Policy) -> &mut u32),
    /// A whole number from 1, or "none".
    Limit(fn(&mut Policy) -> &mut Option<u64>),
    /// True or false.
    Flag(fn(&mut Policy) -> &mut bool),
    /// A duration in a range of milliseconds.
    Duration(u64, u64, fn(&mut Policy) -> &mut u64),
    /// A duration in a range of milliseconds, or "none".
    DurationLimit(u64, u64, fn(&mut Policy) -> &mut Option<u64>),
    /// Passes of the screening, in each arm.
    Screen,
    /// Conditions of the gate.
    Conditions,
}

/// The range of a share: which of its ends, 0 and 1, are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareRange {
    /// More than 0, less than 1.
    Open,
    /// 0 or more, less than 1.
    From0,
    /// More than 0, 1 at most.
    To1,
}

impl ShareRange {
    fn contains(self, share: f64) -> bool {
        match self {
            Self::Open => 0.0 < share && share < 1.0,
            Self::From0 => 0.0 <= share && share < 1.0,
            Self::To1 => 0.0 < share && share <= 1.0,
        }
    }

    /// Returns the range in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Open => "more than 0 and less than 1",
            Self::From0 => "0 or more and less than 1",
            Self::To1 => "more than 0 and 1 at most",
        }
    }
}

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// The most passes that can be asked for.
pub(crate) const MOST_PASSES: u32 = 1_000_000;

/// Every key of `[policy]`, in the order of the documents.
pub const POLICY_KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "fdr",
        kind: PolicyKind::Share(ShareRange::Open, |policy| &mut policy.fdr),
        help: "expected share of false hidden-defects among those reported",
    },
    PolicyKey {
        name: "screen",
        kind: PolicyKind::Screen,
        help: "passes in each arm before anything is suspected",
    },
    PolicyKey {
        name: "tolerance",
        kind: PolicyKind::Share(ShareRange::From0, |policy| &mut policy.tolerance),
        help: "failure rate of the baseline that is still \"passes\"",
    },
    PolicyKey {
        name: "max-passes",
        kind: PolicyKind::Count(1, MOST_PASSES, |policy| &mut policy.max_passes),
        help: "passes a suspect takes part in, at most",
    },
    PolicyKey {
        name: "futile-after",
        kind: PolicyKind::Count(1, MOST_PASSES, |policy| &mut policy.futile_after),
        help: "passes without evidence after which a suspect is given up",
    },
    PolicyKey {
        name: "company-after",
        kind: PolicyKind::Count(0, MOST_PASSES, |policy| &mut policy.company_after),
        help: "passes among suspects before a test is tried among the whole suite; 0 for never",
    },
    PolicyKey {
        name: "mass-failure",
        kind: PolicyKind::Share(ShareRange::To1, |policy| &mut policy.mass_failure),
        help: "share of the tests of a pass (and at least 10) whose failing together is one event",
    },
    PolicyKey {
        name: "reuse",
        kind: PolicyKind::Flag(|policy| &mut policy.reuse),
        help: "join the passes of earlier runs of the same binaries and fidelity profiles",
    },
    PolicyKey {
        name: "max-time",
        kind: PolicyKind::DurationLimit(SECOND, 365 * DAY, |policy| &mut policy.max_time_ms),
        help: "time for the whole run, or \"none\"",
    },
    PolicyKey {
        name: "max-trials",
        kind: PolicyKind::Limit(|policy| &mut policy.max_trials),
        help: "trials of the whole run, or \"none\"",
    },
    PolicyKey {
        name: "confidence",
        kind: PolicyKind::Share(ShareRange::Open, |policy| &mut policy.confidence),
        help: "confidence of every bound shown",
    },
    PolicyKey {
        name: "timeout",
        kind: PolicyKind::Duration(1, 7 * DAY, |policy| &mut policy.timeout_ms),
        help: "time for a trial",
    },
    PolicyKey {
        name: "fail-on",
        kind: PolicyKind::Conditions,
        help: "verdicts that make the gate fail",
    },
];

/// Conditions of `fail-on` that a later version may know.
const LATER_CONDITIONS: [&str; 2] = ["new-hidden-defect", "expired-quarantine"];

/// Verdicts that can make the gate fail: all but the one that is good news.
pub(crate) fn conditions() -> impl Iterator<Item = VerdictKind> + Clone {
    let good = |kind: &VerdictKind| *kind == VerdictKind::Stable;
    VerdictKind::ALL.into_iter().filter(move |kind| !good(kind))
}

/// Returns the value a policy has for `key`, as TOML; none where TOML has no word for it.
pub(crate) fn to_toml(key: &PolicyKey, policy: &Policy) -> String {
    let mut policy = policy.clone();
    let none = || "\"none\"".to_owned();
    let duration = |ms| format!("\"{}\"", units::write_duration(ms));
    match key.kind {
        PolicyKind::Share(_, field) => field(&mut policy).to_string(),
        PolicyKind::Count(_, _, field) => field(&mut policy).to_string(),
        PolicyKind::Limit(field) => field(&mut policy).map_or_else(none, |limit| limit.to_string()),
        PolicyKind::Flag(field) => field(&mut policy).to_string(),
        PolicyKind::Duration(_, _, field) => duration(*field(&mut policy)),
        PolicyKind::DurationLimit(_, _, field) => field(&mut policy).map_or_else(none, duration),
        PolicyKind::Screen => {
            let Screen { baseline, target } = policy.screen;
            format!("{{ baseline = {baseline}, target = {target} }}")
        }
        PolicyKind::Conditions => {
            let words: Vec<String> = policy
                .fail_on
                .iter()
                .map(|condition| format!("\"{condition}\""))
                .collect();
            format!("[{}]", words.join(", "))
        }
    }
}

/// Reads `[policy]` into `policy`: what the table does not name stays.
pub(crate) fn read_policy(table: &Table, policy: &mut Policy, findings: &mut Findings) {
    for Entry { key, node } in &table.entries {
        if findings.full() {
            break;
        }
        let Some(row) = POLICY_KEYS.iter().find(|row| row.name == key.text) else {
            let message = format!("unknown key {} in `[policy]`", quoted(&key.text));
            let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message);
            findings.add(match key.text.as_str() {
                "baseline" | "target" => {
                    error.hint(format!("write `{}` above the first table", key.text))
                }
                text => error.hint(suggest::hint(text, POLICY_KEYS.iter().map(|row| row.name))),
            });
            continue;
        };
        read_key(row, node, policy, findings);
    }
}

fn read_key(row: &PolicyKey, node: &Node, policy: &mut Policy, findings: &mut Findings) {
    let name = row.name;
    match row.kind {
        PolicyKind::Share(range, field) => {
            set(field(policy), findings.keep(share(name, node, range)))
        }
        PolicyKind::Count(min, max, field) => {
            set(field(policy), findings.keep(count(name, node, (min, max))))
        }
        PolicyKind::Limit(field) => set(field(policy), findings.keep(limit(name, node))),
        PolicyKind::Flag(field) => {
            let flag = node
                .boolean()
                .ok_or_else(|| node.wrong_type(name, "true or false"));
            set(field(policy), findings.keep(flag));
        }
        PolicyKind::Duration(min, max, field) => {
            set(
                field(policy),
                findings.keep(duration(name, node, (min, max))),
            );
        }
        PolicyKind::DurationLimit(min, max, field) => {
            let limit = match is_none(node) {
                true => Ok(None),
                false => duration(name, node, (min, max)).map(Some),
            };
            set(field(policy), findings.keep(limit));
        }
        PolicyKind::Screen => read_screen(node, &mut policy.screen, findings),
        PolicyKind::Conditions => read_conditions(node, &mut policy.fail_on, findings),
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn is_none(node: &Node) -> bool {
    node.text() == Some("none")
}

fn share(name: &str, node: &Node, range: ShareRange) -> Result<f64, ConfigError> {
    let wanted = "a share, like 0.05 or \"5%\"";
    let share = match node.text().filter(|_| node.number().is_none()) {
        Some(text) => {
            units::percentage(text).map_err(|error| malformed(node, name, (error, wanted)))?
        }
        None => node.number().ok_or_else(|| node.wrong_type(name, wanted))?,
    };
    if range.contains(share) {
        return Ok(share);
    }
    let message = format!("`{name}` is out of range");
    let error = ConfigError::at(ErrorKind::OutOfRange, &node.span, message);
    let percentage =
        (1.0..=100.0).contains(&share) && node.text().is_none_or(|text| !text.ends_with('%'));
    Err(error
        .label(format!("expected {}", range.describe()))
        .maybe_hint(percentage.then(|| format!("write `\"{share}%\"` for a percentage"))))
}

fn count(name: &str, node: &Node, (min, max): (u32, u32)) -> Result<u32, ConfigError> {
    let integer = node
        .integer()
        .ok_or_else(|| node.wrong_type(name, "a whole number"))?;
    let count = integer.and_then(|integer| u32::try_from(integer).ok());
    count
        .filter(|count| (min..=max).contains(count))
        .ok_or_else(|| out_of_range(node, name, (&min.to_string(), &max.to_string())))
}

fn limit(name: &str, node: &Node) -> Result<Option<u64>, ConfigError> {
    if is_none(node) {
        return Ok(None);
    }
    let integer = node
        .integer()
        .ok_or_else(|| node.wrong_type(name, "a whole number or \"none\""))?;
    let most = i64::MAX.unsigned_abs();
    let limit = integer.and_then(|integer| u64::try_from(integer).ok());
    limit
        .filter(|limit| (1..=most).contains(limit))
        .map(Some)
        .ok_or_else(|| out_of_range(node, name, ("1", &most.to_string())))
}

fn duration(name: &str, node: &Node, (min, max): (u64, u64)) -> Result<u64, ConfigError> {
    let wanted = "a number with a unit (d, h, m, s, ms)";
    let Some(text) = node.text() else {
        let error = node.wrong_type(name, "a duration as text, like \"15m\"");
        return Err(match node.integer() {
            Some(Some(number)) if 0 <= number => error.hint(format!(
                "write the unit: `\"{number}m\"` for minutes, `\"{number}s\"` for seconds"
            )),
            _ => error,
        });
    };
    let ms = units::duration_ms(text).map_err(|error| malformed(node, name, (error, wanted)))?;
    if (min..=max).contains(&ms) {
        return Ok(ms);
    }
    let range = (units::write_duration(min), units::write_duration(max));
    Err(out_of_range(node, name, (&range.0, &range.1)))
}

fn read_screen(node: &Node, screen: &mut Screen, findings: &mut Findings) {
    let Some(table) = findings.keep(
        node.table("screen")
            .map_err(|error| error.hint("write `screen = { baseline = 1, target = 5 }`")),
    ) else {
        return;
    };
    for Entry { key, node } in &table.entries {
        let field = match key.text.as_str() {
            "baseline" => &mut screen.baseline,
            "target" => &mut screen.target,
            other => {
                let message = format!("unknown key {} in `screen`", quoted(other));
                let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message);
                findings.add(error.hint(suggest::hint(other, ["baseline", "target"])));
                continue;
            }
        };
        set(
            field,
            findings.keep(count(&shown(&key.text), node, (1, MOST_PASSES))),
        );
    }
}

fn read_conditions(node: &Node, fail_on: &mut Vec<Condition>, findings: &mut Findings) {
    let items: Vec<(String, &Node)> = match &node.value {
        // An argument lists conditions as words: `--fail-on hidden-defect,flaky`.
        Value::Word(words) => words
            .split(',')
            .filter(|word| !word.is_empty())
            .map(|word| (word.trim().to_owned(), node))
            .collect(),
        Value::List(items) => items
            .iter()
            .filter_map(|item| match item.text() {
                Some(text) => Some((text.to_owned(), item)),
                None => {
                    findings.add(item.wrong_type("fail-on", "verdicts as text"));
                    None
                }
            })
            .collect(),
        _ => {
            let error = node.wrong_type("fail-on", "a list of verdicts");
            findings.add(error.hint("write `fail-on = [\"hidden-defect\", \"broken\"]`"));
            return;
        }
    };
    fail_on.clear();
    for (word, item) in items {
        if findings.full() {
            break;
        }
        match condition(&word, item) {
            Ok(condition) if fail_on.contains(&condition) => {
                let message = format!("`{condition}` is twice in `fail-on`");
                let error = ConfigError::at(ErrorKind::Duplicate, &item.span, message);
                findings.add(error.label("the second time"));
            }
            Ok(condition) => fail_on.push(condition),
            Err(error) => findings.add(error),
        }
    }
}

fn condition(word: &str, item: &Node) -> Result<Condition, ConfigError> {
    if let Some(kind) = conditions().find(|kind| kind.as_str() == word) {
        return Ok(Condition::Verdict(kind));
    }
    if LATER_CONDITIONS.contains(&word) {
        let message = format!("the condition `{word}` is not available in this version");
        return Err(ConfigError::at(
            ErrorKind::NotAvailable,
            &item.span,
            message,
        ));
    }
    if word == VerdictKind::Stable.as_str() {
        let message = "a stable test is no reason to fail";
        return Err(
            ConfigError::at(ErrorKind::OutOfRange, &item.span, message).label("remove this")
        );
    }
    let message = format!("{} is no condition of the gate", quoted(word));
    let words: Vec<&str> = conditions().map(VerdictKind::as_str).collect();
    Err(ConfigError::at(ErrorKind::UnknownKey, &item.span, message)
        .label("expected a verdict")
        .hint(suggest::hint(word, words.iter().copied())))
}
