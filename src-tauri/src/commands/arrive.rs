//! The ways onto this computer: an invite, another device, the recovery key. And away from it.

#![allow(clippy::unused_async, reason = "commands that are not async run on the thread that draws")]

use super::TheShell;
use crate::failure::Outcome;
use crate::ipc::{
    AppError, Arrived, ConnectionInfo, ErrorCode, KeyChoice, LinkLook, LinkStep, ProfileId, ProfileState,
    Recovered,
};
use crate::shell::{Shell, now};
use crate::{convert, links};
use kith_client::keys::{Choice, Passphrase};
use kith_client::net::{Connect as _, Dial, DialError, RelayAddress, Trust};
use kith_client::{Client, Home, Newcomer, Relay};
use std::time::Duration;
use tauri::ipc::Channel;
use tokio::time::timeout;

/// What a text that was pasted, scanned or opened means.
#[tauri::command]
#[specta::specta]
pub(crate) async fn link_look(shell: TheShell<'_>, text: String) -> Outcome<LinkLook> {
    links::look(&text, |room| shell.profile_with(&room))
}

/// Makes a new account with an invite. Without a handle one is made from the name; without a name for this computer it has
/// its own.
#[tauri::command]
#[specta::specta]
pub(crate) async fn join(
    shell: TheShell<'_>,
    link: String,
    name: String,
    handle: Option<String>,
    key: KeyChoice,
    device_name: Option<String>,
) -> Outcome<Arrived> {
    let who = Newcomer { name, handle, device_name: device_name_or_own(device_name) };
    join_with(&shell, &link, who, choice(key)?).await
}

pub(crate) async fn join_with(shell: &Shell, link: &str, who: Newcomer, choice: Choice) -> Outcome<Arrived> {
    let invite = links::invite(link)?;
    let relay = Relay { address: invite.relay.clone(), pin: invite.pin };
    let (profile, home) = begin(shell)?;
    let joined = Client::join(home, shell.access(choice), &invite, who).await;
    let client = match joined {
        Ok(client) => client,
        Err(error) => return Err(explain(error.into(), &relay).await),
    };
    let room = first_room(&client).await;
    end(shell, &profile, client).await?;
    Ok(Arrived { profile, room: room.map(Into::into) })
}

/// Makes this computer a device of an account. `link` may be the bare code if `relay` says where. Returns when the other side
/// has confirmed.
#[tauri::command]
#[specta::specta]
pub(crate) async fn link_device(
    shell: TheShell<'_>,
    link: String,
    relay: Option<String>,
    key: KeyChoice,
    device_name: Option<String>,
    steps: Channel<LinkStep>,
) -> Outcome<Arrived> {
    let link = links::device(&link, relay.as_deref())?;
    let relay = Relay { address: link.relay.clone(), pin: link.pin };
    let (profile, home) = begin(&shell)?;
    let mut cancelled = shell.link_cancelled();
    let access = shell.access(choice(key)?);
    let name = device_name_or_own(device_name);
    let show = move |shown: kith_client::Digits| {
        // A window that is gone needs no digits.
        let _ = steps.send(LinkStep::Digits { digits: shown.digits, handle: shown.handle });
    };
    let linked = tokio::select! {
        linked = Client::link(home, access, &link, &name, show) => linked,
        _ = cancelled.changed() => return Err(AppError::new(ErrorCode::Cancelled, "linking was given up")),
    };
    let client = match linked {
        Ok(client) => client,
        Err(error) => return Err(explain(error.into(), &relay).await),
    };
    end(&shell, &profile, client).await?;
    Ok(Arrived { profile, room: None })
}

/// Ends `link_device`.
#[tauri::command]
#[specta::specta]
pub(crate) async fn link_cancel(shell: TheShell<'_>) -> Outcome {
    shell.cancel_link();
    Ok(())
}

/// Makes this computer the only device of an account, with its recovery key. `relay` is an address or any link of that relay.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recover(
    shell: TheShell<'_>,
    recovery_key: String,
    relay: String,
    key: KeyChoice,
    device_name: Option<String>,
) -> Outcome<Recovered> {
    let recovery_key = recovery_key.parse().map_err(|_| {
        AppError::new(
            ErrorCode::UnknownKey,
            "the recovery key is mistyped: compare it with what you wrote down",
        )
    })?;
    let relay = links::relay(&relay)?;
    let (profile, home) = begin(&shell)?;
    let access = shell.access(choice(key)?);
    let name = device_name_or_own(device_name);
    let recovered = Client::recover(home, access, &recovery_key, relay.clone(), &name).await;
    let (client, next) = match recovered {
        Ok(recovered) => recovered,
        Err(error) => return Err(explain(error.into(), &relay).await),
    };
    end(&shell, &profile, client).await?;
    Ok(Recovered { profile, recovery_key: next.to_string() })
}

/// Opens a profile that is locked.
#[tauri::command]
#[specta::specta]
pub(crate) async fn unlock(shell: TheShell<'_>, profile: ProfileId, passphrase: String) -> Outcome {
    let passphrase = Passphrase::new(passphrase)
        .ok_or_else(|| AppError::new(ErrorCode::WrongPassphrase, "the passphrase is empty"))?;
    shell.open(&profile, Choice::Passphrase(passphrase)).await
}

/// Tries again to open a profile that could not be opened.
#[tauri::command]
#[specta::specta]
pub(crate) async fn reopen(shell: TheShell<'_>, profile: ProfileId) -> Outcome {
    if shell.profile(&profile)?.view().state == ProfileState::Open {
        return Ok(());
    }
    shell.open(&profile, Choice::of_environment()).await
}

/// Takes a profile away from this computer, with all that it holds here. Revokes nothing.
#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_profile(shell: TheShell<'_>, profile: ProfileId) -> Outcome {
    shell.remove(&profile).await
}

/// Connects now.
#[tauri::command]
#[specta::specta]
pub(crate) async fn reconnect(shell: TheShell<'_>, profile: ProfileId) -> Outcome {
    shell.client(&profile)?.connect();
    Ok(())
}

/// The connection in detail.
#[tauri::command]
#[specta::specta]
pub(crate) async fn connection_info(shell: TheShell<'_>, profile: ProfileId) -> Outcome<ConnectionInfo> {
    let client = shell.client(&profile)?;
    let relay = client.relay().await?;
    let latency = client.latency().await.ok();
    Ok(ConnectionInfo {
        relay: relay.address,
        pin: relay.pin.map(|pin| pin.to_string()),
        protocol: kith_protocol::VERSION,
        latency_ms: latency.map(|latency| u32::try_from(latency.as_millis()).unwrap_or(u32::MAX)),
        connection: convert::connection(&client.connection()),
    })
}

/// A folder for a profile that is on its way in.
fn begin(shell: &Shell) -> Outcome<(ProfileId, Home)> {
    let profile = shell.newcomer()?;
    shell.set_arriving(&profile, true)?;
    let home =
        shell.homes().home(&profile.0).ok_or_else(|| crate::failure::internal("no name of a profile"))??;
    Ok((profile, home))
}

/// It has arrived.
async fn end(shell: &Shell, profile: &ProfileId, client: Client) -> Outcome {
    shell.set_arriving(profile, false)?;
    shell.adopt(profile, client).await
}

/// Where somebody who joined begins: the room of the invite, or the chat with whoever invited.
async fn first_room(client: &Client) -> Option<kith_protocol::ids::RoomId> {
    if let Ok(Some(room)) = client.invited_to().await {
        return Some(room);
    }
    let inviter = client.inviter().await.ok()??;
    client.dm_with(inviter.account).await.ok()
}

/// Why a relay cannot be reached, more precisely where that helps: a certificate that is not trusted is no broken cable.
async fn explain(error: AppError, relay: &Relay) -> AppError {
    if error.code != ErrorCode::Unreachable {
        return error;
    }
    let Ok(address) = RelayAddress::parse(&relay.address) else { return error };
    let dial = Dial::new(address, relay.pin.map_or(Trust::Platform, |pin| Trust::Pin(pin.0)));
    match timeout(EXPLAIN_MAX, dial.connect()).await {
        // No certificate holds on a computer that lives in the past.
        Ok(Err(DialError::BadCertificate { .. })) if now() < MADE_AT => {
            AppError::new(ErrorCode::WrongClock, "the clock of this computer is wrong: set it, and try again")
        }
        Ok(Err(why)) => (&why).into(),
        Ok(Ok(_)) | Err(_) => error,
    }
}

fn choice(key: KeyChoice) -> Outcome<Choice> {
    match key {
        KeyChoice::Best => Ok(Choice::of_environment()),
        KeyChoice::PlainFile => Ok(Choice::PlainFile),
        KeyChoice::Passphrase { passphrase } => Passphrase::new(passphrase)
            .map(Choice::Passphrase)
            .ok_or_else(|| AppError::new(ErrorCode::PassphraseNeeded, "the passphrase is empty")),
    }
}

fn device_name_or_own(wish: Option<String>) -> String {
    wish.map(|wish| fitting(&wish)).filter(|wish| !wish.is_empty()).unwrap_or_else(own_name)
}

/// What this computer is called among the devices of an account, unless the person calls it something else. Many a system
/// has no name of its own: any word will do then.
pub(crate) fn own_name() -> String {
    let name = std::env::var("KITH_DEVICE_NAME").ok().or_else(host_name).map(|name| fitting(&name));
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Computer".to_owned())
}

fn fitting(name: &str) -> String {
    let mut name = crate::names::plain(name, DEVICE_NAME_CHARS_MAX);
    while name.len() > kith_protocol::limits::DEVICE_NAME_BYTES_MAX {
        name.pop();
    }
    name
}

#[cfg(windows)]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    let read = std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    read.filter(|name| !name.is_empty()).or_else(|| std::env::var("HOSTNAME").ok())
}

/// 2026-11-01: when this was written, in milliseconds since 1970.
const MADE_AT: u64 = 1_793_491_200_000;
const EXPLAIN_MAX: Duration = Duration::from_secs(10);
const DEVICE_NAME_CHARS_MAX: usize = 40;
