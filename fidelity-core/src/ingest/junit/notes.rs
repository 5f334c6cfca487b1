//! Problems while they are collected: of each kind the first with its place, the others counted.

use super::problem::{Fault, Problem, ProblemKind};
use super::window::Place;

/// The problems of a report.
#[derive(Default)]
pub(super) struct Notes {
    /// Of each kind the first, and how many followed.
    kept: Vec<(Fault, Option<Place>, u64)>,
    /// Whether some of `kept` have no place yet.
    fresh: bool,
}

impl Notes {
    /// Notes a problem at the event that is being looked at. `message` is asked for the first of a kind only.
    pub(super) fn note(&mut self, kind: ProblemKind, message: impl FnOnce() -> String) {
        match self.kept.iter_mut().find(|(fault, ..)| fault.kind == kind) {
            Some((_, _, more)) => *more += 1,
            None => {
                self.kept.push((Fault::new(kind, message()), None, 0));
                self.fresh = true;
            }
        }
    }

    /// Returns whether a problem was noted that has no place yet.
    pub(super) fn fresh(&self) -> bool {
        self.fresh
    }

    /// Says where the problems stand that have no place yet; without a place they concern the file as a whole.
    pub(super) fn place(&mut self, place: Option<Place>) {
        let nowhere = Place { line: 0, column: 0 };
        for (_, noted, _) in &mut self.kept {
            noted.get_or_insert(place.unwrap_or(nowhere));
        }
        self.fresh = false;
    }

    /// Returns the problems in the order of kind.
    pub(super) fn finish(mut self, source: &str) -> Vec<Problem> {
        self.place(None);
        let mut problems: Vec<Problem> = self
            .kept
            .into_iter()
            .map(|(fault, place, more)| Problem {
                kind: fault.kind,
                source: source.to_owned(),
                line: place.map_or(0, |place| place.line),
                column: place.map_or(0, |place| place.column),
                message: fault.message,
                more,
            })
            .collect();
        problems.sort_by_key(|problem| problem.kind);
        problems
    }
}
