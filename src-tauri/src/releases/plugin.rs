//! The plugin of Tauri: finds this system's file in a list, checks signature and version, and hands it to the installers of
//! systems that have some.

use super::{Offer, ReleaseError};
use serde_json::{Value, json};
#[cfg(target_os = "linux")]
use tauri::Manager as _;
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Config, Runtime, Wry};
use tauri_plugin_updater::{Error, Update, Updater, UpdaterExt as _};

/// Tells the plugin whose signature counts.
pub(crate) fn configure(config: &mut Config) {
    let key = super::key().unwrap_or_default();
    let settings = json!({ "pubkey": key, "requireSignedVersion": true });
    config.plugins.0.insert("updater".to_owned(), settings);
}

pub(crate) fn plugin<R: Runtime>() -> TauriPlugin<R, tauri_plugin_updater::Config> {
    tauri_plugin_updater::Builder::new().build()
}

/// What a list offers that is newer than this version.
pub(crate) fn newer(app: &AppHandle<Wry>, list: &Value) -> Result<Option<Offer>, ReleaseError> {
    let update = restored(&updater(app, || ())?, list)?;
    Ok(update.map(|update| Offer {
        version: update.version,
        notes: update.body.unwrap_or_default(),
        url: update.download_url.into(),
    }))
}

/// Checks a file and puts it in the place of this program. On Windows the installer takes over from there: `before` runs,
/// and the process ends. Blocks.
pub(crate) fn install(
    app: &AppHandle<Wry>,
    list: &Value,
    file: &[u8],
    before: impl Fn() + Send + Sync + 'static,
) -> Result<(), ReleaseError> {
    let update = restored(&updater(app, before)?, list)?.ok_or(ReleaseError::Nothing)?;
    let untrusted =
        |error: &Error| ReleaseError::Untrusted { version: update.version.clone(), why: error.to_string() };
    update.verify(file).map_err(|error| untrusted(&error))?;
    put_in_place(app, &update, file).map_err(ReleaseError::NotPlaced)
}

#[cfg(target_os = "linux")]
fn put_in_place(app: &AppHandle<Wry>, _update: &Update, file: &[u8]) -> Result<(), String> {
    let image = app.env().appimage.ok_or("it is no AppImage")?;
    super::place::exchange(image.as_ref(), file).map_err(|error| error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn put_in_place(_app: &AppHandle<Wry>, update: &Update, file: &[u8]) -> Result<(), String> {
    update.install(file).map_err(|error| error.to_string())
}

fn restored(updater: &Updater, list: &Value) -> Result<Option<Update>, ReleaseError> {
    // Unlike what the plugin fetches itself, this always has to be signed for its very version.
    match updater.restore_update(list.clone()) {
        // There is nothing for a system like this one.
        Err(Error::TargetNotFound(_) | Error::TargetsNotFound(_)) => Ok(None),
        restored => restored.map_err(|error| ReleaseError::List(error.to_string())),
    }
}

fn updater(app: &AppHandle<Wry>, before: impl Fn() + Send + Sync + 'static) -> Result<Updater, ReleaseError> {
    let never = ReleaseError::List;
    let ending = app.clone();
    app.updater_builder()
        .endpoints(vec![NOBODY.parse().map_err(|_| never(NOBODY.to_owned()))?])
        .map_err(|error| never(error.to_string()))?
        .on_before_exit(move || {
            before();
            ending.cleanup_before_exit();
        })
        .build()
        .map_err(|error| never(error.to_string()))
}

/// The plugin wants somebody to ask, and is never told to ask.
const NOBODY: &str = "https://nobody.invalid/";
