//! Lists for the operator, read from the store. Each looks at everything there is: they are for people, not for loops.

use kith_protocol::{
    account::DeviceKind,
    ids::{AccountId, RoomId},
    room::{Room, RoomKind},
};

use std::sync::Arc;

use super::Refusal;
use crate::{
    admin::{AuditRow, DeviceRow, RefusalRow, RoomRow, SessionRow, UserRow},
    refusals::{self, Whom},
    relay::{
        conn::Conn,
        folds::{Folds, fold_account},
    },
    store::{AccountRow, AuditRecord, InviteRow, Reader, retention::Share},
};

/// Those that can still be used, each with the handle of who made it.
pub(super) fn invites(store: &dyn Reader, now: u64) -> Result<Vec<(InviteRow, Option<String>)>, Refusal> {
    let named = |invite: InviteRow| {
        let by = handle(store, invite.by)?;
        Ok((invite, by))
    };
    store.invites(now)?.into_iter().map(named).collect()
}

/// By id, or by enough of its beginning.
pub(super) fn find_invite(store: &dyn Reader, id: &str, now: u64) -> Result<InviteRow, Refusal> {
    let open = store.invites(now)?;
    let mut found = open.into_iter().filter(|invite| invite.id().starts_with(id));
    match (found.next(), found.next()) {
        (Some(invite), None) if !id.is_empty() => Ok(invite),
        (Some(_), _) => Err(Refusal::bad(&format!("`{id}` does not tell which invite: give more of its id"))),
        (None, _) => Err(Refusal::unknown("invite", id)),
    }
}

/// Of somebody, if it was somebody: the operator has none.
pub(super) fn handle(store: &dyn Reader, account: Option<AccountId>) -> Result<Option<String>, Refusal> {
    let Some(account) = account else { return Ok(None) };
    Ok(store.account(&account)?.map(|row| row.handle))
}

/// Those that came first, first.
pub(super) fn sessions(store: &dyn Reader, conns: &[Arc<Conn>]) -> Result<Vec<SessionRow>, Refusal> {
    let mut rows = Vec::new();
    for conn in conns {
        let identity = &conn.identity;
        let Some(row) = store.account(&identity.account)? else { continue };
        let fold = fold_account(store, &identity.account)?;
        let device = fold.as_ref().and_then(|fold| fold.live(&identity.device));
        rows.push(SessionRow {
            handle: row.handle,
            account: identity.account.to_string(),
            name: device.map(|device| device.name.clone()).unwrap_or_default(),
            device: identity.device.to_string(),
            address: conn.came.map(|came| came.from),
            since_ms: conn.came.map(|came| came.at),
            version: identity.version,
            away: conn.away.load(std::sync::atomic::Ordering::Relaxed),
        });
    }
    rows.sort_by_key(|row| row.since_ms);
    Ok(rows)
}

pub(super) fn refusals(store: &dyn Reader, newest: &[refusals::Refusal]) -> Result<Vec<RefusalRow>, Refusal> {
    let mut rows = Vec::new();
    for refusal in newest {
        let (handle, device, address) = match refusal.whom {
            Whom::Address(address) => (None, None, Some(address)),
            Whom::Device(account, device) => (handle(store, Some(account))?, Some(device.to_string()), None),
        };
        let (code, at_ms, times) = (refusal.code.to_owned(), refusal.at, refusal.times);
        rows.push(RefusalRow { code, handle, device, address, at_ms, times });
    }
    Ok(rows)
}

pub(super) fn users(store: &dyn Reader, for_all: Share) -> Result<Vec<UserRow>, Refusal> {
    store.search("", u32::MAX)?.into_iter().map(|row| user(store, row, for_all)).collect()
}

fn user(store: &dyn Reader, row: AccountRow, for_all: Share) -> Result<UserRow, Refusal> {
    let live = fold_account(store, &row.id)?.map_or(0, |fold| fold.live_devices().count());
    let rooms = store.rooms_of(&row.id)?.iter().filter(|membership| membership.left.is_none()).count();
    let own = store.share(&row.id)?;
    Ok(UserRow {
        handle: row.handle,
        account: row.id.to_string(),
        name: row.name,
        role: row.role,
        enabled: !row.disabled,
        devices: live as u64,
        rooms: rooms as u64,
        joined_ms: row.created_at,
        held: store.held(&row.id)?,
        quota: own.unwrap_or(for_all).bytes,
        own_quota: own.is_some(),
        integration: row.integration,
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

pub(super) fn audit_log(store: &dyn Reader, limit: u32) -> Result<Vec<AuditRow>, Refusal> {
    let row = |record: AuditRecord| {
        let by = handle(store, record.by)?;
        let subject = handle(store, record.event.account().and_then(|id| id.parse().ok()))?;
        Ok(AuditRow { at_ms: record.at, by, subject, event: record.event })
    };
    store.audit_log(limit)?.into_iter().map(row).collect()
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

pub(super) fn kind(store: &dyn Reader, room: &RoomId) -> Result<Option<RoomKind>, Refusal> {
    Ok(Folds::default().room(store, room)?.map(Room::kind))
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
            keep: store.keep(&id)?,
            forgotten: store.forgotten(&id)?.0,
        });
    }
    Ok(rows)
}

/// Shorter ones are typed by accident.
const DEVICE_PREFIX_MIN: usize = 6;
