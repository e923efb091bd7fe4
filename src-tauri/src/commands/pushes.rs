//! Where the relay tells the person of messages while none of their devices is connected.

use super::TheShell;
use crate::convert::pushes as convert;
use crate::failure::Outcome;
use crate::ipc::{NewPush, NewPushPlace, ProfileId, Pushes};
use crate::shell::Shell;
use std::time::Duration;

/// Where, and what the person wants of it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn pushes(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Pushes> {
    Ok(convert::pushes(&shell.client(&profile)?.pushes().await?))
}

/// One more place. Its secret is told this once, if it was made here.
#[tauri::command]
#[specta::specta]
pub(crate) async fn push_add(
    shell: TheShell<'_>,
    profile: ProfileId,
    place: NewPushPlace,
) -> Outcome<NewPush> {
    add(&shell, &profile, place).await
}

pub(crate) async fn add(shell: &Shell, profile: &ProfileId, place: NewPushPlace) -> Outcome<NewPush> {
    let (pushes, secret) = shell.client(profile)?.add_push(place.into()).await?;
    Ok(NewPush { pushes: convert::pushes(&pushes), secret })
}

/// A place less.
#[tauri::command]
#[specta::specta]
pub(crate) async fn push_remove(shell: TheShell<'_>, profile: ProfileId, id: String) -> Outcome {
    Ok(shell.client(&profile)?.remove_push(convert::target(&id).into()).await?)
}

/// Sends a push there now; fails with `pushFailed` and the reason if it is not taken.
#[tauri::command]
#[specta::specta]
pub(crate) async fn push_test(shell: TheShell<'_>, profile: ProfileId, id: String) -> Outcome {
    test(&shell, &profile, &id).await
}

pub(crate) async fn test(shell: &Shell, profile: &ProfileId, id: &str) -> Outcome {
    Ok(shell.client(profile)?.test_push(convert::target(id).into()).await?)
}

/// Changes how long no device has to be connected, and whether a push says who wrote; what is `null` stays.
#[tauri::command]
#[specta::specta]
pub(crate) async fn push_set(
    shell: TheShell<'_>,
    profile: ProfileId,
    after_s: Option<u32>,
    show_sender: Option<bool>,
) -> Outcome {
    let after = after_s.map(|seconds| Duration::from_secs(seconds.into()));
    Ok(shell.client(&profile)?.set_push(after, show_sender).await?)
}
