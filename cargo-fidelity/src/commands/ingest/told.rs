//! What `ingest` says of files, passes and blocks.

use std::collections::{BTreeMap, BTreeSet};

use fidelity_core::domain::{Arm, BlockId, PassName, Problem, RunId};
use fidelity_core::ingest::intake::{Intake, Scanned};
use fidelity_core::ingest::junit::ProblemKind;
use fidelity_core::ingest::pairing::{Part, PassPlan};
use fidelity_core::report::number::{count, things};

use super::known::{Elsewhere, Known};
use super::{Session, Tally};
use crate::cli::{IngestArgs, Passes};
use crate::commands::output::warn;

/// Says what became of files, and returns what the run should remember of it: of each kind the first, and how many files
/// have it.
pub fn files(arguments: &IngestArgs, intake: &Intake, tally: &mut Tally) -> Vec<Problem> {
    let mut kept: Vec<(String, String, u64)> = Vec::new();
    let mut say = |kind: &str, message: String| {
        warn(&message);
        match kept.iter_mut().find(|(known, ..)| known == kind) {
            Some((_, _, files)) => *files += 1,
            None => kept.push((kind.to_owned(), message, 1)),
        }
    };
    for file in &intake.files {
        for problem in &file.problems {
            say(problem.kind.word(), problem.to_string());
        }
        let empty = !file.broken && file.cases == 0;
        if file.broken || (empty && !arguments.allow_empty) {
            tally.unread.push(file.name.clone());
        } else {
            tally.usable = true;
        }
        if empty && !arguments.allow_empty {
            let message = format!(
                "{}: it holds no test: was the suite filtered away? (--allow-empty takes it for what it is)",
                file.name
            );
            say("empty-report", message);
        } else if file.broken {
            let message = format!("{}: nothing of it was taken in", file.name);
            say("file-left-out", message);
        }
    }
    if kept
        .iter()
        .any(|(kind, ..)| kind == ProblemKind::OtherProfile.word())
    {
        anstream::eprintln!(
            "hint: --baseline-profile and --target-profile say which fidelity profiles are compared"
        );
    }
    let problem = |(kind, message, files): (String, String, u64)| Problem {
        kind: format!("ingest-{kind}"),
        message: match files - 1 {
            0 => message,
            others => format!("{message}; the same in {}", things(others, "other file")),
        },
    };
    kept.into_iter().map(problem).collect()
}

/// Whether a file says itself what an option says.
type Says = fn(&Scanned) -> bool;

/// Says which options say nothing of some files, which say it themselves; returns what the run should remember of it.
pub fn in_vain(arguments: &IngestArgs, intake: &Intake) -> Vec<Problem> {
    let given: [(bool, &str, Says); 4] = [
        (
            arguments.fidelity_profile.is_some(),
            "--fidelity-profile",
            |file| file.says.arm,
        ),
        (arguments.commit.is_some(), "--commit", |file| {
            file.says.block
        }),
        (arguments.block.is_some(), "--block", |file| file.says.block),
        (!arguments.keep_names.is_empty(), "--keep-names", |file| {
            file.says.arm
        }),
    ];
    let mut by_files: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (_, option, says) in given.into_iter().filter(|(given, ..)| *given) {
        let files = intake
            .files
            .iter()
            .filter(|file| !file.broken && says(file));
        let files: Vec<&str> = files.map(|file| file.name.as_str()).collect();
        if !files.is_empty() {
            by_files.entry(files).or_default().push(option);
        }
    }
    let problems = by_files.into_iter().map(|(files, options)| {
        let others = match files.len() {
            1 => String::new(),
            number => format!(" and {}", things(number as u64 - 1, "other file")),
        };
        let have = if options.len() == 1 { "has" } else { "have" };
        let message = format!(
            "{} {have} no effect on {}{others}: what CSV says of itself holds",
            options.join(", "),
            files[0]
        );
        warn(&message);
        let kind = "ingest-without-effect".to_owned();
        Problem { kind, message }
    });
    problems.collect()
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
    let mut withdrawn: BTreeMap<usize, Vec<PassName>> = BTreeMap::new();
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
            Known::Withdrawn(file, pass) => withdrawn.entry(*file).or_default().push(*pass),
            Known::Twin(file, other) => lines.push(format!(
                "{} has the same bytes as {}: taken for a copy, and counted once",
                name(*file),
                name(*other)
            )),
        }
    }
    for (file, passes) in withdrawn {
        let number = things(passes.len() as u64, "pass");
        let runs: BTreeSet<String> = passes.iter().map(|pass| pass.run.short()).collect();
        let runs: Vec<String> = runs.into_iter().collect();
        lines.push(format!(
            "{number} of {} left out: withdrawn with run {}",
            name(file),
            runs.join(", ")
        ));
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

/// Says which files count twice, and returns what the run should remember of it.
pub fn elsewhere(
    session: &Session<'_>,
    intake: &Intake,
    elsewhere: &BTreeMap<Elsewhere, BTreeSet<usize>>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (Elsewhere { run, arm, block }, files) in elsewhere {
        let Some(first) = files.first() else { continue };
        let others = match files.len() {
            1 => String::new(),
            number => format!(" and {}", things(number as u64 - 1, "other file")),
        };
        let profile = &session.settings.profile(*arm).name;
        let message = format!(
            "{}{others}: the same bytes were taken in before as results of {profile} in {}, with run {}, and count in both \
             places; if one of them is wrong: cargo fidelity ingest --withdraw {} --reason TEXT",
            intake.files[*first].name,
            block,
            run.short(),
            run.short()
        );
        warn(&message);
        let kind = "ingest-same-bytes".to_owned();
        problems.push(Problem { kind, message });
    }
    problems
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
        format!("{block}: {}", arms.join(", "))
    };
    blocks.into_iter().map(line).collect()
}
