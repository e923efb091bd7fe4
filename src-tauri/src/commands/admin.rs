//! The relay, for its admins.

use super::TheShell;
use crate::convert::admin as convert;
use crate::failure::{Outcome, internal};
use crate::ipc::{
    AccountId, Announcement, AuditRecord, DeviceId, Hook, NewHook, ProfileId, RelayDevice, RelayInvite,
    RelayKeep, RelayRefusal, RelayRole, RelayRoom, RelaySession, RelayShare, RelayUser, RoomId,
};
use kith_client::RequestError;
use kith_protocol::admin::{self, AdminRequest, AdminResponse};
use kith_protocol::error::ErrorCode as Refusal;
use kith_protocol::room::Role;

/// Records of the audit log that are shown.
const RECORDS_MAX: u32 = 1000;

async fn ask(shell: &TheShell<'_>, profile: &ProfileId, request: AdminRequest) -> Outcome<AdminResponse> {
    Ok(shell.client(profile)?.administer(request).await?)
}

/// The answer of this kind; anything else comes from a relay of another version.
macro_rules! answer {
    ($response:expr, $pattern:pat => $value:expr) => {
        match $response {
            $pattern => $value,
            _ => return Err(internal("the relay answered something else than was asked")),
        }
    };
}

/// All accounts but integrations.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_users(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<RelayUser>> {
    let users =
        answer!(ask(&shell, &profile, AdminRequest::Users).await?, AdminResponse::Users { users } => users);
    Ok(users.into_iter().filter(|user| !user.integration).filter_map(convert::user).collect())
}

/// Lets somebody connect, or shuts them out.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_user_enable(
    shell: TheShell<'_>,
    profile: ProfileId,
    account: AccountId,
    enabled: bool,
) -> Outcome {
    let user = account.0.to_string();
    let request =
        if enabled { AdminRequest::UserEnable { user } } else { AdminRequest::UserDisable { user } };
    ask(&shell, &profile, request).await.map(drop)
}

/// Changes what somebody may do on the relay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_user_role(
    shell: TheShell<'_>,
    profile: ProfileId,
    account: AccountId,
    role: RelayRole,
) -> Outcome {
    let request = AdminRequest::UserRole { user: account.0.to_string(), role: convert::role_of(role) };
    ask(&shell, &profile, request).await.map(drop)
}

/// Changes how much somebody may hold; `null`: what holds for all.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_user_quota(
    shell: TheShell<'_>,
    profile: ProfileId,
    account: AccountId,
    share: Option<RelayShare>,
) -> Outcome {
    let share = share.map(|RelayShare { bytes }| admin::Share { bytes });
    let request = AdminRequest::UserQuota { user: account.0.to_string(), share };
    ask(&shell, &profile, request).await.map(drop)
}

/// The devices of somebody.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_devices(
    shell: TheShell<'_>,
    profile: ProfileId,
    account: AccountId,
) -> Outcome<Vec<RelayDevice>> {
    let request = AdminRequest::Devices { user: Some(account.0.to_string()) };
    let devices =
        answer!(ask(&shell, &profile, request).await?, AdminResponse::Devices { devices } => devices);
    Ok(devices.into_iter().filter_map(convert::device).collect())
}

/// Shuts a device out.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_device_block(shell: TheShell<'_>, profile: ProfileId, device: DeviceId) -> Outcome {
    ask(&shell, &profile, AdminRequest::DeviceRevoke { device: device.0.to_string() }).await.map(drop)
}

/// The invites that can still be used, as far as one may see them.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_invites(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<RelayInvite>> {
    let invites = answer!(ask(&shell, &profile, AdminRequest::Invites).await?, AdminResponse::Invites { invites } => invites);
    Ok(invites.into_iter().map(convert::invite).collect())
}

/// Takes an invite back, whoever made it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_invite_revoke(shell: TheShell<'_>, profile: ProfileId, id: String) -> Outcome {
    ask(&shell, &profile, AdminRequest::InviteRevoke { invite: id }).await.map(drop)
}

/// All rooms.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_rooms(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<RelayRoom>> {
    let rooms =
        answer!(ask(&shell, &profile, AdminRequest::Rooms).await?, AdminResponse::Rooms { rooms } => rooms);
    Ok(rooms.into_iter().filter_map(convert::room).collect())
}

/// Changes what is kept of a room; `null`: what holds for all. Takes an owner of the relay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_room_keep(
    shell: TheShell<'_>,
    profile: ProfileId,
    room: RoomId,
    keep: Option<RelayKeep>,
) -> Outcome {
    let keep = keep.map(|RelayKeep { days, bytes }| admin::Keep { days, bytes });
    ask(&shell, &profile, AdminRequest::RoomKeep { room: room.0.to_string(), keep }).await.map(drop)
}

/// All integrations, revoked ones too.
#[tauri::command]
#[specta::specta]
pub(crate) async fn hooks(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<Hook>> {
    let hooks =
        answer!(ask(&shell, &profile, AdminRequest::Hooks).await?, AdminResponse::Hooks { hooks } => hooks);
    Ok(hooks.into_iter().filter_map(convert::hook).collect())
}

/// Makes an integration that writes into a group; it is added there at once where this account may do that.
#[tauri::command]
#[specta::specta]
pub(crate) async fn hook_new(
    shell: TheShell<'_>,
    profile: ProfileId,
    name: String,
    room: RoomId,
) -> Outcome<NewHook> {
    let new = admin::NewHook { name, room: Some(room.0.to_string()), user: None };
    let mut hook = made(&shell, &profile, new).await?;
    match shell.client(&profile)?.add_member(room.0, hook.account.0, Role::Member).await {
        Ok(()) => hook.is_member = true,
        // Its address must not be lost: it was made, and somebody else has to let it in.
        Err(RequestError::Denied | RequestError::Refused(Refusal::Denied)) => {}
        Err(error) => tracing::warn!(%error, "the new integration was not added to its room"),
    }
    Ok(hook)
}

/// Makes an integration that writes to a person, in a chat of its own.
#[tauri::command]
#[specta::specta]
pub(crate) async fn hook_new_to(
    shell: TheShell<'_>,
    profile: ProfileId,
    name: String,
    account: AccountId,
) -> Outcome<NewHook> {
    let new = admin::NewHook { name, room: None, user: Some(account.0.to_string()) };
    made(&shell, &profile, new).await
}

async fn made(shell: &TheShell<'_>, profile: &ProfileId, new: admin::NewHook) -> Outcome<NewHook> {
    let hook =
        answer!(ask(shell, profile, AdminRequest::HookCreate(new)).await?, AdminResponse::Hook(hook) => hook);
    convert::new_hook(hook).ok_or_else(|| internal("the relay named an account that is none"))
}

/// Makes an integration's address good for nothing.
#[tauri::command]
#[specta::specta]
pub(crate) async fn hook_revoke(shell: TheShell<'_>, profile: ProfileId, account: AccountId) -> Outcome {
    ask(&shell, &profile, AdminRequest::HookRevoke { hook: account.0.to_string() }).await.map(drop)
}

/// Who is connected now.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_sessions(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<RelaySession>> {
    let sessions = answer!(ask(&shell, &profile, AdminRequest::Sessions).await?, AdminResponse::Sessions { sessions } => sessions);
    Ok(sessions.into_iter().filter_map(convert::session).collect())
}

/// What was refused lately, the newest first.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_refusals(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<RelayRefusal>> {
    let refusals = answer!(ask(&shell, &profile, AdminRequest::Refusals).await?, AdminResponse::Refusals { refusals } => refusals);
    Ok(refusals.into_iter().map(convert::refusal).collect())
}

/// The newest records of the audit log, the newest first.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_audit(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<AuditRecord>> {
    let request = AdminRequest::Audit { limit: RECORDS_MAX };
    let records = answer!(ask(&shell, &profile, request).await?, AdminResponse::Audit { records } => records);
    Ok(records.into_iter().rev().map(convert::record).collect())
}

/// What is announced to everybody, put away or not.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_announcement(
    shell: TheShell<'_>,
    profile: ProfileId,
) -> Outcome<Option<Announcement>> {
    let said = answer!(ask(&shell, &profile, AdminRequest::Announcement).await?, AdminResponse::Announcement { announcement } => announcement);
    Ok(said.as_ref().map(convert::announcement_row))
}

/// Announces something to everybody, in the place of what was announced before; `null`: until it is withdrawn.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_announce(
    shell: TheShell<'_>,
    profile: ProfileId,
    text: String,
    for_s: Option<u32>,
) -> Outcome {
    let request = AdminRequest::Announce { text, for_s: for_s.map(u64::from) };
    ask(&shell, &profile, request).await.map(drop)
}

/// Announces it no longer.
#[tauri::command]
#[specta::specta]
pub(crate) async fn relay_announcement_withdraw(shell: TheShell<'_>, profile: ProfileId) -> Outcome {
    ask(&shell, &profile, AdminRequest::AnnouncementWithdraw).await.map(drop)
}

/// What is announced to everybody on the relay, if the person has not put it away on any device.
#[tauri::command]
#[specta::specta]
pub(crate) async fn announcement(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Option<Announcement>> {
    Ok(shell.client(&profile)?.announcement().await?.as_ref().map(convert::announcement))
}

/// The person has read it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn announcement_put_away(shell: TheShell<'_>, profile: ProfileId) -> Outcome {
    Ok(shell.client(&profile)?.put_announcement_away().await?)
}
