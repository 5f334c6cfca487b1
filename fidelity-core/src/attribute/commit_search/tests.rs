//! The search for a commit against planted truths.

use super::*;

/// A number that looks random: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, probability: f64) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        share < probability
    }
}

/// A line of commits with a culprit, some of which cannot be tested.
struct World {
    length: usize,
    /// The first bad place; `length` for none.
    culprit: usize,
    rates: (f64, f64),
    untestable: Vec<usize>,
    seed: u64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            length: 64,
            culprit: 23,
            rates: (0.0, 1.0),
            untestable: Vec::new(),
            seed: 1,
        }
    }
}

impl World {
    fn places(&self) -> Vec<Place> {
        (0..self.length)
            .map(|place| Place {
                commit: CommitId(place.to_string()),
                merges: 0,
                weight: 1.0,
            })
            .collect()
    }

    /// Searches, a build costing as much as 20 trials.
    fn search(&self) -> (CommitSearch, CommitEnding, Vec<usize>) {
        let mut search = CommitSearch::new(self.places(), Rules::default());
        let mut random = Random(self.seed);
        let mut built = Vec::new();
        loop {
            match search.next(&|place| built.contains(&place)) {
                CommitStep::Done(ending) => return (search, ending, built),
                CommitStep::Try { place, .. } => {
                    if !built.contains(&place) {
                        search.built(2_000);
                        built.push(place);
                    }
                    if self.untestable.contains(&place) {
                        search.record(place, Seen::Untestable, 0);
                        continue;
                    }
                    let rate = if place < self.culprit {
                        self.rates.0
                    } else {
                        self.rates.1
                    };
                    let seen = match random.below(rate) {
                        true => Seen::Failed,
                        false => Seen::Passed,
                    };
                    search.record(place, seen, 100);
                }
            }
        }
    }
}

#[test]
fn a_culprit_that_always_fails_is_found_with_few_builds() {
    let (search, ending, built) = World::default().search();
    assert!(
        matches!(ending, CommitEnding::Found { place: 23, .. }),
        "{ending:?}"
    );
    // Both ends and log2 64 commits between, one more for luck of the prior.
    assert!(built.len() <= 9, "{built:?}");
    assert!(search.counts(22).failures == 0 && 3 <= search.counts(22).trials);
    assert!(2 <= search.counts(23).failures);
}

#[test]
fn culprits_that_fail_now_and_then_are_found() {
    // 100 searches that are right with a probability of 0.95 or more: fewer than 85 are so by chance once in 20,000.
    let right = (0..100).filter(|seed| {
        let world = World {
            culprit: 5 + (*seed as usize * 7) % 55,
            rates: (0.02, 0.6),
            seed: *seed,
            ..World::default()
        };
        matches!(world.search().1, CommitEnding::Found { place, .. } if place == world.culprit)
    });
    assert!(85 <= right.count());
}

#[test]
fn commits_around_an_untestable_one_are_named_together() {
    let world = World {
        untestable: vec![21, 22],
        ..World::default()
    };
    let (search, ending, _) = world.search();
    let CommitEnding::OneOf { suspects, why } = ending else {
        panic!("{ending:?}");
    };
    let mut places: Vec<usize> = suspects.iter().map(|(place, _)| *place).collect();
    places.sort_unstable();
    assert_eq!((places, why), (vec![21, 22, 23], Why::Untestable));
    assert_eq!(search.untestable(), [21, 22]);
}

#[test]
fn an_untestable_commit_elsewhere_is_no_evidence() {
    let world = World {
        untestable: vec![31, 32, 33],
        ..World::default()
    };
    let (_, ending, _) = world.search();
    assert!(
        matches!(ending, CommitEnding::Found { place: 23, .. }),
        "{ending:?}"
    );
}

#[test]
fn ends_that_do_not_differ_are_told_apart_soon() {
    let ends = |rates, culprit| {
        let world = World {
            rates,
            culprit,
            ..World::default()
        };
        let (search, ending, built) = world.search();
        assert!(built.len() <= 2);
        (ending, search.spent.trials)
    };
    let (ending, trials) = ends((1.0, 1.0), 23);
    assert_eq!(ending, CommitEnding::GoodFails);
    assert!(trials <= 20, "{trials}");
    let (ending, trials) = ends((0.0, 0.0), 23);
    assert_eq!(ending, CommitEnding::BadPasses);
    assert!(trials <= 62, "{trials}");
    let (ending, _) = ends((1.0, 0.0), 23);
    assert!(matches!(
        ending,
        CommitEnding::BadPasses | CommitEnding::GoodFails
    ));
}

#[test]
fn an_end_that_cannot_be_tested_ends_the_search() {
    for (place, good) in [(0, true), (63, false)] {
        let world = World {
            untestable: vec![place],
            ..World::default()
        };
        assert_eq!(world.search().1, CommitEnding::EndUntestable { good });
    }
}

#[test]
fn a_good_end_that_passed_before_and_fails_now_is_outside() {
    let world = World::default();
    let mut search = CommitSearch::new(world.places(), Rules::default());
    search.remember(0, Counts::new(0, 20));
    let mut asked = 0;
    let ending = loop {
        match search.next(&|_| true) {
            CommitStep::Done(ending) => break ending,
            CommitStep::Try { place, .. } => search.record(place, Seen::Failed, 1),
        }
        asked += 1;
        assert!(asked < 40);
    };
    let before = Counts::new(0, 20);
    assert_eq!(ending, CommitEnding::Outside { before });
}

#[test]
fn stored_trials_alone_name_a_block_of_commits() {
    let world = World::default();
    let rules = Rules {
        budget: 0,
        confirm: false,
        established: true,
        ..Rules::default()
    };
    let mut search = CommitSearch::new(world.places(), rules);
    search.remember(10, Counts::new(0, 30));
    search.remember(14, Counts::new(20, 30));
    let CommitStep::Done(CommitEnding::OneOf { suspects, .. }) = search.next(&|_| true) else {
        panic!("no set");
    };
    let mut places: Vec<usize> = suspects.iter().map(|(place, _)| *place).collect();
    places.sort_unstable();
    assert_eq!(places, [11, 12, 13, 14]);
}

#[test]
fn the_price_of_a_build_is_measured() {
    let mut spent = Spent::default();
    assert_eq!(spent.build_price(), BUILD_UNKNOWN);
    spent.trials = 2;
    spent.trials_ms = 100;
    assert_eq!(spent.build_price(), BUILD_UNKNOWN);
    spent.builds = 1;
    spent.builds_ms = 500;
    assert_eq!(spent.build_price(), 10.0);
}
