//! Records as the macro writes them, and as nobody should.

use super::*;

fn record(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = [MAGIC, VERSION].concat();
    for (tag, value) in fields {
        bytes.extend([FIELD, *tag]);
        bytes.extend(*value);
    }
    bytes.push(END);
    bytes
}

const NAMED: [(u8, &[u8]); 4] = [
    (b'p', b"shop::tests"),
    (b's', b"fn"),
    (b'n', b"orders"),
    (b'f', b"src/lib.rs"),
];

fn with(more: &[(u8, &[u8])]) -> Vec<u8> {
    record(&[&NAMED, more].concat())
}

#[test]
fn every_argument_is_read_and_what_a_later_macro_adds_is_skipped() {
    let bytes = with(&[
        (b'l', b"12"),
        (b'i', b"true"),
        (b'P', b"high"),
        (b'P', b"staging"),
        (b'N', b"service.db"),
        (b'M', b"stripe"),
        (b'R', b"fs"),
        (b'K', b"e2e"),
        (b'T', b"0.01"),
        (b't', b"5000"),
        (b'c', b"50"),
        (b'S', b"critical"),
        (b'u', b"2027-01-31"),
        (b'o', b"payments"),
        (b'r', b"the sandbox drops webhooks"),
        (b'Z', b"of tomorrow"),
    ]);
    let read = Records::read(&bytes);
    assert_eq!(read.flaws, Vec::<String>::new());
    let [record] = &read.records[..] else {
        panic!("{read:?}")
    };
    insta::assert_debug_snapshot!(record);
}

#[test]
fn zeros_between_records_are_skipped() {
    let bytes = [
        &[0; 7][..],
        &with(&[]),
        &[0; 9],
        &with(&[(b'K', b"unit")]),
        &[0],
    ]
    .concat();
    let read = Records::read(&bytes);
    assert_eq!((read.records.len(), read.flaws.len()), (2, 0), "{read:?}");
}

/// Flawed sections, and what is said of each.
fn flawed() -> Vec<(Vec<u8>, &'static str)> {
    let newer = {
        let mut bytes = with(&[]);
        bytes[MAGIC.len()] = b'9';
        bytes
    };
    vec![
        (
            b"garbage".to_vec(),
            "something that is no annotation, at byte 0",
        ),
        (
            newer,
            "an annotation of version 9, which this version of the tool does not know, at byte 0",
        ),
        (
            with(&[(b'K', b"system")]),
            "an annotation whose kind is garbled, at byte 0",
        ),
        (
            with(&[(b'T', b"NaN")]),
            "an annotation whose tolerance is garbled, at byte 0",
        ),
        (
            with(&[(b'c', b"0")]),
            "an annotation whose trials is garbled, at byte 0",
        ),
        (
            with(&[(b't', b"-1")]),
            "an annotation whose timeout is garbled, at byte 0",
        ),
        (
            with(&[(b'N', b"\xff\xfe")]),
            "an annotation that is not UTF-8, at byte 0",
        ),
        (
            with(&[(b'M', b"a\x1b[2Jb")]),
            "an annotation with control characters, at byte 0",
        ),
        (
            with(&[(b'u', b"2027-01-31")]),
            "an annotation whose quarantine is garbled, at byte 0",
        ),
        (
            with(&[(b'l', b"\x0c\0\0\0")]),
            "an annotation with control characters, at byte 0",
        ),
        (
            with(&[(b'l', b"-1")]),
            "an annotation whose line is garbled, at byte 0",
        ),
        (
            record(&[(b's', b"fn")]),
            "an annotation without a name, at byte 0",
        ),
        (
            record(&[(b'p', b"a"), (b'n', b"b")]),
            "an annotation whose scope is garbled, at byte 0",
        ),
    ]
}

#[test]
fn a_flawed_record_is_told_and_costs_no_other() {
    for (flawed, said) in flawed() {
        let good = with(&[(b'N', b"tz")]);
        let read = Records::read(&[flawed, good].concat());
        assert_eq!(read.flaws, [said]);
        assert_eq!(read.records.len(), 1, "{said}");
    }
}

#[test]
fn a_record_that_lost_its_end_takes_none_of_the_next_with_it() {
    let mut cut = record(&[(b's', b"fn"), (b'f', b"src/lib.rs"), (b'N', b"tz")]);
    cut.pop();
    let read = Records::read(&[cut.clone(), with(&[])].concat());
    assert_eq!(read.flaws, ["an annotation that is cut off, at byte 0"]);
    assert_eq!(read.records.len(), 1);
    assert!(read.records[0].annotation.needs.is_empty());
    assert_eq!(Records::read(&cut).flaws.len(), 1);
    let empty = [MAGIC, VERSION, &[FIELD, END]].concat();
    let read = Records::read(&empty);
    assert_eq!(read.flaws, ["an annotation with an empty field, at byte 0"]);
}

#[test]
fn a_file_that_has_no_room_is_cut_off_and_nothing_else() {
    let mut cut = record(&[
        (b'N', b"tz"),
        (b's', b"fn"),
        (b'n', b"a"),
        (b'p', b"b"),
        (b'f', "src/ä".as_bytes()),
    ]);
    // The end, and half a letter.
    cut.truncate(cut.len() - 2);
    let read = Records::read(&[cut, with(&[])].concat());
    assert_eq!(read.flaws, Vec::<String>::new());
    let places: Vec<&str> = read
        .records
        .iter()
        .map(|it| it.annotation.place.as_str())
        .collect();
    assert_eq!(places, ["src/:0", "src/lib.rs:0"]);
    assert_eq!(read.records[0].annotation.needs, ["tz"]);
}

#[test]
fn cutting_or_changing_any_byte_of_records_gives_flaws_and_no_panic() {
    let whole = [
        with(&[(b'K', b"unit"), (b'T', b"0.5")]),
        with(&[(b'u', b"2027-01-31")]),
    ]
    .concat();
    for end in 0..whole.len() {
        Records::read(&whole[..end]);
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            Records::read(&changed);
        }
    }
}

#[test]
fn no_end_of_flaws_and_records_takes_an_end_of_memory() {
    let read = Records::read(&[1, 0].repeat(100_000));
    assert!(read.flaws.len() + read.more_flaws >= 1);
    assert!(read.flaws.len() <= FLAWS_AT_MOST);
    let flaws = Records::read(&MAGIC.repeat(10_000));
    assert_eq!(flaws.flaws.len(), FLAWS_AT_MOST);
    assert!(flaws.more_flaws > 5_000, "{}", flaws.more_flaws);
    let one = with(&[]);
    let many = Records::read(&one.repeat(RECORDS_AT_MOST + 1));
    assert_eq!(many.records.len(), RECORDS_AT_MOST);
    assert_eq!(
        many.flaws,
        ["more than 200000 annotations: the rest is left out"]
    );
}
