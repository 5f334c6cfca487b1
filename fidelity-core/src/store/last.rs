//! The last verdict on each test. Runs within one read transaction of the caller. Must not write.

use std::collections::BTreeMap;

use super::LastVerdict;
use super::code::Code;
use super::error::{Fault, damaged};
use super::reader::Reader;
use super::sequence::positions;
use super::wire;
use crate::domain::{RunId, TestId, Verdict, VerdictKind};

/// Returns the last verdict on each test that one of the `limit` newest ended runs executed.
pub(super) fn last_verdicts(
    reader: &mut Reader<'_>,
    limit: usize,
) -> Result<BTreeMap<TestId, LastVerdict>, Fault> {
    let connection = reader.connection;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut runs = connection.prepare_cached(
        "SELECT id, name, test_count, baseline, target FROM run
         WHERE EXISTS (SELECT 1 FROM verdict WHERE verdict.run = run.id)
         ORDER BY started DESC, id DESC LIMIT ?1",
    )?;
    let mut select =
        connection.prepare_cached("SELECT kind, reason, tests FROM verdict WHERE run = ?1")?;
    let mut rows = runs.query([limit])?;
    let mut last = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (key, count): (i64, u32) = (row.get(0)?, row.get(2)?);
        let run = RunId(u128::from_be_bytes(row.get(1)?));
        let profiles = [3, 4].map(|column| {
            let text = reader.texts.text(connection, row.get(column)?)?;
            Ok::<_, Fault>(wire::read_profile(text)?.name)
        });
        let [baseline, target] = profiles;
        let profiles = [baseline?, target?];
        let tests = reader.tests(key, count)?;
        let mut verdicts = select.query([key])?;
        while let Some(row) = verdicts.next()? {
            let verdict = Verdict {
                kind: VerdictKind::from_code(row.get(0)?)?,
                reason: reader.texts.text(connection, row.get(1)?)?.to_owned(),
            };
            let members: Vec<u8> = row.get(2)?;
            for position in positions(&members, count)? {
                let test = tests.get(position as usize);
                let test = test.ok_or_else(|| damaged("a verdict is about no test"))?;
                if test.selected && !last.contains_key(&test.id) {
                    let verdict = verdict.clone();
                    let profiles = profiles.clone();
                    let seen = LastVerdict {
                        run,
                        profiles,
                        verdict,
                    };
                    last.insert(test.id.clone(), seen);
                }
            }
        }
    }
    Ok(last)
}
