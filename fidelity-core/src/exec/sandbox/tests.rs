//! Tests of the preparation of sandboxes. That they arrive is tested with real processes.

use super::super::stage;
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
            mounts: &|| Ok(()),
            faketime: &|| Some("/usr/lib/libfaketimeMT.so.1".into()),
            writable: &["/target/tmp".into()],
            privileged: true,
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
        ("timer-slack", KnobValue::Duration(0)),
        ("tmpdir", words("round")),
        ("umask", KnobValue::Mode(0o1000)),
        ("wings", KnobValue::Count(2)),
    ]);
    let names: Vec<_> = refused.iter().map(|(knob, _)| knob.0.as_str()).collect();
    assert_eq!(
        names,
        [
            "cpus",
            "env.A",
            "env.B=C",
            "home",
            "nice",
            "order",
            "stack",
            "threads",
            "timer-slack",
            "tmpdir",
            "umask",
            "wings"
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
    // By itself, and as the password it is part of.
    assert!(
        sandbox
            .secrets
            .iter()
            .all(|secret| secret.ends_with("hunter2"))
    );
    assert!(sandbox.secrets.contains(&"hunter2".to_owned()));
}

#[test]
fn several_knobs_of_namespaces_make_one_stage() {
    let limits = [
        ("files".to_owned(), KnobValue::Count(5)),
        ("size".to_owned(), KnobValue::Bytes(1 << 20)),
    ];
    let (sandbox, refused) = prepared(&[
        ("ephemeral-ports", KnobValue::Count(16)),
        ("filesystem", words("read-only")),
        ("home", words("read-only")),
        ("hostname", words("web-7")),
        ("network", words("loopback")),
        ("pids", words("own")),
        ("tmpdir", KnobValue::Table(limits.into())),
    ]);
    assert!(refused.is_empty(), "{refused:?}");
    let expected = Plan {
        network: Some(stage::Network::Loopback),
        ports: Some(16),
        hostname: Some("web-7".to_owned()),
        own_pids: true,
        room: Some(stage::Room {
            path: "/run/7/tmp".into(),
            owner: None,
            size: Some(1 << 20),
            files: Some(5),
        }),
        read_only: Some("/run/7/users/user".into()),
        read_only_but: Some(vec!["/run/7".into(), "/target/tmp".into()]),
        mounts: false,
    };
    assert_eq!(sandbox.stage, expected);
}

#[test]
fn without_a_stage_only_the_knobs_that_need_what_failed_are_dropped() {
    let asked = environment(&[
        ("hostname", words("web-7")),
        ("home", words("read-only")),
        ("ipv6", words("off")),
        ("network", words("none")),
        ("ephemeral-ports", KnobValue::Count(3)),
    ]);
    let dropped = |part| -> Vec<(KnobId, String)> {
        let reason = "could not do it".to_owned();
        without_stage(&asked, &NoStage { part, reason })
    };
    let names = |part| -> Vec<String> {
        let dropped = dropped(part).into_iter();
        dropped.map(|(knob, _)| knob.0).collect()
    };
    assert_eq!(names(Part::Loopback), ["ephemeral-ports"]);
    assert_eq!(names(Part::Network), ["ephemeral-ports", "network"]);
    assert_eq!(names(Part::Room), [""; 0]);
    assert_eq!(
        names(Part::Whole),
        ["ephemeral-ports", "home", "hostname", "network"]
    );
    let (_, reason) = dropped(Part::Network).remove(0);
    assert!(
        reason.starts_with("could not do it; `errno.connect"),
        "{reason}"
    );
}

#[test]
fn knobs_of_one_arm_that_exclude_each_other_are_refused_with_a_reason() {
    let (sandbox, refused) = prepared(&[
        ("clock", words("+1d")),
        ("env.LD_PRELOAD", words("other.so")),
        ("ephemeral-ports", KnobValue::Count(3)),
        ("errno.connect", words("EFISH")),
        ("errno.fly", words("EIO")),
        ("network", words("none")),
    ]);
    let names: Vec<_> = refused.iter().map(|(knob, _)| knob.0.as_str()).collect();
    assert_eq!(
        names,
        ["env.LD_PRELOAD", "errno.connect", "errno.fly", "network"]
    );
    let preload = &sandbox.variables[&OsString::from("LD_PRELOAD")];
    assert_eq!(preload.as_ref().unwrap(), "/usr/lib/libfaketimeMT.so.1");
    assert_eq!(
        sandbox.variables[&OsString::from("FAKETIME")]
            .as_ref()
            .unwrap(),
        "+86400"
    );
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
