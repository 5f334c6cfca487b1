//! Passes as they are written: opened as a row, closed with most of their trials packed.
//!
//! While a pass is open each trial is a row, so that it is durable at once. Where the pass ends, in the transaction that
//! closes it, the plain passing ones become two blobs of the pass. Measured by `examples/store_speed.rs` for 10 million
//! trials: 61 MB, failures and what they printed included, instead of 228 MB for the bare rows; the price is about half of
//! the speed of writing, which is ample. Must not know who opens and closes passes.

use rusqlite::{Connection, params};

use super::code::{Code, PASSED, SKIPPED};
use super::error::{Fault, StoreError};
use super::sequence::{pack, push_number};
use super::text::TextWriter;
use super::wire;
use crate::domain::{MachineLoad, Observation, Origin, Outcome, PassEnd, PassSpec};

/// The most trials that are planned, and the most that are recorded, in one run: what reading it back may set memory
/// aside for.
pub(super) const MAX_TRIALS: u64 = 1 << 24;

/// A pass that ended as it should.
pub(super) const COMPLETED: i64 = 0;
/// A pass whose environment was not provided.
pub(super) const DISCARDED: i64 = 1;
/// A pass during which other programs took too much of the machine.
pub(super) const DISTURBED: i64 = 2;

/// The end of a pass as its row holds it.
pub(super) struct PassEnding {
    /// How it ended: one of the numbers above.
    pub(super) code: i64,
    /// Why it does not count (a text).
    pub(super) reason: Option<i64>,
    /// Its wall time in milliseconds.
    pub(super) elapsed_ms: u64,
    /// What other programs took meanwhile.
    pub(super) machine: Option<MachineLoad>,
}

impl PassEnding {
    /// Returns the end of a pass that took so many milliseconds, while others took so much of the machine.
    pub(super) fn of(
        end: &PassEnd,
        (elapsed_ms, machine): (u64, Option<MachineLoad>),
        connection: &Connection,
        texts: &mut TextWriter,
    ) -> Result<Self, Fault> {
        let reason = end.discarded_because();
        Ok(Self {
            code: match end {
                PassEnd::Completed => COMPLETED,
                PassEnd::Discarded { .. } => DISCARDED,
                PassEnd::Disturbed { .. } => DISTURBED,
            },
            reason: reason
                .map(|reason| texts.id(connection, reason))
                .transpose()?,
            elapsed_ms,
            machine,
        })
    }
}

/// Refuses a pass that could not be read back.
pub(super) fn check_spec(spec: &PassSpec, tests: u32, planned: u64) -> Result<(), StoreError> {
    let probability = spec.target_probability;
    if !(0.0..=1.0).contains(&probability) {
        return Err(StoreError::NotStorable {
            what: format!("a pass drawn with probability {probability}"),
        });
    }
    if planned > MAX_TRIALS {
        return Err(too_many_trials());
    }
    let positions: Vec<i64> = spec.tests.iter().map(|test| i64::from(test.0)).collect();
    check_positions("the tests of a pass", &positions, tests)
}

/// Refuses positions that are not ascending, or beyond the list.
pub(super) fn check_positions(what: &str, positions: &[i64], tests: u32) -> Result<(), StoreError> {
    let listed = positions.last().is_none_or(|last| *last < i64::from(tests));
    if listed && positions.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(StoreError::NotStorable {
        what: format!("{what}, not sorted, repeated or not listed,"),
    })
}

/// Writes the row of a pass that opens; `environment` is a text.
pub(super) fn insert_pass(
    connection: &Connection,
    run: i64,
    spec: &PassSpec,
    environment: i64,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO pass (run, number, phase, arm, target_probability, scope, arm_pass, order_seed,
                               timeout_factor, environment, tests)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            run,
            spec.number,
            spec.phase.code(),
            spec.arm.code(),
            spec.target_probability,
            spec.scope.code(),
            spec.arm_pass,
            spec.order_seed.cast_signed(),
            spec.timeout_factor,
            environment,
            pack(spec.tests.iter().map(|test| i64::from(test.0)))
        ])?;
    Ok(())
}

/// The trials of a pass that need no row of their own, and how many there are in all.
#[derive(Default)]
pub(super) struct Packed {
    passed: Vec<i64>,
    durations: Vec<u8>,
    trials: i64,
}

impl Packed {
    /// Takes note of a trial; returns whether it is packed: a plain passing one.
    pub(super) fn take(&mut self, seen: &Observation) -> bool {
        self.trials += i64::from(seen.outcome.is_trial());
        let plain = seen.outcome == Outcome::Passed
            && seen.attempt == 0
            && seen.leaked == 0
            && seen.failure.is_none();
        if plain {
            self.passed.push(i64::from(seen.test.0));
            push_number(&mut self.durations, whole(seen.duration_us).cast_unsigned());
        }
        plain
    }
}

/// Closes a pass, and moves its plain passing trials (first attempt,
/// nothing left behind, nothing kept) from rows to blobs.
pub(super) fn close_pass(
    connection: &Connection,
    (run, pass): (i64, u32),
    end: &PassEnding,
) -> Result<(), Fault> {
    let key = [run, i64::from(pass)];
    let mut packed = Packed::default();
    let mut select = connection.prepare_cached(
        "SELECT outcome, test, duration, attempt = 0 AND leaked = 0 AND signature IS NULL
         FROM trial WHERE run = ?1 AND pass = ?2 ORDER BY test, attempt",
    )?;
    let mut rows = select.query(key)?;
    while let Some(row) = rows.next()? {
        let outcome: i64 = row.get(0)?;
        packed.trials += i64::from(outcome != SKIPPED);
        if outcome == PASSED && row.get(3)? {
            packed.passed.push(row.get::<_, i64>(1)?);
            push_number(&mut packed.durations, row.get::<_, i64>(2)?.cast_unsigned());
        }
    }
    drop(rows);
    end_row(connection, (run, pass), end, packed)?;
    connection
        .prepare_cached(
            "DELETE FROM trial WHERE run = ?1 AND pass = ?2
             AND outcome = 0 AND attempt = 0 AND leaked = 0 AND signature IS NULL",
        )?
        .execute(key)?;
    Ok(())
}

/// Writes how a pass ended, with the trials that have no row.
pub(super) fn end_row(
    connection: &Connection,
    (run, pass): (i64, u32),
    end: &PassEnding,
    packed: Packed,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE pass SET ending = ?3, reason = ?4, elapsed_ms = ?5, trials = ?6, passed = ?7, durations = ?8,
                             foreign_load = ?9, cpus = ?10
             WHERE run = ?1 AND number = ?2",
        )?
        .execute(params![
            run,
            pass,
            end.code,
            end.reason,
            whole(end.elapsed_ms),
            packed.trials,
            pack(packed.passed),
            packed.durations,
            end.machine.map(|machine| machine.foreign),
            end.machine.map(|machine| machine.cpus)
        ])?;
    Ok(())
}

/// Writes where the results of a pass came from.
pub(super) fn insert_origin(
    connection: &Connection,
    (run, pass): (i64, u32),
    origin: &Origin,
) -> Result<(), Fault> {
    let json = wire::write_origin(origin)?;
    connection
        .prepare_cached("UPDATE pass SET origin = ?3 WHERE run = ?1 AND number = ?2")?
        .execute(params![run, pass, json])?;
    let mut insert = connection
        .prepare_cached("INSERT OR IGNORE INTO source (digest, run, pass) VALUES (?1, ?2, ?3)")?;
    for source in &origin.sources {
        insert.execute(params![source.digest, run, pass])?;
    }
    Ok(())
}

/// Returns a number as the engine's whole number; the engine has no room for those of 2^63 and above, which no clock
/// reaches.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the refusal of a run beyond [`MAX_TRIALS`].
pub(super) fn too_many_trials() -> StoreError {
    StoreError::NotStorable {
        what: format!("a run of more than {MAX_TRIALS} trials"),
    }
}
