//! The reader on reports of our own making, one quirk each.

use std::io::BufReader;

use super::*;

mod broken;
mod dialects;

/// Reads a report in pieces of every size; they have to agree.
fn read_bytes(bytes: &[u8]) -> (Vec<Case>, Summary) {
    let of = |step: usize| {
        let mut cases = Vec::new();
        let reader = BufReader::with_capacity(step, bytes);
        let summary = read(reader, "r.xml", &Limits::default(), &mut |case| {
            cases.push(case.clone());
        });
        (cases, summary)
    };
    let expected = of(1 << 20);
    for step in [1, 7, 64] {
        assert_eq!(of(step), expected, "in pieces of {step} bytes");
    }
    expected
}

fn read_str(text: &str) -> (Vec<Case>, Summary) {
    read_bytes(text.as_bytes())
}

/// Returns `name outcome` of each trial of a report without problems.
fn outcomes(text: &str) -> Vec<String> {
    let (cases, summary) = read_str(text);
    assert_eq!(summary.problems, [], "{text}");
    assert_eq!(summary.trials, cases.len() as u64);
    cases
        .iter()
        .map(|case| format!("{} {}", case.name, case.trial.outcome))
        .collect()
}

/// Returns the problems of a report as people see them.
fn problems(text: &str) -> Vec<String> {
    shown(&read_str(text).1)
}

fn shown(summary: &Summary) -> Vec<String> {
    summary
        .problems
        .iter()
        .map(|problem| format!("{} {problem}", problem.kind))
        .collect()
}
