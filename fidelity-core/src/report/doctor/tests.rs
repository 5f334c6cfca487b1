//! Tests of the page and the JSON, on a machine that is made up.

use super::*;
use crate::domain::{KnobId, Tool};

fn row(profile: Option<&str>, knob: &str, setting: &str, outcome: Result<&str, &str>) -> Tried {
    let (Ok(reason) | Err(reason)) = outcome;
    Tried {
        profile: profile.map(str::to_owned),
        knob: KnobId::from(knob),
        setting: setting.to_owned(),
        tier: match knob {
            "network" => Tier::Namespaced,
            "memory-quota" => Tier::Privileged,
            _ => Tier::Portable,
        },
        applied: Some(outcome.is_ok()),
        reason: reason.to_owned(),
    }
}

fn machine() -> Machine {
    Machine {
        system: "linux 6.8.0 x86_64".to_owned(),
        cpus: 2,
        memory: Some(8_323_956_736),
        memory_available: Some(310 << 20),
        user: Some("nobody (65534)".to_owned()),
        cgroups: Some("v2 (cpu, memory, pids)".to_owned()),
        namespaces: Some("cgroup, ipc, mnt, net, pid, time, user, uts; ordinary users are kept from making them (sysctl user.max_user_namespaces is 0)".to_owned()),
        foreign_load: Some(0.04),
        tools: vec![
            Tool {
                name: "cargo".to_owned(),
                version: Ok("cargo 1.95.0 (f2d3ce0bd 2026-03-21)".to_owned()),
            },
            Tool {
                name: "rustc".to_owned(),
                version: Err("rustc cannot be started: No such file or directory".to_owned()),
            },
        ],
    }
}

fn catalogue() -> Checkup {
    Checkup {
        machine: machine(),
        file: None,
        tried: vec![
            row(
                None,
                "tz",
                "one of America/St_Johns, Pacific/Apia",
                Ok("local time is NST, 3:30 h behind UTC; local time is +13, 13:00 h ahead of UTC"),
            ),
            row(
                None,
                "network",
                "none",
                Err(
                    "the kernel refuses a user namespace (Operation not permitted); set the sysctl user.max_user_namespaces to more than 0, or run as root",
                ),
            ),
            row(
                None,
                "cpus",
                "3",
                Err("only 2 of 3 CPUs are available here; ask for 2 or fewer"),
            ),
            row(
                None,
                "memory-quota",
                "64MiB",
                Ok("a process that takes more is killed"),
            ),
            Tried {
                applied: None,
                ..row(
                    None,
                    "process",
                    "shared",
                    Err("a matter of the test binaries"),
                )
            },
            row(None, "env.NAME", "\u{1b}[31mred", Ok("has the value")),
        ],
    }
}

fn page(checkup: &Checkup, width: usize) -> String {
    let style = Style {
        width,
        ..Style::default()
    };
    render(checkup, &style)
}

#[test]
fn the_catalogue_is_grouped_by_what_a_knob_needs() {
    insta::assert_snapshot!(page(&catalogue(), 100));
}

#[test]
fn no_line_is_longer_than_the_page() {
    for width in [40, 60, 80, 100, 120] {
        for line in page(&catalogue(), width).lines() {
            assert!(text::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_file_is_fit_if_everything_it_asks_for_is_applied() {
    let mut checkup = catalogue();
    assert!(checkup.is_fit(), "nobody asked for it");
    checkup.file = Some("fidelity.toml".to_owned());
    checkup.tried = vec![
        row(Some("low"), "tz", "UTC", Ok("local time is UTC")),
        row(Some("high"), "network", "none", Err("it is refused")),
        row(Some("high"), "cpus", "1", Ok("may use 1 CPU")),
    ];
    checkup.machine.foreign_load = Some(1.72);
    assert!(!checkup.is_fit());
    insta::assert_snapshot!(page(&checkup, 80));
    checkup.tried[1].applied = Some(true);
    assert!(checkup.is_fit());
    checkup.tried[2].applied = None;
    assert!(
        checkup.is_fit(),
        "what was not tried is held against nobody"
    );
    checkup.tried[2].applied = Some(true);
    assert!(page(&checkup, 80).contains("ALL 3 settings of fidelity.toml work here"));
}

#[test]
fn programs_get_the_same_rows() {
    insta::assert_snapshot!(render_json(&catalogue()));
}

#[test]
fn a_system_that_says_nothing_gets_a_page_all_the_same() {
    let checkup = Checkup {
        machine: Machine::default(),
        tried: vec![row(None, "tz", "UTC", Err("not supported here: no Unix"))],
        file: None,
    };
    let page = page(&checkup, 80);
    assert!(page.contains("NOT APPLIED: not supported here"), "{page}");
}
