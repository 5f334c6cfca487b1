//! Dates, time zones, clocks.

use super::FINDING;
use crate::row::{Finding, Finds, Row};

const ZONE: Finding = Finding {
    exposed_by: "`tz = \"America/St_Johns\"`",
    cause: "a timestamp without an offset is read in local time, and UTC is expected",
    realistic: Finds::Yes,
    hostile: Finds::Yes,
    ..FINDING
};

pub const ROWS: &[Row] = &[
    Row {
        name: "syslog_loose",
        version: "0.23.0",
        kind: "log parser",
        findings: &[Finding {
            tests: &["syslog_loose::tests parse_vrl"],
            ..ZONE
        }],
        ..Row::PLAIN
    },
    Row {
        name: "chrono",
        version: "0.4.45",
        kind: "dates",
        arguments: &["--lib"],
        note: "without its integration tests, one of which starts `date` for every hour of many years. The broken ones read files that the package leaves out.",
        ..Row::PLAIN
    },
    Row {
        name: "parse_datetime",
        version: "0.17.0",
        kind: "dates",
        ..Row::PLAIN
    },
    Row {
        name: "interim",
        version: "0.2.2",
        kind: "dates",
        ..Row::PLAIN
    },
    Row {
        name: "dtparse",
        version: "2.0.1",
        kind: "dates",
        findings: &[Finding {
            tests: &["dtparse tests::pycompat_parser::test_parse_simple42"],
            exposed_by: "`clock = \"+400d\"`",
            cause: "it expects `7-4-76` to be in 1976, which it is until the end of 2026: a year is read as the one within 50 years",
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "stopwatch",
        version: "0.0.7",
        kind: "timers",
        findings: &[Finding {
            tests: &[
                "stopwatch::lib elapsed_ms",
                "stopwatch::lib restart",
                "stopwatch::lib resume_once",
                "stopwatch::lib resume_twice",
                "stopwatch::lib stop",
            ],
            exposed_by: "`timer-slack = \"50ms\"`",
            cause: "they expect a sleep of 50 ms to take at most 65 ms",
            hostile: Finds::Yes,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "humantime",
        version: "2.4.0",
        kind: "durations",
        ..Row::PLAIN
    },
    Row {
        name: "cron",
        version: "0.17.0",
        kind: "schedules",
        ..Row::PLAIN
    },
    Row {
        name: "clokwerk",
        version: "0.4.0",
        kind: "schedules",
        ..Row::PLAIN
    },
    Row {
        name: "tztail",
        version: "1.2.0",
        kind: "command-line tool",
        ..Row::PLAIN
    },
];
