//! Joining what experiments showed: attributions go with their runs, searches with their tests.
//!
//! As with runs, the copy that is further along is kept, by a rule that is the same whoever asks. One that is being written
//! here is left alone.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::super::attribution::{self, MAX_QUESTION_BYTES, MAX_TRIALS};
use super::super::error::{Fault, StoreError, damaged};
use super::super::reader::Reader;
use super::super::sqlite::SqliteStore;
use super::super::{search, text, wire};
use super::Merged;
use crate::domain::{RunId, TestId};

/// How far an attribution or a search is: what it saw, in order, and how it ended. Equal for copies of one state.
type SoFar = (Vec<String>, Option<String>);

/// An attribution of a run: the position of its test, its question, and how far it is.
type Attributed = ((u32, String), SoFar);

/// A search, as two stores may both have it.
struct Search {
    binary: String,
    test: String,
    question: String,
    began: i64,
    so_far: SoFar,
}

/// Orders copies by how far they are.
fn order(one: &SoFar, other: &SoFar) -> std::cmp::Ordering {
    let key = |(events, ending): &SoFar| (events.len(), ending.is_some());
    key(one).cmp(&key(other)).then_with(|| one.cmp(other))
}

impl SqliteStore {
    /// Joins the attributions of a run that both stores have now.
    pub(super) fn merge_attributions(
        &mut self,
        (theirs, at): (&Connection, &dyn Fn(Fault) -> StoreError),
        id: RunId,
        merged: &mut Merged,
    ) -> Result<(), StoreError> {
        let there = attributions_of(theirs, id).map_err(at)?;
        if there.is_empty() {
            return Ok(());
        }
        let here = self.read(|connection| attributions_of(connection, id))?;
        let is_known = |(key, so_far): &Attributed| {
            let known = here.iter().find(|(known, _)| known == key);
            known.is_some_and(|(_, known)| order(known, so_far).is_ge())
        };
        // One that was only begun holds nothing.
        let is_new = |found: &Attributed| found.1 != SoFar::default() && !is_known(found);
        let new: Vec<_> = there.into_iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let (_, tests) = self.read(|connection| Reader::new(connection).key_of(id))?;
        if new.iter().any(|((test, _), _)| *test >= tests) {
            return Err(at(damaged(
                "an attribution is of a test that the run does not list",
            )));
        }
        let _lock = match self.lock(attribution::lock_id(id)) {
            Err(StoreError::Alive { .. }) => {
                merged.causes_busy += new.len();
                return Ok(());
            }
            lock => lock?,
        };
        let added = new.len();
        self.write(|transaction| {
            let (run, _) = Reader::new(transaction).key_of(id)?;
            new.iter().try_for_each(|((test, question), so_far)| {
                put_attribution(transaction, (run, *test, question), so_far)
            })
        })?;
        merged.causes += added;
        Ok(())
    }

    /// Joins the searches about tests.
    pub(super) fn merge_searches(
        &mut self,
        (theirs, at): (&Connection, &dyn Fn(Fault) -> StoreError),
        merged: &mut Merged,
    ) -> Result<(), StoreError> {
        for found in searches_of(theirs).map_err(at)? {
            let is_known = self.read(|connection| Ok(further(connection, &found)?.is_none()))?;
            if is_known || found.so_far == SoFar::default() {
                continue;
            }
            let test = TestId::new(found.binary.as_str(), found.test.as_str());
            let _lock = match self.lock(search::lock_id(&test, &found.question)) {
                Err(StoreError::Alive { .. }) => {
                    merged.causes_busy += 1;
                    continue;
                }
                lock => lock?,
            };
            self.write(|transaction| put_search(transaction, &found))?;
            merged.causes += 1;
        }
        Ok(())
    }

    /// Does `work` in one transaction of this store: all of it is kept, or nothing.
    fn write(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        self.handle.check_present()?;
        let connection = &mut self.handle.connection;
        let written = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Fault::from)
            .and_then(|transaction| {
                work(&transaction)?;
                Ok(transaction.commit()?)
            });
        written.map_err(|fault| fault.at(&self.handle.path))
    }
}

/// Returns the attributions of a run by test and question, every value checked; none for a run that is not there.
fn attributions_of(connection: &Connection, id: RunId) -> Result<Vec<Attributed>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT attribution.id, attribution.test, attribution.question, attribution.result, run.test_count
         FROM attribution JOIN run ON run.id = attribution.run WHERE run.name = ?1
         ORDER BY attribution.test, attribution.question",
    )?;
    let mut bodies = connection.prepare_cached(
        "SELECT body FROM attribution_trial WHERE attribution = ?1 ORDER BY number LIMIT ?2",
    )?;
    let mut rows = select.query([id.0.to_be_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (question, result): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        let (test, tests): (u32, u32) = (row.get(1)?, row.get(4)?);
        if test >= tests || question.len() > MAX_QUESTION_BYTES {
            return Err(damaged("an attribution is garbled"));
        }
        if let Some(result) = &result {
            wire::read_attribution(result)?;
        }
        let trials =
            bodies.query_map(params![row.get::<_, i64>(0)?, MAX_TRIALS], |row| row.get(0))?;
        let trials: Vec<String> = trials.collect::<Result<_, _>>()?;
        for trial in &trials {
            if wire::read_attribution_trial(trial)?.test.0 >= tests {
                return Err(damaged("an attribution is garbled"));
            }
        }
        found.push(((test, question), (trials, result)));
    }
    Ok(found)
}

/// Writes an attribution in the place of the copy that is there.
fn put_attribution(
    transaction: &Connection,
    (run, test, question): (i64, u32, &str),
    (trials, result): &SoFar,
) -> Result<(), Fault> {
    transaction.execute(
        "DELETE FROM attribution_trial WHERE attribution IN
         (SELECT id FROM attribution WHERE run = ?1 AND test = ?2 AND question = ?3)",
        params![run, test, question],
    )?;
    transaction.execute(
        "INSERT INTO attribution (run, test, question, result) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (run, test, question) DO UPDATE SET result = excluded.result",
        params![run, test, question, result],
    )?;
    let key: i64 = transaction.query_row(
        "SELECT id FROM attribution WHERE run = ?1 AND test = ?2 AND question = ?3",
        params![run, test, question],
        |row| row.get(0),
    )?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO attribution_trial (attribution, number, body) VALUES (?1, ?2, ?3)",
    )?;
    for (number, body) in (1_i64..).zip(trials) {
        insert.execute(params![key, number, body])?;
    }
    Ok(())
}

/// Returns every search of a store, in the order they were made in.
fn searches_of(connection: &Connection) -> Result<Vec<Search>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT search.id, text.value, search.test, search.question, search.began, search.ending
         FROM search LEFT JOIN text ON text.id = search.binary ORDER BY search.id",
    )?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let binary: Option<String> = row.get(1)?;
        found.push(Search {
            binary: binary.ok_or_else(|| damaged("a search is about no test"))?,
            test: row.get(2)?,
            question: row.get(3)?,
            began: row.get(4)?,
            so_far: (events_of(connection, row.get(0)?)?, row.get(5)?),
        });
    }
    Ok(found)
}

fn events_of(connection: &Connection, search: i64) -> Result<Vec<String>, Fault> {
    let mut select = connection
        .prepare_cached("SELECT event FROM search_event WHERE search = ?1 ORDER BY number")?;
    let events = select.query_map([search], |row| row.get(0))?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// Returns where a search of another store belongs: the key of our copy that is less far, or none for a new one. None at
/// all where ours is as far.
fn further(connection: &Connection, search: &Search) -> Result<Option<Option<i64>>, Fault> {
    let hash = text::hash_of([search.binary.as_bytes()]);
    let Some(binary) = text::find(connection, hash, &search.binary)? else {
        return Ok(Some(None));
    };
    let mut select = connection.prepare_cached(
        "SELECT id, ending FROM search WHERE binary = ?1 AND test = ?2 AND question = ?3 AND began = ?4
         ORDER BY id",
    )?;
    let mut rows = select.query(params![binary, search.test, search.question, search.began])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let ours = (events_of(connection, key)?, row.get(1)?);
        let is_copy = search.began != 0 || ours == search.so_far;
        if is_copy {
            return Ok(order(&ours, &search.so_far).is_lt().then_some(Some(key)));
        }
    }
    Ok(Some(None))
}

/// Writes a search in the place of the copy that is there, if that is less far.
fn put_search(transaction: &Connection, search: &Search) -> Result<(), Fault> {
    let Some(place) = further(transaction, search)? else {
        return Ok(());
    };
    let (events, ending) = &search.so_far;
    let key = match place {
        Some(key) => {
            transaction.execute("DELETE FROM search_event WHERE search = ?1", [key])?;
            transaction.execute(
                "UPDATE search SET ending = ?1 WHERE id = ?2",
                params![ending, key],
            )?;
            key
        }
        None => {
            let binary = text::TextWriter::default().id(transaction, &search.binary)?;
            transaction.execute(
                "INSERT INTO search (binary, test, question, ending, began) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![binary, search.test, search.question, ending, search.began],
            )?;
            transaction.last_insert_rowid()
        }
    };
    let mut insert = transaction
        .prepare_cached("INSERT INTO search_event (search, number, event) VALUES (?1, ?2, ?3)")?;
    for (number, event) in (0_i64..).zip(events) {
        insert.execute(params![key, number, event])?;
    }
    Ok(())
}
