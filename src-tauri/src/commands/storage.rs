//! What lies on this disk.

use super::TheShell;
use crate::failure::{Outcome, internal};
use crate::ipc::{AppError, ErrorCode, Exported, ProfileId, Storage};
use crate::{export as exporting, profile};
use std::path::{Path, PathBuf};

/// What a profile takes on this disk.
#[tauri::command]
#[specta::specta]
pub(crate) async fn storage(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Storage> {
    sizes(&*shell.profile(&profile)?, shell.dirs().profiles.join(&profile.0)).await
}

/// Makes the store smaller, if it can be.
#[tauri::command]
#[specta::specta]
pub(crate) async fn compact(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Storage> {
    let compacted = shell.client(&profile)?.compact().await;
    compacted.map_err(|error| AppError::new(ErrorCode::Storage, error.to_string()))?;
    sizes(&*shell.profile(&profile)?, shell.dirs().profiles.join(&profile.0)).await
}

/// Asks where to, and writes one's own messages there as JSON. `null`: the person gave up.
#[tauri::command]
#[specta::specta]
pub(crate) async fn export(shell: TheShell<'_>, profile: ProfileId) -> Outcome<Option<Exported>> {
    let profile = shell.profile(&profile)?;
    let Some(path) = shell.desk()?.ask_where("kith-messages.json").await else { return Ok(None) };
    let messages = exporting::write(&profile, &path).await?;
    Ok(Some(Exported { path: path.display().to_string(), messages }))
}

async fn sizes(profile: &profile::Profile, folder: PathBuf) -> Outcome<Storage> {
    let held = profile.client()?.progress().await?.held;
    let path = folder.display().to_string();
    let measured = tokio::task::spawn_blocking(move || {
        let vault = bytes_below(&folder.join("vault.log"));
        (bytes_below(&folder).saturating_sub(vault), vault)
    });
    let (store_bytes, vault_bytes) = measured.await.map_err(|_| internal("the disk was not read"))?;
    Ok(Storage { store_bytes, vault_bytes, entries: held, path })
}

/// Bytes of a file, or of all files in a folder.
fn bytes_below(path: &Path) -> u64 {
    let Ok(about) = std::fs::symlink_metadata(path) else { return 0 };
    if !about.is_dir() {
        return about.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes_below(&entry.path())).sum()
}
