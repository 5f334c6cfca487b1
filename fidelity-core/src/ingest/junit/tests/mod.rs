//! The reader on reports of our own making, one quirk each.

use std::io::BufReader;

use super::*;

mod broken;
mod dialects;
mod plain;
mod real;

/// Reads a report in pieces of every size; they have to agree.
fn read_bytes(bytes: &[u8]) -> (Vec<Case>, Summary) {
    let of = |step: usize| {
        let mut cases = Vec::new();
        let reader = BufReader::with_capacity(step, bytes);
        let mut summary = read(reader, "r.xml", &Limits::default(), &mut |case| {
            cases.push(case.clone());
        });
        if summary.broken().is_some() {
            // How much was read ahead of the break depends on the pieces.
            summary.bytes = 0;
        }
        (cases, summary)
    };
    let expected = of(1 << 20);
    let steps: &[usize] = if bytes.len() < 50_000 {
        &[1, 7, 64]
    } else {
        &[64, 5000]
    };
    for step in steps.iter().copied() {
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

/// Returns whether a report has a problem of this kind.
fn has(summary: &Summary, kind: ProblemKind) -> bool {
    summary.problems.iter().any(|problem| problem.kind == kind)
}
