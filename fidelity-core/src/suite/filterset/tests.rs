//! Filtersets: what they admit, and how their mistakes are told.

use super::error::width;
use super::*;
use crate::domain::{BinaryId, Quarantine, Severity};

fn binary(package: &str, kind: &str, target: &str) -> BinaryFacts {
    let id = match kind {
        "lib" => package.to_owned(),
        "test" => format!("{package}::{target}"),
        _ => format!("{package}::{kind}/{target}"),
    };
    BinaryFacts {
        id: BinaryId(id),
        package: package.to_owned(),
        kind: kind.to_owned(),
        target: target.to_owned(),
    }
}

fn binaries() -> Vec<BinaryFacts> {
    vec![
        binary("core", "lib", "core"),
        binary("core", "test", "it"),
        binary("core", "bin", "tool"),
        binary("net", "lib", "net"),
    ]
}

/// Returns the selected tests of a small suite, as "binary test".
fn selected(expression: &str) -> String {
    let filterset: Filterset = expression.parse().unwrap_or_else(|error| panic!("{error}"));
    let binaries = binaries();
    let tests = ["one", "a::two", "it, too"];
    let pairs = binaries
        .iter()
        .flat_map(|binary| tests.map(|test| (binary, test)));
    let admitted = pairs.filter(|(binary, name)| {
        filterset.admits(&Candidate {
            id: &TestId::new(binary.id.0.clone(), *name),
            binary: Some(binary),
            annotation: None,
            verdict: None,
        })
    });
    admitted
        .map(|(binary, test)| format!("{} {test}\n", binary.id))
        .collect()
}

fn same(left: &str, right: &str) {
    assert_eq!(selected(left), selected(right), "{left}  and  {right}");
}

#[test]
fn bare_words_mean_what_their_set_says() {
    assert_eq!(selected("test(wo) & package(net)"), "net a::two\n");
    same("package(core)", "package(=core)");
    same("package(co*)", "package(#core)");
    same("package(co)", "none()");
    same("binary(too?)", "binary(=tool)");
    same("binary_id(core::bin/*)", "kind(bin)");
    same("kind(l)", "none()");
    same("kind(~l)", "kind(lib)");
}

#[test]
fn matchers_compare_as_marked() {
    same("test(=two)", "none()");
    same("test(=a::two)", "test(two)");
    same("test(/^a::/)", "test(two)");
    same("test(#*two)", "test(two)");
    same("test(~two)", "test(two)");
    same(r"test(it\, too)", "test(too)");
    same(r"test(\u{6f}ne)", "test(one)");
    same("test( one)", "test(one)");
    same("test(one )", "none()");
    same("test(//)", "all()");
}

#[test]
fn negation_binds_tighter_than_and_which_binds_tighter_than_or() {
    same(
        "not kind(lib) and kind(bin) or test(one)",
        "((not kind(lib)) and kind(bin)) or test(one)",
    );
    same(
        "kind(lib) or kind(bin) and test(one)",
        "kind(lib) or (kind(bin) and test(one))",
    );
    same(
        "kind(lib) + kind(bin) - test(one)",
        "kind(lib) or (kind(bin) and not test(one))",
    );
    same("! ! kind(lib)", "kind(lib)");
    same("all() - not kind(lib)", "kind(lib)");
    same(
        "kind(lib)&!package(net)|none()",
        "package(core) and kind(lib)",
    );
}

/// Expression, reason, column, width.
const MISTAKES: &[(&str, &str, usize, usize)] = &[
    ("", "expected an expression like `test(name)`", 0, 1),
    (
        "kind(lib) and",
        "expected `and`, `or` or `-` (did you mean `and`?)",
        10,
        3,
    ),
    (
        "kind(lib) and ",
        "expected an expression like `test(name)`",
        14,
        1,
    ),
    ("tset(a)", "unknown set `tset` (did you mean `test`?)", 0, 4),
    (
        "deps(a)",
        "`deps()` is not supported; `test`, `package`, `binary`, `binary_id`, `kind`, `needs`, `mocks`, `real`, `profiles`, `severity`, `quarantined` and `verdict` are",
        0,
        4,
    ),
    ("test a", "expected `(`", 5, 1),
    ("test(a", "expected `)`", 6, 1),
    ("(test(a)", "expected `)`", 8, 1),
    (
        "test(a) && test(b)",
        "expected `and`, `or` or `-` (did you mean `and`?)",
        8,
        2,
    ),
    (
        "test(a) || test(b)",
        "expected `and`, `or` or `-` (did you mean `or`?)",
        8,
        2,
    ),
    (
        "test(a) OR test(b)",
        "expected `and`, `or` or `-` (did you mean `or`?)",
        8,
        2,
    ),
    ("test(a) test(b)", "expected `and`, `or` or `-`", 8, 4),
    ("all(x)", "`all()` takes no argument", 4, 1),
    (
        "test()",
        "expected a name, `=name`, `~part`, `/regex/` or `#glob`",
        5,
        1,
    ),
    (
        "test(=)",
        "expected a name, `=name`, `~part`, `/regex/` or `#glob`",
        6,
        1,
    ),
    (
        "test(a,b)",
        "only one argument is taken here; a comma in a name is written `\\,`",
        6,
        1,
    ),
    (
        "test(ü\\q)",
        "unknown escape; known are `\\\\ \\/ \\) \\, \\n \\r \\t \\u{..}`",
        6,
        2,
    ),
    ("test(/a)", "expected `/`", 8, 1),
    ("test(a) )", "expected `and`, `or` or `-`", 8, 1),
    ("test(#ab[)", "invalid glob: `[` without `]`", 6, 3),
];

#[test]
fn an_error_points_at_the_mistake() {
    for (text, reason, column, width) in MISTAKES {
        let error = text.parse::<Filterset>().unwrap_err();
        assert_eq!(
            (error.reason.to_string().as_str(), error.column, error.width),
            (*reason, *column, *width),
            "{text:?}"
        );
    }
}

#[test]
fn the_caret_stands_under_wide_characters_and_breaks_too() {
    let error = "test(漢字)\nand tset(a)".parse::<Filterset>().unwrap_err();
    assert_eq!(
        error.snippet(),
        "test(漢字) and tset(a)\n               ^^^^"
    );
}

#[test]
fn a_wrong_regular_expression_is_an_error_at_its_place() {
    let error = "test(one) | test(/(/)".parse::<Filterset>().unwrap_err();
    assert!(
        matches!(error.reason, FiltersetReason::InvalidRegex(_)),
        "{error}"
    );
    assert_eq!((error.column, error.width), (18, 1));
}

#[test]
fn names_that_do_not_exist_are_found_under_a_negation_too() {
    let check = |text: &str| text.parse::<Filterset>().unwrap().check_names(&binaries());
    assert_eq!(
        check("not package(net) | binary(it) | binary_id(core::*) | test(absent) | kind(bench)"),
        Ok(())
    );
    let error = check("all() - package(nett)").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no package matches this (did you mean `net`?), at column 17 of `all() - package(nett)`"
    );
    assert!(check("not binary(tol)").is_err());
    assert!(check("none() & binary_id(core::it2)").is_err());
}

#[test]
fn nesting_beyond_reason_is_an_error_and_long_chains_are_not() {
    for text in [
        format!("{}all(){}", "(".repeat(50_000), ")".repeat(50_000)),
        "!".repeat(50_000) + "all()",
    ] {
        let error = text.parse::<Filterset>().unwrap_err();
        assert_eq!(error.reason, FiltersetReason::TooDeep(128));
    }
    let chain = vec!["test(one)"; 50_000].join(" or ");
    same(&chain, "test(one)");
}

/// Mutations of valid expressions: each gives a value or an error whose caret lies within or just after the text.
#[test]
fn no_text_makes_the_parser_panic() {
    use rand_core::{Rng, SeedableRng};
    let seeds = [
        "not (test(=a::b) or package(#c-*)) & binary(/d\\/e/) - kind(lib) + binary_id(x::bin/y)",
        r"test(\u{1f600}\)\,\n) and !none()|all()",
        "test(#{a\\,[!b-c]*}?) or test(//)",
    ];
    let alphabet: Vec<char> = "()!&|+-=~/#\\,{}[]*?^$. \n\t\u{0}aetskindu1_é漢\u{301}😀"
        .chars()
        .collect();
    for round in 0..20_000_u64 {
        let mut random = rand_pcg::Pcg64::seed_from_u64(round);
        let pick = |random: &mut rand_pcg::Pcg64, count: usize| {
            (random.next_u64() % count.max(1) as u64) as usize
        };
        let mut text: Vec<char> = seeds[pick(&mut random, seeds.len())].chars().collect();
        for _ in 0..=pick(&mut random, 6) {
            let at = pick(&mut random, text.len());
            match pick(&mut random, 4) {
                0 if !text.is_empty() => drop(text.remove(at)),
                1 => text.truncate(at),
                2 => text.extend_from_within(at.min(text.len())..),
                _ => text.insert(
                    at.min(text.len()),
                    alphabet[pick(&mut random, alphabet.len())],
                ),
            }
        }
        let text: String = text.into_iter().collect();
        let outcome = std::panic::catch_unwind(|| match text.parse::<Filterset>() {
            Ok(filterset) => {
                let candidate = Candidate {
                    id: &TestId::new("p", "a::b"),
                    binary: Some(&binary("p", "lib", "p")),
                    annotation: None,
                    verdict: None,
                };
                filterset.admits(&candidate);
            }
            Err(error) => {
                assert!(error.column <= width(&text) && error.width >= 1);
                assert_eq!(error.snippet().lines().count(), 2);
            }
        });
        assert!(outcome.is_ok(), "seed {round}: {text:?}");
    }
}

/// Returns whether an expression holds for a test of which much is said.
fn annotated(expression: &str) -> bool {
    let filterset: Filterset = expression.parse().unwrap_or_else(|error| panic!("{error}"));
    let annotation = Annotation {
        profiles: vec!["high".to_owned()],
        needs: vec!["service.db".to_owned(), "network".to_owned()],
        kind: Some(TestKind::EndToEnd),
        mocks: vec!["stripe".to_owned()],
        severity: Some(Severity::Critical),
        quarantine: Some(Quarantine {
            until: "2027-01-31".to_owned(),
            owner: "payments".to_owned(),
            reason: "flaky".to_owned(),
        }),
        ..Annotation::default()
    };
    filterset.admits(&Candidate {
        id: &TestId::new("shop::it", "checkout"),
        binary: Some(&binary("shop", "test", "it")),
        annotation: Some(&annotation),
        verdict: Some(VerdictKind::Flaky),
    })
}

#[test]
fn what_authors_say_and_the_last_verdict_can_be_asked_for() {
    for holds in [
        "kind(e2e) & needs(service.db) & verdict(flaky)",
        "kind(test) & !kind(integration)",
        "needs(service.*) & needs(=network)",
        "mocks(stripe) & profiles(high) & profile(high) & severity(critical) & quarantined()",
        "!mocks(str) & mocks(~str) & !real(#*)",
        "!verdict(none) & severity(/^crit/)",
    ] {
        assert!(annotated(holds), "{holds}");
    }
    for fails in [
        "kind(unit)",
        "needs(service)",
        "verdict(stable)",
        "severity(high)",
        "profile(low)",
    ] {
        assert!(!annotated(fails), "{fails}");
    }
    // Unit tests of a library, of which nothing is said.
    same("kind(unit)", "kind(lib) + kind(bin)");
    same("kind(integration)", "kind(test)");
    same("quarantined() + needs(#*) + severity(/./)", "none()");
    same("verdict(none)", "all()");
}

#[test]
fn a_word_that_is_none_of_those_there_are_is_told_with_the_nearest() {
    for (expression, said) in [
        (
            "verdict(flakey)",
            "no verdict is called so (did you mean `flaky`?), at column 9",
        ),
        (
            "severity(criticall)",
            "no severity is called so (did you mean `critical`?), at column 10",
        ),
        (
            "quarantined(x)",
            "`quarantined()` takes no argument, at column 13",
        ),
        (
            "need(tz)",
            "unknown set `need` (did you mean `needs`?), at column 1",
        ),
    ] {
        let error = expression.parse::<Filterset>().unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
}
