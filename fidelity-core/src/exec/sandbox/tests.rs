//! Tests of the preparation of sandboxes. That they arrive is tested with real processes.

use super::*;
use crate::config::catalogue::{self, KnobKind};

fn environment(knobs: &[(&str, KnobValue)]) -> Environment {
    Environment(
        knobs
            .iter()
            .map(|(knob, value)| (KnobId::from(*knob), value.clone()))
            .collect(),
    )
}

fn prepared(knobs: &[(&str, KnobValue)]) -> (Sandbox, Vec<(KnobId, String)>) {
    let variable = |name: &str| (name == "SECRET").then(|| "hunter2".to_owned());
    prepare(
        &environment(knobs),
        &Scene {
            pass_directory: Path::new("/run/7"),
            cpus: 2,
            variable: &variable,
        },
    )
}

fn words(text: &str) -> KnobValue {
    KnobValue::Text(text.to_owned())
}

#[test]
fn the_plain_sandbox_has_a_temporary_directory_and_nothing_else() {
    let (sandbox, refused) = prepared(&[]);
    assert!(refused.is_empty());
    assert_eq!(sandbox.confinement, Confinement::default());
    let names: Vec<_> = sandbox.variables.keys().collect();
    assert_eq!(names, ["TMPDIR"]);
    assert_eq!(sandbox.places.len(), 1);
}

#[test]
fn what_cannot_be_is_refused_with_a_reason_and_leaves_nothing_behind() {
    let (sandbox, refused) = prepared(&[
        ("cpus", KnobValue::Count(3)),
        ("env.A", words("{env:MISSING}")),
        ("env.B=C", words("x")),
        ("home", words("sweet")),
        ("nice", KnobValue::Count(20)),
        ("order", words("random")),
        ("stack", words("big")),
        ("threads", KnobValue::Count(0)),
        ("tmpdir", words("round")),
        ("umask", KnobValue::Mode(0o1000)),
        ("wings", KnobValue::Count(2)),
    ]);
    let names: Vec<_> = refused.iter().map(|(knob, _)| knob.0.as_str()).collect();
    assert_eq!(
        names,
        [
            "cpus", "env.A", "env.B=C", "home", "nice", "order", "stack", "threads", "tmpdir",
            "umask", "wings"
        ]
    );
    assert!(
        refused.iter().all(|(_, reason)| reason.len() > 10),
        "{refused:?}"
    );
    assert_eq!(sandbox, Sandbox::default());
}

#[test]
fn references_are_resolved_and_remembered_as_secrets() {
    let (sandbox, _) = prepared(&[("env.URL", words("http://u:{env:SECRET}@h"))]);
    let url = &sandbox.variables[&OsString::from("URL")];
    assert_eq!(url.as_ref().unwrap(), "http://u:hunter2@h");
    assert_eq!(sandbox.secrets, ["hunter2"]);
}

#[test]
fn slots_get_different_cpus_as_long_as_there_are_some() {
    let one = Confinement {
        cpus: Some(1),
        ..Confinement::default()
    };
    let windows: Vec<_> = (0..4).map(|slot| one.window(&[2, 5, 9], slot)).collect();
    assert_eq!(windows, [[2], [5], [9], [2]]);
    let two = Confinement {
        cpus: Some(2),
        ..Confinement::default()
    };
    assert_eq!(two.window(&[2, 5, 9], 1), [9, 2]);
    assert_eq!(two.window(&[4], 3), [4]);
    assert!(two.window(&[], 3).is_empty());
    assert!(Confinement::default().window(&[1, 2], 0).is_empty());
}

#[test]
fn harsher_than_production_goes_by_the_kind_of_knob() {
    let beyond = |knob: &str, value, fact| harsher(&KnobId::from(knob), &value, &fact);
    assert!(beyond("cpus", KnobValue::Count(1), KnobValue::Count(2)));
    assert!(!beyond("cpus", KnobValue::Count(2), KnobValue::Count(2)));
    assert!(!beyond("memory", KnobValue::Bytes(9), KnobValue::Bytes(8)));
    assert!(beyond("threads", KnobValue::Count(9), KnobValue::Count(8)));
    assert!(beyond(
        "umask",
        KnobValue::Mode(0o077),
        KnobValue::Mode(0o022)
    ));
    assert!(!beyond(
        "umask",
        KnobValue::Mode(0o002),
        KnobValue::Mode(0o022)
    ));
    assert!(beyond("tz", words("Pacific/Apia"), words("UTC")));
    assert!(!beyond("tz", words("UTC"), words("UTC")));
    assert!(!beyond("unknown", KnobValue::Count(1), KnobValue::Count(2)));
}

#[test]
fn every_word_that_a_configuration_may_hold_can_be_prepared() {
    for knob in catalogue::KNOBS {
        let KnobKind::Word(choices) = &knob.kind else {
            continue;
        };
        for (word, _) in *choices {
            let (_, refused) = prepared(&[(knob.name, words(word))]);
            assert!(refused.is_empty(), "{} = {word}: {refused:?}", knob.name);
        }
    }
}
