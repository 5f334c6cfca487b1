//! Tests of what is made out of libtest's output, clean, glued, torn, imitated and mutated.

use std::fmt::Write as _;

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;

const SERIAL: Manner = Manner {
    threads: 1,
    in_order: true,
};
const PARALLEL: Manner = Manner {
    threads: 2,
    in_order: true,
};

fn names(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn read(tests: &[&str], manner: Manner, output: &[u8]) -> (Lines, Vec<u8>) {
    let mut whole = Scanner::new(&names(tests), manner);
    whole.feed(output);
    let whole = whole.finish();
    // However the stream is cut, the same is made out of it.
    let mut bit_by_bit = Scanner::new(&names(tests), manner);
    output.chunks(3).for_each(|chunk| bit_by_bit.feed(chunk));
    assert_eq!(whole, bit_by_bit.finish());
    whole
}

/// What is believed, a letter a test: `.` passed, `F` failed, `i` ignored, `?` nothing; in capitals what follows if
/// libtest summed up.
fn settled(tests: &[&str], manner: Manner, output: &str) -> (String, bool) {
    let settled = read(tests, manner, output.as_bytes()).0.settle();
    let letters = settled.results.iter().map(|word| match word {
        Some(Word::Passed) => '.',
        Some(Word::Failed) => 'F',
        Some(Word::Ignored) => 'i',
        None => '?',
    });
    (letters.collect(), settled.complete)
}

fn sum(passed: u32, failed: u32, ignored: u32) -> String {
    let word = if failed > 0 { "FAILED" } else { "ok" };
    format!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out; finished in 0.01s\n\n"
    )
}

#[track_caller]
fn check(tests: &[&str], manner: Manner, output: &str, expected: &str, complete: bool) {
    assert_eq!(
        settled(tests, manner, output),
        (expected.to_owned(), complete),
        "{output}"
    );
}

#[test]
fn clean_output_is_read_in_both_manners() {
    let output = "\nrunning 5 tests\ntest a ... ok\ntest b - should panic ... ok\ntest c ... FAILED\ntest d ... ignored, not today\ntest e ... ignored\n\nfailures:\n\n---- c stdout ----\nboom\n\n\nfailures:\n    c\n".to_owned()
        + &sum(2, 1, 2);
    for manner in [SERIAL, PARALLEL] {
        check(&["a", "b", "c", "d", "e"], manner, &output, "..Fii", true);
    }
}

#[test]
fn names_may_hold_anything() {
    let tests = ["a ... ok", "src/lib.rs - f (line 3)", "test x"];
    let output = "test a ... ok ... ok\ntest src/lib.rs - f (line 3) ... ok\ntest test x ... FAILED\n\nfailures:\n\nfailures:\n    test x\n".to_owned()
        + &sum(2, 1, 0);
    check(&tests, PARALLEL, &output, "..F", true);
    check(&tests, SERIAL, &output, "..F", true);
}

#[test]
fn benchmarks_colours_and_carriage_returns_are_read() {
    let output = "test a    ... bench:      12,345.67 ns/iter (+/- 8)\r\ntest bbbb ... \x1b[32mok\x1b(B\x1b[m\r\n".to_owned()
        + "\r\ntest result: \x1b[32mok\x1b(B\x1b[m. 1 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out; finished in 0.01s\r\n";
    check(&["a", "bbbb"], PARALLEL, &output, "..", true);
    check(&["a", "bbbb"], SERIAL, &output, "..", true);
}

#[test]
fn what_tests_print_straight_is_told_from_results() {
    // One thread: the output of a test stands between its head and its word.
    let output = "test a ... no line endok\ntest b ... one\ntwo\nFAILED\ntest c ... all is ok\nok\ntest d ... ok\nFAILED\n\nfailures:\n\nfailures:\n    b\n    d\n".to_owned();
    let tests = ["a", "b", "c", "d"];
    // What `d` printed may be its result or not; what else it printed makes a word uncertain until the sum agrees.
    check(
        &tests,
        SERIAL,
        &(output.clone() + &sum(2, 2, 0)),
        "????",
        true,
    );
    check(&tests, SERIAL, &output, "????", false);
    let output = output.replace("d ... ok\n", "d ... OK\n");
    check(&tests, SERIAL, &(output + &sum(2, 2, 0)), ".F.F", true);
    // Several threads: it stands before and after whole lines.
    let output = "no line endtest a ... ok\nwaiting ... test c ... ok\nx\ntest b ... FAILED\n";
    check(
        &["a", "b", "c"],
        PARALLEL,
        &(output.to_owned() + &sum(2, 1, 0)),
        ".F.",
        true,
    );
    // And within a line it makes the result unreadable.
    let output = "test a ... x\nok\ntest b ... okx\ntest c ... ok\n";
    check(
        &["a", "b", "c"],
        PARALLEL,
        &(output.to_owned() + &sum(3, 0, 0)),
        "??.",
        true,
    );
}

#[test]
fn a_line_that_is_no_whole_result_is_none() {
    for line in [
        "test a ... okay",
        "test a ... ok ",
        "test a ...ok",
        "test a ... OK",
        "test  a ... ok",
        "a ... ok",
        "test a ok",
        "test aa ... ok",
        "test a has been running for over 60 seconds",
        "test a ... ",
        "test a ... FAILE",
        "test a ... bench: oks",
        "ok",
    ] {
        for manner in [SERIAL, PARALLEL] {
            let output = format!("{line}\n{}", sum(1, 0, 0));
            let (believed, _) = settled(&["a"], manner, &output);
            assert_eq!(believed, "?", "{line} {manner:?}");
        }
    }
}

#[test]
fn a_test_that_is_said_to_end_in_two_ways_is_not_believed() {
    let output = "test b ... ok\ntest a ... ok\ntest b ... FAILED\n".to_owned() + &sum(1, 1, 0);
    check(&["a", "b"], PARALLEL, &output, ".?", true);
    // Twice the same is believed with the sum.
    let output = "test b ... ok\ntest a ... ok\ntest b ... ok\n".to_owned();
    check(&["a", "b"], PARALLEL, &output, ".?", false);
    check(&["a", "b"], PARALLEL, &(output + &sum(2, 0, 0)), "..", true);
}

#[test]
fn an_imitation_that_the_sum_denies_makes_its_kind_doubtful() {
    // `a` prints a result for `b`, whose own is torn.
    let output = "test b ... ok\ntest a ... ok\ntest b ... xFAILED\ntest c ... FAILED\n";
    let output = output.to_owned() + &sum(1, 2, 0);
    check(&["a", "b", "c"], PARALLEL, &output, "??F", true);
}

#[test]
fn a_test_that_cannot_have_started_cannot_have_ended() {
    let output = "test d ... ok\ntest a ... ok\n";
    check(&["a", "b", "c", "d"], PARALLEL, output, ".???", false);
    // One thread: tests end in their order.
    let output = "test a ... test b ... ok\ntest c ... ok\n";
    check(&["a", "b", "c"], SERIAL, output, "???", false);
    let (lines, _) = read(&["a", "b", "c"], SERIAL, b"test a ... x\ntest c ... ok\n");
    assert_eq!(lines.running, Some(0));
}

#[test]
fn with_one_thread_an_imitation_of_the_next_test_is_found_out() {
    // Printed by `a`, which then fails.
    let output = "test a ... ok\ntest b ... ok\nFAILED\ntest b ... ok\ntest c ... ok\n\nfailures:\n\nfailures:\n    a\n";
    check(&["a", "b", "c"], SERIAL, output, "???", false);
    let (believed, _) = settled(
        &["a", "b", "c"],
        SERIAL,
        &(output.to_owned() + &sum(2, 1, 0)),
    );
    assert!(!believed.starts_with('.'), "{believed}");
}

#[test]
fn a_sum_over_other_tests_is_no_sum() {
    let output = "test a ... ok\ntest b ... ok\n".to_owned() + &sum(1, 0, 0);
    let (_, complete) = settled(&["a", "b"], PARALLEL, &output);
    assert!(!complete);
    let output = "test a ... ok\n".to_owned() + &sum(7, 0, 0) + "test b ... ok\n" + &sum(2, 0, 0);
    check(&["a", "b"], PARALLEL, &output, "..", true);
}

#[test]
fn the_output_of_failed_tests_is_kept_apart() {
    let output = "test a ... FAILED\ntest b ... FAILED\ntest c ... ok\ntest d ... FAILED\n\nfailures:\n\n---- a stdout ----\none\n---- c stdout ----\n\nfailures:\nhis\n\n---- b stdout ----\n\nfailures:\n    x\ntwo\n\n\nfailures:\n    a\n    b\n    d\n".to_owned()
        + &sum(1, 3, 0);
    let (lines, bytes) = read(&["a", "b", "c", "d"], PARALLEL, output.as_bytes());
    assert_eq!(
        lines.settle().results,
        [Word::Failed, Word::Failed, Word::Passed, Word::Failed].map(Some)
    );
    let mut rest = bytes.as_slice();
    let texts: Vec<(u32, &str)> = lines
        .sections
        .iter()
        .map(|section| {
            let (text, after) = rest.split_at(section.length);
            rest = after;
            (section.test, std::str::from_utf8(text).unwrap())
        })
        .collect();
    assert_eq!(
        texts,
        [
            (0, "one\n---- c stdout ----\n\nfailures:\nhis\n\n"),
            (1, "\nfailures:\n    x\ntwo\n\n\n")
        ]
    );
}

#[test]
fn memory_is_bounded_whatever_is_printed() {
    let tests = ["a", "b"];
    for manner in [SERIAL, PARALLEL] {
        let mut scanner = Scanner::new(&names(&tests), manner);
        let noise = [b'x'; 1 << 16];
        scanner.feed(b"test a ... ");
        for _ in 0..200 {
            scanner.feed(&noise);
            assert!(scanner.held() < 1 << 19);
        }
        scanner.feed(b"ok\n");
        for _ in 0..100 {
            scanner.feed(&noise);
        }
        scanner.feed(if manner == SERIAL { b"\nok\n" } else { b"" });
        scanner.feed(b"test b ... ok\n");
        for _ in 0..20_000 {
            scanner.feed(b"test other ... ok\nok\n");
            assert!(scanner.held() < 1 << 19);
        }
        scanner.feed(sum(2, 0, 0).as_bytes());
        let (lines, bytes) = scanner.finish();
        let a = (manner == SERIAL).then_some(Word::Passed);
        assert_eq!(
            lines.settle().results,
            [a, Some(Word::Passed)],
            "{manner:?}"
        );
        assert!(bytes.is_empty());
    }
}

#[test]
fn of_many_long_failures_a_bounded_part_is_kept_and_each_has_its_beginning() {
    let tests: Vec<String> = (0..200).map(|number| format!("t{number:03}")).collect();
    let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
    let mut scanner = Scanner::new(&names(&tests), PARALLEL);
    for test in &tests {
        scanner.feed(format!("test {test} ... FAILED\n").as_bytes());
    }
    scanner.feed(b"\nfailures:\n\n");
    let noise = "noise\n".repeat(25_000);
    for test in &tests {
        scanner.feed(format!("---- {test} stdout ----\nI am {test}\n{noise}\n").as_bytes());
    }
    let (lines, bytes) = scanner.finish();
    assert_eq!(lines.sections.len(), 200);
    assert!(bytes.len() < 20 << 20, "{}", bytes.len());
    let mut rest = bytes.as_slice();
    for section in &lines.sections {
        let (text, after) = rest.split_at(section.length);
        rest = after;
        let start = format!("I am {}\n", tests[section.test as usize]);
        assert!(text.starts_with(start.as_bytes()));
        assert!(section.omitted > 10_000);
    }
}

/// What libtest would print, in the pieces it writes.
fn pieces(truth: &[Word], order: &[usize]) -> Vec<String> {
    let mut pieces = vec!["\nrunning tests\n".to_owned()];
    for &test in order {
        let word = match truth[test] {
            Word::Passed => "ok",
            Word::Failed => "FAILED",
            Word::Ignored => "ignored",
        };
        pieces.extend([
            format!("test t{test} ... "),
            word.to_owned(),
            "\n".to_owned(),
        ]);
    }
    let count = |word| truth.iter().filter(|one| **one == word).count() as u32;
    let failed = count(Word::Failed);
    if failed > 0 {
        pieces.push("\nfailures:\n".to_owned());
        let mut list = "\nfailures:\n".to_owned();
        for (test, _) in truth
            .iter()
            .enumerate()
            .filter(|(_, word)| **word == Word::Failed)
        {
            pieces.push(format!("\n---- t{test} stdout ----\nboom {test}\n"));
            writeln!(list, "    t{test}").unwrap();
        }
        pieces.push(list);
    }
    pieces.push(sum(count(Word::Passed), failed, count(Word::Ignored)));
    pieces
}

/// Noise without a whole imitation of a result.
const NOISE: [&str; 16] = [
    "x",
    "noise\n",
    "\n",
    "ok\n",
    "ok",
    "FAILED\n",
    "FAILED",
    "test ",
    " ... ",
    "test t1",
    "\n\n",
    "\x1b[1m",
    "\nfailures:\n",
    "---- t1 stdout ----\n",
    "test t2 has been running for over 60 seconds\n",
    "\u{fffd}\r\n",
];

#[test]
fn whatever_is_printed_between_the_writes_of_libtest_no_test_gets_a_result_it_did_not_have() {
    let mut believed = 0;
    for seed in 0..6_000_u64 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut below = |bound: u64| (random.next_u64() % bound) as usize;
        let tests = 1 + below(6);
        let truth: Vec<Word> = (0..tests)
            .map(|_| [Word::Passed, Word::Passed, Word::Failed, Word::Ignored][below(4)])
            .collect();
        let manner = if below(2) == 0 { SERIAL } else { PARALLEL };
        let mut order: Vec<usize> = (0..tests).collect();
        if manner.threads == 2 && tests > 2 {
            let at = below(tests as u64 - 1);
            order.swap(at, at + 1);
        }
        let pieces = pieces(&truth, &order);
        // Most of the time the process ends early.
        let end = if below(3) == 0 {
            pieces.len()
        } else {
            1 + below(pieces.len() as u64)
        };
        let mut output = String::new();
        for piece in &pieces[..end] {
            let noise = NOISE[below(NOISE.len() as u64)];
            // A whole word from a thread that prints just then looks like a result: with several threads right after
            // a head, with one between two tests, which only a thread that outlived its test can do.
            let is_word = noise.contains("ok") || noise.contains("FAILED");
            let misleads = is_word && (manner.threads > 1) == output.ends_with(" ... ");
            if below(4) == 0 && !misleads {
                output.push_str(noise);
            }
            output.push_str(piece);
        }
        let listed: Vec<String> = (0..tests).map(|test| format!("t{test}")).collect();
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        let settled = read(&listed, manner, output.as_bytes()).0.settle();
        for (test, (result, truth)) in settled.results.iter().zip(&truth).enumerate() {
            assert!(
                result.is_none_or(|result| result == *truth),
                "seed {seed}: t{test} is {truth:?} and believed to be {result:?} by {manner:?} in\n{output}"
            );
            believed += u32::from(result.is_some());
        }
    }
    assert!(believed > 4_000, "{believed}");
}

#[test]
fn mutated_output_neither_panics_nor_makes_a_test_pass_that_is_not_said_to() {
    let truth = [
        Word::Passed,
        Word::Failed,
        Word::Passed,
        Word::Ignored,
        Word::Failed,
    ];
    let tests = ["t0", "t1", "t2", "t3", "t4"];
    let output = pieces(&truth, &[0, 1, 2, 3, 4]).concat().into_bytes();
    for seed in 0..6_000_u64 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut mutated = output.clone();
        for _ in 0..=random.next_u64() % 4 {
            let at = (random.next_u64() % mutated.len() as u64) as usize;
            let length = (random.next_u64() % 12) as usize;
            match random.next_u64() % 3 {
                0 => mutated[at] = random.next_u64() as u8,
                1 => drop(mutated.drain(at..(at + length).min(mutated.len()))),
                _ => {
                    let piece = mutated[at..(at + length).min(mutated.len())].to_vec();
                    let to = (random.next_u64() % mutated.len() as u64) as usize;
                    mutated.splice(to..to, piece);
                }
            }
        }
        for manner in [SERIAL, PARALLEL] {
            let settled = read(&tests, manner, &mutated).0.settle();
            for test in [1, 4] {
                // A mutation may turn a head into that of another test; it then stands in the output.
                let said = String::from_utf8_lossy(&mutated);
                let imitated = said.contains(&format!("test t{test} ... ok"));
                assert!(
                    settled.results[test] != Some(Word::Passed) || imitated,
                    "seed {seed} {manner:?}\n{said}"
                );
            }
        }
    }
}
