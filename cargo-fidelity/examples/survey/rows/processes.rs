//! Processes, threads, sockets, the machine.

use super::FINDING;
use crate::row::{Finding, Finds, Row};

pub const ROWS: &[Row] = &[
    Row {
        name: "interprocess",
        version: "2.4.7",
        kind: "sockets",
        findings: &[Finding {
            tests: &[
                "interprocess tests::local_socket::no_client_file",
                "interprocess tests::local_socket::no_server_file",
                "interprocess tests::local_socket::stream_file",
                "interprocess tests::local_socket::timeout_file",
                "interprocess tests::os::unix::local_socket::mode::file_main",
                "interprocess tests::os::unix::*",
            ],
            exposed_by: "`tmpdir = \"long\"`",
            cause: "they bind sockets in the temporary directory; a socket's path has at most 107 bytes",
            hostile: Finds::Yes,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "sendfd",
        version: "0.4.5",
        kind: "sockets",
        findings: &[Finding {
            tests: &["sendfd tests::stream_fd_receives_exact_number_of_fds*"],
            exposed_by: "`open-files = 64`",
            cause: "they keep some hundred descriptors open, sent and received ones",
            hostile: Finds::Yes,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "sd-notify",
        version: "0.5.0",
        kind: "system services",
        findings: &[Finding {
            tests: &["sd-notify::notify notify"],
            exposed_by: "`tmpdir = \"long\"`",
            cause: "it binds a socket in the temporary directory; a socket's path has at most 107 bytes",
            hostile: Finds::Yes,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "thread-priority",
        version: "3.1.1",
        kind: "threads",
        findings: &[Finding {
            tests: &[
                "thread-priority unix::tests::*",
                "thread-priority::unix get_and_set_priority_with_normal_*",
                "thread-priority::unix *",
            ],
            exposed_by: "`user = \"nobody\"`",
            cause: "they raise priorities and set real-time policies, which only root may",
            hostile: Finds::Yes,
            ..FINDING
        }],
        note: "`get_and_set_priority_with_normal_and_crossplatform` fails everywhere.",
        ..Row::PLAIN
    },
    Row {
        name: "update_rate",
        version: "2.0.1",
        kind: "timers",
        findings: &[Finding {
            tests: &["update_rate base::tests::test_discrete_rate_counter*"],
            exposed_by: "a busy CPU, worst with all tests in one process",
            cause: "they wait busily for ten times 10 ms, and expect a rate of 100 almost exactly",
            hostile: Finds::Perhaps,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "local-ip-address",
        version: "0.6.13",
        kind: "network interfaces",
        findings: &[Finding {
            tests: &["local-ip-address tests::find_local_ip"],
            exposed_by: "`network = \"loopback\"`",
            cause: "it expects a machine with a route to somewhere",
            hostile: Finds::Yes,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "dns-lookup",
        version: "4.0.2",
        kind: "name resolution",
        ..Row::PLAIN
    },
    Row {
        name: "shared_child",
        version: "1.1.2",
        kind: "processes",
        ..Row::PLAIN
    },
    Row {
        name: "command-group",
        version: "5.0.1",
        kind: "processes",
        ..Row::PLAIN
    },
    Row {
        name: "fslock",
        version: "0.2.1",
        kind: "file locks",
        ..Row::PLAIN
    },
    Row {
        name: "scheduled-thread-pool",
        version: "0.2.8",
        kind: "thread pools",
        ..Row::PLAIN
    },
    Row {
        name: "event-listener",
        version: "5.4.2",
        kind: "synchronisation",
        ..Row::PLAIN
    },
    Row {
        name: "futures-timer",
        version: "3.0.4",
        kind: "async timers",
        ..Row::PLAIN
    },
    Row {
        name: "async-io",
        version: "2.6.0",
        kind: "async input and output",
        findings: &[Finding {
            tests: &[
                "async-io::async udp_connect",
                "async-io::async uds_connect",
                "async-io::async uds_send_to_recv_from",
            ],
            exposed_by: "`tmpdir = \"long\"`",
            cause: "they bind sockets in the temporary directory; a socket's path has at most 107 bytes",
            hostile: Finds::Yes,
            ..FINDING
        }],
        ..Row::PLAIN
    },
    Row {
        name: "ttl_cache",
        version: "0.5.1",
        kind: "caches",
        ..Row::PLAIN
    },
    Row {
        name: "core_affinity",
        version: "0.8.3",
        kind: "CPUs",
        ..Row::PLAIN
    },
    Row {
        name: "rlimit",
        version: "0.11.0",
        kind: "resource limits",
        ..Row::PLAIN
    },
    Row {
        name: "zram-generator",
        version: "1.2.1",
        kind: "system services",
        variables: &[("SYSTEMD_UTIL_DIR", "/lib/systemd")],
        note: "`test_11_obsolete` is flaky at commit 2d563a5d (14 of 40); in this release it is not.",
        ..Row::PLAIN
    },
    Row {
        name: "cc",
        version: "1.11.3",
        kind: "build scripts",
        note: "its package has no integration tests, where it is known to depend on `CC` and `CFLAGS` and on threads of one process.",
        ..Row::PLAIN
    },
    Row {
        name: "pkg-config",
        version: "0.3.34",
        kind: "build scripts",
        ..Row::PLAIN
    },
    Row {
        name: "rustc_version",
        version: "0.4.1",
        kind: "build scripts",
        ..Row::PLAIN
    },
];
