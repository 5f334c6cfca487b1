//! The names of real runners, the rules one by one, and what holds of all names.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::ingest::junit::{Limits, read};

/// Returns each trial as `binary | test | attempt`, and what is said of the names.
fn placed(report: &str, names: Names) -> (Vec<String>, Vec<String>) {
    let mut names = names;
    let mut placed = Vec::new();
    let summary = read(
        report.as_bytes(),
        "r.xml",
        &Limits::default(),
        &mut |case| {
            let Placed { id, attempt, .. } = names.place(case, "r.xml");
            placed.push(format!("{} | {} | {attempt}", id.binary, id.test));
        },
    );
    assert!(summary.broken().is_none(), "{:?}", summary.problems);
    let said = names
        .finish()
        .iter()
        .map(|problem| format!("{} {problem}", problem.kind))
        .collect();
    (placed, said)
}

fn plainly(report: &str) -> Vec<String> {
    let (placed, said) = placed(report, Names::new(Rules::default()));
    assert!(said.is_empty(), "{said:?}");
    placed
}

#[test]
fn one_rust_test_has_one_name_whoever_ran_it() {
    let ours = TestId::new("my-crate::api", "auth::logs_in");
    let expected = ["my-crate::api | auth::logs_in | 0"];
    let nextest = "<testsuites name='nextest-run'><testsuite name='my-crate::api'>
        <testcase name='auth::logs_in' classname='my-crate::api'/></testsuite></testsuites>";
    let unit = "<testsuites><testsuite name='test' package='test' id='0'>
        <testcase classname='auth' name='logs_in' time='0'/></testsuite></testsuites>";
    let integration = "<testsuites><testsuite name='test' package='test' id='0'>
        <testcase classname='integration' name='auth::logs_in' time='0'/></testsuite></testsuites>";
    let cargo2junit =
        "<testsuites><testsuite name='cargo test #0' package='testsuite/cargo test #0'>
        <testcase name='logs_in' classname='auth' time='0'/></testsuite></testsuites>";
    for report in [nextest, unit, integration, cargo2junit] {
        let names = Names::new(Rules::default()).knowing([&ours]);
        assert_eq!(
            placed(report, names),
            (expected.map(String::from).to_vec(), vec![]),
            "{report}"
        );
    }
    assert_eq!(
        plainly(unit),
        ["test | auth::logs_in | 0"],
        "nobody knows the binary"
    );
    let twins = [ours, TestId::new("my-crate", "auth::logs_in")];
    let names = Names::new(Rules::default()).knowing(&twins);
    assert_eq!(
        placed(unit, names).0,
        ["test | auth::logs_in | 0"],
        "two binaries have it"
    );
}

#[test]
fn other_tools_name_by_class_else_by_suites() {
    assert_eq!(
        plainly(
            "<testsuites>
             <testsuite name='pytest'><testcase classname='tests.test_a.TestX' name='test_b[1-x]'/></testsuite>
             <testsuite name='com.x.FooTest'><testcase classname='com.x.FooTest' name='works'/></testsuite>
             <testsuite name='Chrome 126.0 (Linux)'><testcase classname='widget' name='opens'/></testsuite>
             <testsuite name='All'><testsuite><testsuite name='TestA'><testcase classname='' name='A'/></testsuite></testsuite>
               <testsuite name='TestB'><testcase name='A'/></testsuite></testsuite>
             <testsuite name='config'><testcase classname='is callable' name='config is callable'/></testsuite>
             <testsuite name='s'><testcase classname='Only.Class'/><testcase file='f.js'/><testcase/></testsuite>
             </testsuites>"
        ),
        [
            "tests.test_a.TestX | test_b[1-x] | 0",
            "com.x.FooTest | works | 0",
            "widget | opens | 0",
            "All > TestA | A | 0",
            "All > TestB | A | 0",
            "config | config is callable | 0",
            "s | Only.Class | 0",
            "s | f.js | 0",
            "s | (unnamed) | 0",
        ]
    );
}

#[test]
fn repeated_names_are_trials_of_one_test_and_said() {
    let report = "<testsuite name='s'>
        <testcase name='a'><failure/></testcase>
        <testcase name='a'><rerunFailure/></testcase>
        <testcase name='b'><flakyFailure/></testcase>
        <testcase name='a'/></testsuite>";
    let (trials, said) = placed(report, Names::new(Rules::default()));
    assert_eq!(
        trials,
        [
            "s | a | 0",
            "s | a | 1",
            "s | a | 2",
            "s | b | 0",
            "s | b | 1",
            "s | a | 3"
        ]
    );
    assert_eq!(
        said,
        [
            "repeated-name r.xml:3:1: `a` is there more than once: further trials of one test (and 1 more)"
        ]
    );
}

#[test]
fn names_of_a_report_that_the_rules_make_equal_stay_tests_of_their_own() {
    let report = "<testsuite name='s'><testcase name='t[at 0x7f0000000001]'/><testcase name='t[at 0x7f0000000002]'/>
        <testcase name='t[at 0x7f0000000003]'/><testcase name='t[at 0x7f0000000002]'/></testsuite>";
    let (trials, said) = placed(report, Names::new(Rules::default()));
    assert_eq!(
        trials,
        [
            "s | t[at 0x*] | 0",
            "s | t[at 0x*] #2 | 0",
            "s | t[at 0x*] #3 | 0",
            "s | t[at 0x*] #2 | 1"
        ]
    );
    assert_eq!(
        said,
        [
            "merged-name r.xml:1:1: `t[at 0x7f0000000001]` and `t[at 0x7f0000000002]` have one name by the rules for names: the second is called `t[at 0x*] #2` (and 1 more)",
            "repeated-name r.xml:2:1: `t[at 0x*] #2` is there more than once: further trials of one test",
        ]
    );
    let off = Rules::default().without(Rule::Parameters);
    let (trials, said) = placed(report, Names::new(off));
    assert_eq!(trials.len(), 4);
    assert!(trials.iter().all(|trial| trial.contains("at 0x7f")) && said.len() == 1);
}

#[test]
fn another_report_writes_the_same_tests_otherwise() {
    let mut names = Names::new(Rules::default());
    for (round, seeds) in [["1", "2"], ["3", "4"]].iter().enumerate() {
        names.begin_report();
        for (number, seed) in seeds.iter().enumerate() {
            let case = Case {
                name: format!("t[seed={seed}]"),
                ..Case::default()
            };
            let placed = names.place(&case, &format!("{round}.xml"));
            let expected = ["t[seed=*]", "t[seed=*] #2"][number];
            assert_eq!((placed.id.test.as_str(), placed.varies), (expected, true));
            assert_eq!(usize::from(placed.attempt), round);
        }
    }
    let said: Vec<String> = names.finish().iter().map(ToString::to_string).collect();
    assert!(
        said.iter()
            .any(|said| said.contains("`t[seed=1]` and `t[seed=3]` are one test")),
        "{said:?}"
    );
}

#[test]
fn one_name_in_two_suites_is_said_to_be_one_test() {
    let report = "<testsuites><testsuite name='Chrome'><testcase classname='widget' name='opens'/></testsuite>
        <testsuite name='Firefox'><testcase classname='widget' name='opens'><failure/></testcase></testsuite></testsuites>";
    let (trials, said) = placed(report, Names::new(Rules::default()));
    assert_eq!(trials, ["widget | opens | 0", "widget | opens | 1"]);
    let expected = "repeated-name r.xml:2:1: `opens` is there in more than one suite: further trials of one test";
    assert_eq!(said, [expected]);
}

#[test]
fn stress_passes_are_numbered_apart_unless_that_is_switched_off() {
    let report = "<testsuites><testsuite name='c::b@stress-0'><testcase classname='c::b' name='x'/></testsuite>
        <testsuite name='c::b@stress-1'><testcase classname='c::b' name='x'/></testsuite></testsuites>";
    assert_eq!(plainly(report), ["c::b | x | 0", "c::b | x | 0"]);
    let off = Names::new(Rules::default().without(Rule::Stress));
    assert_eq!(
        placed(report, off).0,
        ["c::b@stress-0 | x | 0", "c::b@stress-1 | x | 0"]
    );
}

#[test]
fn each_rule_changes_what_it_says_and_can_be_switched_off() {
    let rules = Rules::default().relative_to("/srv/checkout/");
    for (rule, written, normal) in [
        (Rule::Seeds, "rspec --seed 4711", "rspec --seed *"),
        (Rule::Seeds, "sorts [Seed: 0xBEEF]", "sorts [Seed: *]"),
        (Rule::Seeds, "seed=1 seed=2", "seed=* seed=*"),
        (
            Rule::Parameters,
            "t[<Db object at 0x7f30a1b2c3d4>]",
            "t[<Db object at 0x*>]",
        ),
        (Rule::Parameters, "t/0xc000123abc", "t/0x*"),
        (
            Rule::Parameters,
            "t[6BA7B810-9dad-11d1-80b4-00c04fd430c8]",
            "t[*]",
        ),
        (Rule::Spaces, "  a \n\t b ", "a b"),
        (
            Rule::Paths,
            "/home/runner/work/app/app/tests/a.py",
            "tests/a.py",
        ),
        (
            Rule::Paths,
            "/home/runner/work/app/other/a.py",
            "~/work/app/other/a.py",
        ),
        (Rule::Paths, r"D:\a\app\app\tests\a.py", "tests/a.py"),
        (Rule::Paths, "/builds/group/app/a.rb:12", "a.rb:12"),
        (
            Rule::Paths,
            "reads \"/srv/checkout/data/x.txt\"",
            "reads \"data/x.txt\"",
        ),
        (Rule::Paths, "cd /srv/checkout", "cd ."),
        (Rule::Paths, "/home/me/src/a.py", "~/src/a.py"),
        (Rule::Paths, r"C:\Users\Me\src\a.py", "~/src/a.py"),
        (
            Rule::Paths,
            "t[/tmp/pytest-of-me/pytest-7/test_a0/x.db]",
            "t[<tmp>/x.db]",
        ),
        (Rule::Paths, "/tmp/.tmpAbCdEf/out", "<tmp>/out"),
    ] {
        assert_eq!(rules.normal(written), normal, "{written}");
        let off = rules.clone().without(rule);
        assert_eq!(
            off.normal(written),
            written,
            "{written} without {}",
            rule.word()
        );
    }
    for rule in Rule::ALL {
        assert_eq!(Rule::named(rule.word()), Some(rule));
    }
}

#[test]
fn names_that_only_look_like_it_are_kept() {
    let rules = Rules::default().relative_to("/srv/checkout/");
    for kept in [
        "test_seed_42",
        "reseed 5x",
        "parses_0xdeadbeef",
        "GET /api/users/1",
        "a/b/c",
        "//comment",
        "1/2",
        "2024-02-29T00:00:00Z",
        "/srv/checkouts/x",
        "",
    ] {
        assert_eq!(rules.normal(kept), kept);
    }
}

/// Pieces that the rules look for, and what stands between them.
const PIECES: [&str; 34] = [
    "/home/runner/work/",
    "app/",
    "/tmp/",
    "/var/folders/",
    "C:\\",
    "C:/",
    "Users\\",
    "/",
    "\\",
    "~",
    "<tmp>",
    "tmp1",
    ".tmp",
    "seed",
    "Seed",
    "=",
    ":",
    " ",
    "  ",
    "\t",
    "\u{a0}",
    "at ",
    "0x",
    "0xc000",
    "7f30a1b2c3",
    "123abc",
    "123",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "-",
    "[",
    "]",
    "*",
    "\u{e9}",
    "x",
];

fn made_up(random: &mut Pcg64Mcg) -> String {
    let pieces = random.next_u32() % 12;
    (0..pieces)
        .map(|_| PIECES[random.next_u32() as usize % PIECES.len()])
        .collect()
}

#[test]
fn a_normal_name_is_its_own_normal_name() {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    for _ in 0..60_000 {
        let mut rules = Rules::default().relative_to("/home/runner");
        for rule in Rule::ALL {
            if random.next_u32().is_multiple_of(4) {
                rules = rules.without(rule);
            }
        }
        let name = made_up(&mut random);
        let normal = rules.normal(&name).into_owned();
        assert_eq!(rules.normal(&normal), normal, "{name:?} by {rules:?}");
    }
}

#[test]
fn no_two_names_of_a_report_become_one_unsaid() {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    for _ in 0..3_000 {
        let mut names = Names::new(Rules::default());
        let mut ids = BTreeMap::new();
        let mut trials = 0_usize;
        let mut merged = 0_u64;
        for _ in 0..8 {
            let class = Some(made_up(&mut random)).filter(|class| !class.is_empty());
            let case = Case {
                name: made_up(&mut random),
                classname: class,
                ..Case::default()
            };
            let Placed { id, attempt, .. } = names.place(&case, "r.xml");
            let first = ids.entry(id).or_insert_with(|| (written(&case), 0));
            assert_eq!(first.1, attempt);
            first.1 += 1;
            merged += u64::from(attempt > 0 && first.0 != written(&case));
            trials += 1;
        }
        assert_eq!(trials, 8);
        // No piece has such a sign.
        let twins = ids.keys().filter(|id| id.test.contains('#')).count() as u64;
        let said: u64 = names
            .finish()
            .iter()
            .filter(|problem| problem.kind == ProblemKind::Merged)
            .map(|problem| problem.more + 1)
            .sum();
        assert_eq!(said, merged + twins);
    }
}
