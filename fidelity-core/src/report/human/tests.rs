//! The final page, by snapshots and by what must hold on every page.

use super::render;
use crate::domain::{Condition, Outcome, RunId, StopReason, VerdictKind};
use crate::report::ASKED_KNOB_NOT_APPLIED;
use crate::report::planted::{Plant, Planted, plant, stable};
use crate::report::{Report, Style, gate};

mod causes;
mod stopped;

fn wide() -> Style {
    Style {
        width: 100,
        ..Style::default()
    }
}

fn typical() -> Planted {
    use VerdictKind::{BaselineOnly, Broken, Flaky, HiddenDefect, Undetermined};
    let zone = "assertion `left == right` failed: due date moved to the previous day";
    Planted::new()
        .usual_knobs()
        .tests([
            plant(("shop", "dates::due_date_is_local"), (HiddenDefect, "always"), (0, 9), (9, 9))
                .e(1_240.4, 0.01, 35.0)
                .says(zone)
                .in_cluster(zone),
            plant(("shop", "dates::reminder_is_sent_on_the_day"), (HiddenDefect, "always"), (0, 9), (9, 9))
                .e(1_240.4, 0.01, 35.0)
                .says(zone)
                .in_cluster(zone),
            plant(("shop::orders", "opens_many_carts"), (HiddenDefect, "intermittent"), (0, 21), (11, 24))
                .e(412.7, 0.02, 70.0)
                .says("called `Result::unwrap()` on an `Err` value: Os { code: 24, kind: Uncategorized, message: \"Too many open files\" }"),
            plant(("shop::orders", "retries_when_busy"), (Flaky, "both-arms"), (3, 20), (4, 21))
                .e(0.8, 0.4, 70.0)
                .says("timed out waiting for the worker"),
            plant(("shop", "legacy::prints_total"), (Broken, "always"), (5, 5), (6, 6))
                .says("assertion failed: total.is_some()"),
            plant(("shop", "config::reads_defaults"), (BaselineOnly, "always"), (9, 9), (0, 10))
                .e(0.01, 980.0, 70.0)
                .says("APP_MODE is not set"),
            plant(("shop", "cache::evicts_oldest"), (Undetermined, "budget"), (0, 14), (2, 15))
                .e(3.2, 0.3, 70.0)
                .with(|finding| finding.needs_passes = Some(38))
                .says("cache held 11 entries, expected 10"),
        ])
        .tests((0..40).map(|number| stable("shop", &format!("unit::stable_{number:02}"))))
        .problem("doctests-not-run", "12 doctests of shop were counted and not run: they have no test binary")
}

fn mass() -> Planted {
    let plants = (0..412).map(|number| {
        plant(
            ("service", &format!("api::case_{number:03}")),
            (VerdictKind::HiddenDefect, "mass-failure"),
            (0, 9),
            (9, 9),
        )
        .e(1_240.0, 0.01, 20.0)
        .says("connection refused (os error 111)")
        .in_cluster("mass failure")
    });
    Planted::new()
        .knob("network", (None, Some("loopback")), Ok("only lo is up"))
        .tests(plants)
        .tests((0..30).map(|number| stable("service", &format!("unit::{number}"))))
}

fn ten_thousand() -> Planted {
    let kinds = [
        VerdictKind::HiddenDefect,
        VerdictKind::Flaky,
        VerdictKind::Undetermined,
    ];
    let plants = (0..10_000u32).map(|number| {
        let name = format!("module_{:02}::case_{number:05}", number % 37);
        match number % 100 {
            7 => plant(
                ("big", &name),
                (kinds[number as usize / 100 % 3], "intermittent"),
                (0, 9),
                (5, 9),
            )
            .e(
                4.0 + f64::from(number % 30),
                0.1,
                if kinds[number as usize / 100 % 3] == VerdictKind::HiddenDefect {
                    4.0
                } else {
                    400.0
                },
            )
            .says("expected 3, found 4"),
            _ => stable("big", &name),
        }
    });
    Planted::new().usual_knobs().tests(plants)
}

#[test]
fn a_run_with_nothing_wrong_is_short() {
    let planted = Planted::new()
        .usual_knobs()
        .tests((0..48).map(|number| stable("shop", &format!("unit::{number}"))));
    insta::assert_snapshot!(render(&planted.report(), &wide()));
}

#[test]
fn one_hidden_defect() {
    let planted = Planted::new().usual_knobs().beyond_production().tests([
        stable("shop", "adds"),
        plant(
            ("shop", "dates::due_date_is_local"),
            (VerdictKind::HiddenDefect, "always"),
            (0, 9),
            (9, 9),
        )
        .e(1_240.4, 0.01, 20.0)
        .says("assertion `left == right` failed"),
    ]);
    insta::assert_snapshot!(render(&planted.report(), &wide()));
}

#[test]
fn a_typical_run_fits_one_screen() {
    let page = render(&typical().report(), &wide());
    assert!(page.lines().count() <= 50, "{} lines", page.lines().count());
    insta::assert_snapshot!(page);
}

#[test]
fn a_typical_run_in_80_columns_and_in_full() {
    let style = Style {
        verbose: 2,
        ..Style::default()
    };
    insta::assert_snapshot!(render(&typical().report(), &style));
}

#[test]
fn a_typical_run_quietly_and_in_colour() {
    let style = Style {
        quiet: true,
        color: true,
        ..wide()
    };
    let page = render(&typical().report(), &style);
    insta::assert_snapshot!(page.replace('\x1b', "ESC"));
}

#[test]
fn a_typical_run_in_colour() {
    let style = Style {
        color: true,
        ..wide()
    };
    let page = render(&typical().report(), &style);
    insta::assert_snapshot!(page.replace('\x1b', "ESC"));
}

#[test]
fn ten_thousand_tests_do_not_flood_the_screen() {
    let page = render(&ten_thousand().report(), &wide());
    assert!(page.lines().count() <= 80, "{} lines", page.lines().count());
    insta::assert_snapshot!(page);
}

#[test]
fn a_mass_failure_is_one_cause() {
    let report = mass().report();
    insta::assert_snapshot!(render(&report, &wide()));
    assert_eq!(
        gate(&report, &report.conditions).reasons,
        ["412 tests hidden-defect (1 cause)"]
    );
}

#[test]
fn odd_names_are_escaped_and_aligned() {
    let found = (VerdictKind::Flaky, "both-arms");
    let planted = Planted::new().tests([
        plant(("日本語", "日付::締め切り"), found, (1, 9), (2, 9)).says("期待値と違う"),
        plant(("a", "bell\x07 and \x1b[31mred"), found, (1, 9), (2, 9))
            .says("two\nlines\r\tand \u{202e}more"),
        plant(
            ("emoji", "party::\u{1f389}\u{2764}\u{fe0f}"),
            found,
            (1, 9),
            (2, 9),
        ),
        plant(("long", &"segment::".repeat(60)), found, (1, 9), (2, 9)).says(&"word ".repeat(200)),
    ]);
    insta::assert_snapshot!(render(&planted.report(), &Style::default()));
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let planted = Planted::new()
        .usual_knobs()
        .stopped(StopReason::Interrupted)
        .tests([
            plant(
                ("shop", "dates::due"),
                (VerdictKind::Undetermined, "budget"),
                (0, 1),
                (2, 2),
            )
            .e(2.1, 0.7, 20.0)
            .with(|finding| finding.needs_passes = Some(9)),
            plant(
                ("shop", "never_ran"),
                (VerdictKind::Undetermined, "not-compared"),
                (0, 0),
                (0, 0),
            ),
            plant(
                ("shop", "only_high"),
                (VerdictKind::Undetermined, "not-compared"),
                (0, 0),
                (0, 2),
            ),
            plant(
                ("shop", "only_high_too"),
                (VerdictKind::Undetermined, "not-compared"),
                (0, 0),
                (1, 2),
            ),
        ]);
    insta::assert_snapshot!(render(&planted.report(), &wide()));
}

#[test]
fn knobs_that_were_not_applied_are_named_with_the_reason() {
    let planted = Planted::new()
        .usual_knobs()
        .beyond_production()
        .knob(
            "user",
            (None, Some("nobody")),
            Err("only root can change the user; run as root or drop the knob"),
        )
        .knob(
            "locale",
            (Some("C"), Some("tr_TR.UTF-8")),
            Err("the locale is not installed: `locale -a` lists those that are"),
        )
        .problem(
            "knob-not-applied",
            "knob user was not applied: only root can change the user",
        )
        .tests([stable("shop", "adds")]);
    insta::assert_snapshot!(render(&planted.report(), &Style::default()));
}

#[test]
fn no_tests_were_compared() {
    let planted = Planted::new().usual_knobs();
    insta::assert_snapshot!(render(&planted.report(), &wide()));
}

#[test]
fn company_reuse_budget_and_crashes_are_told() {
    let mut earlier = Planted::new().tests([stable("shop", "adds")]);
    earlier.header.id = RunId(0xabcd << 112);
    earlier.header.started_at = "2026-03-13T18:00:00Z".to_owned();
    let mut planted = Planted::new()
        .usual_knobs()
        .stopped(StopReason::OutOfTime)
        .problem(
            "harness-does-not-list",
            "bench of shop does not list its tests",
        )
        .tests([
            stable("shop", "adds"),
            plant(
                ("shop", "shares_a_port"),
                (VerdictKind::HiddenDefect, "intermittent"),
                (0, 9),
                (4, 9),
            )
            .e(77.0, 0.1, 20.0)
            .ends(Outcome::Crashed(6))
            .with(|finding| {
                finding.only_in_company = true;
                finding.clustered_failures = true;
            }),
            plant(
                ("shop", "sometimes"),
                (VerdictKind::Undetermined, "futile"),
                (1, 40),
                (1, 40),
            )
            .e(0.4, 0.4, 20.0),
        ]);
    planted.header.arguments = ["run", "-p", "my shop", "--", "--nocapture"]
        .map(str::to_owned)
        .to_vec();
    planted.joined = vec![earlier.build().0];
    planted.header.joined = vec![RunId(0xabcd << 112)];
    insta::assert_snapshot!(render(&planted.report(), &wide()));
}

#[test]
fn arms_that_do_not_differ_are_called_out() {
    let planted = Planted::new()
        .knob("cpus", (Some("2"), Some("2")), Ok("2 CPUs"))
        .tests([stable("shop", "adds")]);
    let page = render(&planted.report(), &wide());
    assert!(
        page.contains("low and high do not differ in any knob"),
        "{page}"
    );
}

#[test]
fn the_gate_fails_on_its_conditions_and_on_nothing_else() {
    let report = typical().report();
    let on = |kinds: &[VerdictKind]| {
        let conditions: Vec<Condition> = kinds.iter().copied().map(Condition::Verdict).collect();
        gate(&report, &conditions)
    };
    let failed = on(&[
        VerdictKind::Broken,
        VerdictKind::HiddenDefect,
        VerdictKind::Broken,
    ]);
    assert!(!failed.passed);
    assert_eq!(
        failed.reasons,
        ["3 tests hidden-defect (2 causes)", "1 test broken"]
    );
    for kind in VerdictKind::ALL {
        assert!(!on(&[kind]).passed, "{kind} is planted");
    }
    assert!(on(&[]).passed);
    let clean = Planted::new().tests([stable("a", "b")]).report();
    assert!(gate(&clean, &clean.conditions).passed);
}

#[test]
fn the_gate_fails_on_a_knob_that_was_asked_for_only_where_it_is_told_to() {
    let vain = Planted::new()
        .knob("user", (None, Some("nobody")), Err("only root can"))
        .problem(
            ASKED_KNOB_NOT_APPLIED,
            "`user` was asked for and not applied: only root can",
        )
        .tests([stable("a", "b")])
        .report();
    assert!(gate(&vain, &vain.conditions).passed);
    let page = render(&vain, &wide());
    assert!(
        page.contains("`user` was asked for and not applied"),
        "{page}"
    );
    let conditions = vec![
        Condition::Verdict(VerdictKind::Broken),
        Condition::KnobNotApplied,
    ];
    assert_eq!(
        gate(&vain, &conditions).reasons,
        ["1 knob asked for and not applied"]
    );
    // A preset asks for what this machine may not have.
    let preset = Planted::new()
        .knob("user", (None, Some("nobody")), Err("only root can"))
        .tests([stable("a", "b")])
        .report()
        .with_conditions(conditions);
    assert!(gate(&preset, &preset.conditions).passed);
    let page = render(&preset, &wide());
    let line = "no test is broken, every knob that was asked for was applied";
    assert!(page.contains(line), "{page}");
}

#[test]
fn a_report_asked_for_without_a_gate_says_so() {
    let page = render(&typical().report().with_conditions(Vec::new()), &wide());
    assert!(
        page.ends_with("GATE  not applied: no condition\n"),
        "{page}"
    );
}

#[test]
fn the_same_stored_things_give_the_same_bytes() {
    let (run, verdicts) = typical().build();
    let page = || render(&Report::new(&run, &[], &verdicts), &wide());
    assert_eq!(page(), page());
}

/// A generator of numbers for random reports: SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn text(&mut self, longest: u64) -> String {
        const ALPHABET: &[char] = &[
            'a',
            'Z',
            '0',
            '_',
            ':',
            ':',
            ' ',
            ' ',
            '-',
            '日',
            'é',
            '\u{301}',
            '\x1b',
            '\r',
            '\n',
            '\t',
            '\u{202e}',
            '\u{2066}',
            '\u{9b}',
            '\u{1f389}',
            '\u{2764}',
            '\u{fe0f}',
            '\u{200d}',
            '\'',
            '\\',
        ];
        (0..self.below(longest) + 1)
            .map(|_| ALPHABET[self.below(ALPHABET.len() as u64) as usize])
            .collect()
    }

    fn plant(&mut self) -> Plant {
        let kind = VerdictKind::ALL[self.below(6) as usize];
        let mut counts = || {
            let trials = self.below(30);
            (self.below(trials + 1) as u32, trials as u32)
        };
        let (low, high) = (counts(), counts());
        let names = (self.text(40), self.text(120));
        let reason = self.text(20);
        let mut planted = plant((&names.0, &names.1), (kind, &reason), low, high)
            .e(
                self.below(1 << 40) as f64 / 1000.0,
                self.below(10_000) as f64,
                35.0,
            )
            .with(|finding| finding.needs_passes = Some(12));
        if self.below(2) == 0 {
            planted = planted.says(&self.text(300));
        }
        if self.below(3) == 0 {
            planted = planted.in_cluster(&format!("cluster {}", self.below(3)));
        }
        planted
    }

    fn report(&mut self) -> Report {
        let mut planted = Planted::new().usual_knobs();
        for _ in 0..self.below(20) {
            let texts = [self.text(30), self.text(60), self.text(60), self.text(200)];
            let seen = if self.below(2) == 0 {
                Ok(&*texts[3])
            } else {
                Err(&*texts[3])
            };
            planted = planted.knob(&texts[0], (Some(&texts[1]), Some(&texts[2])), seen);
            if self.below(2) == 0 {
                planted = planted.beyond_production();
            }
        }
        for _ in 0..self.below(12) {
            let texts = [self.text(20), self.text(400)];
            planted = planted.problem(&texts[0], &texts[1]);
        }
        let plants: Vec<Plant> = (0..self.below(40)).map(|_| self.plant()).collect();
        planted = planted.tests(plants);
        planted.header.baseline.name = self.text(20);
        planted.header.target.name = self.text(20);
        planted.header.arguments = vec!["run".to_owned(), self.text(50)];
        planted.end = None;
        planted.report()
    }
}

#[test]
fn no_line_is_too_wide_and_no_control_character_gets_through() {
    use crate::report::text::is_unsafe;
    use unicode_width::UnicodeWidthStr as _;
    for seed in 0..120 {
        let report = Random(seed).report();
        for width in [40, 80, 120] {
            for verbose in [0, 2] {
                let style = Style {
                    color: false,
                    width,
                    verbose,
                    quiet: false,
                };
                let page = render(&report, &style);
                for line in page.lines() {
                    assert!(line.width() <= width, "seed {seed}, width {width}: {line}");
                    assert!(
                        !line.contains(is_unsafe),
                        "seed {seed}, width {width}: {line:?}"
                    );
                }
                let coloured = render(
                    &report,
                    &Style {
                        color: true,
                        ..style
                    },
                );
                assert_eq!(
                    without_colours(&coloured),
                    page,
                    "seed {seed}, width {width}"
                );
            }
        }
    }
}

/// Removes exactly the escape sequences that pages write.
fn without_colours(page: &str) -> String {
    let tones = [
        "0", "1", "2", "31", "32", "33", "36", "1;31", "1;32", "1;33",
    ];
    let mut plain = page.to_owned();
    for tone in tones {
        plain = plain.replace(&format!("\x1b[{tone}m"), "");
    }
    plain
}

#[test]
fn ten_thousand_tests_are_rendered_at_once() {
    let report = ten_thousand().report();
    let started = std::time::Instant::now();
    let page = render(&report, &wide());
    let human = started.elapsed();
    let started = std::time::Instant::now();
    let json = crate::report::json::render(&report);
    let json_took = started.elapsed();
    println!(
        "10,000 tests: human {human:?} ({} bytes), json {json_took:?} ({} bytes)",
        page.len(),
        json.len()
    );
    // The limits hold for optimised builds, with room for a busy machine.
    if !cfg!(debug_assertions) {
        assert!(human.as_millis() < 20, "{human:?}");
        assert!(json_took.as_millis() < 100, "{json_took:?}");
    }
}
