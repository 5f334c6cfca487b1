//! Every answer on its case, with planted truths.

use std::collections::BTreeSet;
use std::convert::Infallible;

use super::*;
use crate::attribute::engine::Expect;
use crate::domain::{KnobId, KnobValue};

/// Whether the test fails with code at this place under a version of the profile.
type Truth = fn(place: usize, version: usize) -> bool;

/// A line of 20 commits; the profile changed at places 6 and 12.
struct World {
    truth: Truth,
    built: BTreeSet<CommitId>,
    trials: u32,
    most: u32,
    merges: Vec<(usize, Vec<Place>)>,
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
        merges: Vec::new(),
    }
}

fn case() -> Case {
    Case {
        line: places((0..LENGTH).map(|place| place.to_string())),
        pilots: Vec::new(),
        versions: VERSIONS.to_vec(),
        environments: Vec::new(),
        rules: Rules::default(),
    }
}

impl Lab for World {
    type Error = Infallible;

    fn trial(&mut self, commit: &CommitId, under: Under<'_>) -> Result<Shown, Infallible> {
        self.trials += 1;
        let new = self.built.insert(commit.clone());
        let version = match under {
            Under::Old => 0,
            Under::New => VERSIONS.len() - 1,
            Under::Version(version) => version,
            Under::Mixture(_) => panic!("no version changed more than one value"),
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

    fn side_lines(
        &mut self,
        merge: &CommitId,
        _: &CommitId,
    ) -> Result<Vec<Vec<Place>>, Infallible> {
        let merges = self.merges.iter();
        let merges = merges.filter(|(place, _)| place.to_string() == merge.0);
        Ok(merges.map(|(_, line)| line.clone()).collect())
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
    world.merges = vec![(9, places((0..5).map(|place| format!("s{place}"))))];
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
fn every_branch_that_a_merge_brought_in_is_entered() {
    let mut world = world(|place, _| 9 <= place);
    let branch = |from: usize, to: usize| places((from..to).map(|place| format!("s{place}")));
    // What comes first passes.
    world.merges = vec![(9, branch(0, 2)), (9, branch(0, 5))];
    let mut case = Case {
        versions: Vec::new(),
        ..case()
    };
    case.line[9].merges = 2;
    let answer = inquire(&case, &mut world).unwrap();
    assert_eq!(code(&answer), Some("s2"));
}

#[test]
fn a_merge_whose_branches_pass_is_the_cause_itself() {
    let mut world = world(|place, _| 9 <= place);
    world.merges = vec![(9, places((0..2).map(|place| format!("s{place}"))))];
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
        world.merges = vec![(9, places((0..4).map(|place| format!("s{place}"))))];
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

/// Whether the test fails, given which knobs have their new value.
type Needs = fn(&dyn Fn(&str) -> bool) -> bool;

/// Commits whose code never matters, and profiles: `early` is changed by the first version, the others by the second.
struct Profiles {
    needs: Needs,
    environments: Vec<Environment>,
    commits: BTreeSet<CommitId>,
    trials: u32,
    most: u32,
}

const TOGETHER: [&str; 5] = ["a", "b", "c", "d", "e"];

impl Lab for Profiles {
    type Error = Infallible;

    fn trial(&mut self, commit: &CommitId, under: Under<'_>) -> Result<Shown, Infallible> {
        self.trials += 1;
        self.commits.insert(commit.clone());
        let environment = match under {
            Under::Old => &self.environments[0],
            Under::New => &self.environments[2],
            Under::Version(version) => &self.environments[version],
            Under::Mixture(environment) => environment,
        };
        let is_new = |knob: &str| environment.0.contains_key(&KnobId::from(knob));
        let failed = (self.needs)(&is_new);
        Ok(Shown {
            seen: if failed { Seen::Failed } else { Seen::Passed },
            ms: 10,
            built_ms: None,
        })
    }

    fn is_ready(&self, _: &CommitId) -> bool {
        true
    }

    fn side_lines(&mut self, _: &CommitId, _: &CommitId) -> Result<Vec<Vec<Place>>, Infallible> {
        Ok(Vec::new())
    }

    fn is_over(&self) -> bool {
        self.most <= self.trials
    }
}

fn profiles(needs: Needs, most: u32) -> (Answer, Profiles) {
    let environment = |knobs: &[&str]| {
        let values = knobs
            .iter()
            .map(|knob| (KnobId::from(*knob), KnobValue::Text("new".to_owned())));
        Environment(values.collect())
    };
    let all = [&["early"][..], &TOGETHER].concat();
    let mut lab = Profiles {
        needs,
        environments: vec![environment(&[]), environment(&["early"]), environment(&all)],
        commits: BTreeSet::new(),
        trials: 0,
        most,
    };
    let case = Case {
        environments: lab.environments.clone(),
        ..case()
    };
    let answer = inquire(&case, &mut lab).unwrap();
    (answer, lab)
}

#[test]
fn of_many_values_that_changed_at_once_those_are_told_that_it_takes() {
    let truths: [(Needs, &[&str], bool); 4] = [
        (|is_new| is_new("c"), &["c"], false),
        (|is_new| is_new("a") && is_new("e"), &["a", "e"], false),
        (|is_new| is_new("b") || is_new("d"), &["b", "d"], true),
        // What was changed before is needed and not what made the difference.
        (|is_new| is_new("early") && is_new("d"), &["d"], false),
    ];
    for (needs, knobs, either) in truths {
        let (answer, lab) = profiles(needs, 500);
        assert_eq!(answer.side, Some(Side::Profile));
        assert_eq!(answer.version.map(|(version, _)| version), Some(2));
        let needed = answer.needed.unwrap().unwrap();
        let names: Vec<&str> = needed.knobs.iter().map(|knob| knob.0.as_str()).collect();
        assert_eq!((names.as_slice(), needed.either), (knobs, either));
        assert!(0.95 <= needed.probability, "{}", needed.probability);
        assert_eq!(answer.spent.trials, lab.trials);
        // Both ends at most: the values are tried with the newest code.
        assert!(lab.commits.len() <= 2, "{:?}", lab.commits);
        for (place, expect, seen) in &needed.sides {
            let failures = if *expect == Expect::Fails {
                seen.trials
            } else {
                0
            };
            assert_eq!(seen.failures, failures, "{place}");
            assert!(3 <= seen.trials, "{place}: {seen:?}");
        }
        let first = &needed.sides[0].0;
        assert_eq!(
            first.as_str(),
            match (knobs, either) {
                ([one], _) | ([one, ..], true) => format!("profile before + {one}"),
                (all, _) => format!("profile before + {}", all.join(" + ")),
            }
        );
    }
    let (answer, _) = profiles(|is_new| is_new("early"), 500);
    assert_eq!(answer.version.map(|(version, _)| version), Some(1));
    assert_eq!(answer.needed, None);
}

#[test]
fn values_that_are_not_told_apart_are_none_of_them_the_cause() {
    let (answer, _) = profiles(|is_new| TOGETHER[..4].iter().all(|knob| is_new(knob)), 500);
    assert_eq!(answer.version.map(|(version, _)| version), Some(2));
    assert!(matches!(answer.needed, Some(Err(_))), "{:?}", answer.needed);
    let mut stopped = 0;
    for most in 10..60 {
        let (answer, _) = profiles(|is_new| is_new("c"), most);
        match answer.needed {
            Some(Ok(needed)) => assert_eq!(needed.knobs, [KnobId::from("c")]),
            Some(Err(why)) => {
                assert_eq!(why, Why::Stopped);
                stopped += 1;
            }
            None => assert_eq!(answer.version, None),
        }
    }
    assert!(0 < stopped, "it was never stopped among the values");
}
