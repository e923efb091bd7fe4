//! The account: devices, recovery, invites, name.

use super::TheShell;
use crate::convert;
use crate::failure::Outcome;
use crate::ipc::{
    AppError, Device, DeviceId, ErrorCode, Invite, Millis, Offer, OfferStep, ProfileId, RoomId,
};
use crate::links;
use crate::shell::now;
use kith_client::{Client, Relay};
use kith_protocol::limits::SLOT_LIFETIME_S;
use kith_protocol::link::InviteLink;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tauri::ipc::Channel;

/// Changes name or handle; what is `null` stays.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_profile(
    shell: TheShell<'_>,
    profile: ProfileId,
    name: Option<String>,
    handle: Option<String>,
) -> Outcome {
    let profile = shell.profile(&profile)?;
    profile.client()?.set_profile(name, handle).await?;
    profile.refresh_names().await?;
    shell.tell_profile(&profile);
    Ok(())
}

/// The devices of the account, revoked ones too.
#[tauri::command]
#[specta::specta]
pub(crate) async fn devices(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<Device>> {
    Ok(shell.client(&profile)?.devices().await?.iter().map(convert::device).collect())
}

/// Signs a device out, for good.
#[tauri::command]
#[specta::specta]
pub(crate) async fn revoke_device(shell: TheShell<'_>, profile: ProfileId, device: DeviceId) -> Outcome {
    Ok(shell.client(&profile)?.revoke(device.0).await?)
}

/// Offers a place in the account to another device, for ten minutes.
#[tauri::command]
#[specta::specta]
pub(crate) async fn offer_start(
    shell: TheShell<'_>,
    profile: ProfileId,
    steps: Channel<OfferStep>,
) -> Outcome<Offer> {
    let profile = shell.profile(&profile)?;
    stop_offer(&profile).await;
    let offer = profile.client()?.link_offer().await?;
    let link = offer.link().to_string();
    let shown = Offer {
        qr: links::qr(&link)?,
        code: offer.code().to_string(),
        link,
        expires_at: Millis(now() + SLOT_LIFETIME_S * 1000),
    };
    *profile.offer.lock().await = Some(offer);
    let waits = Arc::clone(&profile);
    let task = tokio::spawn(async move {
        // Taken out while it waits: `stop_offer` ends this task, and with it the offer.
        let Some(mut offer) = waits.offer.lock().await.take() else { return };
        let step = match offer.answered().await {
            Ok(answered) => {
                *waits.offer.lock().await = Some(offer);
                OfferStep::Answered { digits: answered.digits, device_name: answered.device_name }
            }
            Err(error) => OfferStep::Failed { error: error.into() },
        };
        // A window that is gone needs no digits.
        let _ = steps.send(step);
    });
    *profile.offer_task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    Ok(shown)
}

/// The digits are the same, or not.
#[tauri::command]
#[specta::specta]
pub(crate) async fn offer_confirm(shell: TheShell<'_>, profile: ProfileId, same: bool) -> Outcome {
    let offer = shell.profile(&profile)?.offer.lock().await.take();
    let offer = offer
        .ok_or_else(|| AppError::new(ErrorCode::Expired, "there is no code to confirm: make a new one"))?;
    if same {
        offer.confirm().await?;
    } else {
        offer.refuse().await?;
    }
    Ok(())
}

/// Takes the offer back.
#[tauri::command]
#[specta::specta]
pub(crate) async fn offer_cancel(shell: TheShell<'_>, profile: ProfileId) -> Outcome {
    let profile = shell.profile(&profile)?;
    stop_offer(&profile).await;
    Ok(())
}

async fn stop_offer(profile: &crate::profile::Profile) {
    let task = profile.offer_task.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(task) = task {
        task.abort();
        let _ = task.await;
    }
    drop(profile.offer.lock().await.take());
}

/// A new recovery key, in the place of an older one. Show it once.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recovery_new(shell: TheShell<'_>, profile: ProfileId) -> Outcome<String> {
    Ok(shell.client(&profile)?.recovery_new().await?.to_string())
}

/// Makes an invite. Takes an admin of the relay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn invite_new(
    shell: TheShell<'_>,
    profile: ProfileId,
    uses: u32,
    expires_in_s: u32,
    room: Option<RoomId>,
) -> Outcome<Invite> {
    let client = shell.client(&profile)?;
    let expires_in = Duration::from_secs(expires_in_s.into());
    let link = client.invite(uses, expires_in, room.map(|room| room.0)).await?;
    drawn(&link, uses, now() + u64::from(expires_in_s) * 1000)
}

/// The open invites of this account.
#[tauri::command]
#[specta::specta]
pub(crate) async fn invites(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Vec<Invite>> {
    let profile = shell.profile(&profile)?;
    let client = profile.client()?;
    let relay = client.relay().await?;
    let mut drawn_ones = Vec::new();
    for invite in client.invites().await? {
        if let Some(link) = link_of(&invite, &relay, profile.account()) {
            drawn_ones.push(drawn(&link, invite.uses, invite.expires_at)?);
        }
    }
    Ok(drawn_ones)
}

/// Takes an invite back.
#[tauri::command]
#[specta::specta]
pub(crate) async fn revoke_invite(shell: TheShell<'_>, profile: ProfileId, id: String) -> Outcome {
    let client: Client = shell.client(&profile)?;
    let invites = client.invites().await?;
    let invite = invites.iter().find(|invite| name_of(&invite.token) == id);
    let invite =
        invite.ok_or_else(|| AppError::new(ErrorCode::NotFound, "there is no such invite any more"))?;
    Ok(client.revoke_invite(invite).await?)
}

fn link_of(
    invite: &kith_protocol::frame::Invite,
    relay: &Relay,
    me: Option<kith_protocol::ids::AccountId>,
) -> Option<InviteLink> {
    let token = invite.token.as_ref().try_into().ok()?;
    Some(InviteLink { relay: relay.address.clone(), token, pin: relay.pin, from: me, room: invite.room })
}

fn drawn(link: &InviteLink, uses: u32, expires_at: u64) -> Outcome<Invite> {
    let text = link.to_string();
    Ok(Invite {
        id: name_of(&link.token),
        qr: links::qr(&text)?,
        link: text,
        uses,
        expires_at: Millis(expires_at),
        room: link.room.map(Into::into),
    })
}

/// A name that gives nothing away: the token is a secret.
fn name_of(token: &[u8]) -> String {
    kith_protocol::ids::Hash::of(&[b"kith invite name\0", token]).to_string().chars().take(16).collect()
}
