//! The window itself.

#![allow(clippy::unused_async, reason = "commands that are not async run on the thread that draws")]

use super::TheShell;
use crate::failure::{Outcome, internal};
use crate::feed::Sink;
use crate::ipc::{AppError, Boot, ErrorCode, Exported, LinkLook, Platform, Qr, Update};
use crate::markdown;
use crate::{links, log};
use tauri::ipc::Channel;

impl Sink for Channel<Vec<Update>> {
    fn send(&self, batch: Vec<Update>) -> bool {
        Channel::send(self, batch).is_ok()
    }
}

/// Attaches this window: updates go to `updates` from now on, and to no window before it. Returns all for the first picture.
#[tauri::command]
#[specta::specta]
pub(crate) async fn boot(shell: TheShell<'_>, updates: Channel<Vec<Update>>) -> Outcome<Boot> {
    shell.feed().attach(updates);
    Ok(picture(&shell, true))
}

/// The same again without a new channel, after `lagged`.
#[tauri::command]
#[specta::specta]
pub(crate) async fn refresh(shell: TheShell<'_>) -> Outcome<Boot> {
    Ok(picture(&shell, false))
}

fn picture(shell: &TheShell<'_>, first: bool) -> Boot {
    let (open, link) = if first { shell.take_ways() } else { (None, None) };
    let profiles = shell.all();
    let mut rooms: Vec<_> = profiles.iter().flat_map(|profile| profile.rooms()).collect();
    rooms.sort_by_key(|room| (std::cmp::Reverse(room.pinned), std::cmp::Reverse(room.active_at), room.id));
    let people = profiles.iter().flat_map(|profile| {
        let names = profile.names();
        names.all().map(|person| (profile.id().clone(), person.clone())).collect::<Vec<_>>()
    });
    Boot {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: PLATFORM,
        language: shell.words().language().to_owned(),
        people: people.collect(),
        presence: profiles.iter().flat_map(|profile| profile.presence()).collect(),
        profiles: profiles.iter().map(|profile| profile.view()).collect(),
        rooms,
        settings: shell.settings(),
        do_not_disturb: shell.do_not_disturb(),
        tray: shell.tray_status(),
        release: shell.release(),
        place: shell.place(),
        device_name: super::arrive::own_name(),
        open,
        link,
    }
}

/// The first picture is drawn.
#[tauri::command]
#[specta::specta]
pub(crate) async fn drawn(shell: TheShell<'_>) -> Outcome {
    shell.drawn();
    Ok(())
}

/// What the next window gets back as `place`: the UI's own words, at most 64 KiB.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_place(shell: TheShell<'_>, place: String) -> Outcome {
    if place.len() > PLACE_BYTES_MAX {
        return Err(AppError::new(ErrorCode::TooLong, "the place has more than 64 KiB"));
    }
    shell.set_place(place);
    Ok(())
}

/// Hides the window or quits, as the settings say.
#[tauri::command]
#[specta::specta]
pub(crate) async fn close_window(shell: TheShell<'_>) -> Outcome {
    shell.desk()?.close();
    Ok(())
}

/// Quits.
#[tauri::command]
#[specta::specta]
pub(crate) async fn quit(shell: TheShell<'_>) -> Outcome {
    shell.desk()?.quit();
    Ok(())
}

/// Opens a link in the system's browser or mail program: `http`, `https` and `mailto`, nothing else.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_link(shell: TheShell<'_>, href: String) -> Outcome {
    let Some(href) = markdown::safe_href(&href) else {
        let why = "Kith opens links to the web and to mail, and no others";
        return Err(AppError::new(ErrorCode::NotOpened, why));
    };
    shell.desk()?.open_url(&href).map_err(internal)
}

/// What the clipboard holds, if it is a Kith link.
#[tauri::command]
#[specta::specta]
pub(crate) async fn clipboard_link(shell: TheShell<'_>) -> Outcome<Option<LinkLook>> {
    let text =
        tokio::task::spawn_blocking(|| arboard::Clipboard::new().and_then(|mut board| board.get_text()));
    let Ok(Ok(text)) = text.await else { return Ok(None) };
    Ok(links::look(&text, |room| shell.profile_with(&room)).ok())
}

/// Puts a text on the clipboard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn copy_text(shell: TheShell<'_>, text: String) -> Outcome {
    shell.copy(text).await
}

/// A text as a QR code.
#[tauri::command]
#[specta::specta]
pub(crate) async fn qr(text: String) -> Outcome<Qr> {
    links::qr(&text)
}

/// Notes a failure of the UI in the log. No bodies, no names.
#[tauri::command]
#[specta::specta]
pub(crate) async fn report(message: String) -> Outcome {
    let message: String = message.chars().take(REPORT_CHARS_MAX).collect();
    tracing::error!(target: "kith::ui", message);
    Ok(())
}

/// Asks where to, and writes the log there; it holds ids and sizes, no bodies. `null`: the person gave up.
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_log(shell: TheShell<'_>) -> Outcome<Option<Exported>> {
    let Some(path) = shell.desk()?.ask_where("kith.log").await else { return Ok(None) };
    let logs = shell.dirs().logs.clone();
    let to = path.clone();
    let written = tokio::task::spawn_blocking(move || log::gather(&logs, &to)).await;
    let lines = written.map_err(|_| internal("the log was not written"))??;
    Ok(Some(Exported { path: path.display().to_string(), messages: lines }))
}

const PLATFORM: Platform = if cfg!(windows) {
    Platform::Windows
} else if cfg!(target_os = "macos") {
    Platform::Macos
} else {
    Platform::Linux
};
const PLACE_BYTES_MAX: usize = 64 * 1024;
const REPORT_CHARS_MAX: usize = 500;
