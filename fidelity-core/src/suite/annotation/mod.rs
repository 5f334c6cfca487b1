//! Annotations of the tests in a binary, read without running anything.
//!
//! [`section`] finds the bytes (the only IO here), [`record`] reads them, [`placed`] says which tests they are about,
//! [`configured`] what the configuration says beside them, and [`arms`] what follows in a run. A binary without annotations
//! costs the reading of its headers.

use crate::domain::Problem;

use super::{SuiteTest, TestBinary};

pub mod arms;
pub mod configured;
pub mod placed;
pub mod record;
pub mod section;

use record::Records;

/// Has the tests of a binary, sorted by name, say what their authors say of them. What is wrong with the annotations is
/// returned; the tests are run all the same.
pub fn annotate(binary: &TestBinary, tests: &mut [SuiteTest]) -> Vec<Problem> {
    let section = match section::read(&binary.path) {
        Ok(None) => return Vec::new(),
        Ok(Some(section)) => section,
        Err(error) => {
            return vec![Problem {
                kind: "annotations-unreadable".to_owned(),
                message: format!(
                    "the annotations of {} ({}) are not read: {error}",
                    binary.id,
                    binary.path.display()
                ),
            }];
        }
    };
    let Records {
        records,
        flaws,
        more_flaws,
    } = Records::read(&section);
    let mut problems: Vec<Problem> = flaws
        .iter()
        .map(|flaw| Problem {
            kind: "annotation-unreadable".to_owned(),
            message: format!(
                "{} holds {flaw} of its annotations; it is left out",
                binary.id
            ),
        })
        .collect();
    if more_flaws > 0 {
        problems.push(Problem {
            kind: "annotation-unreadable".to_owned(),
            message: format!("{} holds {more_flaws} more that are left out", binary.id),
        });
    }
    let crate_name = binary.target.replace('-', "_");
    problems.extend(placed::place(&binary.id, &crate_name, &records, tests));
    problems
}
