//! The crates of the survey, by kind.

use crate::row::{Defect, Finding, Finds, Row};

mod files;
mod processes;
mod texts;
mod times;

/// What most findings have.
const FINDING: Finding = Finding {
    tests: &[],
    exposed_by: "",
    cause: "",
    defect: Defect::Test,
    realistic: Finds::No,
    hostile: Finds::No,
};

/// Returns every row, in the order of the page.
pub fn all() -> impl Iterator<Item = &'static Row> {
    [files::ROWS, processes::ROWS, times::ROWS, texts::ROWS]
        .into_iter()
        .flatten()
}
