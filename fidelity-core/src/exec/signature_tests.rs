//! Tests of the failure signatures.

use super::*;

const MODERN: &str = "some log\n\nthread 'tz::is_local' (12345) panicked at src/tz.rs:10:5:\nassertion `left == right` failed: at 12:30\n  left: 5\n right: 6\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";

#[test]
fn a_panic_is_read_with_its_place_and_its_whole_message() {
    let panic = find_panic(MODERN.as_bytes(), "tz::is_local").unwrap();
    assert_eq!(panic.location, "src/tz.rs:10:5");
    assert_eq!(
        panic.message,
        "assertion `left == right` failed: at 12:30\n  left: 5\n right: 6"
    );
}

#[test]
fn the_panic_of_the_tests_own_thread_decides() {
    let text = "thread 't' panicked at a.rs:1:1:\ncaught\nthread 't' (7) panicked at a.rs:2:2:\nmine\nthread '<unnamed>' panicked at a.rs:3:3:\nother\n";
    assert_eq!(find_panic(text.as_bytes(), "t").unwrap().message, "mine");
    assert_eq!(find_panic(text.as_bytes(), "x").unwrap().message, "other");
    assert_eq!(find_panic(b"thread 'cut", "t"), None);
    assert_eq!(find_panic(b"\xff\xfe", "t"), None);
}

#[test]
fn the_form_of_older_compilers_is_read_as_well() {
    let text = "thread 'main' panicked at 'it's bad', src/lib.rs:3:9\n";
    let panic = find_panic(text.as_bytes(), "x").unwrap();
    assert_eq!(panic.location, "src/lib.rs:3:9");
    assert_eq!(panic.message, "it's bad");
}

#[test]
fn places_outside_the_workspace_are_the_same_on_every_machine() {
    for (printed, kept) in [
        (
            "/home/a/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/foo-1.2.0/src/lib.rs:1:2",
            "foo-1.2.0/src/lib.rs:1:2",
        ),
        (
            "/rustc/59807616e1fa/library/core/src/option.rs:5:6",
            "library/core/src/option.rs:5:6",
        ),
        ("src/a.rs:1:1", "src/a.rs:1:1"),
    ] {
        assert_eq!(shorten_location(printed), kept);
    }
}

#[test]
fn what_changes_between_failures_is_taken_out() {
    for (message, expected) in [
        ("left: 5, right: -6.25e3", "left: #, right: -#"),
        ("took 12.5ms, limit 1s", "took #, limit #"),
        ("at 0x7ffd1234 in 3fa85f64-5717", "at # in #-#"),
        ("`\"/tmp/fidelity-x/1/tmp/a b\"`", "`\"<path> b\"`"),
        (
            "No such file: '/tmp/.tmpAbC/x.txt'",
            "No such file: '<path>'",
        ),
        ("ThreadId(12) user_42 utf8", "ThreadId(#) user_# utf#"),
        ("10 files/s and a/b", "# files/s and a/b"),
        ("several\n  lines\n\tof text", "several lines of text"),
        ("2026-11-22T10:00:00Z", "#-#-#T#:#:#Z"),
        ("", ""),
    ] {
        assert_eq!(skeleton(message), expected, "{message}");
    }
}

#[test]
fn failures_that_differ_in_numbers_only_are_alike_and_others_are_not() {
    let signature = |text: &str| of_panic(&find_panic(text.as_bytes(), "t").unwrap());
    let one = signature("thread 't' panicked at a.rs:1:1:\nport 4001 refused after 1.2s\n");
    let two = signature("thread 't' panicked at a.rs:1:1:\nport 4933 refused after 80ms\n");
    let other_place = signature("thread 't' panicked at b.rs:1:1:\nport 1 refused after 1s\n");
    let other_words = signature("thread 't' panicked at a.rs:1:1:\nport 1 closed after 1s\n");
    assert_eq!(one, two);
    assert_ne!(one, other_place);
    assert_ne!(one, other_words);
}

#[test]
fn random_names_of_temporary_files_are_taken_out() {
    for (message, expected) in [
        // Python's tempfile.
        ("No such file: '/tmp/tmpab12cd34'", "No such file: '<path>'"),
        ("no table tmpk3j2h1_x in main", "no table tmp# in main"),
        ("[tmp0_abcdef.db] is locked", "[tmp#.db] is locked"),
        ("cannot open build/tmpabcdefgh", "cannot open build/tmp#"),
        (r"cannot open build\tmp_abcde12", r"cannot open build\tmp#"),
        // Rust's tempfile.
        ("target/.tmpAbCdEf is missing", "target/.tmp# is missing"),
        (".tmp1bcdef", ".tmp#"),
    ] {
        assert_eq!(skeleton(message), expected, "{message}");
    }
    let alike = ["tmpab12cd34", "tmpq_7__a3b", "tmp90kfz2m_", "tmp12345678x"];
    let of = |name: &str| skeleton(&format!("FileExistsError: '{name}'"));
    assert_eq!(of(alike[0]), of(alike[1]));
    assert_eq!(of(alike[0]), of(alike[2]));
    assert_ne!(of(alike[0]), of(alike[3]), "nine characters");
}

#[test]
fn names_that_people_give_to_temporary_things_are_kept() {
    for (message, kept) in [
        ("tmp_factory is not callable", "tmp_factory is not callable"),
        (
            "tmpfilename, tmp_path_factory",
            "tmpfilename, tmp_path_factory",
        ),
        ("tmp_user_42 and tmp_item_42", "tmp_user_# and tmp_item_#"),
        ("tmp, tmpdir, tmp_path, tmp2", "tmp, tmpdir, tmp_path, tmp#"),
        ("tmpFoo1Bar2", "tmpFoo#Bar#"),
        ("mytmpab12cd34", "mytmpab#cd#"),
        ("x.tmpfolder and x.tmpfile", "x.tmpfolder and x.tmpfile"),
        ("a/tmp_path/b", "a/tmp_path/b"),
        ("TMPAB12CD34", "TMPAB#CD#"),
    ] {
        assert_eq!(skeleton(message), kept, "{message}");
    }
}

#[test]
fn any_text_has_a_short_skeleton() {
    let long = "é /x 12 ".repeat(10_000);
    assert!(skeleton(&long).chars().count() <= LONGEST);
    for text in [
        "/", "//", "0x", "1.", "1e", "1e+", "9µs", "…/…", "'", "\u{0}",
    ] {
        let once = skeleton(text);
        assert!(once.len() <= text.len() + 6, "{text}");
    }
}

#[test]
fn output_without_a_panic_is_told_apart_by_its_last_lines() {
    assert_eq!(
        of_output(b"a\n\nError: ParseIntError { kind: 7 }\n"),
        Some("a Error: ParseIntError { kind: # }".to_owned())
    );
    assert_eq!(of_output(b" \n"), None);
}
