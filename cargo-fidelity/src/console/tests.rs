//! What a console shows, on a clock of its own.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fidelity_core::domain::{
    Arm, KnobId, KnobStatus, ListedTest, Observation, Outcome, PassEnd, PassSpec, Phase, Scope,
    TestId, TestIndex,
};
use fidelity_core::schedule;
use indicatif::{ProgressDrawTarget, TermLike};

use super::{Bars, BuiltSuite, Clock, Lines, Progress};

/// A time that tests move.
#[derive(Clone, Default)]
struct Time(Rc<Cell<Duration>>);

impl Time {
    fn pass(&self, seconds: u64) {
        self.0.set(self.0.get() + Duration::from_secs(seconds));
    }

    fn clock(&self) -> Clock {
        let time = self.0.clone();
        Box::new(move || time.get())
    }
}

/// A log that tests read.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tests() -> Vec<ListedTest> {
    [
        "adds",
        "dates::due",
        "odd\x1b[2J name",
        "dates::reminder",
        "orders",
    ]
    .map(|test| ListedTest {
        id: TestId::new("shop", test),
        selected: true,
        suspicious: false,
        terms: None,
    })
    .into()
}

fn spec(number: u32, phase: Phase, arm: Arm) -> PassSpec {
    PassSpec {
        number,
        phase,
        arm,
        target_probability: 0.5,
        scope: Scope::Suite,
        tests: (0..5).map(TestIndex).collect(),
        arm_pass: 0,
        order_seed: 0,
        timeout_factor: 1,
    }
}

fn at(passes: u32, passes_left: u32, suspects: u32) -> schedule::Progress {
    schedule::Progress {
        passes,
        passes_left,
        screening_left: 2_u32.saturating_sub(passes),
        suspects,
        settled: suspects / 2,
        left_ms: u64::from(passes_left) * 2_345,
    }
}

fn seen(test: u32, outcome: Outcome) -> Observation {
    Observation {
        test: TestIndex(test),
        attempt: 0,
        outcome,
        duration_us: 1_000,
        failure: None,
        leaked: 0,
    }
}

/// Plays a run of two screening and `focus` focus passes of one second each.
fn play(console: &mut dyn Progress, time: &Time, focus: u32) {
    console.build_started();
    let tests = tests();
    console.built(&BuiltSuite {
        tests: &tests,
        binaries: 1,
        baseline: "low",
        target: "high",
    });
    console.knobs_checked(&[KnobStatus {
        knob: KnobId::from("user"),
        baseline: None,
        target: Some("nobody".to_owned()),
        applied: false,
        reason: "only root can change the user".to_owned(),
        beyond_production: false,
    }]);
    for number in 1..=2 + focus {
        let phase = if number <= 2 {
            Phase::Screen
        } else {
            Phase::Focus
        };
        let arm = if number % 2 == 0 {
            Arm::Target
        } else {
            Arm::Baseline
        };
        let left = 2 + focus - number;
        console.pass_started(
            &spec(number, phase, arm),
            &at(number - 1, left + 1, number - 1),
        );
        for test in 0..5 {
            let fails = arm == Arm::Target && 0 < test;
            let outcome = if fails {
                Outcome::Failed
            } else {
                Outcome::Passed
            };
            console.trial(&seen(test, outcome));
        }
        time.pass(1);
        console.pass_ended(&PassEnd::Completed, &at(number, left, number));
    }
    console.note("the clock was set\nback");
    console.finished();
}

fn lines(time: &Time) -> (Lines, Log) {
    let log = Log::default();
    (Lines::new(Box::new(log.clone()), time.clock()), log)
}

#[test]
fn a_log_has_a_line_a_screening_pass_and_few_afterwards() {
    let time = Time::default();
    let (mut console, log) = lines(&time);
    play(&mut console, &time, 25);
    insta::assert_snapshot!(log.text(), @r"
    building the tests
    5 tests in 1 binary, low against high
    note: knob user is not applied: only root can change the user
    pass 1 of 2 (screening, low): 5 tests, 0 failed
    pass 2 of 2 (screening, high): 5 tests, 4 failed: shop orders, shop dates::reminder, shop odd\x1b[2J name and 1 more
    12 passes, about 15 to come; about 35 s left, 12 suspects, 6 settled
    22 passes, about 5 to come; about 12 s left, 22 suspects, 11 settled
    note: the clock was set\nback
    ");
}

#[test]
fn a_long_pass_does_not_look_like_a_hang() {
    let time = Time::default();
    let (mut console, log) = lines(&time);
    console.pass_started(&spec(7, Phase::Focus, Arm::Target), &at(6, 20, 3));
    for _ in 0..50 {
        time.pass(1);
        console.trial(&seen(1, Outcome::Passed));
    }
    assert_eq!(log.text().lines().count(), 5, "{}", log.text());
    assert!(
        log.text().starts_with("pass 7 of about 26 (focus, "),
        "{}",
        log.text()
    );
}

#[test]
fn a_discarded_pass_is_always_told() {
    let time = Time::default();
    let (mut console, log) = lines(&time);
    console.pass_started(&spec(7, Phase::Focus, Arm::Target), &at(6, 20, 3));
    let end = PassEnd::Discarded {
        reason: "no port\x07".to_owned(),
    };
    console.pass_ended(&end, &at(6, 20, 3));
    assert!(
        log.text().contains(r"does not count: no port\x07"),
        "{}",
        log.text()
    );
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let time = Time::default();
    play(&mut Lines::new(Box::new(Full), time.clock()), &time, 3);
}

/// A terminal that remembers every line that was ever drawn.
#[derive(Clone, Debug, Default)]
struct Screen(Arc<Mutex<Drawn>>);

#[derive(Debug, Default)]
struct Drawn {
    lines: Vec<String>,
    open: String,
}

impl Drawn {
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.open);
        self.lines.push(line);
    }
}

impl Screen {
    fn text(&self) -> String {
        let drawn = self.0.lock().unwrap();
        format!("{}{}", drawn.lines.join("\n"), drawn.open)
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        // Wider than the console was told, so that only its own cutting keeps the lines short.
        500
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        self.0.lock().unwrap().end_line();
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        self.0.lock().unwrap().end_line();
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.0.lock().unwrap().end_line();
        Ok(())
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().open.push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.0.lock().unwrap().end_line();
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn bars(columns: usize) -> (Bars, Screen, Time, Log) {
    let (screen, time, log) = (Screen::default(), Time::default(), Log::default());
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    let bars = Bars::new(target, columns, Box::new(log.clone()), time.clock());
    (bars, screen, time, log)
}

#[test]
fn a_terminal_shows_phase_suspects_time_left_and_failing_tests() {
    let (mut console, screen, time, log) = bars(100);
    console.built(&BuiltSuite {
        tests: &tests(),
        binaries: 2,
        baseline: "low",
        target: "high",
    });
    assert_eq!(log.text(), "5 tests in 2 binaries, low against high\n");
    assert_eq!(screen.text(), "", "no bar before the first pass");
    console.pass_started(&spec(8, Phase::Focus, Arm::Target), &at(7, 53, 4));
    console.trial(&seen(1, Outcome::Failed));
    time.pass(1);
    console.trial(&seen(2, Outcome::TimedOut));
    console.draw();
    let drawn = screen.text();
    for wanted in [
        "about 2 min left, 4 suspects, 2 settled",
        "pass 8 of about 60 (focus, high): 2 of 5 tests",
        r"failing: shop odd\x1b[2J name, shop dates::due",
        "[==>",
    ] {
        assert!(drawn.contains(wanted), "{wanted}: {drawn}");
    }
    console.note("to be kept");
    assert!(screen.text().contains("note: to be kept"));
    console.finished();
    console.note("afterwards");
    assert!(log.text().ends_with("note: afterwards\n"), "{}", log.text());
}

#[test]
fn nothing_drawn_is_wider_than_the_terminal() {
    for columns in [40, 60, 100] {
        let (mut console, screen, time, _) = bars(columns);
        play(&mut console, &time, 4);
        // The terminal fills every line up to its own width instead of ending it.
        let drawn: Vec<String> = screen
            .0
            .lock()
            .unwrap()
            .lines
            .iter()
            .flat_map(|chunk| chunk.as_bytes().chunks(usize::from(screen.width())))
            .map(|line| String::from_utf8_lossy(line).trim_end().to_owned())
            .collect();
        let widest = drawn.iter().map(String::len).max();
        assert!(widest < Some(columns), "{columns}: {drawn:#?}");
        assert!(Some(30) < widest, "{columns}: {drawn:#?}");
    }
}

#[test]
fn a_thousand_quick_trials_do_not_compose_a_thousand_texts() {
    let (mut console, screen, _, _) = bars(100);
    console.pass_started(&spec(1, Phase::Screen, Arm::Target), &at(0, 6, 0));
    for _ in 0..1_000 {
        console.trial(&seen(1, Outcome::Passed));
    }
    console.draw();
    assert!(
        screen.text().contains("0 of 5 tests"),
        "time stands still, so does the text"
    );
    assert!(!screen.text().contains("1 of 5 tests"), "{}", screen.text());
}
