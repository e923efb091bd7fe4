//! Newer versions of Kith.

use super::TheShell;
use crate::failure::Outcome;
use crate::ipc::Release;

/// Asks whether there is a newer version; downloads nothing.
#[tauri::command]
#[specta::specta]
pub(crate) async fn release_look(shell: TheShell<'_>) -> Outcome<Release> {
    Ok(shell.look_for_release().await?)
}

/// Fetches the version that is offered, checks it, puts it in the place of this one, and starts anew. On failure this one
/// stays, and runs on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn release_install(shell: TheShell<'_>) -> Outcome {
    Ok(shell.install_release().await?)
}
