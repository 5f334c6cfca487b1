//! Every knob, seen by a canary; and what happens to those that cannot be applied.

use std::collections::BTreeMap;

use fidelity_core::domain::{
    Environment, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue, Outcome, PassEnd,
};

use crate::stage::{Stage, environment};
use crate::tool::{apply, apply_as_ordinary_user};

pub fn text(value: &str) -> KnobValue {
    KnobValue::Text(value.to_owned())
}

/// Applies one knob and returns what became of it.
pub fn status(knob: &str, value: KnobValue) -> KnobStatus {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let mut status = apply(&mut runner, &environment(&[(knob, value)]));
    drop(runner);
    stage.assert_nothing_is_left();
    status.pop().unwrap()
}

/// Fails unless the knob was applied; returns what the canary said.
pub fn applied(knob: &str, value: KnobValue) -> String {
    let status = status(knob, value);
    assert!(status.applied, "{status:?}");
    status.reason
}

/// Fails if the knob was applied; returns why it was not.
pub fn refused(knob: &str, value: KnobValue) -> String {
    let status = status(knob, value);
    assert!(!status.applied, "{status:?}");
    status.reason
}

#[test]
fn a_variable_is_set_and_removed() {
    assert_eq!(applied("env.APP_MODE", text("production")), "set as asked");
    assert_eq!(applied("env.BASE", KnobValue::Unset), "not set");
}

#[test]
fn a_referenced_variable_is_never_shown() {
    let reason = applied("env.COPY", text("x{env:PATH}"));
    assert_eq!(reason, "set by reference");
    let reason = refused("env.COPY", text("{env:FIDELITY_NO_SUCH_VARIABLE}"));
    assert!(reason.contains("FIDELITY_NO_SUCH_VARIABLE"), "{reason}");
}

#[test]
fn a_time_zone_moves_local_time() {
    let reason = applied("tz", text("<+0545>-5:45"));
    assert_eq!(reason, "local time UTC+05:45");
    let reason = refused("tz", text("Nowhere/Special"));
    assert!(reason.contains("no Nowhere/Special"), "{reason}");
}

#[test]
fn a_locale_is_used_only_where_it_is_installed() {
    assert_eq!(applied("locale", text("C")), "the C library uses C");
    let reason = refused("locale", text("xx_XX.UTF-8"));
    assert!(reason.contains("not installed"), "{reason}");
}

#[test]
fn cpus_limit_parallelism() {
    let reason = applied("cpus", KnobValue::Count(1));
    assert_eq!(reason, "may use 1 CPU, parallelism 1");
    let reason = refused("cpus", KnobValue::Count(100_000));
    assert!(reason.contains("are available here"), "{reason}");
}

#[test]
fn open_files_run_out() {
    let reason = applied("open-files", KnobValue::Count(64));
    assert!(reason.starts_with("limit 64: after "), "{reason}");
    assert!(reason.contains("Too many open files"), "{reason}");
}

#[test]
fn memory_and_file_size_are_limited() {
    assert_eq!(applied("memory", KnobValue::Bytes(1 << 30)), "limit 1GiB");
    assert_eq!(
        applied("file-size", KnobValue::Bytes(1 << 20)),
        "limit 1MiB"
    );
}

#[test]
fn a_file_that_grows_too_large_is_an_error_and_no_crash() {
    let stage = Stage::new(&["writes_a_file_of_2_megabytes"]);
    let mut runner = stage.runner();
    for (limit, outcome) in [(1 << 20, Outcome::Failed), (4 << 20, Outcome::Passed)] {
        let limited = environment(&[("file-size", KnobValue::Bytes(limit))]);
        let (seen, _) = stage.pass(&mut runner, 1, &limited).unwrap();
        assert_eq!(
            seen["writes_a_file_of_2_megabytes"].outcome, outcome,
            "{seen:?}"
        );
    }
}

#[test]
fn the_stack_of_threads_is_limited() {
    let reason = applied("stack", KnobValue::Bytes(1 << 20));
    assert!(reason.starts_with("limit 1MiB, a thread has 1"), "{reason}");
}

#[test]
fn a_umask_and_a_niceness_arrive() {
    assert_eq!(applied("umask", KnobValue::Mode(0o077)), "umask 077");
    assert_eq!(applied("nice", KnobValue::Count(7)), "niceness 7");
}

#[test]
fn a_home_is_missing_or_empty() {
    assert_eq!(applied("home", text("missing")), "HOME does not exist");
    assert_eq!(
        applied("home", text("empty")),
        "HOME is empty and can be written to"
    );
}

#[test]
fn a_read_only_home_stops_an_ordinary_user_by_permissions() {
    let ordinary = apply_as_ordinary_user("home", r#"{"text":"read-only"}"#);
    assert!(ordinary.applied, "{ordinary:?}");
    assert!(
        ordinary.reason.contains("Permission denied"),
        "{ordinary:?}"
    );
}

#[test]
fn an_ordinary_user_can_apply_limits_but_not_raise_them() {
    for (knob, value) in [
        ("open-files", r#"{"count":100}"#),
        ("umask", r#"{"mode":23}"#),
        ("nice", r#"{"count":5}"#),
        ("cpus", r#"{"count":1}"#),
        ("home", r#"{"text":"missing"}"#),
        ("tmpdir", r#"{"text":"space"}"#),
    ] {
        let status = apply_as_ordinary_user(knob, value);
        assert!(status.applied, "{status:?}");
    }
    let status = apply_as_ordinary_user("open-files", r#"{"count":4000000000}"#);
    assert!(!status.applied);
    assert!(
        status.reason.contains("could not limit its open files"),
        "{status:?}"
    );
}

#[test]
fn temporary_directories_take_odd_shapes() {
    assert!(applied("tmpdir", text("space")).contains("that works"));
    assert!(applied("tmpdir", text("unicode")).contains("that works"));
    let reason = applied("tmpdir", text("long"));
    assert!(reason.contains("a socket in it fails"), "{reason}");
    assert_eq!(
        applied("tmpdir", text("symlink")),
        "a symbolic link to a directory"
    );
}

#[test]
fn threads_are_alive_at_once() {
    assert_eq!(
        applied("threads", KnobValue::Count(5)),
        "5 processes alive at once"
    );
}

#[test]
fn an_order_is_seen_in_the_starts() {
    let reason = applied("order", text("sorted"));
    assert_eq!(reason, "8 processes started in the order 1 2 3 4 5 6 7 8");
    let reason = applied("order", text("shuffle"));
    assert!(
        reason.starts_with("8 processes started in the order "),
        "{reason}"
    );
}

#[test]
fn an_unknown_knob_is_not_applied() {
    assert_eq!(
        refused("gravity", KnobValue::Count(1)),
        "this version cannot impose it"
    );
}

#[test]
fn a_knob_that_stops_the_harness_is_not_applied_and_the_others_are() {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let asked = environment(&[
        ("memory", KnobValue::Bytes(1 << 20)),
        ("nice", KnobValue::Count(3)),
        ("tz", text("UTC")),
    ]);
    let status = apply(&mut runner, &asked);
    let applied: Vec<(&str, bool)> = status
        .iter()
        .map(|status| (status.knob.0.as_str(), status.applied))
        .collect();
    assert_eq!(
        applied,
        [("memory", false), ("nice", true), ("tz", true)],
        "{status:?}"
    );
    // The pass runs under the others.
    let imposed = runner.imposed(&asked);
    assert_eq!(
        imposed
            .0
            .keys()
            .map(|knob| knob.0.as_str())
            .collect::<Vec<_>>(),
        ["nice", "tz"]
    );
    let (seen, end) = stage.pass(&mut runner, 1, &asked).unwrap();
    assert_eq!(end, PassEnd::Completed);
    assert_eq!(seen["passes"].outcome, Outcome::Passed);
}

fn profile(name: &str, knobs: Vec<(&str, KnobSetting)>) -> FidelityProfile {
    FidelityProfile {
        name: name.to_owned(),
        knobs: knobs
            .into_iter()
            .map(|(knob, setting)| (KnobId::from(knob), setting))
            .collect(),
    }
}

#[test]
fn every_value_of_a_choice_is_tried_and_both_arms_are() {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let choice =
        |values: &[&str]| KnobSetting::OneOf(values.iter().map(|value| text(value)).collect());
    let baseline = profile(
        "low",
        vec![("nice", KnobSetting::Fixed(KnobValue::Count(1)))],
    );
    let target = profile(
        "high",
        vec![
            ("cpus", KnobSetting::Fixed(KnobValue::Count(1))),
            ("nice", KnobSetting::Fixed(KnobValue::Count(2))),
            ("locale", choice(&["C", "POSIX", "xx_XX"])),
            ("tz", choice(&["UTC0", "<-03>3"])),
        ],
    );
    let production: BTreeMap<KnobId, KnobValue> =
        [(KnobId::from("cpus"), KnobValue::Count(2))].into();
    let status = runner.apply(&baseline, &target, &production).unwrap();
    let rows: Vec<(&str, bool, bool)> = status
        .iter()
        .map(|row| (row.knob.0.as_str(), row.applied, row.beyond_production))
        .collect();
    assert_eq!(
        rows,
        [
            ("cpus", true, true),
            ("locale", true, false),
            ("nice", true, false),
            ("tz", true, false)
        ],
        "{status:?}"
    );
    // What cannot be is taken from the choice, and the rest is tried.
    assert_eq!(status[1].target.as_deref(), Some("one of C, POSIX"));
    let reason = &status[1].reason;
    assert!(reason.starts_with("without xx_XX: "), "{reason}");
    assert!(reason.ends_with("; the C library uses C"), "{reason}");
    let narrowed = runner.narrowed(&target);
    let locale = KnobId::from("locale");
    assert_eq!(narrowed.knobs[&locale], choice(&["C", "POSIX"]));
    assert_eq!(
        narrowed.knobs[&KnobId::from("tz")],
        target.knobs[&KnobId::from("tz")]
    );
    let taken: Vec<_> = runner
        .taken_away(&target)
        .into_iter()
        .map(|taken| (taken.0, taken.1))
        .collect();
    assert_eq!(taken, [(locale, text("xx_XX"))]);
    assert_eq!(status[2].reason, "niceness 1; niceness 2");
    assert_eq!(status[2].baseline.as_deref(), Some("1"));
    assert!(status[3].reason.contains("UTC-03:00") && status[3].reason.contains("UTC+00:00"));
}

#[test]
fn a_choice_of_which_nothing_is_left_is_not_applied_and_one_of_which_one_is_left_is_that_one() {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let choice =
        |values: &[&str]| KnobSetting::OneOf(values.iter().map(|value| text(value)).collect());
    let mut low = profile("low", vec![("locale", choice(&["xx_XX", "C"]))]);
    let high = profile(
        "high",
        vec![
            ("locale", KnobSetting::Fixed(text("C"))),
            ("tz", choice(&["No/Where", "No/Zone"])),
        ],
    );
    let status = runner.apply(&low, &high, &BTreeMap::new()).unwrap();
    let applied: Vec<bool> = status.iter().map(|row| row.applied).collect();
    assert_eq!(applied, [true, false], "{status:?}");
    assert_eq!(status[0].baseline.as_deref(), Some("C"));
    assert!(status[1].reason.contains("has no No/Where"), "{status:?}");
    // What was asked for stays on record.
    assert_eq!(
        status[1].target.as_deref(),
        Some("one of No/Where, No/Zone")
    );
    assert_eq!(runner.narrowed(&high), high);
    low.knobs
        .insert(KnobId::from("locale"), KnobSetting::Fixed(text("C")));
    assert_eq!(
        runner.narrowed(&profile("low", vec![("locale", choice(&["xx_XX", "C"]))])),
        low
    );
    assert_eq!(runner.taken_away(&high), []);
}

#[test]
fn a_value_that_one_arm_always_has_and_cannot_have_takes_the_knob_from_both() {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let low = profile("low", vec![("locale", KnobSetting::Fixed(text("xx_XX")))]);
    let values = vec![text("xx_XX"), text("C")];
    let high = profile("high", vec![("locale", KnobSetting::OneOf(values))]);
    let status = runner.apply(&low, &high, &BTreeMap::new()).unwrap();
    assert!(!status[0].applied, "{status:?}");
    assert!(status[0].reason.contains("not installed"), "{status:?}");
    let drawn = environment(&[("locale", text("C"))]);
    assert!(runner.imposed(&drawn).0.is_empty());
}

#[test]
fn a_pass_whose_environment_cannot_be_provided_is_discarded() {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let asked = environment(&[("env.A", text("{env:FIDELITY_NO_SUCH_VARIABLE}"))]);
    let (seen, end) = stage.pass(&mut runner, 1, &asked).unwrap();
    assert!(seen.is_empty());
    assert!(
        matches!(end, PassEnd::Discarded { reason } if reason.contains("FIDELITY_NO_SUCH_VARIABLE"))
    );
}

#[test]
fn a_secret_is_masked_in_everything_that_is_kept() {
    let stage = Stage::new(&["tells_its_secret"]);
    let mut runner = stage.runner();
    let path = std::env::var("PATH").unwrap();
    let asked = environment(&[("env.PASSWORD", text("{env:PATH}"))]);
    let (seen, _) = stage.pass(&mut runner, 1, &asked).unwrap();
    let failure = seen["tells_its_secret"].failure.clone().unwrap();
    assert_eq!(failure.message, "the password is ***");
    let kept = [
        failure.output.stdout,
        failure.output.stderr,
        failure.signature.into_bytes(),
    ]
    .concat();
    let kept = String::from_utf8_lossy(&kept);
    assert!(
        kept.contains("password: ***") && !kept.contains(&path),
        "{kept}"
    );
}

#[test]
fn tests_start_in_the_order_the_seed_says() {
    let order = |knobs: &[(&str, KnobValue)], seed: u64| {
        let file = tempfile::NamedTempFile::new().unwrap();
        let names = [
            "ordered_a",
            "ordered_b",
            "ordered_c",
            "ordered_d",
            "ordered_e",
            "ordered_f",
            "ordered_g",
            "ordered_h",
        ];
        let stage = Stage::new(&names).set("ORDER", file.path()).slots(1);
        let mut runner = stage.runner();
        let mut spec = stage.spec(1);
        spec.order_seed = seed;
        let mut ignore = |_| std::ops::ControlFlow::Continue(());
        let end = fidelity_core::exec::Runner::run_pass(
            &mut runner,
            &spec,
            &spec.tests,
            &environment(knobs),
            &mut ignore,
        );
        assert_eq!(end.unwrap(), PassEnd::Completed);
        std::fs::read_to_string(file.path()).unwrap()
    };
    let sorted = order(&[], 1);
    assert!(sorted.lines().is_sorted());
    let shuffle = [("order", text("shuffle"))];
    assert_ne!(order(&shuffle, 1), sorted);
    assert_eq!(order(&shuffle, 1), order(&shuffle, 1));
    assert_ne!(order(&shuffle, 1), order(&shuffle, 2));
}

#[test]
fn the_path_of_the_temporary_directory_does_not_tell_the_arm() {
    let tmpdir = |knobs: &Environment| {
        let report = tempfile::NamedTempFile::new().unwrap();
        let stage = Stage::new(&["reports_what_it_sees"]).set("REPORT", report.path());
        let mut runner = stage.runner();
        let (seen, _) = stage.pass(&mut runner, 9, knobs).unwrap();
        assert_eq!(seen["reports_what_it_sees"].outcome, Outcome::Passed);
        let text = std::fs::read_to_string(report.path()).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("tmpdir "))
            .unwrap();
        let path = std::path::PathBuf::from(line);
        let below_run: std::path::PathBuf = path.components().rev().take(2).collect();
        below_run
    };
    let plain = tmpdir(&Environment::default());
    assert_eq!(plain, std::path::Path::new("tmp/9"));
    assert_eq!(
        plain,
        tmpdir(&environment(&[("nice", KnobValue::Count(1))]))
    );
}
