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
