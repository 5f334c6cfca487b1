//! The ids of runs, as they are typed and as they are stored.

use rusqlite::Row;

use super::error::Fault;
use crate::domain::RunId;

/// Returns the first and last id that begins with these digits; none where they are no digits of an id.
pub(super) fn ids_that_begin_with(prefix: &str) -> Option<(u128, u128)> {
    let digits = prefix.len();
    if !(1..=32).contains(&digits) || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let first = u128::from_str_radix(&format!("{prefix:0<32}"), 16).ok()?;
    let last = u128::from_str_radix(&format!("{prefix:f<32}"), 16).ok()?;
    Some((first, last))
}

/// Returns the id in a column.
pub(super) fn id_at(row: &Row<'_>, column: usize) -> Result<RunId, Fault> {
    Ok(RunId(u128::from_be_bytes(row.get(column)?)))
}
