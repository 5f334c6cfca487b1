//! What some knobs of the table can be: words with their meanings, and keys of tables.
//!
//! Data only, used by `knobs.rs`.

use super::catalogue::{Default, Field, KnobKind};

/// What kind of directory the temporary one is.
pub(super) const TMPDIR_WORDS: &[(&str, &str)] = &[
    ("plain", "a new directory with a short name"),
    ("space", "a directory with a space in its name"),
    (
        "unicode",
        "a directory with spaces and non-ASCII letters in its name",
    ),
    (
        "long",
        "a directory with a path of several hundred characters",
    ),
    ("symlink", "a symbolic link to a directory"),
];

/// What HOME leads to.
pub(super) const HOME_WORDS: &[(&str, &str)] = &[
    ("missing", "HOME names a directory that does not exist"),
    ("empty", "HOME is a new, empty directory"),
    ("read-only", "HOME is a directory that cannot be written to"),
];

/// The order in which tests start.
pub(super) const ORDERS: &[(&str, &str)] = &[
    ("shuffle", "another order in each pass, by seed"),
    (
        "shuffle-in-process",
        "that, and within a shared process, for which RUSTC_BOOTSTRAP is set and leaks into the tests",
    ),
    ("sorted", "by name"),
];

/// Which tests share a process.
pub(super) const PROCESSES: &[(&str, &str)] = &[
    ("per-test", "a process for each test"),
    (
        "shared",
        "one process for all tests of a binary, as `cargo test` has it",
    ),
];

/// What the standard input is.
pub(super) const INPUTS: &[(&str, &str)] = &[
    ("null", "nothing can be read"),
    ("closed", "the descriptor is not open"),
    ("pipe", "a pipe that stays open and silent: a read blocks"),
];

/// What of the network can be reached.
pub(super) const NETWORKS: &[(&str, &str)] = &[
    (
        "loopback",
        "127.0.0.1 works, nothing outside can be reached",
    ),
    ("none", "no interface is up, not even that of 127.0.0.1"),
];

/// The keys of `cpu-load`.
pub(super) const CPU_LOAD: &[Field] = &[
    Field {
        name: "threads",
        kind: KnobKind::Count { min: 1, max: 1_024 },
        help: "how many threads; by default one for each CPU, and a single one for `on = \"one\"`",
        default: Default::Absent,
    },
    Field {
        name: "on",
        kind: KnobKind::Word(&[
            ("all", "spread over all CPUs, each thread kept on its own"),
            ("one", "all on one CPU; the others stay free"),
            ("anywhere", "wherever the system puts them"),
        ]),
        help: "which CPUs they keep busy",
        default: Default::Word("all"),
    },
    Field {
        name: "share",
        kind: KnobKind::Share { min: 1, max: 100 },
        help: "how much of the time each thread is busy",
        default: Default::Share(100),
    },
    Field {
        name: "burst",
        kind: KnobKind::Duration {
            min: 1,
            max: 10_000,
        },
        help: "mean length of a busy stretch, where `share` is below 100%",
        default: Default::Duration(100),
    },
];

/// The keys of `pauses`.
pub(super) const PAUSES: &[Field] = &[
    Field {
        name: "every",
        kind: KnobKind::Duration {
            min: 10,
            max: 60_000,
        },
        help: "how often, on average",
        default: Default::Required,
    },
    Field {
        name: "for",
        kind: KnobKind::Duration {
            min: 1,
            max: 30_000,
        },
        help: "for how long; less than `every`",
        default: Default::Required,
    },
];

/// The keys of a `tmpdir` of limited size.
pub(super) const TMPDIR: &[Field] = &[
    Field {
        name: "size",
        kind: KnobKind::Size {
            min: 64 << 10,
            max: 1 << 40,
        },
        help: "bytes that can be written to it (namespace)",
        default: Default::Absent,
    },
    Field {
        name: "files",
        kind: KnobKind::Count {
            min: 1,
            max: 1 << 30,
        },
        help: "files and directories that can be made in it (namespace)",
        default: Default::Absent,
    },
];
