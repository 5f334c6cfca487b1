//! Since when, and by what: code against fidelity first, then the commit on the side that made the difference.
//!
//! Decides what to try and when to stop; a [`Lab`] tries. Where the profile is the same at both ends there is nothing to
//! cross. Else old and new code meet old and new profile; then the code is searched with the failing profile pinned, and the
//! versions of the profile with the newest code, for which nothing is built; of one that changed several values, which of them it
//! takes. A merge that is found is entered.
//!
//! Knows no repository, process or file.

use super::commit_search::{CommitEnding, CommitSearch, CommitStep, Place, Spent, Why};
use super::crossing::Side;
use super::engine::{Counts, Rules, Seen};
use super::history::CommitId;
use crate::domain::Environment;

mod cross;
mod profile;

pub use profile::Needed;

/// Merges within merges that are entered.
const DEEPEST: usize = 8;

/// An environment that trials are made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Under<'a> {
    /// The environment in which the test fails.
    New,
    /// That of the good end.
    Old,
    /// That of a version of the profile, by its place in [`Case::versions`].
    Version(usize),
    /// Values of two versions.
    Mixture(&'a Environment),
}

/// What a trial showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it says.
    pub seen: Seen,
    /// How long it ran, in milliseconds.
    pub ms: u64,
    /// How long it had to be built for, in milliseconds.
    pub built_ms: Option<u64>,
}

/// Something that makes trials.
pub trait Lab {
    /// Why trials cannot be made at all.
    type Error;

    /// Makes one trial at a commit.
    ///
    /// # Errors
    /// Only where nothing can be tried; what says something of the commit is an answer.
    fn trial(&mut self, commit: &CommitId, under: Under<'_>) -> Result<Shown, Self::Error>;

    /// Returns whether a commit is built.
    fn is_ready(&self, commit: &CommitId) -> bool;

    /// Returns the lines that a merge brought to a line on which `before` comes before it, each from where it began to a merged commit.
    ///
    /// # Errors
    /// They could not be read.
    fn side_lines(
        &mut self,
        merge: &CommitId,
        before: &CommitId,
    ) -> Result<Vec<Vec<Place>>, Self::Error>;

    /// Returns whether to stop with what is known.
    fn is_over(&self) -> bool;
}

/// What is looked into.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The commits, from the good to the bad end; at least two.
    pub line: Vec<Place>,
    /// Stored trials under the failing environment, by place on the line.
    pub pilots: Vec<(usize, Counts)>,
    /// Where the profile's values changed on the way, by place on the line, the earliest first. Version 0 is that of the good
    /// end, at place 0; empty where the values are the same at both ends.
    pub versions: Vec<usize>,
    /// What trials under each version run under.
    pub environments: Vec<Environment>,
    /// The thresholds.
    pub rules: Rules,
}

/// A line of commits that was searched, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// The line; within a merge it is that of the merged branch.
    pub line: Vec<Place>,
    /// How it ended.
    pub ending: CommitEnding,
    /// All counts, by place.
    pub counts: Vec<Counts>,
    /// Places that cannot be tested.
    pub untestable: Vec<usize>,
    /// The merges that were entered to get to the line, the outermost first.
    pub within: Vec<CommitId>,
    /// How sure it is that the line holds the cause, in 0..=1: the posterior probability of the merges that were entered.
    pub line_probability: f64,
    /// Where a merge was found: how the search along what it merged ended, if that led no further.
    pub branch: Option<CommitEnding>,
    /// Whether outcomes at one commit came in stretches, which independent trials would not.
    pub time_dependent: bool,
}

impl Searched {
    /// Returns the commit that was found, and how sure that is over all lines.
    pub fn found(&self) -> Option<(&CommitId, f64)> {
        let CommitEnding::Found { place, probability } = &self.ending else {
            return None;
        };
        let commit = &self.line.get(*place)?.commit;
        Some((commit, probability * self.line_probability))
    }

    /// Returns the commit before the one that was found, which passes.
    pub fn before(&self) -> Option<&CommitId> {
        let CommitEnding::Found { place, .. } = &self.ending else {
            return None;
        };
        Some(&self.line.get(place.checked_sub(1)?)?.commit)
    }

    /// Returns where on the first line the commit that was found is, or the merge that brought it in.
    fn place_on(&self, line: &[Place]) -> Option<usize> {
        let (commit, _) = self.found()?;
        let commit = self.within.first().unwrap_or(commit);
        line.iter().position(|place| place.commit == *commit)
    }
}

/// What the inquiry came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// On which side the difference is; none where the sides were not told apart.
    pub side: Option<Side>,
    /// How sure that is.
    pub side_probability: f64,
    /// The search through the code; none where the code is not the cause.
    pub code: Option<Searched>,
    /// The version of the profile from which on it fails, by place in [`Case::versions`], with its probability.
    pub version: Option<(usize, f64)>,
    /// Which of the values that this version changed it takes, or why that is not told; none where it changed one.
    pub needed: Option<Result<Needed, Why>>,
    /// Why there is no version, where the profile takes part.
    pub no_version: Option<CommitEnding>,
    /// Whether the change of the profile came later than that of the code.
    pub profile_came_later: bool,
    /// Why there is no side.
    pub no_side: Option<CommitEnding>,
    /// Counts of old and new code under old and new profile: `[code][profile]`.
    pub cells: [[Counts; 2]; 2],
    /// What was spent.
    pub spent: Spent,
}

impl Answer {
    /// Returns whether the test passes at the bad end, whatever the profile: the failure was not seen.
    pub fn passes_at_the_bad_end(&self) -> bool {
        let code = self.code.as_ref().map(|code| &code.ending);
        let ending = self.no_side.as_ref().or(code);
        matches!(ending, Some(CommitEnding::BadPasses))
    }

    fn nothing() -> Self {
        Self {
            side: None,
            side_probability: 1.0,
            code: None,
            version: None,
            needed: None,
            no_version: None,
            profile_came_later: false,
            no_side: None,
            cells: [[Counts::default(); 2]; 2],
            spent: Spent::default(),
        }
    }
}

/// Looks into a case.
///
/// # Errors
/// Those of the lab.
pub fn inquire<L: Lab>(case: &Case, lab: &mut L) -> Result<Answer, L::Error> {
    let mut answer = Answer::nothing();
    if case.versions.is_empty() {
        let rules = case.rules.clone();
        let how = (Under::New, rules, case.pilots.clone());
        let searched = search_code(case, lab, how, &mut answer.spent)?;
        answer.side = match &searched.ending {
            CommitEnding::Outside { .. } | CommitEnding::NoneOfThese { .. } => Some(Side::Neither),
            _ => Some(Side::Code),
        };
        answer.code = Some(searched);
        return Ok(answer);
    }
    cross::cross(case, lab, &mut answer)?;
    search_code_side(case, lab, &mut answer)?;
    profile::search(case, lab, &mut answer)?;
    let version_at = answer
        .version
        .and_then(|(version, _)| case.versions.get(version));
    let code_at = answer
        .code
        .as_ref()
        .and_then(|code| code.place_on(&case.line));
    if let (Some(version), Some(code)) = (version_at, code_at) {
        answer.profile_came_later = code < *version;
    }
    Ok(answer)
}

/// The rules of what comes after the crossing, which has seen that the ends differ.
fn established(case: &Case) -> Rules {
    Rules {
        established: true,
        ..case.rules.clone()
    }
}

/// Searches the code if it takes part. What the crossing saw are the ends.
fn search_code_side<L: Lab>(case: &Case, lab: &mut L, answer: &mut Answer) -> Result<(), L::Error> {
    let (under, profile) = match answer.side {
        Some(Side::Code | Side::Both) => (Under::New, 1),
        // With either alone, it is the old profile that shows what the code does.
        Some(Side::Either) => (Under::Old, 0),
        _ => return Ok(()),
    };
    let last = case.line.len() - 1;
    let [old, new] = answer.cells.map(|code| code[profile]);
    let mut seen = vec![(0, old), (last, new)];
    if under == Under::New {
        let inner = case.pilots.iter().copied();
        seen.extend(inner.filter(|(place, _)| 0 < *place && *place < last));
    }
    let how = (under, established(case), seen);
    answer.code = Some(search_code(case, lab, how, &mut answer.spent)?);
    Ok(())
}

impl Spent {
    fn take(&mut self, shown: Shown) {
        if let Some(ms) = shown.built_ms {
            self.builds += 1;
            self.builds_ms = self.builds_ms.saturating_add(ms);
        }
        if shown.seen != Seen::Untestable {
            self.trials += 1;
            self.trials_ms = self.trials_ms.saturating_add(shown.ms);
        }
    }
}

/// Searches the line of the case, and enters the merge that is found.
fn search_code<L: Lab>(
    case: &Case,
    lab: &mut L,
    (under, rules, seen): (Under<'_>, Rules, Vec<(usize, Counts)>),
    spent: &mut Spent,
) -> Result<Searched, L::Error> {
    let mut search = CommitSearch::new(case.line.clone(), rules.clone());
    for (place, seen) in seen {
        search.remember(place, seen);
    }
    let mut outer = run(search, lab, under, spent)?;
    while let CommitEnding::Found { place, probability } = outer.ending
        && let Some(merge) = outer.line.get(place).filter(|place| 0 < place.merges)
        && outer.within.len() < DEEPEST
        && let Some(before) = place.checked_sub(1).and_then(|at| outer.line.get(at))
    {
        let merge = merge.commit.clone();
        let sides = lab.side_lines(&merge, &before.commit)?;
        let rules = Rules {
            established: false,
            ..rules.clone()
        };
        match search_sides(sides, lab, (under, &rules), spent)? {
            None => break,
            Some(Ok(mut inner)) => {
                inner.within = outer.within.clone();
                inner.within.push(merge);
                inner.line_probability = outer.line_probability * probability;
                outer = inner;
            }
            // What cannot be told within the merge is still the merge.
            Some(Err(ending)) => {
                outer.branch = Some(ending);
                break;
            }
        }
    }
    Ok(outer)
}

/// Searches the lines that a merge brought in: the one that leads to commits, else how they ended, where one did not pass; none where
/// there are no lines.
fn search_sides<L: Lab>(
    sides: Vec<Vec<Place>>,
    lab: &mut L,
    (under, rules): (Under<'_>, &Rules),
    spent: &mut Spent,
) -> Result<Option<Result<Searched, CommitEnding>>, L::Error> {
    let (mut several, mut ended) = (None, None);
    for side in sides {
        let searched = run(CommitSearch::new(side, rules.clone()), lab, under, spent)?;
        match searched.ending {
            CommitEnding::Found { .. } => return Ok(Some(Ok(searched))),
            CommitEnding::OneOf { .. } => several = several.or(Some(searched)),
            // What passes says less than what does not.
            ending if ended.is_none() || ended == Some(CommitEnding::BadPasses) => {
                ended = Some(ending);
            }
            _ => {}
        }
    }
    Ok(several.map(Ok).or(ended.map(Err)))
}

/// Runs one search to its end.
fn run<L: Lab>(
    mut search: CommitSearch,
    lab: &mut L,
    under: Under<'_>,
    spent: &mut Spent,
) -> Result<Searched, L::Error> {
    let line = search.places().to_vec();
    let ending = loop {
        if lab.is_over() {
            search.stop();
        }
        let ready = |place: usize| {
            line.get(place)
                .is_some_and(|place| lab.is_ready(&place.commit))
        };
        let place = match search.next(&ready) {
            CommitStep::Done(ending) => break ending,
            CommitStep::Try { place, .. } => place,
        };
        let Some(at) = line.get(place) else {
            break CommitEnding::NotReproducible;
        };
        let shown = lab.trial(&at.commit, under)?;
        spent.take(shown);
        if let Some(ms) = shown.built_ms {
            search.built(ms);
        }
        search.record(place, shown.seen, shown.ms);
    };
    Ok(Searched {
        counts: (0..line.len()).map(|place| search.counts(place)).collect(),
        untestable: search.untestable(),
        time_dependent: search.is_time_dependent(),
        line,
        ending,
        within: Vec::new(),
        line_probability: 1.0,
        branch: None,
    })
}

#[cfg(test)]
mod tests;
