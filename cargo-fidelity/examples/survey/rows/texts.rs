//! Texts, numbers, terminals, locales.

use super::FINDING;
use crate::row::{Finding, Finds, Row};

pub const ROWS: &[Row] = &[
    Row {
        name: "sys-locale",
        version: "0.3.2",
        kind: "locales",
        findings: &[Finding {
            tests: &["sys-locale tests::can_obtain_locale"],
            exposed_by: "no `LC_ALL`, `LC_MESSAGES` and `LANG`",
            cause: "it expects that the environment names a locale",
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "num-format",
        version: "0.4.4",
        kind: "locales",
        ..Row::PLAIN
    },
    Row {
        name: "console",
        version: "0.16.6",
        kind: "terminals",
        ..Row::PLAIN
    },
    Row {
        name: "indicatif",
        version: "0.18.6",
        kind: "terminals",
        ..Row::PLAIN
    },
    Row {
        name: "rpassword",
        version: "7.5.4",
        kind: "terminals",
        ..Row::PLAIN
    },
    Row {
        name: "textwrap",
        version: "0.16.4",
        kind: "text layout",
        ..Row::PLAIN
    },
    Row {
        name: "pest",
        version: "2.9.6",
        kind: "parsers",
        ..Row::PLAIN
    },
    Row {
        name: "ron",
        version: "0.12.3",
        kind: "parsers",
        findings: &[Finding {
            tests: &[
                "ron::609_quadratic_escaped_string_parsing parsing_many_escapes_scales_linearly",
            ],
            exposed_by: "`pauses`",
            cause: "it compares two measured times, and a pause in the second makes it look quadratic",
            hostile: Finds::Perhaps,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "sqlparser",
        version: "0.63.0",
        kind: "parsers",
        ..Row::PLAIN
    },
    Row {
        name: "statrs",
        version: "0.19.1",
        kind: "numbers",
        ..Row::PLAIN
    },
    Row {
        name: "num-bigint",
        version: "0.5.1",
        kind: "numbers",
        ..Row::PLAIN
    },
];
