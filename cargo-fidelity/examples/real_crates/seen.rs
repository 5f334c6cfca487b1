//! What a report says about a row, and how that differs from what is known.

use std::collections::BTreeSet;
use std::error::Error;

use serde_json::Value;

use crate::row::Row;

/// A test as a report has it.
struct Judged {
    name: String,
    verdict: String,
    evidence: String,
}

/// What a report says of every test, and the knobs that were not applied.
pub struct Seen {
    tests: Vec<Judged>,
    refused: Vec<String>,
}

impl Seen {
    pub fn read(report: &Value) -> Result<Self, Box<dyn Error>> {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let tests = report["tests"].as_array().ok_or("a report lists tests")?;
        let judged = tests.iter().map(|test| Judged {
            name: format!("{} {}", text(&test["binary"]), text(&test["test"])),
            verdict: text(&test["verdict"]),
            evidence: format!(
                "low {}/{}, high {}/{}",
                test["baseline"]["failures"],
                test["baseline"]["trials"],
                test["target"]["failures"],
                test["target"]["trials"],
            ),
        });
        let knobs = report["run"]["knobs"].as_array();
        let refused = knobs
            .into_iter()
            .flatten()
            .filter(|knob| knob["applied"] == false);
        Ok(Self {
            tests: judged.collect(),
            refused: refused
                .map(|knob| format!("{}: {}", text(&knob["id"]), text(&knob["reason"])))
                .collect(),
        })
    }

    fn count(&self, verdict: &str) -> usize {
        self.tests
            .iter()
            .filter(|test| test.verdict == verdict)
            .count()
    }

    fn has(&self, (verdict, name): (&str, &str)) -> bool {
        self.tests
            .iter()
            .any(|test| test.verdict == verdict && test.name == name)
    }

    pub fn line(&self, row: &Row, commit: &str, report: &Value) -> String {
        let found = row.expected.iter().filter(|pair| self.has(**pair)).count();
        let settings = settings(row);
        format!(
            "| {} {} | {commit} | {settings} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} s | {found} / {} |",
            row.name,
            row.version,
            self.count("hidden-defect"),
            self.count("flaky"),
            self.count("broken"),
            self.count("baseline-only"),
            self.count("undetermined"),
            self.count("stable"),
            report["run"]["passes"],
            report["run"]["trials"],
            report["run"]["wall_s"].as_f64().unwrap_or_default(),
            row.expected.len(),
        )
    }

    /// Returns a line for every test that is not stable.
    pub fn details(&self, row: &Row) -> Vec<String> {
        let unstable = self.tests.iter().filter(|test| test.verdict != "stable");
        let line = |test: &Judged| {
            format!(
                "- {}, {}: {} `{}` ({})",
                row.name,
                settings(row),
                test.verdict,
                test.name,
                test.evidence
            )
        };
        unstable.map(line).collect()
    }

    /// Returns what is missed, hidden defects that nobody expects, and knobs without which the row means nothing.
    pub fn surprises(&self, row: &Row) -> Vec<String> {
        let missed = row.expected.iter().filter(|pair| !self.has(**pair));
        let missed = missed
            .map(|(verdict, name)| format!("{}: `{name}` is not found to be {verdict}", row.name));
        let expected: BTreeSet<&str> = row.expected.iter().map(|(_, name)| *name).collect();
        let hidden = self.tests.iter().filter(|test| {
            test.verdict == "hidden-defect" && !expected.contains(test.name.as_str())
        });
        let hidden = hidden.map(|test| {
            format!(
                "{}: `{}` is a hidden defect, which nobody expects",
                row.name, test.name
            )
        });
        let refused = self
            .refused
            .iter()
            .map(|knob| format!("{}: a knob was not applied: {knob}", row.name));
        missed.chain(hidden).chain(refused).collect()
    }
}

fn settings(row: &Row) -> String {
    match row.arguments {
        [] => "defaults".to_owned(),
        arguments => format!("`{}`", arguments.join(" ")),
    }
}
