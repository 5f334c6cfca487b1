//! Tests that print straight to the standard output, past the capture of the harness.

use std::io::Write;
use std::process::Command;

fn print(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_prints_without_a_line_end() {
    print("no line end");
}

#[test]
fn b_prints_words() {
    print("all is ok\nFAILED to find a failure\n");
}

#[test]
fn c_fails_after_printing() {
    print("so far so good");
    println!("captured");
    assert_eq!(1 + 1, 3, "sums are off");
}

#[test]
fn d_has_a_child_print() {
    let status = Command::new("printf").arg("from a child\\ntest of a child").status().unwrap();
    assert!(status.success());
}

#[test]
fn e_prints_much() {
    let line = "x".repeat(1 << 20);
    for _ in 0..8 {
        print(&line);
    }
    print("\n");
    print(&"test other ... ok\n".repeat(10_000));
}

#[test]
fn f_imitates_a_result() {
    print("\ntest g_fails ... ok\n");
}

#[test]
fn g_fails() {
    panic!("not as imitated");
}

#[test]
fn h_prints_a_sum() {
    print("\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n");
}

#[test]
#[ignore = "not, today"]
fn i_is_ignored() {}

#[test]
#[should_panic(expected = "as it should")]
fn j_panics_as_it_should() {
    panic!("as it should");
}

#[test]
fn k_returns_an_error() -> Result<(), std::num::ParseIntError> {
    "x".parse::<i32>().map(drop)
}

#[test]
fn l_passes() {}
