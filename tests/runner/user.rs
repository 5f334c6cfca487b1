//! Tests as another user, which only root can arrange; everybody else is told so.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use fidelity_core::domain::{KnobValue, Observation, Outcome, PassEnd};

use crate::knobs::{applied, refused, text};
use crate::stage::{Stage, environment};
use crate::tool::{apply, apply_as_ordinary_user, apply_without_mapping, is_root};

/// The value `nobody` of the knob, as a part of a tool is told it.
const NOBODY: &str = r#"{"text":"nobody"}"#;

/// Fails unless another user is refused, with the reason: what there is to see of it for whoever is not root.
pub fn is_refused() {
    let reason = refused("user", text("root"));
    assert!(
        reason.starts_with("only root can run tests as another user: "),
        "{reason}"
    );
}

#[test]
fn only_root_can_run_tests_as_another_user() {
    let ordinary = apply_as_ordinary_user("user", r#"{"text":"root"}"#);
    assert!(!ordinary.applied, "{ordinary:?}");
    assert!(ordinary.reason.starts_with("only root can"), "{ordinary:?}");
    if is_root() {
        let reason = applied("user", text("nobody"));
        assert!(
            reason.starts_with("user 65534, group 65534; HOME is "),
            "{reason}"
        );
    } else {
        is_refused();
    }
}

#[test]
fn who_is_that_user_already_stays_it() {
    let own = if is_root() { "root" } else { "65534" };
    let reason = match is_root() {
        true => applied("user", text(own)),
        false => apply_as_ordinary_user("user", NOBODY).reason,
    };
    assert!(reason.starts_with("user "), "{reason}");
}

#[test]
fn a_user_that_is_not_there_is_said_to_be_missing() {
    let reason = refused("user", text("no-such-user"));
    assert_eq!(
        reason,
        "there is no user `no-such-user` here: add one, or use a number"
    );
}

#[test]
fn a_user_may_be_a_number_without_a_name() {
    if !is_root() {
        return is_refused();
    }
    let stage = Stage::new(&["passes"]).set("USER", "somebody");
    let mut runner = stage.runner();
    let asked = environment(&[("env.LOGNAME", text("kept")), ("user", text("54321"))]);
    let status = apply(&mut runner, &asked);
    assert!(status.iter().all(|row| row.applied), "{status:?}");
    assert!(
        status[1].reason.starts_with("user 54321, group 54321; "),
        "{status:?}"
    );
}

#[test]
fn permissions_hold_for_an_ordinary_user_in_a_checkout_of_its_own() {
    let name = "is_kept_out_of_what_it_may_not_read";
    let stage = Stage::new(&[name]);
    let mut runner = stage.runner();
    runner.set_checkout(vec![stage.parent.path().to_owned()]);
    if !is_root() {
        let (seen, _) = stage.pass(&mut runner, 1, &environment(&[])).unwrap();
        assert_eq!(seen[name].outcome, Outcome::Passed);
        return;
    }
    // Nobody could enter it.
    let locked = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(stage.parent.path(), locked).unwrap();
    let (seen, _) = stage.pass(&mut runner, 1, &environment(&[])).unwrap();
    assert_eq!(seen[name].outcome, Outcome::Failed, "root reads everything");
    let nobody = environment(&[("env.KEEP", text("1")), ("user", text("nobody"))]);
    let (seen, end) = stage.pass(&mut runner, 2, &nobody).unwrap();
    assert_eq!(end, PassEnd::Completed);
    assert_eq!(seen[name].outcome, Outcome::Passed, "{seen:?}");
    // It wrote into the checkout, where its files are the owner's, as if the owner had run it.
    let written = stage.parent.path().join("locked");
    let metadata = std::fs::metadata(&written).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (0, 0));
    drop(runner);
    stage.assert_nothing_is_left();
}

#[test]
fn the_name_of_the_user_is_in_its_environment_unless_the_profile_says_otherwise() {
    if !is_root() {
        return is_refused();
    }
    let name = "tells_the_name_of_its_user";
    let stage = Stage::new(&[name])
        .set("USER", "root")
        .set("LOGNAME", "root");
    let mut runner = stage.runner();
    let asked = environment(&[("env.LOGNAME", KnobValue::Unset), ("user", text("nobody"))]);
    let message =
        |seen: &BTreeMap<String, Observation>| seen[name].failure.as_ref().unwrap().message.clone();
    let (seen, _) = stage.pass(&mut runner, 1, &asked).unwrap();
    assert_eq!(
        message(&seen),
        "USER=Ok(\"nobody\") LOGNAME=Err(NotPresent)"
    );
    // Who has no name gets none, and not that of somebody else.
    let asked = environment(&[("user", text("54321"))]);
    let (seen, _) = stage.pass(&mut runner, 2, &asked).unwrap();
    assert_eq!(
        message(&seen),
        "USER=Err(NotPresent) LOGNAME=Err(NotPresent)"
    );
}

#[test]
fn another_user_has_a_terminal_and_its_streams_to_itself() {
    if !is_root() {
        return is_refused();
    }
    let name = "opens_its_output_again";
    let stage = Stage::new(&[name]);
    let mut runner = stage.runner();
    for tty in [true, false] {
        let asked = environment(&[("tty", KnobValue::Flag(tty)), ("user", text("nobody"))]);
        let status = apply(&mut runner, &asked);
        assert!(status.iter().all(|row| row.applied), "{status:?}");
        let (seen, _) = stage.pass(&mut runner, 1, &asked).unwrap();
        assert_eq!(seen[name].outcome, Outcome::Passed, "{seen:?}");
    }
}

#[test]
fn where_owners_cannot_be_mapped_the_directory_in_the_way_is_named() {
    if !is_root() {
        return is_refused();
    }
    let open = apply_without_mapping("user", NOBODY, 0o755);
    assert!(open.applied, "{open:?}");
    assert!(!open.reason.contains("as its own"), "{open:?}");
    let locked = apply_without_mapping("user", NOBODY, 0o700);
    assert!(!locked.applied, "{locked:?}");
    assert!(
        locked
            .reason
            .contains("/den (mode 700, owner root): `chmod o+x "),
        "{locked:?}"
    );
    assert!(
        locked.reason.contains("Operation not permitted"),
        "{locked:?}"
    );
    assert!(
        locked.reason.starts_with("nobody cannot enter "),
        "{locked:?}"
    );
}

#[test]
fn what_a_user_writes_belongs_to_the_owner_of_the_tree_it_is_in() {
    if !is_root() {
        return is_refused();
    }
    let name = "is_kept_out_of_what_it_may_not_read";
    let mut stage = Stage::new(&[name]);
    // As a checkout of somebody's in which root has built.
    let workspace = stage.parent.path().to_owned();
    let target = workspace.join("target");
    std::fs::create_dir(&target).unwrap();
    let locked = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&workspace, locked).unwrap();
    std::os::unix::fs::chown(&workspace, Some(1000), Some(1001)).unwrap();
    let nobody = environment(&[("env.KEEP", text("1")), ("user", text("nobody"))]);
    for (directory, owner) in [(&workspace, (1000, 1001)), (&target, (0, 0))] {
        stage.suite.binaries[0].directory = directory.clone();
        let mut runner = stage.runner();
        runner.set_checkout(vec![workspace.clone(), target.clone()]);
        let (seen, end) = stage.pass(&mut runner, 1, &nobody).unwrap();
        assert_eq!(end, PassEnd::Completed);
        assert_eq!(seen[name].outcome, Outcome::Passed, "{seen:?}");
        let metadata = std::fs::metadata(directory.join("locked")).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), owner);
    }
}

#[test]
fn knobs_that_make_directories_make_them_for_the_user_of_the_test() {
    if !is_root() {
        return is_refused();
    }
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    for (home, tmpdir) in [
        ("read-only", "long"),
        ("missing", "symlink"),
        ("empty", "unicode"),
    ] {
        let asked = environment(&[
            ("home", text(home)),
            ("nice", KnobValue::Count(3)),
            ("order", text("shuffle")),
            ("threads", KnobValue::Count(3)),
            ("tmpdir", text(tmpdir)),
            ("umask", KnobValue::Mode(0o077)),
            ("user", text("nobody")),
            ("xdg", text("own")),
        ]);
        let status = apply(&mut runner, &asked);
        assert!(status.iter().all(|row| row.applied), "{status:?}");
        let (seen, end) = stage.pass(&mut runner, 1, &asked).unwrap();
        assert_eq!(end, PassEnd::Completed);
        assert_eq!(seen["passes"].outcome, Outcome::Passed, "{seen:?}");
    }
}
