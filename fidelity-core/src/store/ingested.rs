//! Which passes of the store were made of which files, or were exported elsewhere before.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::error::{Fault, StoreError};
use super::run_id::id_at;
use super::sqlite::SqliteStore;
use super::{code, wire};
use crate::domain::{Arm, Origin, PassName, RunId};

/// A pass that was ingested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestedPass {
    /// The run that holds it.
    pub run: RunId,
    /// The arm it was taken for.
    pub arm: Arm,
    /// Where it came from.
    pub origin: Origin,
}

impl SqliteStore {
    /// Returns the run that holds each pass, as its own or because it was exported there and ingested here; runs of `except`
    /// hold none.
    ///
    /// # Errors
    /// Where they could not be read.
    pub fn passes_by_name(
        &self,
        except: &BTreeSet<RunId>,
    ) -> Result<BTreeMap<PassName, RunId>, StoreError> {
        self.read(|connection| by_name(connection, except))
    }
}

pub(super) fn from_file(
    connection: &Connection,
    digest: &[u8; 32],
) -> Result<Vec<IngestedPass>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT run.name, pass.arm, pass.origin FROM source
         JOIN run ON run.id = source.run
         JOIN pass ON pass.run = source.run AND pass.number = source.pass
         WHERE source.digest = ?1 ORDER BY source.run, source.pass",
    )?;
    let mut rows = select.query([digest])?;
    let mut passes = Vec::new();
    while let Some(row) = rows.next()? {
        passes.push(IngestedPass {
            run: id_at(row, 0)?,
            arm: code::Code::from_code(row.get(1)?)?,
            origin: wire::read_origin(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(passes)
}

fn by_name(
    connection: &Connection,
    except: &BTreeSet<RunId>,
) -> Result<BTreeMap<PassName, RunId>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT run.name, pass.number, pass.origin FROM pass JOIN run ON run.id = pass.run",
    )?;
    let mut rows = select.query([])?;
    let mut passes = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let run = id_at(row, 0)?;
        if except.contains(&run) {
            continue;
        }
        let origin: Option<String> = row.get(2)?;
        let origin = origin.as_deref().map(wire::read_origin).transpose()?;
        let exported = origin.and_then(|origin| PassName::of_part(&origin.part));
        let pass = row.get(1)?;
        passes.insert(exported.unwrap_or(PassName { run, pass }), run);
    }
    Ok(passes)
}
