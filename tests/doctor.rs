//! `cargo fidelity doctor` on this machine: outside of a project, and on files it can and cannot satisfy.
#![cfg(target_os = "linux")]

mod support;

use fidelity_core::config::{catalogue, samples};
use support::Project;

#[test]
fn every_knob_is_answered_outside_of_a_project() {
    let nowhere = Project::empty("nowhere");
    let ran = nowhere.run(&["doctor", "--format", "json"]).exits_with(0);
    let answer = ran.json();
    assert_eq!(answer["schema"], 1);
    assert_eq!(answer["fit"], true, "nobody asked for anything");
    let rows = answer["knobs"].as_array().unwrap();
    assert_eq!(rows.len(), samples().len());
    for knob in catalogue::KNOBS {
        let mut of_knob = rows.iter().filter(|row| {
            let id = row["id"].as_str().unwrap();
            id == knob.name || id.starts_with(&format!("{}.", knob.name))
        });
        assert!(
            of_knob.all(|row| !row["reason"].as_str().unwrap().is_empty()),
            "{}: {rows:?}",
            knob.name
        );
    }
    let applied = |id: &str, setting: &str| {
        rows.iter()
            .any(|row| row["id"] == id && row["setting"] == setting && row["applied"] == true)
    };
    assert!(applied("umask", "077") && applied("tmpdir", "long") && applied("order", "shuffle"));
    let shared = rows.iter().find(|row| row["setting"] == "shared").unwrap();
    assert!(
        shared["applied"].is_null(),
        "no binary is at hand: {shared}"
    );
    let machine = &answer["machine"];
    assert!(machine["cpus"].as_u64().unwrap() >= 1, "{machine}");
    assert!(machine["foreign_load_cpus"].is_f64(), "{machine}");
    assert!(
        machine["tools"][0]["says"]
            .as_str()
            .unwrap()
            .starts_with("cargo "),
        "{machine}"
    );
}

#[test]
fn a_page_for_people_fits_and_names_every_knob() {
    let page = Project::empty("nowhere").run(&["doctor"]).exits_with(0);
    assert_eq!(page.stderr, "");
    for knob in catalogue::KNOBS {
        assert!(
            page.stdout.contains(&format!("\n  {}", knob.name)),
            "{} is missing in\n{}",
            knob.name,
            page.stdout
        );
    }
    assert!(page.stdout.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_file_that_cannot_be_satisfied_is_told_with_exit_code_4() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    project.write(
        "fidelity.toml",
        "[profile.low]\n[profile.high]\numask = \"077\"\n[profile.wide]\ncpus = 4096\n",
    );
    let ran = project.run(&["doctor"]).exits_with(4);
    assert!(
        ran.stdout.contains("1 OF 2 settings of fidelity.toml"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("PROFILE wide") && ran.stdout.contains("of 4096 CPUs are available"),
        "{}",
        ran.stdout
    );
    let one = project
        .run(&["doctor", "--fidelity-profile", "high"])
        .exits_with(0);
    assert!(one.stdout.contains("ALL 1 setting"), "{}", one.stdout);
    // Whatever the file asks for, the whole catalogue is only looked at.
    let all = project.run(&["doctor", "--all"]).exits_with(0);
    assert!(all.stdout.contains("PORTABLE"), "{}", all.stdout);
    let wrong = project
        .run(&["doctor", "--fidelity-profile", "preset:hostil"])
        .exits_with(2);
    assert!(wrong.stderr.contains("preset:hostile"), "{}", wrong.stderr);
}

#[test]
fn settings_of_a_profile_are_tried_together_and_nothing_is_left_behind() {
    let project = Project::empty("nowhere");
    let place = project.root.join("tmp");
    std::fs::create_dir(&place).unwrap();
    let mut tool = project.tool(&["doctor", "--fidelity-profile", "preset:realistic"]);
    let ran = support::Ran::of(tool.env("TMPDIR", &place).output().unwrap()).exits_with(0);
    assert!(
        ran.stdout.contains("PROFILE preset:realistic"),
        "{}",
        ran.stdout
    );
    let left: Vec<_> = std::fs::read_dir(&place).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
