//! Every answer on its case, with planted truths.

use std::collections::BTreeSet;
use std::convert::Infallible;

use super::*;
use crate::attribute::commit_search::Why;

/// Whether the test fails with code at this place under a version of the profile.
type Truth = fn(place: usize, version: usize) -> bool;

/// A line of 20 commits; the profile changed at places 6 and 12.
struct World {
    truth: Truth,
    built: BTreeSet<CommitId>,
    trials: u32,
    most: u32,
    merge: Option<(usize, Vec<Place>)>,
}

const LENGTH: usize = 20;
const VERSIONS: [usize; 3] = [0, 6, 12];

fn places(names: impl Iterator<Item = String>) -> Vec<Place> {
    names
        .map(|name| Place {
            commit: CommitId(name),
            merges: 0,
            weight: 1.0,
        })
        .collect()
}

fn world(truth: Truth) -> World {
    World {
        truth,
        built: BTreeSet::new(),
        trials: 0,
        most: 500,
        merge: None,
    }
}

fn case() -> Case {
    Case {
        line: places((0..LENGTH).map(|place| place.to_string())),
        pilots: Vec::new(),
        versions: VERSIONS.to_vec(),
        rules: Rules::default(),
    }
}

impl Lab for World {
    type Error = Infallible;

    fn trial(&mut self, commit: &CommitId, under: Under) -> Result<Shown, Infallible> {
        self.trials += 1;
        let new = self.built.insert(commit.clone());
        let version = match under {
            Under::Old => 0,
            Under::New => VERSIONS.len() - 1,
            Under::Version(version) => version,
        };
        // Commits of a merged branch are named `s0`, `s1` ...: they fail from `s2` on.
        let failed = match commit.0.strip_prefix('s') {
            Some(aside) => 2 <= aside.parse::<usize>().unwrap(),
            None => (self.truth)(commit.0.parse().unwrap(), version),
        };
        Ok(Shown {
            seen: if failed { Seen::Failed } else { Seen::Passed },
            ms: 10,
            built_ms: new.then_some(300),
        })
    }

    fn is_ready(&self, commit: &CommitId) -> bool {
        self.built.contains(commit)
    }

    fn side_line(&mut self, merge: &CommitId) -> Result<Option<Vec<Place>>, Infallible> {
        let merge = self
            .merge
            .as_ref()
            .filter(|(place, _)| place.to_string() == merge.0);
        Ok(merge.map(|(_, line)| line.clone()))
    }

    fn is_over(&self) -> bool {
        self.most <= self.trials
    }
}

fn answer(truth: Truth) -> (Answer, World) {
    let mut world = world(truth);
    let answer = inquire(&case(), &mut world).unwrap();
    (answer, world)
}

fn code(answer: &Answer) -> Option<&str> {
    let (commit, _) = answer.code.as_ref()?.found()?;
    Some(&commit.0)
}

#[test]
fn code_alone_is_found_with_the_failing_profile_pinned() {
    let (answer, _) = answer(|place, _| 9 <= place);
    assert_eq!(answer.side, Some(Side::Code));
    assert_eq!(code(&answer), Some("9"));
    assert_eq!(answer.version, None);
}

#[test]
fn a_profile_alone_is_found_without_building_anything_between_the_ends() {
    let (answer, world) = answer(|_, version| 1 <= version);
    assert_eq!(answer.side, Some(Side::Profile));
    assert_eq!(answer.version.map(|(version, _)| version), Some(1));
    assert!(answer.code.is_none());
    assert!(world.built.len() <= 2, "{:?}", world.built);
}

#[test]
fn a_latent_defect_that_a_later_profile_exposed_names_both() {
    let (answer, _) = answer(|place, version| 3 <= place && 2 <= version);
    assert_eq!(answer.side, Some(Side::Both));
    assert_eq!(code(&answer), Some("3"));
    assert_eq!(answer.version.map(|(version, _)| version), Some(2));
    assert!(answer.profile_came_later);
}

#[test]
fn code_that_came_after_the_profile_was_raised_is_told_from_that() {
    let (answer, _) = answer(|place, version| 16 <= place && 1 <= version);
    assert_eq!(answer.side, Some(Side::Both));
    assert_eq!(code(&answer), Some("16"));
    assert_eq!(answer.version.map(|(version, _)| version), Some(1));
    assert!(!answer.profile_came_later);
}

#[test]
fn either_alone_is_two_answers() {
    let (answer, _) = answer(|place, version| 8 <= place || 2 <= version);
    assert_eq!(answer.side, Some(Side::Either));
    assert_eq!(code(&answer), Some("8"));
    assert_eq!(answer.version.map(|(version, _)| version), Some(2));
}

#[test]
fn what_fails_at_the_good_end_too_is_said_to() {
    let (failing, _) = answer(|_, _| true);
    assert_eq!(failing.no_side, Some(CommitEnding::GoodFails));
    assert_eq!(failing.side, None);
    let (passing, _) = answer(|_, _| false);
    assert_eq!(passing.no_side, Some(CommitEnding::BadPasses));
}

#[test]
fn without_a_change_of_the_profile_the_code_is_searched_at_once() {
    let mut world = world(|place, _| 14 <= place);
    let case = Case {
        versions: Vec::new(),
        ..case()
    };
    let answer = inquire(&case, &mut world).unwrap();
    assert_eq!((answer.side, code(&answer)), (Some(Side::Code), Some("14")));
    assert_eq!(answer.spent.builds as usize, world.built.len());
    assert_eq!(answer.spent.trials, world.trials);
}

#[test]
fn what_passed_at_the_good_end_before_and_fails_there_now_is_outside() {
    let mut world = world(|_, _| true);
    let case = Case {
        versions: Vec::new(),
        pilots: vec![(0, Counts::new(0, 20)), (LENGTH - 1, Counts::new(20, 20))],
        ..case()
    };
    let answer = inquire(&case, &mut world).unwrap();
    assert_eq!(answer.side, Some(Side::Neither));
}

#[test]
fn a_merge_is_entered_and_named_beside_what_it_brought_in() {
    let mut world = world(|place, _| 9 <= place);
    world.merge = Some((9, places((0..5).map(|place| format!("s{place}")))));
    let mut case = Case {
        versions: Vec::new(),
        ..case()
    };
    case.line[9].merges = 1;
    let answer = inquire(&case, &mut world).unwrap();
    let searched = answer.code.unwrap();
    assert_eq!(searched.found().unwrap().0.0, "s2");
    assert_eq!(searched.within, [CommitId("9".to_owned())]);
}

#[test]
fn a_merge_whose_branches_pass_is_the_cause_itself() {
    let mut world = world(|place, _| 9 <= place);
    world.merge = Some((9, places((0..2).map(|place| format!("s{place}")))));
    let mut case = Case {
        versions: Vec::new(),
        ..case()
    };
    case.line[9].merges = 1;
    let answer = inquire(&case, &mut world).unwrap();
    let searched = answer.code.unwrap();
    assert_eq!(searched.found().unwrap().0.0, "9");
    assert_eq!(searched.branch, Some(CommitEnding::BadPasses));
}

#[test]
fn time_that_is_over_leaves_what_is_known() {
    let mut world = world(|place, _| 9 <= place);
    world.most = 14;
    let case = Case {
        versions: Vec::new(),
        ..case()
    };
    let answer = inquire(&case, &mut world).unwrap();
    let ending = answer.code.unwrap().ending;
    let CommitEnding::OneOf { suspects, why } = ending else {
        panic!("{ending:?}");
    };
    assert_eq!(why, Why::Stopped);
    assert!(suspects.iter().any(|(place, _)| *place == 9));
}

#[test]
fn time_that_is_over_within_a_merge_or_among_versions_is_no_cause() {
    // The merge is found after about 20 trials, which its branch would need more than.
    let mut stopped = 0;
    for most in 14..40 {
        let mut world = world(|place, _| 9 <= place);
        world.merge = Some((9, places((0..4).map(|place| format!("s{place}")))));
        world.most = most;
        let mut case = Case {
            versions: Vec::new(),
            ..case()
        };
        case.line[9].merges = 1;
        let searched = inquire(&case, &mut world).unwrap().code.unwrap();
        match searched.found() {
            Some((commit, sure)) => {
                assert_eq!(commit.0, "s2", "with {most} trials");
                assert!(sure < searched.line_probability);
            }
            None => {
                let why = match &searched.ending {
                    CommitEnding::OneOf { why, .. } => *why,
                    ending => panic!("with {most} trials: {ending:?}"),
                };
                assert_eq!(why, Why::Stopped, "with {most} trials");
                stopped += u32::from(!searched.within.is_empty());
            }
        }
    }
    assert!(0 < stopped, "it was never stopped within the merge");
    let mut unknown = 0;
    for most in 10..40 {
        let mut world = world(|_, version| 1 <= version);
        world.most = most;
        let answer = inquire(&case(), &mut world).unwrap();
        if answer.side == Some(Side::Profile) && answer.version.is_none() {
            let ending = answer.no_version.unwrap();
            assert!(
                matches!(
                    ending,
                    CommitEnding::OneOf {
                        why: Why::Stopped,
                        ..
                    }
                ),
                "{ending:?}"
            );
            unknown += 1;
        }
    }
    assert!(0 < unknown, "it was never stopped among the versions");
}
