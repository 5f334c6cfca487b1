//! What `ingest` says of files, passes and blocks.

use std::collections::{BTreeMap, BTreeSet};

use fidelity_core::domain::{Arm, BlockId, PassName, Problem, RunId};
use fidelity_core::ingest::intake::Intake;
use fidelity_core::ingest::pairing::{Part, PassPlan};
use fidelity_core::report::number::{count, things};

use super::known::Known;
use super::{Session, Tally};
use crate::cli::{IngestArgs, Passes};

/// Problems that are kept with a run; more are counted.
const KEPT: usize = 50;

/// Says what became of files, and returns what the run should remember of it.
pub fn files(arguments: &IngestArgs, intake: &Intake, tally: &mut Tally) -> Vec<Problem> {
    let mut kept = Vec::new();
    let mut more = 0;
    let mut keep = |kind: &str, message: String| {
        if kept.len() < KEPT {
            let kind = format!("ingest-{kind}");
            kept.push(Problem { kind, message });
        } else {
            more += 1;
        }
    };
    for file in &intake.files {
        for problem in &file.problems {
            anstream::eprintln!("warning: {problem}");
            keep(problem.kind.word(), problem.to_string());
        }
        let empty = !file.broken && file.cases == 0;
        if file.broken || (empty && !arguments.allow_empty) {
            tally.unreadable = true;
        } else {
            tally.usable = true;
        }
        if empty && !arguments.allow_empty {
            let message = format!(
                "{}: it holds no test: was the suite filtered away? (--allow-empty takes it for what it is)",
                file.name
            );
            anstream::eprintln!("warning: {message}");
            keep("empty-report", message);
        } else if file.broken {
            let message = format!("{}: nothing of it was taken in", file.name);
            anstream::eprintln!("warning: {message}");
            keep("file-left-out", message);
        }
    }
    if more > 0 {
        kept.push(Problem {
            kind: "ingest-more".to_owned(),
            message: format!("{} with the files", things(more, "more problem")),
        });
    }
    kept
}

/// Says which files make which passes and blocks.
pub fn plans(
    session: &Session<'_>,
    (intake, parts): (&Intake, &[Part]),
    plans: &[PassPlan],
    known: &[Known],
) -> Vec<String> {
    let name = |file: usize| intake.files[file].name.as_str();
    let mut lines = left_out(&name, known);
    if plans.is_empty() {
        return lines;
    }
    let rule = match session.arguments.passes {
        Passes::Disjoint => {
            "files that share no test are one pass, a file that repeats a test starts the next (--passes)"
        }
        Passes::PerFile => "every file is a pass (--passes per-file)",
        Passes::One => "all files of an arm and block are one pass (--passes one)",
    };
    lines.push(format!("passes: {rule}"));
    lines.extend(blocks(session, plans));
    if session.global.verbose > 0 {
        lines.extend(plans.iter().enumerate().map(|(position, plan)| {
            let files: Vec<&str> = plan
                .parts
                .iter()
                .map(|part| name(parts[*part].file))
                .collect();
            let part = match plan.key.part.as_str() {
                "" => String::new(),
                part => format!(", {part}"),
            };
            format!(
                "pass {} ({}{part}), {}: {}",
                count(position as u64 + 1),
                plan.key.arm,
                things(plan.trials, "trial"),
                files.join(" ")
            )
        }));
    }
    lines
}

/// Says what is left out because it is known.
fn left_out<'a>(name: &dyn Fn(usize) -> &'a str, known: &[Known]) -> Vec<String> {
    let mut lines = Vec::new();
    let stored = known.iter().filter_map(|known| match known {
        Known::Stored(file, run) => Some((*file, *run)),
        _ => None,
    });
    let stored: Vec<(usize, RunId)> = stored.collect();
    if let Some((first, run)) = stored.first() {
        let files: BTreeSet<usize> = stored.iter().map(|(file, _)| *file).collect();
        lines.push(format!(
            "{} taken in before and left out: {} is in run {}",
            things(files.len() as u64, "file"),
            name(*first),
            run.short()
        ));
    }
    let mut passes: BTreeMap<usize, Vec<(PassName, String)>> = BTreeMap::new();
    for known in known {
        match known {
            Known::Stored(..) => {}
            Known::Pass(file, pass, run) => {
                let place = format!("run {}", run.short());
                passes.entry(*file).or_default().push((*pass, place));
            }
            Known::Again(file, other, pass) => {
                let place = name(*other).to_owned();
                passes.entry(*file).or_default().push((*pass, place));
            }
            Known::Twin(file, other) => lines.push(format!(
                "{} has the same bytes as {}: taken for a copy, and counted once",
                name(*file),
                name(*other)
            )),
        }
    }
    for (file, passes) in passes {
        let Some((first, place)) = passes.first() else {
            continue;
        };
        lines.push(format!(
            "{} of {} taken in before and left out: pass {} of run {} is in {place}",
            things(passes.len() as u64, "pass"),
            name(file),
            first.pass,
            first.run.short()
        ));
    }
    lines
}

/// Says which passes make which blocks.
fn blocks(session: &Session<'_>, plans: &[PassPlan]) -> Vec<String> {
    let mut blocks: Vec<(&BlockId, [u64; 2])> = Vec::new();
    // The passes of a block stand together.
    for plan in plans {
        let block = &plan.key.block;
        if blocks.last().is_none_or(|(last, _)| *last != block) {
            blocks.push((block, [0; 2]));
        }
        if let Some((_, passes)) = blocks.last_mut() {
            passes[plan.key.arm.index()] += 1;
        }
    }
    let line = |(block, passes): (&BlockId, [u64; 2])| {
        let words = match (&block.commit, &block.name) {
            (Some(commit), Some(name)) => format!("block {name} at commit {}", short(commit)),
            (Some(commit), None) => format!("block of commit {}", short(commit)),
            (None, Some(name)) => format!("block {name}"),
            (None, None) => "block without a name".to_owned(),
        };
        let arms: Vec<String> = Arm::BOTH
            .into_iter()
            .filter(|arm| passes[arm.index()] > 0)
            .map(|arm| {
                let profile = &session.settings.profile(arm).name;
                format!(
                    "{} of {profile} ({arm})",
                    things(passes[arm.index()], "pass")
                )
            })
            .collect();
        format!("{words}: {}", arms.join(", "))
    };
    blocks.into_iter().map(line).collect()
}

/// Returns a commit as people refer to it.
fn short(commit: &str) -> &str {
    let digits = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { &commit[..10] } else { commit }
}
