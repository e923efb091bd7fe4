//! Lists for the operator, read from the store. Each looks at everything there is: they are for people, not for loops.

use kith_protocol::{account::DeviceKind, ids::AccountId, room::RoomKind};

use super::Refusal;
use crate::{
    admin::{DeviceRow, RoomRow, UserRow},
    relay::folds::{Folds, fold_account},
    store::{AccountRow, Reader},
};

pub(super) fn users(store: &dyn Reader) -> Result<Vec<UserRow>, Refusal> {
    store.search("", u32::MAX)?.into_iter().map(|row| user(store, row)).collect()
}

fn user(store: &dyn Reader, row: AccountRow) -> Result<UserRow, Refusal> {
    let live = fold_account(store, &row.id)?.map_or(0, |fold| fold.live_devices().count());
    let rooms = store.rooms_of(&row.id)?.iter().filter(|membership| membership.left.is_none()).count();
    Ok(UserRow {
        handle: row.handle,
        account: row.id.to_string(),
        name: row.name,
        role: row.role.into(),
        enabled: !row.disabled,
        devices: live as u64,
        rooms: rooms as u64,
        joined_ms: row.created_at,
    })
}

/// By handle, with or without @, or by id.
pub(super) fn account(store: &dyn Reader, name: &str) -> Result<AccountRow, Refusal> {
    let by_id = name.parse::<AccountId>().ok().map(|id| store.account(&id)).transpose()?.flatten();
    let found = match by_id {
        Some(row) => Some(row),
        None => store.account_by_handle(name.trim_start_matches('@'))?,
    };
    found.ok_or_else(|| Refusal::unknown("user", name))
}

pub(super) fn devices(store: &dyn Reader, of: Option<&str>) -> Result<Vec<DeviceRow>, Refusal> {
    let accounts = match of {
        Some(name) => vec![account(store, name)?],
        None => store.search("", u32::MAX)?,
    };
    let mut rows = Vec::new();
    for account in accounts {
        let Some(fold) = fold_account(store, &account.id)? else { continue };
        for (id, device) in fold.devices() {
            rows.push(DeviceRow {
                device: id.to_string(),
                name: device.name.clone(),
                handle: account.handle.clone(),
                account: account.id.to_string(),
                kind: match device.kind {
                    DeviceKind::Personal => "personal",
                    DeviceKind::Recovery => "recovery",
                }
                .to_owned(),
                added_ms: device.added_at,
                revoked: device.revoked.is_some(),
                blocked: store.device(id)?.is_some_and(|row| row.blocked),
            });
        }
    }
    Ok(rows)
}

/// By id, or by enough of its beginning.
pub(super) fn find_device(store: &dyn Reader, name: &str) -> Result<DeviceRow, Refusal> {
    let start = name.to_ascii_lowercase();
    let mut found: Vec<_> =
        devices(store, None)?.into_iter().filter(|row| row.device.starts_with(&start)).collect();
    match (found.pop(), found.len()) {
        (Some(row), 0) if start.len() >= DEVICE_PREFIX_MIN => Ok(row),
        (Some(_), _) => {
            Err(Refusal::bad(&format!("`{name}` does not tell which device: give more of its id")))
        }
        (None, _) => Err(Refusal::unknown("device", name)),
    }
}

pub(super) fn rooms(store: &dyn Reader) -> Result<Vec<RoomRow>, Refusal> {
    let mut folds = Folds::default();
    let mut rows = Vec::new();
    for (id, head) in store.rooms()? {
        let Some(room) = folds.room(store, &id)? else { continue };
        rows.push(RoomRow {
            room: id.to_string(),
            kind: match room.kind() {
                RoomKind::Group => "group",
                RoomKind::Direct => "direct",
                RoomKind::Own => "own",
            }
            .to_owned(),
            members: room.members().len() as u64,
            seq: head.seq.0,
            rev: head.rev.0,
        });
    }
    Ok(rows)
}

/// Shorter ones are typed by accident.
const DEVICE_PREFIX_MIN: usize = 6;
