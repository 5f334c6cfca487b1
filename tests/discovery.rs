//! Discovery on whole projects, with the real cargo: names, tests, selection, problems, errors.
//!
//! Where cargo-nextest is installed, names and filterset answers are compared with its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fidelity_core::suite::{
    CargoOptions, Discovery, Filter, RunIgnored, Suite, SuiteError, WHOLE_BINARY, discover,
    fingerprint, locate,
};

mod tree;

use tree::{NEVER, Tree, request, suite};

/// Returns a package called `small`, of these files beside its manifest; `manifest` is added to that.
fn package(manifest: &str, files: &[(&str, &str)]) -> Tree {
    let tree = Tree::empty();
    let head =
        "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    tree.write("Cargo.toml", &format!("{head}{manifest}"));
    for (path, text) in files {
        tree.write(path, text);
    }
    tree
}

fn names(suite: &Suite, positions: impl IntoIterator<Item = usize>) -> Vec<String> {
    positions
        .into_iter()
        .map(|position| suite.tests[position].id.to_string())
        .collect()
}

fn problem<'a>(suite: &'a Suite, kind: &str) -> &'a str {
    let found = suite.problems.iter().find(|problem| problem.kind == kind);
    &found
        .unwrap_or_else(|| panic!("no {kind} in {:?}", suite.problems))
        .message
}

/// The binaries of `target-kinds`.
const KINDS: [(&str, &str); 11] = [
    ("alpha-core", "lib"),
    ("alpha-core::bench/speed", "bench"),
    ("alpha-core::bin/alpha-core", "bin"),
    ("alpha-core::bin/tool", "bin"),
    ("alpha-core::example/shown", "example"),
    ("alpha-core::it", "test"),
    ("alpha-core::it_two", "test"),
    ("alpha-core::own-lister", "test"),
    ("alpha-core::own-silent", "test"),
    ("alpha-macros", "proc-macro"),
    ("linked", "lib"),
];

#[test]
fn every_kind_of_target_is_found_under_its_name() {
    let tree = Tree::copy("target-kinds");
    let cargo = tree.options();
    let suite = suite(&cargo).unwrap();
    let found: Vec<(&str, &str)> = suite
        .binaries
        .iter()
        .map(|binary| (binary.id.0.as_str(), binary.kind.as_str()))
        .collect();
    assert_eq!(found, KINDS);
    let silent = "alpha-core::own-silent";
    for binary in &suite.binaries {
        assert_eq!(
            (binary.lists, binary.says_result),
            (binary.id.0 != silent, binary.id.0 != silent),
            "{}",
            binary.id
        );
        assert!(binary.path.is_file() && binary.directory.is_dir() && binary.runner.is_empty());
    }
    let ignored: Vec<String> = suite
        .tests
        .iter()
        .filter(|test| test.ignored)
        .map(|test| test.id.to_string())
        .collect();
    assert_eq!(
        ignored,
        [
            "alpha-core tests::net::fetches_much",
            "alpha-core tests::one_is_slow",
            "alpha-core::own-lister case/ignored"
        ]
    );
    assert!(suite.tests.is_sorted_by(|a, b| a.id < b.id));
    assert!(problem(&suite, "does-not-list").starts_with(silent));
    assert_eq!(
        problem(&suite, "doctests-not-run"),
        "about 2 doctests are not run: alpha-core (2)"
    );
}

#[test]
fn a_binary_that_does_not_list_is_one_test_if_asked() {
    let tree = Tree::copy("target-kinds");
    let mut cargo = tree.options();
    cargo.selection.test = vec!["own-silent".to_owned()];
    let workspace = locate(&cargo, &NEVER).unwrap();
    let asked = Discovery {
        harnessless: true,
        ..request(&cargo)
    };
    let suite = discover(&workspace, &asked).unwrap();
    assert_eq!(
        names(&suite, 0..suite.tests.len()),
        [format!("alpha-core::own-silent {WHOLE_BINARY}")]
    );
    assert!(!suite.binaries[0].lists && !suite.binaries[0].says_result);
    assert_eq!(suite.problems, []);
    let left_out = discover(&workspace, &request(&cargo));
    assert!(matches!(left_out, Err(SuiteError::NoTests { problems, .. }) if problems.len() == 1));
}

#[test]
fn flags_of_cargo_choose_what_is_built() {
    let tree = Tree::copy("target-kinds");
    let mut cargo = tree.options();
    cargo.selection.packages = vec!["alpha-macros".to_owned(), "linked".to_owned()];
    let ids = |cargo: &CargoOptions| -> Vec<String> {
        suite(cargo)
            .unwrap()
            .binaries
            .into_iter()
            .map(|binary| binary.id.0)
            .collect()
    };
    assert_eq!(ids(&cargo), ["alpha-macros", "linked"]);
    cargo.directory = None;
    cargo.manifest_path = Some(tree.root.join("alpha-core/Cargo.toml"));
    cargo.target_dir = Some(tree.root.join("elsewhere"));
    cargo.release = true;
    cargo.selection.packages.clear();
    cargo.selection.bin = vec!["tool".to_owned()];
    cargo.selection.lib = true;
    assert_eq!(ids(&cargo), ["alpha-core", "alpha-core::bin/tool"]);
    assert!(tree.root.join("elsewhere/release").is_dir());
}

#[test]
fn the_tool_may_lie_in_a_path_with_spaces() {
    let tree = package("", &[("src/lib.rs", "#[test]\nfn a() {}\n")]);
    let tool = tree.root.join("a tool");
    std::fs::copy(env!("CARGO_BIN_EXE_cargo-fidelity"), &tool).unwrap();
    let cargo = tree.options();
    let spaced = Discovery {
        reporter: &tool,
        ..request(&cargo)
    };
    let suite = discover(&locate(&cargo, &NEVER).unwrap(), &spaced).unwrap();
    assert_eq!(names(&suite, 0..suite.tests.len()), ["small a"]);
}

#[test]
fn a_tool_that_does_not_report_is_an_error_that_names_the_binaries() {
    let tree = package("", &[("src/lib.rs", "#[test]\nfn a() {}\n")]);
    let cargo = tree.options();
    let mute = Discovery {
        reporter: Path::new("/bin/true"),
        ..request(&cargo)
    };
    let found = discover(&locate(&cargo, &NEVER).unwrap(), &mute);
    assert!(
        matches!(&found, Err(SuiteError::NotCaptured { binaries, .. }) if binaries[0].0 == "small"),
        "{found:?}"
    );
}

#[test]
fn the_fingerprint_follows_the_code_and_nothing_else() {
    let tree = package("", &[("src/lib.rs", "#[test]\nfn a() {}\n")]);
    let cargo = tree.options();
    let workspace = locate(&cargo, &NEVER).unwrap();
    let take = || fingerprint(&suite(&cargo).unwrap(), &workspace, &cargo).unwrap();
    let first = take();
    assert_eq!(first, take());
    tree.write(
        "src/lib.rs",
        "#[test]\nfn a() { assert!(std::env::args().count() > 0); }\n",
    );
    let second = take();
    assert_ne!(first.binaries, second.binaries);
    assert_eq!(first.toolchain, second.toolchain);
}

/// Returns nextest's list for a filterset, sorted; none where nextest is not installed.
fn nextest(tree: &Tree, arguments: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(&tree.root)
        .args(["nextest", "list", "--color", "never"])
        .args(arguments);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("no such command") {
        eprintln!("not compared with cargo-nextest, which is not installed");
        return None;
    }
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    let mut names: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    Some(names)
}

/// Nextest refuses a suite with a binary that does not list, unless a filterset leaves the binary out.
fn without_silent(expression: &str) -> String {
    format!("not binary(own-silent) & ({expression})")
}

const EXPRESSIONS: [&str; 32] = [
    "all()",
    "none()",
    "test(one)",
    "test( one_is_one)",
    "test(one_is_one )",
    "test(=tests::one_is_one)",
    "test(/^case\\/\\d/)",
    "test(/one|fetch/)",
    "test(#tests::*)",
    "test(#case/{1*\\,2*})",
    "test(#case/[!1]*)",
    "test(2\\,comma)",
    "test(\\u{6f}ne)",
    "package(alpha-*)",
    "package(~mac)",
    "package(=linked)",
    "binary(it)",
    "binary(it*)",
    "binary(alpha_core)",
    "binary(/^(other|tool)/)",
    "binary_id(alpha-core)",
    "binary_id(alpha-core::*)",
    "binary_id(alpha-core::bin/*)",
    "kind(lib)",
    "kind(li)",
    "kind(~li)",
    "kind(proc-macro) or kind(example) + kind(bench)",
    "not test(case) & kind(test) | kind(lib)",
    "kind(bin) or kind(lib) and test(one)",
    "kind(lib) + kind(bin) - test(main)",
    "all() - not kind(lib)",
    "!!(kind(lib))and(not(test(/x/)))",
];

#[test]
fn filtersets_select_what_nextest_selects() {
    let tree = Tree::copy("target-kinds");
    let suite = suite(&tree.options()).unwrap();
    for expression in EXPRESSIONS {
        let expression = without_silent(expression);
        let Some(theirs) = nextest(&tree, &["-E", &expression]) else {
            return;
        };
        let filter = Filter {
            expressions: vec![expression.parse().unwrap()],
            ..Filter::default()
        };
        let mut ours = match filter.select(&suite, RunIgnored::Default) {
            Ok(positions) => names(&suite, positions),
            Err(SuiteError::NothingSelected { .. }) => Vec::new(),
            Err(error) => panic!("{expression}: {error}"),
        };
        ours.sort();
        assert_eq!(ours, theirs, "{expression}");
    }
}

/// A selection in our words and in nextest's. Every expression leaves out what does not list.
struct Case {
    expressions: &'static [&'static str],
    names: &'static [&'static str],
    skip: &'static [&'static str],
    exact: bool,
    run_ignored: RunIgnored,
    theirs: &'static [&'static str],
}

const ALL: &str = "not binary(own-silent)";

/// Everything, as nextest and we do by default.
const PLAIN: Case = Case {
    expressions: &[ALL],
    names: &[],
    skip: &[],
    exact: false,
    run_ignored: RunIgnored::Default,
    theirs: &[],
};

const CASES: [Case; 7] = [
    PLAIN,
    Case {
        run_ignored: RunIgnored::Only,
        theirs: &["--run-ignored", "only"],
        ..PLAIN
    },
    Case {
        run_ignored: RunIgnored::All,
        theirs: &["--run-ignored", "all"],
        ..PLAIN
    },
    Case {
        names: &["one", "net"],
        theirs: &["one", "net"],
        ..PLAIN
    },
    Case {
        expressions: &["kind(lib)", "binary(it)"],
        names: &["net"],
        theirs: &["net"],
        ..PLAIN
    },
    Case {
        skip: &["net", "case"],
        run_ignored: RunIgnored::All,
        theirs: &[
            "--run-ignored",
            "all",
            "--",
            "--skip",
            "net",
            "--skip",
            "case",
        ],
        ..PLAIN
    },
    Case {
        names: &["outside"],
        exact: true,
        theirs: &["--", "--exact", "outside"],
        ..PLAIN
    },
];

#[test]
fn names_and_ignored_tests_select_what_nextest_selects() {
    let tree = Tree::copy("target-kinds");
    let suite = suite(&tree.options()).unwrap();
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    for case in CASES {
        let expressions = case.expressions.iter().flat_map(|text| ["-E", *text]);
        let arguments: Vec<&str> = expressions.chain(case.theirs.iter().copied()).collect();
        let Some(theirs) = nextest(&tree, &arguments) else {
            return;
        };
        let filter = Filter {
            names: owned(case.names),
            skip: owned(case.skip),
            exact: case.exact,
            expressions: case
                .expressions
                .iter()
                .map(|text| text.parse().unwrap())
                .collect(),
            ..Filter::default()
        };
        let mut ours = names(&suite, filter.select(&suite, case.run_ignored).unwrap());
        ours.sort();
        assert_eq!(ours, theirs, "{arguments:?}");
    }
}

#[test]
fn nothing_selected_is_an_error_of_its_own() {
    let tree = package("", &[("src/lib.rs", "#[test]\nfn a() {}\n")]);
    let suite = suite(&tree.options()).unwrap();
    let select = |filter: Filter, run_ignored| filter.select(&suite, run_ignored);
    let none = Filter {
        names: vec!["b".to_owned()],
        ..Filter::default()
    };
    assert!(matches!(
        select(none, RunIgnored::All),
        Err(SuiteError::NothingSelected { available: 1 })
    ));
    assert!(matches!(
        select(Filter::default(), RunIgnored::Only),
        Err(SuiteError::NothingSelected { .. })
    ));
    let misspelled = Filter {
        expressions: vec!["not package(smal)".parse().unwrap()],
        ..Filter::default()
    };
    assert!(matches!(
        select(misspelled, RunIgnored::All),
        Err(SuiteError::Filterset(_))
    ));
}

#[test]
fn projects_without_tests_say_which_way() {
    let untested = package("[lib]\ntest = false\n", &[("src/lib.rs", "")]);
    assert!(matches!(
        suite(&untested.options()),
        Err(SuiteError::NoBinaries)
    ));
    let empty = package("", &[("src/lib.rs", "")]);
    let found = suite(&empty.options());
    assert!(
        matches!(&found, Err(SuiteError::NoTests { binaries: 1, problems }) if problems.is_empty()),
        "{found:?}"
    );
}

#[test]
fn projects_cargo_cannot_use_are_errors_that_name_the_step() {
    let nowhere = tempfile::tempdir().unwrap();
    let cargo = CargoOptions {
        directory: Some(nowhere.path().to_path_buf()),
        ..CargoOptions::default()
    };
    let message = match suite(&cargo) {
        Err(SuiteError::Metadata { message }) => message,
        other => panic!("{other:?}"),
    };
    assert!(message.contains("Cargo.toml"), "{message}");

    let no_cargo = CargoOptions {
        program: Some("/no/such/cargo".into()),
        ..CargoOptions::default()
    };
    assert!(matches!(
        suite(&no_cargo),
        Err(SuiteError::CargoMissing { .. })
    ));

    let broken = package("", &[("src/lib.rs", "fn a() { 1 }")]);
    let found = suite(&broken.options());
    assert!(
        matches!(&found, Err(SuiteError::BuildFailed { status }) if status.code() == Some(101)),
        "{found:?}"
    );

    let fine = package("", &[("src/lib.rs", "#[test]\nfn a() {}\n")]);
    let unwritable = CargoOptions {
        target_dir: Some("/proc/no-such-directory".into()),
        ..fine.options()
    };
    assert!(matches!(
        suite(&unwritable),
        Err(SuiteError::BuildFailed { .. })
    ));
}

/// Code that runs before `main` of whatever binary holds it, if the binary is to list its tests.
#[cfg(target_os = "linux")]
fn before_main(does: &str) -> String {
    format!(
        "#[used]\n#[link_section = \".init_array\"]\nstatic EARLY: extern \"C\" fn() = early;\n\
         extern \"C\" fn early() {{\n    if std::fs::read(\"/proc/self/cmdline\").unwrap().windows(6).any(|w| w == b\"--list\") {{\n\
         {does}\n    }}\n}}\n#[test]\nfn a() {{}}\n"
    )
}

#[cfg(target_os = "linux")]
#[test]
fn a_binary_that_crashes_or_hangs_while_listing_is_named() {
    let crashing = before_main("eprintln!(\"no driver\"); std::process::abort();");
    let crashing = package("", &[("src/lib.rs", &crashing)]);
    match suite(&crashing.options()) {
        Err(SuiteError::ListFailed {
            binary,
            ended,
            stderr,
            ..
        }) => {
            assert_eq!((binary.0.as_str(), stderr.as_str()), ("small", "no driver"));
            assert!(ended.contains("SIGABRT"), "{ended}");
        }
        other => panic!("{other:?}"),
    }
    let hanging = before_main("eprintln!(\"waiting\"); loop { std::thread::park(); }");
    let hanging = package("", &[("tests/slow.rs", &hanging)]);
    let cargo = hanging.options();
    let impatient = Discovery {
        list_timeout: Duration::from_secs(1),
        ..request(&cargo)
    };
    match discover(&locate(&cargo, &NEVER).unwrap(), &impatient) {
        Err(SuiteError::ListTimedOut {
            binary,
            seconds,
            stderr,
            ..
        }) => {
            assert_eq!(
                (binary.0.as_str(), seconds, stderr.as_str()),
                ("small::slow", 1, "waiting")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_harness_of_its_own_that_rejects_or_outlasts_the_question_is_left_out_by_name() {
    let manifest = "[[test]]\nname = \"strict\"\nharness = false\n[[test]]\nname = \"server\"\nharness = false\n";
    let tree = package(
        manifest,
        &[
            ("src/lib.rs", "#[test]\nfn a() {}\n"),
            (
                "tests/strict.rs",
                "fn main() { if std::env::args().count() > 1 { std::process::exit(2); } }",
            ),
            (
                "tests/server.rs",
                "fn main() { loop { std::thread::park(); } }",
            ),
        ],
    );
    let cargo = tree.options();
    let impatient = Discovery {
        list_timeout: Duration::from_secs(1),
        ..request(&cargo)
    };
    let suite = discover(&locate(&cargo, &NEVER).unwrap(), &impatient).unwrap();
    assert_eq!(names(&suite, 0..suite.tests.len()), ["small a"]);
    let messages: Vec<&str> = suite
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert!(
        messages[0].starts_with("small::server does not list its tests (not done after 1 s)"),
        "{messages:?}"
    );
    assert!(
        messages[1].starts_with("small::strict does not list its tests (exit status: 2)"),
        "{messages:?}"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_during_the_build_ends_it() {
    // The build script outlives cargo by a moment; it ends by itself.
    let script = "fn main() { std::fs::write(\"started\", \"\").unwrap(); std::thread::sleep(std::time::Duration::from_secs(20)); }";
    let tree = package(
        "",
        &[("src/lib.rs", "#[test]\nfn a() {}\n"), ("build.rs", script)],
    );
    let cargo = tree.options();
    let interrupted = AtomicBool::new(false);
    let workspace = locate(&cargo, &NEVER).unwrap();
    let asked = Discovery {
        interrupted: &interrupted,
        ..request(&cargo)
    };
    let started = tree.root.join("started");
    std::thread::scope(|scope| {
        let discovery = scope.spawn(|| discover(&workspace, &asked));
        let patience = Instant::now();
        while !started.exists() && patience.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        interrupted.store(true, Ordering::Relaxed);
        let asked_at = Instant::now();
        assert!(matches!(
            discovery.join().unwrap(),
            Err(SuiteError::Interrupted)
        ));
        assert!(asked_at.elapsed() < Duration::from_secs(15));
    });
}
