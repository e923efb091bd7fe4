//! What is written, changed, read and found.

use super::TheShell;
use crate::failure::{self, Outcome};
use crate::find as finding;
use crate::ipc::{AccountId, Found, LineId, Millis, ProfileId, RoomId, Seq, Why};
use crate::why;
use kith_client::Outgoing;
use kith_protocol::event::Target;

/// Writes a text. It is on this disk when this returns, and goes out as soon as there is a connection.
#[tauri::command]
#[specta::specta]
pub(crate) async fn send(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    text: String,
    reply_to: Option<LineId>,
    mentions: Vec<AccountId>,
) -> Outcome<LineId> {
    let profile = shell.profile(&profile)?;
    let mentions = mentions.into_iter().map(|account| account.0).collect();
    let outgoing = Outgoing { text, reply_to: reply_to.map(|line| line.0), mentions };
    let txn = profile.client()?.send(room.0, outgoing).await?;
    let device = profile.device().ok_or_else(failure::closed)?;
    Ok(LineId(Target { device, txn }))
}

/// Puts another text in the place of an earlier one of one's own.
#[tauri::command]
#[specta::specta]
pub(crate) async fn edit(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    line: LineId,
    text: String,
) -> Outcome {
    shell.client(&profile)?.edit(room.0, line.0, text).await?;
    Ok(())
}

/// Takes a message away.
#[tauri::command]
#[specta::specta]
pub(crate) async fn redact(shell: TheShell<'_>, profile: ProfileId, room: RoomId, line: LineId) -> Outcome {
    shell.client(&profile)?.redact(room.0, line.0).await?;
    Ok(())
}

/// Chooses an emoji for a message, or takes it back.
#[tauri::command]
#[specta::specta]
pub(crate) async fn react(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    line: LineId,
    emoji: String,
    on: bool,
) -> Outcome {
    Ok(shell.client(&profile)?.react(room.0, line.0, emoji, on).await?)
}

/// Sends a message, or a change of one, once more that was refused.
#[tauri::command]
#[specta::specta]
pub(crate) async fn retry(shell: TheShell<'_>, profile: ProfileId, line: LineId) -> Outcome {
    shell.client(&profile)?.retry(line.0.txn).await?;
    Ok(())
}

/// Gives a message, or a change of one, up that was refused or waits.
#[tauri::command]
#[specta::specta]
pub(crate) async fn discard(shell: TheShell<'_>, profile: ProfileId, line: LineId) -> Outcome {
    shell.client(&profile)?.discard(line.0.txn).await?;
    Ok(())
}

/// What is being written and was not sent, on all devices; empty: nothing.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_draft(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    text: String,
) -> Outcome {
    Ok(shell.client(&profile)?.set_draft(room.0, text).await?)
}

/// Everything up to `seq` was read, on all devices.
#[tauri::command]
#[specta::specta]
pub(crate) async fn mark_read(shell: TheShell<'_>, profile: ProfileId, room: RoomId, seq: Seq) -> Outcome {
    Ok(shell.client(&profile)?.mark_read(room.0, seq.into()).await?)
}

/// Everything was read; `null`: in all profiles.
#[tauri::command]
#[specta::specta]
pub(crate) async fn mark_all_read(shell: TheShell<'_>, profile: Option<ProfileId>) -> Outcome {
    for one in shell.all().iter().filter(|one| profile.as_ref().is_none_or(|id| id == one.id())) {
        let Ok(client) = one.client() else { continue };
        for room in one.rooms().into_iter().filter(|room| room.unread > 0) {
            client.mark_read(room.id.0, room.newest.into()).await?;
        }
    }
    Ok(())
}

/// Lets the others know that something is being written, if the settings say so.
#[tauri::command]
#[specta::specta]
pub(crate) async fn typing(shell: TheShell<'_>, profile: ProfileId, room: RoomId) -> Outcome {
    if shell.settings().send_typing {
        shell.client(&profile)?.typing(room.0).await;
    }
    Ok(())
}

/// What the person looks at: the room that is open in the window, whether or not it has the focus; and whether they are away
/// from the keyboard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_attention(
    shell: TheShell<'_>,
    profile: Option<ProfileId>,
    room: Option<RoomId>,
    away: bool,
) -> Outcome {
    shell.look_at(profile.zip(room.map(|room| room.0)), away).await;
    Ok(())
}

/// Why there was a notification of a message, or none.
#[tauri::command]
#[specta::specta]
pub(crate) async fn why_notified(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    seq: Seq,
) -> Outcome<Why> {
    why::of(&*shell.profile(&profile)?, room.0, seq.into()).await
}

/// Finds text in what is stored on this device; `null`: everywhere. `before`: only what is older.
#[tauri::command]
#[specta::specta]
pub(crate) async fn find(
    shell: TheShell<'_>,
    profile: Option<ProfileId>,
    room: Option<RoomId>,
    text: String,
    before: Option<Millis>,
    limit: u32,
) -> Outcome<Found> {
    let profiles: Vec<_> =
        shell.all().into_iter().filter(|one| profile.as_ref().is_none_or(|id| id == one.id())).collect();
    finding::find(&profiles, room.map(|room| room.0), &text, before.map(|at| at.0), limit as usize).await
}
