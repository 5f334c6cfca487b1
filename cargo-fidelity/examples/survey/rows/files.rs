//! Files, directories, permissions, settings.

use super::FINDING;
use crate::row::{Defect, Finding, Finds, Row};

const UMASK: Finding = Finding {
    exposed_by: "`umask = \"027\"`",
    cause: "it expects the mode it asked for, of which the system takes the umask away",
    realistic: Finds::Yes,
    hostile: Finds::Yes,
    ..FINDING
};

const SYMLINK: Finding = Finding {
    exposed_by: "`tmpdir = \"symlink\"`",
    cause: "it compares the path in `TMPDIR` with the one the kernel reports",
    hostile: Finds::Yes,
    ..FINDING
};

const LONG: Finding = Finding {
    exposed_by: "`tmpdir = \"long\"`",
    cause: "it binds a socket in the temporary directory; a socket's path has at most 107 bytes",
    hostile: Finds::Yes,
    ..FINDING
};

const READ_ONLY: Finding = Finding {
    exposed_by: "`filesystem = \"read-only\"`",
    cause: "they write into the folder of their sources",
    ..FINDING
};

pub const ROWS: &[Row] = &[
    Row {
        name: "tempfile",
        version: "3.27.0",
        kind: "temporary files",
        findings: &[
            Finding {
                tests: &[
                    "tempfile::namedtempfile test_make_uds",
                    "tempfile::namedtempfile test_make_uds_conflict",
                ],
                ..LONG
            },
            Finding {
                tests: &["tempfile::namedtempfile test_temp_path_resolve_existing_cwd"],
                ..SYMLINK
            },
            Finding {
                tests: &["tempfile::namedtempfile test_temp_path_resolve_missing_cwd"],
                exposed_by: "`process = \"shared\"` and `tmpdir = \"symlink\"`",
                cause: "it takes a lock that the failing `test_temp_path_resolve_existing_cwd` left poisoned",
                hostile: Finds::Perhaps,
                ..FINDING
            },
            Finding {
                tests: &["tempfile::namedtempfile test_make_uds_conflict"],
                exposed_by: "`open-files = 64`",
                cause: "it keeps 62 sockets open at once",
                hostile: Finds::Yes,
                ..FINDING
            },
        ],
        ..Row::PLAIN
    },
    Row {
        name: "file-rotate",
        version: "0.8.0",
        kind: "log files",
        findings: &[Finding {
            tests: &["file-rotate tests::unix_file_permissions"],
            ..UMASK
        }],
        ..Row::PLAIN
    },
    Row {
        name: "fs-mistrust",
        version: "0.14.2",
        kind: "permissions",
        findings: &[Finding {
            tests: &["fs-mistrust file_access::test::create_public_in_checked_dir"],
            ..UMASK
        }],
        ..Row::PLAIN
    },
    Row {
        name: "which",
        version: "8.0.6",
        kind: "search path",
        findings: &[Finding {
            tests: &["which::basic real_sys::test_which_relative_leading_dot_uncanonicalized"],
            ..SYMLINK
        }],
        ..Row::PLAIN
    },
    Row {
        name: "soft-canonicalize",
        version: "0.5.6",
        kind: "paths",
        findings: &[
            Finding {
                tests: &[
                    "soft-canonicalize tests::python_inspired_tests::test_python_inspired::test_resolve_dot_symlinks",
                ],
                ..SYMLINK
            },
            Finding {
                tests: &[
                    "soft-canonicalize::security_special_files special_file_types::unix_socket_as_path_component",
                ],
                ..LONG
            },
        ],
        ..Row::PLAIN
    },
    Row {
        name: "fs_extra",
        version: "1.3.0",
        kind: "copying directories",
        findings: &[Finding {
            tests: &["fs_extra::dir *", "fs_extra::file *", "fs_extra::lib *"],
            ..READ_ONLY
        }],
        ..Row::PLAIN
    },
    Row {
        name: "filetime",
        version: "0.2.29",
        kind: "file times",
        ..Row::PLAIN
    },
    Row {
        name: "walkdir",
        version: "2.5.0",
        kind: "directory walk",
        findings: &[Finding {
            tests: &["walkdir tests::recursive::*"],
            exposed_by: "`order = \"shuffle\"`",
            cause: "they name directories by a counter that starts anew in each process, so that two at a time collide; which two do is a matter of the order",
            realistic: Finds::Perhaps,
            hostile: Finds::Perhaps,
            ..FINDING
        }],
        note: "flaky wherever each test has a process of its own and two run at a time, in any environment.",
        ..Row::PLAIN
    },
    Row {
        name: "cacache",
        version: "13.1.0",
        kind: "content store",
        ..Row::PLAIN
    },
    Row {
        name: "fd-find",
        version: "10.5.0",
        kind: "command-line tool",
        findings: &[
            Finding {
                tests: &["fd-find::tests test_exec_nulls"],
                exposed_by: "`cpus = 1`",
                cause: "with one thread the separators of `--print0 --exec` all come at the end ([reproduction](reproductions.md))",
                defect: Defect::Product,
                hostile: Finds::Yes,
                ..FINDING
            },
            Finding {
                tests: &["fd-find::tests test_hyperlink"],
                exposed_by: "`tmpdir = \"space\"`",
                cause: "it expects a path in a URL as it is, but only some characters of it are",
                realistic: Finds::Yes,
                hostile: Finds::Yes,
                ..FINDING
            },
        ],
        ..Row::PLAIN
    },
    Row {
        name: "notify",
        version: "8.2.2",
        kind: "file events",
        ..Row::PLAIN
    },
    Row {
        name: "xdg",
        version: "3.0.0",
        kind: "XDG directories",
        findings: &[Finding {
            tests: &[
                "xdg base_directories::test::test_get_file",
                "xdg base_directories::test::test_runtime_good",
                "xdg base_directories::test::test_symlinks",
            ],
            ..READ_ONLY
        }],
        ..Row::PLAIN
    },
    Row {
        name: "directories",
        version: "6.0.0",
        kind: "XDG directories",
        ..Row::PLAIN
    },
    Row {
        name: "shellexpand",
        version: "3.1.2",
        kind: "settings",
        ..Row::PLAIN
    },
    Row {
        name: "dotenvy",
        version: "0.15.7",
        kind: "settings",
        ..Row::PLAIN
    },
];
