//! How ids, places and numbers stand in a column.

use crate::store::{RoomHead, StoreError};
use bytes::Bytes;
use kith_protocol::ids::{Rev, Seq};
use rusqlite::Row;

/// Bits of a place that hold the Seq: a million million entries a room, eight million rooms.
pub(super) const SEQ_BITS: u32 = 40;
pub(super) const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;

pub(super) fn place(room: i64, seq: Seq) -> i64 {
    room << SEQ_BITS | int(seq.0)
}

pub(super) fn seq_of(place: i64) -> Seq {
    Seq(uint(place & ((1 << SEQ_BITS) - 1)))
}

pub(super) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    row.get::<_, Vec<u8>>(column).map(Bytes::from)
}

pub(super) fn id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: for<'a> TryFrom<&'a [u8], Error = kith_protocol::ids::ParseIdError>,
{
    let bytes = row.get_ref(column)?.as_blob()?;
    T::try_from(bytes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
    })
}

pub(super) fn optional_id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: for<'a> TryFrom<&'a [u8], Error = kith_protocol::ids::ParseIdError>,
{
    let null = row.get_ref(column)? == rusqlite::types::ValueRef::Null;
    if null { Ok(None) } else { id(row, column).map(Some) }
}

pub(super) fn head_of(row: &Row<'_>) -> rusqlite::Result<RoomHead> {
    Ok(RoomHead {
        seq: Seq(uint(row.get(1)?)),
        hash: id(row, 2)?,
        rev: Rev(uint(row.get(3)?)),
        control_len: row.get(4)?,
        redacted: Seq(uint(row.get(5)?)),
    })
}

pub(super) fn damaged<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Failed(format!("a stored value cannot be read: {error}")))
}
