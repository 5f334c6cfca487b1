//! Tests of what rows a file has, whatever its format.

use super::*;

fn reading(arm: Option<Arm>) -> Reading {
    Reading {
        arm,
        block: BlockId {
            commit: Some("c0ffee".to_owned()),
            name: None,
        },
        profiles: None,
        rules: Rules::default(),
        limits: Limits::default(),
        failures: true,
        remarks: true,
    }
}

fn rows_of(text: &str, arm: Option<Arm>) -> (Vec<Row>, Outcomes) {
    let mut rows = Vec::new();
    let outcomes = read(text.as_bytes(), "file", &reading(arm), &mut |row| {
        rows.push(row);
    });
    (rows, outcomes)
}

#[test]
fn a_file_is_told_by_its_content() {
    let xml = "<testsuite name=\"s\" timestamp=\"2026-03-01T10:00:00\"><testcase name=\"a\" classname=\"s\" time=\"0.5\"/></testsuite>";
    let (rows, outcomes) = rows_of(xml, Some(Arm::Target));
    assert_eq!(
        (rows.len(), outcomes.broken, outcomes.needs_arm),
        (1, false, false)
    );
    assert_eq!(rows[0].id, TestId::new("s", "a"));
    assert_eq!(rows[0].duration_us, 500_000);
    assert_eq!(rows[0].at_us, Some(1_772_359_200_000_000));
    let csv = "arm,binary,test,outcome\ntarget,s,a,failed\n";
    let (rows, outcomes) = rows_of(csv, None);
    assert_eq!(
        (rows.len(), outcomes.broken, outcomes.needs_arm),
        (1, false, false)
    );
    assert_eq!(outcomes.keys[0].block.commit.as_deref(), Some("c0ffee"));
    let (_, outcomes) = rows_of(xml, None);
    assert!(outcomes.needs_arm);
    for neither in ["", "hello,world\n1,2\n", "{\"tests\": 3}"] {
        let (rows, outcomes) = rows_of(neither, Some(Arm::Target));
        assert!(rows.is_empty() && outcomes.broken, "{neither}");
    }
}

#[test]
fn iterations_of_a_stress_run_are_passes_of_their_own() {
    let suite = |number: u32| {
        format!(
            "<testsuite name=\"s@stress-{number}\"><testcase name=\"a\" classname=\"s\"/></testsuite>"
        )
    };
    let (rows, outcomes) = rows_of(
        &format!(
            "<testsuites>{}{}{}</testsuites>",
            suite(1),
            suite(0),
            suite(1)
        ),
        Some(Arm::Target),
    );
    let parts: Vec<&str> = outcomes.keys.iter().map(|key| key.part.as_str()).collect();
    assert_eq!(parts, ["stress 1", "stress 0"]);
    assert_eq!(
        rows.iter().map(|row| row.key).collect::<Vec<_>>(),
        [0, 1, 0]
    );
}

#[test]
fn times_are_taken_for_utc_where_they_do_not_say() {
    let utc = microseconds("2026-03-01T10:00:00Z").unwrap();
    assert_eq!(microseconds("2026-03-01T10:00:00"), Some(utc));
    assert_eq!(microseconds("2026-03-01T12:00:00+02:00"), Some(utc));
    assert_eq!(microseconds("2026-03-01T10:00:00.5"), Some(utc + 500_000));
    assert_eq!(microseconds("yesterday"), None);
}
