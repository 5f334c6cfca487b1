//! The rows of the table: which crates, under which settings, and what is known about them.

use crate::package::Package;

/// A row: a version of a crate, the arguments of the run, and the verdicts that are known to be right.
pub struct Row {
    pub name: &'static str,
    pub version: &'static str,
    pub arguments: &'static [&'static str],
    /// Pairs of a verdict and a test. A hidden defect that is not among them is an error too.
    pub expected: &'static [(&'static str, &'static str)],
    /// Variables that the suite needs in order to build.
    pub variables: &'static [(&'static str, &'static str)],
    /// A dependency whose locked version does not compile with today's compiler, to be updated.
    pub outdated: Option<&'static str>,
}

impl Row {
    /// Returns which package it is about.
    pub fn package(&self) -> Package {
        Package {
            name: self.name,
            version: self.version,
            outdated: self.outdated,
        }
    }
}

/// What most rows have.
const PLAIN: Row = Row {
    name: "",
    version: "",
    arguments: &[],
    expected: &[],
    variables: &[],
    outdated: None,
};

pub const ROWS: &[Row] = &[
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.open-files=64"],
        expected: &[(
            "hidden-defect",
            "tempfile::namedtempfile test_make_uds_conflict",
        )],
        ..PLAIN
    },
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.tmpdir=long"],
        expected: &[
            ("hidden-defect", "tempfile::namedtempfile test_make_uds"),
            (
                "hidden-defect",
                "tempfile::namedtempfile test_make_uds_conflict",
            ),
        ],
        ..PLAIN
    },
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.tmpdir=symlink"],
        expected: &[(
            "hidden-defect",
            "tempfile::namedtempfile test_temp_path_resolve_existing_cwd",
        )],
        ..PLAIN
    },
    Row {
        name: "syslog_loose",
        version: "0.23.0",
        expected: &[("hidden-defect", "syslog_loose::tests parse_vrl")],
        ..PLAIN
    },
    Row {
        name: "statrs",
        version: "0.19.1",
        ..PLAIN
    },
    Row {
        name: "zram-generator",
        version: "1.2.1",
        variables: &[("SYSTEMD_UTIL_DIR", "/lib/systemd")],
        ..PLAIN
    },
    Row {
        name: "update_rate",
        version: "2.0.1",
        arguments: &[
            "--set",
            "high.process=shared",
            "--set",
            "high.cpu-load={ on = \"all\", threads = 4 }",
        ],
        expected: &[
            (
                "hidden-defect",
                "update_rate base::tests::test_discrete_rate_counter",
            ),
            (
                "hidden-defect",
                "update_rate base::tests::test_discrete_rate_counter_immut",
            ),
        ],
        ..PLAIN
    },
    Row {
        name: "file-rotate",
        version: "0.8.0",
        expected: &[("hidden-defect", "file-rotate tests::unix_file_permissions")],
        ..PLAIN
    },
    Row {
        name: "fs-mistrust",
        version: "0.14.2",
        expected: &[(
            "hidden-defect",
            "fs-mistrust file_access::test::create_public_in_checked_dir",
        )],
        ..PLAIN
    },
    Row {
        name: "chrono",
        version: "0.4.45",
        arguments: &["--lib"],
        ..PLAIN
    },
    Row {
        name: "humantime",
        version: "2.4.0",
        ..PLAIN
    },
    Row {
        name: "filetime",
        version: "0.2.29",
        ..PLAIN
    },
    Row {
        name: "fs_extra",
        version: "1.3.0",
        ..PLAIN
    },
    Row {
        name: "which",
        version: "8.0.6",
        ..PLAIN
    },
    Row {
        name: "tiny_http",
        version: "0.12.0",
        outdated: Some("rustc-serialize"),
        ..PLAIN
    },
];
