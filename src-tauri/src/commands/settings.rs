//! How the app is, here and on all devices.

use super::TheShell;
use crate::failure::Outcome;
use crate::ipc::{
    DoNotDisturb, LocalSettings, NotificationAccess, ProfileId, Quiet, SelfTestStep, TrayStatus,
};
use crate::self_test as testing;
use tauri::ipc::Channel;

/// How the app is on this computer. What cannot be is put right in what is returned.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_settings(shell: TheShell<'_>, settings: LocalSettings) -> Outcome<LocalSettings> {
    shell.set_settings(settings).await
}

/// Whether notifications rest.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_do_not_disturb(shell: TheShell<'_>, quiet: Quiet) -> Outcome<DoNotDisturb> {
    shell.set_do_not_disturb(quiet).await
}

/// Looks again whether something shows tray icons.
#[tauri::command]
#[specta::specta]
pub(crate) async fn tray_status(shell: TheShell<'_>) -> Outcome<TrayStatus> {
    let shell = shell.inner().clone();
    let looked = tokio::task::spawn_blocking(move || shell.look_for_tray_host()).await;
    looked.map_err(|_| crate::failure::internal("the tray was not asked for"))
}

/// Whether the system lets Kith show notifications.
#[tauri::command]
#[specta::specta]
pub(crate) async fn notification_access(shell: TheShell<'_>) -> Outcome<NotificationAccess> {
    Ok(shell.desk()?.notification_access(false).await)
}

/// The same; asks the person first, where the system wants that. Say why before.
#[tauri::command]
#[specta::specta]
pub(crate) async fn ask_for_notifications(shell: TheShell<'_>) -> Outcome<NotificationAccess> {
    Ok(shell.desk()?.notification_access(true).await)
}

/// A setting that is the same on all devices of the account.
#[tauri::command]
#[specta::specta]
pub(crate) async fn setting(
    shell: TheShell<'_>,
    profile: ProfileId,
    name: String,
) -> Outcome<Option<String>> {
    Ok(shell.client(&profile)?.setting(name).await?)
}

/// Changes one.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_setting(
    shell: TheShell<'_>,
    profile: ProfileId,
    name: String,
    value: String,
) -> Outcome {
    Ok(shell.client(&profile)?.set_setting(name, value).await?)
}

/// Sends a message through the relay to a second session of this account, shows a notification and withdraws it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn self_test(
    shell: TheShell<'_>,
    profile: ProfileId,
    steps: Channel<SelfTestStep>,
) -> Outcome {
    let profile = shell.profile(&profile)?;
    testing::run(&shell, &profile, |step| {
        // A window that is gone needs no steps.
        let _ = steps.send(step);
    })
    .await
}
