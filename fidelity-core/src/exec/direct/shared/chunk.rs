//! The arguments of processes that run several tests, and how tests are spread over processes.

use std::collections::VecDeque;

use super::{Member, Rules};
use crate::exec::direct::slot::{Company, Job};

/// Bytes of names that a process is started with, at most. Linux takes 2 MiB of arguments and variables where the stack
/// may have 8 MiB; where it takes less, chunks are halved when they are refused.
pub(in crate::exec::direct) const ROOM: usize = 1 << 20;

/// Returns how many processes `members`, sorted by name, need at least.
pub(in crate::exec::direct) fn processes(members: &[Member], listed: &[(String, bool)]) -> usize {
    split(ROOM, members, listed).len()
}

/// Returns how `members` are spread over processes: as positions, in order.
pub(super) fn split(
    room: usize,
    members: &[Member],
    listed: &[(String, bool)],
) -> VecDeque<Vec<usize>> {
    let all: Vec<usize> = (0..members.len()).collect();
    if all.is_empty() || needs_no_names(members, listed, &all).is_some() {
        return VecDeque::from_iter((!all.is_empty()).then_some(all));
    }
    let mut chunks: VecDeque<Vec<usize>> = VecDeque::new();
    let mut left = 0;
    for position in all {
        let size = members[position].name.len() + 1 + size_of::<usize>();
        match chunks.back_mut() {
            Some(chunk) if size <= left => {
                chunk.push(position);
                left -= size;
            }
            _ => {
                chunks.push_back(vec![position]);
                left = room.saturating_sub(size);
            }
        }
    }
    chunks
}

/// Returns whether `chunk` is what the binary runs without being given names; if so, whether ignored tests are part of
/// it. cargo gives none either, and a test can see its arguments.
fn needs_no_names(members: &[Member], listed: &[(String, bool)], chunk: &[usize]) -> Option<bool> {
    let names = || chunk.iter().map(|&position| &members[position].name);
    let all = || listed.iter().map(|(name, _)| name);
    let not_ignored = listed.iter().filter(|(_, ignored)| !ignored);
    if not_ignored.map(|(name, _)| name).eq(names()) {
        return Some(false);
    }
    all().eq(names()).then_some(true)
}

/// Returns the process that runs `chunk`, and the member behind each name it reports.
pub(super) fn together(
    rules: &Rules,
    members: &[Member],
    listed: &[(String, bool)],
    chunk: &[usize],
) -> (Job, Vec<Option<usize>>) {
    let mut words: Vec<String> = Vec::new();
    if let Some(seed) = rules.shuffle_seed {
        words.extend([
            "-Zunstable-options".into(),
            "--shuffle-seed".into(),
            seed.to_string(),
        ]);
    }
    words.extend(["--test-threads".into(), rules.manner.threads.to_string()]);
    let chosen = || {
        chunk
            .iter()
            .map(|&position| (&members[position].name, Some(position)))
    };
    let order: Vec<(&String, Option<usize>)> = match needs_no_names(members, listed, chunk) {
        Some(false) => {
            // The ignored ones report as well.
            let mut chosen = chosen().peekable();
            let member = |(name, _): &'_ (String, bool)| chosen.next_if(|(next, _)| *next == name);
            let found: Vec<_> = listed.iter().map(member).collect();
            let names = listed.iter().map(|(name, _)| name);
            names
                .zip(found)
                .map(|(name, found)| (name, found.and_then(|(_, at)| at)))
                .collect()
        }
        Some(true) => {
            words.push("--include-ignored".into());
            chosen().collect()
        }
        None => {
            words.push("--exact".into());
            if chunk.iter().any(|&position| members[position].ignored) {
                words.push("--include-ignored".into());
            }
            if chosen().any(|(name, _)| name.starts_with('-')) {
                words.push("--".into());
            }
            words.extend(chosen().map(|(name, _)| name.clone()));
            chosen().collect()
        }
    };
    let tests = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
    let company = Company {
        names: order
            .iter()
            .map(|(name, _)| name.as_bytes().to_vec())
            .collect(),
        manner: rules.manner,
        limit_ms: rules.timeout_ms.saturating_mul(tests),
    };
    let job = Job {
        together: Some(company),
        ..job(rules, words)
    };
    (job, order.into_iter().map(|(_, member)| member).collect())
}

/// Returns the process that runs one test by itself.
pub(super) fn alone(rules: &Rules, member: &Member) -> Job {
    job(rules, words_for_one(&member.name, member.ignored))
}

/// Returns the arguments with which a libtest binary runs one test.
pub(in crate::exec::direct) fn words_for_one(name: &str, ignored: bool) -> Vec<String> {
    let words = ["--exact", "--nocapture"].into_iter();
    // Not every harness knows the separator, so it is used only where the name needs it.
    words
        .chain(ignored.then_some("--ignored"))
        .chain(name.starts_with('-').then_some("--"))
        .chain([name])
        .map(str::to_owned)
        .collect()
}

fn job(rules: &Rules, words: Vec<String>) -> Job {
    let mut arguments = rules.arguments.clone();
    arguments.extend(words.into_iter().map(String::into_bytes));
    Job {
        tag: 0,
        recipe: rules.recipe,
        arguments,
        timeout_ms: rules.timeout_ms,
        grace_ms: 0,
        keep_output: false,
        together: None,
        seed: rules.seed,
        misfires: 0,
    }
}
