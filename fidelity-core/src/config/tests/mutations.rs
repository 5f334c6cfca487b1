//! Hostile input: nothing a file or an argument holds leads to a panic, or to an error without a place.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::*;

/// Checks that a text is either understood or told what is wrong with it, and where.
#[track_caller]
fn check(text: &str, overrides: &Overrides, what: &str) -> bool {
    let Err(errors) = resolve(Some(&file(text)), overrides) else {
        return true;
    };
    assert!(!errors.errors().is_empty(), "{what}");
    for error in errors.errors() {
        assert!(!error.message.is_empty(), "{what}");
        match &error.place {
            Place::Text(span) => {
                let known = span.source().text();
                assert!(known.get(span.range()).is_some(), "{what}: {error:?}");
                assert_ne!(span.source().origin(), &Origin::BuiltIn, "{what}: {error}");
            }
            Place::File(_) => panic!("{what}: a text that was read has places: {error}"),
        }
    }
    let shown = errors.render(true);
    assert!(
        !shown.contains(|c: char| c.is_control() && c != '\n'),
        "{what}: {shown:?}"
    );
    assert!(shown.starts_with("error: "), "{what}: {shown}");
    false
}

fn below(random: &mut Pcg64, bound: usize) -> usize {
    (random.next_u64() % bound.max(1) as u64) as usize
}

const FRAGMENTS: [&str; 24] = [
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "\"",
    "'",
    ".",
    ",",
    "\n",
    "#",
    "\0",
    "-",
    "9e999",
    "one-of",
    "inherits",
    "\"high\"",
    "1",
    "\u{1b}[31m",
    "é",
    "{env:",
    "unset = true",
    "[profile.low]",
];

/// Changes a text in one to four places: bytes, lines, words.
pub(super) fn mutated(text: &str, random: &mut Pcg64) -> String {
    let mut text = text.to_owned();
    for _ in 0..=below(random, 4) {
        text = match below(random, 6) {
            0 => with_a_bit_flipped(text, random),
            1 => {
                let mut lines: Vec<&str> = text.split('\n').collect();
                lines.remove(below(random, lines.len()));
                lines.join("\n")
            }
            2 => with_two_swapped(&text, "\n", random),
            3 => with_two_swapped(&text, " ", random),
            4 => {
                let at = place_in(&text, random);
                text.insert_str(at, FRAGMENTS[below(random, FRAGMENTS.len())]);
                text
            }
            _ => {
                text.truncate(place_in(&text, random));
                text
            }
        };
    }
    text
}

fn with_a_bit_flipped(text: String, random: &mut Pcg64) -> String {
    let mut bytes = text.into_bytes();
    let at = below(random, bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << below(random, 8);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn with_two_swapped(text: &str, separator: &str, random: &mut Pcg64) -> String {
    let mut parts: Vec<&str> = text.split(separator).collect();
    let (a, b) = (below(random, parts.len()), below(random, parts.len()));
    parts.swap(a, b);
    parts.join(separator)
}

fn place_in(text: &str, random: &mut Pcg64) -> usize {
    let mut at = below(random, text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[test]
fn thousands_of_mutations_of_a_valid_file_are_understood_or_told_what_is_wrong() {
    let mut understood = 0;
    for seed in 0..6_000 {
        let mut random = Pcg64::seed_from_u64(seed);
        let text = mutated(FULL, &mut random);
        understood += u32::from(check(
            &text,
            &Overrides::default(),
            &format!("seed {seed}:\n{text}"),
        ));
    }
    // Enough of both, or the mutations test nothing.
    assert!((300..5_700).contains(&understood), "{understood}");
}

#[test]
fn thousands_of_mutations_of_arguments_are_understood_or_told_what_is_wrong() {
    let arguments = [
        "high.tz={ one-of = [\"UTC\", \"Asia/Tokyo\"] }",
        "high.env.A={env:HOME}",
        "high.cpus=2",
        "policy.screen={ baseline = 1, target = 5, suspicious = 10 }",
        "policy.fail-on=[\"broken\"]",
        "production.memory=1GiB",
        "target=preset:hostile",
    ];
    for seed in 0..4_000 {
        let mut random = Pcg64::seed_from_u64(seed);
        let argument = mutated(arguments[below(&mut random, arguments.len())], &mut random);
        let overrides = Overrides {
            baseline: Some(mutated("low", &mut random)).filter(|_| seed % 7 == 0),
            policy: vec![("max-time".to_owned(), mutated("15m", &mut random))],
            ..set(&[&argument])
        };
        check("", &overrides, &format!("seed {seed}: {overrides:?}"));
    }
}

#[test]
fn deep_nesting_is_refused_without_overflowing_the_stack() {
    let deep = 100_000;
    let texts = [
        format!("a = {}", "[".repeat(deep)),
        format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("a = {}1{}", "{a=".repeat(deep), "}".repeat(deep)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("[{}a]", "a.".repeat(deep)),
        format!("[[{}a]]", "a.".repeat(deep)),
        format!("[{0}a]\n{0}a = {1}1", "a.".repeat(70), "{a=".repeat(70)),
    ];
    for text in &texts {
        assert!(!check(text, &Overrides::default(), &text[..20]));
        assert!(!check(
            "",
            &set(&[&format!("high.tz={}", &text[4..])]),
            &text[..20]
        ));
    }
}

#[test]
fn a_megabyte_of_mistakes_is_answered_in_a_moment() {
    let many = |line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for number in 0.. {
            let _ = writeln!(text, "{}", line(number));
            if 1_000_000 < text.len() {
                break;
            }
        }
        text
    };
    let texts = [
        many(&|number| format!("key{number} = 1")),
        many(&|_| "= 1".to_owned()),
        format!(
            "[profile.high]\n{}",
            many(&|number| format!("knob{number} = 1"))
        ),
        format!("[policy]\n{}", many(&|number| format!("knob{number} = 1"))),
        format!(
            "[policy]\nfail-on = [\n{}]",
            many(&|_| "\"broken\",".to_owned())
        ),
        format!(
            "[profile.high]\ncpus = {{ one-of = [\n{}] }}",
            many(&|number| format!("{number},"))
        ),
        format!(
            "[profile.high]\ncpus = {{ one-of = [\n{}] }}",
            many(&|_| "1,".to_owned())
        ),
        many(&|number| format!("[profile.p{number}]\ninherits = \"p{}\"", number + 1)),
        many(&|number| format!("[profile.p{number}]\ninherits = \"nothing{number}\"")),
        format!("[profile.high]\nenv.A = \"{}\"", "{env:A}".repeat(140_000)),
        format!("[profile.high]\ntz = \"{}\"", "{env:A}".repeat(140_000)),
        format!("[profile.high]\n{} = 1", "x".repeat(1_000_000)),
        format!("target = \"{}\"", "x".repeat(1_000_000)),
        format!("[policy]\nmax-time = \"{}\"", "1h".repeat(500_000)),
        format!(
            "[profile.high]\nenv = {{ A = \"{}\", B = 5 }}",
            "a".repeat(1_000_000)
        ),
        format!("[policy]\nmax-trials = {}", "9".repeat(1_000_000)),
    ];
    for (number, text) in texts.iter().enumerate() {
        let started = Instant::now();
        check(text, &Overrides::default(), &format!("text {number}"));
        // Without optimisation it takes a second or two; what is quadratic takes minutes.
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "text {number}: {took:?}");
    }
}
