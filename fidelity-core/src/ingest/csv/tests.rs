//! Tests of texts in CSV: what a spreadsheet must not take for a formula, and what is read back.

use super::*;
use crate::domain::Arm;

#[test]
fn no_text_begins_like_a_formula_and_none_is_lost() {
    let firsts = [
        "=", "+", "-", "@", "\t", "\r", "\n", "'", "''", "'=", "＝", "a", "", " ", "\"", ",",
    ];
    let rests = [
        "",
        "cmd|'/c calc'!A1",
        "1+1",
        "'",
        "\u{0}\u{7f}",
        "ä\n\"quoted\",",
        "=1",
    ];
    for first in firsts {
        for rest in rests {
            let text = format!("{first}{rest}");
            let guarded = guard(&text);
            assert!(
                !guarded.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']),
                "{text:?}"
            );
            assert_eq!(unguard(&guarded), text, "{guarded:?}");
        }
    }
    assert_eq!(unguard("'tis"), "'tis", "what others wrote stays");
}

#[test]
fn durations_keep_their_microseconds() {
    for us in [0, 1, 999_999, 1_000_000, 12_345_678, u64::MAX / 2] {
        assert_eq!(microseconds(&seconds(us)), Some(us));
    }
    assert_eq!(microseconds("1.5"), Some(1_500_000));
    assert_eq!(microseconds("2"), Some(2_000_000));
    assert_eq!(microseconds("1e-3"), Some(1_000));
    for bad in ["-1", "1,5", "nan", "inf", "", ".", "1e300"] {
        assert_eq!(microseconds(bad), None, "{bad}");
    }
}

#[test]
fn every_outcome_is_read_back() {
    let crashes = [0, 6, 11, -1, i32::MAX].map(Outcome::Crashed);
    let plain = [
        Outcome::Passed,
        Outcome::Failed,
        Outcome::TimedOut,
        Outcome::Skipped,
        Outcome::NotReported,
    ];
    for each in plain.into_iter().chain(crashes) {
        assert_eq!(outcome(&each.to_string()), Some(each));
    }
    assert_eq!(outcome("Passed"), None);
    assert_eq!(outcome("crashed"), None);
}

#[test]
fn what_is_wrong_names_the_line() {
    let problem = |text: &str| read(text.as_bytes(), &mut |_, _| Ok(())).unwrap_err();
    let head = "arm,binary,test,outcome,duration_s\n";
    for (rows, line, message) in [
        ("low,b,t,passed,1\n", 2, "`baseline` or `target`, not `low`"),
        (
            "target,b,t,passed,1\ntarget,b,t,ok,1\n",
            3,
            "`ok` is no outcome",
        ),
        (
            "target,b,\"a\nb\",passed,1\ntarget,b,t,passed,soon\n",
            4,
            "`soon` is no time",
        ),
        ("target,b,,passed,1\n", 2, "no name of a test"),
        ("target,b,t,passed\n", 2, "4 columns stand here, and 5"),
    ] {
        let problem = problem(&format!("{head}{rows}"));
        assert_eq!(problem.line, line, "{problem:?}");
        assert!(problem.message.contains(message), "{problem:?}");
    }
    assert!(
        problem("binary,test,outcome\n")
            .message
            .contains("no column `arm`")
    );
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    use std::io::{Read, repeat};
    let head = &b"arm,binary,test,outcome\ntarget,b,t,passed\ntarget,b,\""[..];
    let problem = read(head.chain(repeat(b'x')), &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(problem.line, 3, "{problem:?}");
    assert!(problem.message.contains("more than 8 MiB"), "{problem:?}");
}

#[test]
fn columns_may_stand_in_any_order_and_behind_a_byte_order_mark() {
    let mut lines = Vec::new();
    let text = "\u{feff}test,outcome,extra,binary,arm\nt,passed,x,b,baseline\n";
    assert!(columns_of(text.lines().next().unwrap()));
    let mut take = |_, line| {
        lines.push(line);
        Ok(())
    };
    read(text.as_bytes(), &mut take).unwrap();
    assert_eq!((lines[0].test.as_str(), lines[0].arm), ("t", Arm::Baseline));
    assert!(!columns_of("a,b,c"));
    let header = |separator: &str| ["arm", "binary", "test", "outcome"].join(separator);
    assert_eq!(separated_by_another(&header(";")), Some(';'));
    assert_eq!(separated_by_another(&header("\t")), Some('\t'));
    assert_eq!(separated_by_another("a;b;c"), None);
}
