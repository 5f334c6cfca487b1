//! A libtest that is made up, with tests that do whatever tests do.

use std::collections::BTreeSet;

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;

/// What a test of the made-up suite does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Passes,
    Fails,
    Aborts,
    Exits,
    Hangs,
    /// Aborts if another test ended before it in its process.
    AbortsInCompany,
    /// Passes, and prints what looks like the result of the first test.
    Imitates,
}

impl Truth {
    const ODD: [Self; 6] = [
        Self::Fails,
        Self::Aborts,
        Self::Exits,
        Self::Hangs,
        Self::AbortsInCompany,
        Self::Imitates,
    ];

    /// Returns whether a test may be seen to come to `outcome`.
    fn allows(self, outcome: Outcome) -> bool {
        let expected = match self {
            Self::Passes | Self::Imitates => Outcome::Passed,
            Self::Fails | Self::Exits => Outcome::Failed,
            Self::Aborts => Outcome::Crashed(6),
            Self::Hangs => Outcome::TimedOut,
            Self::AbortsInCompany if outcome == Outcome::Passed => Outcome::Passed,
            Self::AbortsInCompany => Outcome::Crashed(11),
        };
        [expected, Outcome::NotReported].contains(&outcome)
    }
}

/// A process of libtest that runs tests together.
struct Process<'a> {
    threads: usize,
    names: VecDeque<String>,
    truths: &'a [Truth],
    flying: Vec<String>,
    printed: String,
    /// Tests that passed and that failed.
    ended: [usize; 2],
}

fn truth_of(truths: &[Truth], name: &str) -> Truth {
    truths[name[1..].parse::<usize>().unwrap()]
}

/// Plays a process of libtest.
fn libtest(job: Job, truths: &[Truth], random: &mut Pcg64Mcg) -> Finished {
    let Some(company) = &job.together else {
        let name = String::from_utf8(job.arguments.last().unwrap().clone()).unwrap();
        let (ending, printed) = alone(truth_of(truths, &name), truths.len());
        return end(job, ending, &printed);
    };
    let names = company.names.iter();
    let mut process = Process {
        threads: company.manner.threads,
        names: names
            .map(|name| String::from_utf8(name.clone()).unwrap())
            .collect(),
        truths,
        flying: Vec::new(),
        printed: String::new(),
        ended: [0; 2],
    };
    let ending = process.run(random);
    end(job, ending, &process.printed)
}

fn alone(truth: Truth, tests: usize) -> (Ending, String) {
    match truth {
        Truth::Passes | Truth::Imitates | Truth::AbortsInCompany => {
            (Ending::Exited(0), sum(1, 0, 0))
        }
        Truth::Fails => (Ending::Exited(101), sum(0, 1, 0)),
        Truth::Aborts => (Ending::Signalled(6), String::new()),
        Truth::Exits => (Ending::Exited(0), sum(tests.max(2), 0, 0)),
        Truth::Hangs => (Ending::TimedOut, String::new()),
    }
}

impl Process<'_> {
    /// Starts tests in order and ends them at random.
    fn run(&mut self, random: &mut Pcg64Mcg) -> Ending {
        loop {
            while self.flying.len() < self.threads
                && let Some(name) = self.names.pop_front()
            {
                if self.threads == 1 {
                    self.printed += &format!("test {name} ... ");
                }
                self.flying.push(name);
            }
            let hangs = |name: &String| truth_of(self.truths, name) == Truth::Hangs;
            if self.flying.iter().all(hangs) {
                break;
            }
            let at = (random.next_u64() % self.flying.len() as u64) as usize;
            if let Some(ending) = self.end_test(at) {
                return ending;
            }
        }
        if !self.flying.is_empty() {
            return Ending::TimedOut;
        }
        let [passed, failed] = self.ended;
        self.printed += &sum(passed, failed, 0);
        Ending::Exited(if failed > 0 { 101 } else { 0 })
    }

    /// Ends one of the tests that run, unless it hangs. Returns how it ends the process, if it does.
    fn end_test(&mut self, at: usize) -> Option<Ending> {
        let word = match truth_of(self.truths, &self.flying[at]) {
            Truth::Hangs => return None,
            Truth::Aborts => return Some(Ending::Signalled(6)),
            Truth::AbortsInCompany if self.ended != [0, 0] => return Some(Ending::Signalled(11)),
            Truth::Exits => {
                self.printed += &sum(self.truths.len(), 0, 0);
                return Some(Ending::Exited(0));
            }
            Truth::Fails => "FAILED",
            Truth::Imitates => {
                self.printed += "\ntest t00 ... ok\n";
                "ok"
            }
            Truth::Passes | Truth::AbortsInCompany => "ok",
        };
        let name = self.flying.remove(at);
        if self.threads > 1 {
            self.printed += &format!("test {name} ... ");
        }
        self.printed += &format!("{word}\n");
        self.ended[usize::from(word == "FAILED")] += 1;
        None
    }
}

/// Runs a suite that the seed makes up. Returns its truths, how many threads it had and processes it took, and what was
/// seen.
fn made_up(seed: u64) -> (Vec<Truth>, usize, usize, BTreeMap<u32, Observation>) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut below = |bound: u64| (random.next_u64() % bound) as usize;
    let tests = 1 + below(12);
    let truths: Vec<Truth> = (0..tests)
        .map(|_| match below(3) {
            0 => Truth::ODD[below(6)],
            _ => Truth::Passes,
        })
        .collect();
    let threads = [1, 2, 4][below(3)];
    let names: Vec<String> = (0..tests).map(|test| format!("t{test:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let listed = listed(&names);
    let mask = no_mask();
    let shared = Shared::new(
        rules(threads),
        members(&listed, |_, _| true),
        &listed,
        &mask,
    );
    let mut processes = 0;
    let (_, seen) = play_all(shared, |job| {
        processes += 1;
        libtest(job, &truths, &mut random)
    });
    (truths, threads, processes, seen)
}

#[test]
fn whatever_tests_do_each_is_reported_once_and_none_passes_that_does_not() {
    let mut reported = BTreeMap::new();
    for seed in 0..3_000 {
        let (truths, threads, processes, seen) = made_up(seed);
        let all: BTreeSet<u32> = (0..truths.len() as u32).collect();
        assert_eq!(
            seen.keys().copied().collect::<BTreeSet<_>>(),
            all,
            "seed {seed}"
        );
        let most = (1 + RESTARTS as usize) * (1 + truths.len());
        assert!(processes <= most, "seed {seed}: {processes} processes");
        // Nobody can tell who needs company, but with one thread, where nobody else is in flight; and an imitation may
        // be taken for a result that contradicts another.
        let charged = threads == 1 || !truths.contains(&Truth::AbortsInCompany);
        let told = charged && processes < 9 && !truths.contains(&Truth::Imitates);
        for (test, seen) in &seen {
            let (truth, outcome) = (truths[*test as usize], seen.outcome);
            // To the letter, and in a process that ends before the sum: no reader could tell it from a result, and it
            // hides that its test was in flight.
            let imitated = 1 < threads && truths.contains(&Truth::Imitates);
            assert!(
                truth.allows(outcome) || imitated,
                "seed {seed}: t{test} {truth:?} {seen:?} of {truths:?}, {threads} threads"
            );
            assert!(
                !told || outcome != Outcome::NotReported,
                "seed {seed}: t{test} of {truths:?}, {threads} threads"
            );
            *reported.entry(letter(outcome)).or_insert(0) += 1;
        }
    }
    let enough = [('.', 10_000), ('F', 500), ('C', 500), ('T', 300)];
    assert!(
        enough
            .iter()
            .all(|(letter, least)| reported[letter] > *least),
        "{reported:?}"
    );
}
