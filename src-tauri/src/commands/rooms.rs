//! Rooms: their lists, their lines, their members.

#![allow(clippy::unused_async, reason = "commands that are not async run on the thread that draws")]

use super::TheShell;
use crate::convert;
use crate::failure::Outcome;
use crate::ipc::{AccountId, Member, Mute, Page, ProfileId, Role, RoomId, RoomItem, RoomProof, Seq};
use crate::links;
use crate::profile::Profile;
use kith_client::timeline::Message;
use kith_client::{RequestError, RoomWish};
use kith_protocol::ids;

/// All rooms of a profile, sorted for a list.
#[tauri::command]
#[specta::specta]
pub(crate) async fn rooms(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<RoomItem>> {
    shell.profile(&profile)?.reload_rooms().await
}

/// The newest lines of a room; from now on its changes are told, until `room_close` or another window. Changes that are told
/// before the answer is there count too: keep them, and apply them to it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn room_open(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    limit: u32,
) -> Outcome<Page> {
    let profile = shell.profile(&profile)?;
    // First: what comes in between is told twice rather than not at all.
    profile.open_room(room.0);
    let client = profile.client()?;
    let lines = client.history(room.0, None, size(limit)).await?;
    // What is missing is fetched behind the window's back; short pages are asked for again by scrolling.
    let at_start = is_start(&profile, room.0, &lines).await?;
    profile.page(lines, at_start, true).await
}

/// The window does not show the room any more.
#[tauri::command]
#[specta::specta]
pub(crate) async fn room_close(shell: TheShell<'_>, profile: ProfileId, room: RoomId) -> Outcome {
    shell.profile(&profile)?.close_room(&room.0);
    Ok(())
}

/// Lines before a place. What is missing on this device is fetched.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_before(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    before: Seq,
    limit: u32,
) -> Outcome<Page> {
    let profile = shell.profile(&profile)?;
    let client = profile.client()?;
    let lines = match client.fill(room.0, Some(before.into()), size(limit)).await {
        Err(RequestError::Offline | RequestError::Lost | RequestError::TimedOut) => {
            client.history(room.0, Some(before.into()), size(limit)).await?
        }
        filled => filled?,
    };
    let at_start = before.0 <= 1 || is_start(&profile, room.0, &lines).await?;
    profile.page(lines, at_start, false).await
}

/// Lines behind a place.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_after(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    after: Seq,
    limit: u32,
) -> Outcome<Page> {
    let profile = shell.profile(&profile)?;
    let lines = profile.client()?.history_after(room.0, after.into(), size(limit)).await?;
    let at_end = lines.len() < size(limit);
    profile.page(lines, false, at_end).await
}

/// Lines around a place, half of them before it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn history_around(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    seq: Seq,
    limit: u32,
) -> Outcome<Page> {
    let profile = shell.profile(&profile)?;
    let client = profile.client()?;
    let half = size(limit).div_ceil(2);
    let mut lines = match client.fill(room.0, Some(seq.into()), half).await {
        Err(RequestError::Offline | RequestError::Lost | RequestError::TimedOut) => {
            client.history(room.0, Some(seq.into()), half).await?
        }
        filled => filled?,
    };
    let at_start = seq.0 <= 1 || is_start(&profile, room.0, &lines).await?;
    let behind = client.history_after(room.0, ids::Seq(seq.0.saturating_sub(1)), half).await?;
    let at_end = behind.len() < half;
    lines.extend(behind);
    profile.page(lines, at_start, at_end).await
}

/// Whether nothing comes before these lines. Not every entry is a line: the first line of a room may stand at a later place.
async fn is_start(profile: &Profile, room: ids::RoomId, lines: &[Message]) -> Outcome<bool> {
    let first_of_all = profile.client()?.history_after(room, ids::Seq::ZERO, 1).await?;
    let first = lines.iter().find_map(|line| line.seq);
    Ok(match (first, first_of_all.first().and_then(|line| line.seq)) {
        (Some(first), Some(first_of_all)) => first <= first_of_all,
        // What this device does not hold from its beginning begins somewhere else.
        (Some(first), None) => first.0 <= 1,
        (None, first_of_all) => {
            first_of_all.is_none() && profile.room(&room).is_none_or(|room| room.complete)
        }
    })
}

/// Who is in a room.
#[tauri::command]
#[specta::specta]
pub(crate) async fn members(shell: TheShell<'_>, profile: ProfileId, room: RoomId) -> Outcome<Vec<Member>> {
    let profile = shell.profile(&profile)?;
    let members = profile.client()?.members(room.0).await?;
    Ok(profile.seen(|eyes| members.iter().map(|member| eyes.member(member)).collect()))
}

/// Makes a group.
#[tauri::command]
#[specta::specta]
pub(crate) async fn create_room(
    shell: TheShell<'_>,
    profile: ProfileId,
    name: String,
    others: Vec<AccountId>,
) -> Outcome<RoomId> {
    let others = others.into_iter().map(|account| account.0).collect();
    Ok(shell.client(&profile)?.create_room(name, others).await?.into())
}

/// The chat with somebody.
#[tauri::command]
#[specta::specta]
pub(crate) async fn direct(shell: TheShell<'_>, profile: ProfileId, account: AccountId) -> Outcome<RoomId> {
    Ok(shell.client(&profile)?.dm_with(account.0).await?.into())
}

/// The account's own room.
#[tauri::command]
#[specta::specta]
pub(crate) async fn own_room(shell: TheShell<'_>, profile: ProfileId) -> Outcome<RoomId> {
    Ok(shell.client(&profile)?.own_room().await?.into())
}

/// Adds somebody to a group.
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_member(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    account: AccountId,
) -> Outcome {
    let role = convert::role_of(Role::Member);
    Ok(shell.client(&profile)?.add_member(room.0, account.0, role).await?)
}

/// Sends somebody away from a group.
#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_member(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    account: AccountId,
) -> Outcome {
    Ok(shell.client(&profile)?.remove_member(room.0, account.0).await?)
}

/// Changes somebody's rights.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_role(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    account: AccountId,
    role: Role,
) -> Outcome {
    Ok(shell.client(&profile)?.set_role(room.0, account.0, convert::role_of(role)).await?)
}

/// Leaves a group.
#[tauri::command]
#[specta::specta]
pub(crate) async fn leave(shell: TheShell<'_>, profile: ProfileId, room: RoomId) -> Outcome {
    Ok(shell.client(&profile)?.leave(room.0).await?)
}

/// Gives a group another name.
#[tauri::command]
#[specta::specta]
pub(crate) async fn rename(shell: TheShell<'_>, profile: ProfileId, room: RoomId, name: String) -> Outcome {
    Ok(shell.client(&profile)?.rename(room.0, name).await?)
}

/// Gives a group another topic.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_topic(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    topic: String,
) -> Outcome {
    Ok(shell.client(&profile)?.set_topic(room.0, topic).await?)
}

/// How this person wants a room to be, on all devices.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_wish(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    mute: Mute,
    mentions_anyway: bool,
    pinned: bool,
) -> Outcome {
    let wish = RoomWish { muted_until: convert::muted_until(mute), mentions_anyway, pinned };
    Ok(shell.client(&profile)?.set_room_wish(room.0, wish).await?)
}

/// A link to a room or a message, for people who are in it: `kith://room/...`.
#[tauri::command]
#[specta::specta]
pub(crate) async fn room_link(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    seq: Option<Seq>,
) -> Outcome<String> {
    shell.client(&profile)?;
    Ok(links::to_room(room.0, seq))
}

/// Proves what this device holds of a room. Reads all of it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn verify(shell: TheShell<'_>, profile: ProfileId, room: RoomId) -> Outcome<RoomProof> {
    Ok(convert::proof(&shell.client(&profile)?.verify(room.0).await?))
}

/// Lines that one page may have: more than any screen shows.
fn size(limit: u32) -> usize {
    limit.clamp(1, PAGE_LINES_MAX) as usize
}

const PAGE_LINES_MAX: u32 = 500;
