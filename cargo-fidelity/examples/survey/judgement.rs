//! What a report says of a row, against what is known of it.

use std::error::Error;

use serde_json::Value;

use crate::row::{Finds, Preset, Row};

/// What a preset came to on a row.
pub struct Judgement {
    /// How many tests there are.
    pub tests: usize,
    /// For each finding of the row: whether one of its tests was found to hide a defect.
    pub found: Vec<bool>,
    /// Tests that are said to hide a defect although nobody knows of one.
    pub false_alarms: usize,
    /// Tests that are neither stable nor said to hide a defect, by verdict.
    pub others: Vec<(String, usize)>,
    pub trials: u64,
    pub wall_s: f64,
    /// Knobs that could not be applied on this machine, with the reason.
    pub refused: Vec<String>,
    /// What differs from what is known, a line each.
    pub surprises: Vec<String>,
}

impl Judgement {
    /// # Errors
    /// Where the report is not one.
    pub fn of(row: &Row, preset: Preset, report: &Value) -> Result<Self, Box<dyn Error>> {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let tests = report["tests"].as_array().ok_or("a report lists tests")?;
        let tests: Vec<(String, String)> = tests
            .iter()
            .map(|test| {
                let name = format!("{} {}", text(&test["binary"]), text(&test["test"]));
                (name, text(&test["verdict"]))
            })
            .collect();
        let hidden: Vec<&str> = tests
            .iter()
            .filter(|(_, verdict)| verdict == "hidden-defect")
            .map(|(name, _)| name.as_str())
            .collect();
        let found: Vec<bool> = row
            .findings
            .iter()
            .map(|finding| hidden.iter().any(|test| finding.is_about(test)))
            .collect();
        let unknown: Vec<&&str> = hidden
            .iter()
            .filter(|test| !row.findings.iter().any(|finding| finding.is_about(test)))
            .collect();
        let place = format!("{} {}, {}", row.name, row.version, preset.name());
        let mut surprises: Vec<String> = unknown
            .iter()
            .map(|test| format!("UNEXPECTED: {place}: `{test}` is said to hide a defect"))
            .collect();
        for (finding, found) in row.findings.iter().zip(&found) {
            if finding.finds(preset) == Finds::Yes && !found {
                let tests = finding.tests.join("`, `");
                surprises.push(format!("MISSED: {place}: `{tests}`"));
            }
        }
        let knobs = report["run"]["knobs"].as_array().into_iter().flatten();
        let refused = knobs.filter(|knob| knob["applied"] == false);
        Ok(Self {
            found,
            false_alarms: unknown.len(),
            others: others(&tests),
            tests: tests.len(),
            trials: report["run"]["trials"].as_u64().unwrap_or_default(),
            wall_s: report["run"]["wall_s"].as_f64().unwrap_or_default(),
            refused: refused
                .map(|knob| format!("{} ({})", text(&knob["id"]), text(&knob["reason"])))
                .collect(),
            surprises,
        })
    }
}

fn others(tests: &[(String, String)]) -> Vec<(String, usize)> {
    let verdicts = ["flaky", "broken", "baseline-only", "undetermined"];
    let count = |verdict: &str| tests.iter().filter(|(_, found)| found == verdict).count();
    let counted = verdicts.map(|verdict| (verdict.to_owned(), count(verdict)));
    counted
        .into_iter()
        .filter(|(_, count)| 0 < *count)
        .collect()
}
