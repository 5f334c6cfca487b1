//! Tests of where groups are made and that they are removed. That they limit is tested with real processes.

use super::place::{Controller, Hierarchies, Version};
use super::*;

const SEPARATE: (&str, &str) = (
    "4:memory:/session/7\n1:cpu,cpuacct:/\n0::/\n",
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
     32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
     35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
     41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
);
const UNIFIED: (&str, &str) = (
    "0::/user.slice/user-7.slice/user@7.service/app.slice/shell.scope\n",
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
);
const BOTH: [Controller; 2] = [Controller::Cpu, Controller::Memory];

fn hierarchies((membership, mounts): (&str, &str)) -> Hierarchies {
    Hierarchies {
        membership: membership.to_owned(),
        mounts: mounts.to_owned(),
    }
}

#[test]
fn in_version_1_each_controller_has_a_place_below_the_own_group() {
    let hierarchies = hierarchies(SEPARATE);
    let place = |controller| {
        let place = hierarchies
            .place(&BOTH, controller, &|_| String::new())
            .unwrap();
        assert_eq!(place.version, Version::V1);
        place.directory
    };
    assert_eq!(
        place(Controller::Cpu),
        Path::new("/sys/fs/cgroup/cpu,cpuacct")
    );
    assert_eq!(
        place(Controller::Memory),
        Path::new("/sys/fs/cgroup/memory/session/7")
    );
}

#[test]
fn in_version_2_the_place_is_the_closest_group_that_hands_every_controller_on() {
    let hands_on = |directory: &Path| {
        match directory.file_name().unwrap().to_str().unwrap() {
            "app.slice" => "memory pids",
            "user@7.service" => "cpu memory pids",
            _ => "",
        }
        .to_owned()
    };
    let hierarchies = hierarchies(UNIFIED);
    let place = |controllers: &[Controller]| {
        let place = hierarchies
            .place(controllers, controllers[0], &hands_on)
            .unwrap();
        assert_eq!(place.version, Version::V2);
        place.directory.file_name().unwrap().to_owned()
    };
    assert_eq!(place(&[Controller::Memory]), "app.slice");
    assert_eq!(place(&BOTH), "user@7.service");
}

#[test]
fn where_nothing_is_handed_on_the_reason_says_what_to_do() {
    let refused = |of, hands_on: &str| {
        let handed_on = hands_on.to_owned();
        let place = hierarchies(of).place(&BOTH, Controller::Cpu, &|_| handed_on.clone());
        place.unwrap_err()
    };
    let reason = refused(UNIFIED, "pids");
    assert!(
        reason.contains("controller cpu") && reason.contains("systemd-run"),
        "{reason}"
    );
    let reason = refused(("", ""), "");
    assert!(reason.contains("no control groups for cpu"), "{reason}");
    // The group of a container that the mount does not show.
    let hidden = ("0::/../../other\n", UNIFIED.1);
    assert!(refused(hidden, "cpu memory").contains("no control groups"));
}

#[test]
fn the_own_group_of_a_container_is_found_below_the_mount_of_its_root() {
    let container = (
        "3:memory:/docker/12ab/inner\n",
        "35 31 0:32 /docker/12ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
    );
    let place = hierarchies(container).own(Controller::Memory).unwrap();
    assert_eq!(place.directory, Path::new("/sys/fs/cgroup/memory/inner"));
    let error = io::Error::from_raw_os_error(libc::EROFS);
    let reason = place.refusal(Controller::Memory, &error);
    assert!(
        reason.contains("containers see their groups read-only"),
        "{reason}"
    );
}

#[test]
fn what_a_run_lists_is_removed_and_nothing_else() {
    let parent = tempfile::tempdir().unwrap();
    let run = parent.path().join("fidelity-ab12");
    let [own, other] = ["fidelity-ab12-3", "fidelity-zz99-3"].map(|name| parent.path().join(name));
    for directory in [&run, &own, &other] {
        fs::create_dir(directory).unwrap();
    }
    for group in [&own, &other, &parent.path().join("fidelity-ab12-4")] {
        list(&run, group).unwrap();
    }
    remove_listed(&run);
    assert!(!own.exists() && other.exists());
}
