//! The real system around the app, made of Tauri and its plugins.

use crate::badge::Badge;
use crate::desk::{Deed, Desk, Key, Later, Notice, Tray};
use crate::ipc::NotificationAccess;
use crate::notifier::{Native, Notices};
use crate::releases::{self, Offer, ReleaseError};
use crate::shell::Shell;
use crate::tray::{Doing, Icon};
use crate::window::{self, Paint, Window};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};
use tauri::{AppHandle, Manager as _};
use tauri_plugin_autostart::ManagerExt as _;
use tauri_plugin_dialog::DialogExt as _;
use tauri_plugin_opener::OpenerExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Holds what of the system belongs to the app.
pub(crate) struct System {
    app: AppHandle,
    shell: Shell,
    notices: Notices,
    quiet: Arc<AtomicBool>,
    /// The newest tray to show, and a nudge for the thread that shows it.
    wanted: Arc<Mutex<Option<Tray>>>,
    nudge: SyncSender<()>,
    window: Window,
}

impl System {
    pub(crate) fn new(app: &AppHandle, shell: &Shell) -> io::Result<Self> {
        let doing = doing(shell);
        let paint = Paint::default();
        let window = Window::new(app, shell, paint.clone());
        app.manage(window.clone());
        #[cfg(target_os = "linux")]
        follow(shell, &window, &paint)?;
        let quiet = Arc::new(AtomicBool::new(false));
        let notices = notices(app, shell, &doing, &quiet)?;
        let wanted: Arc<Mutex<Option<Tray>>> = Arc::default();
        // One nudge is enough: the thread takes the newest.
        let (nudge, nudged) = sync_channel::<()>(1);
        let (shown, shell_of_icon, app_of_icon) = (Arc::clone(&wanted), shell.clone(), app.clone());
        thread::Builder::new().name("kith tray".into()).spawn(move || {
            let mut badge = Badge::new(&app_of_icon);
            let mut icon = None;
            while nudged.recv().is_ok() {
                let Some(tray) = shown.lock().unwrap_or_else(PoisonError::into_inner).take() else {
                    continue;
                };
                badge.set(tray.count);
                show(&app_of_icon, &shell_of_icon, &doing, &paint, &mut icon, tray);
                // A burst of messages is one change.
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a rest between two changes, on a thread of its own"
                )]
                thread::sleep(TRAY_REST);
            }
        })?;
        Ok(Self { app: app.clone(), shell: shell.clone(), notices, quiet, wanted, nudge, window })
    }
}

/// Hears from the desktop whether tray icons are shown, and whether the person prefers dark.
#[cfg(target_os = "linux")]
fn follow(shell: &Shell, window: &Window, paint: &Paint) -> io::Result<()> {
    let (shell_of_looks, painted) = (shell.clone(), window.clone());
    crate::appearance::follow(Arc::clone(&paint.looks), move || {
        painted.paint();
        shell_of_looks.tray_changed();
    })?;
    let (shell, window) = (shell.clone(), window.clone());
    crate::tray::watch_host(move |host| {
        let was = shell.tray_status().host;
        shell.tray_host_is(host);
        if was && !host {
            let (shell, window) = (shell.clone(), window.clone());
            tauri::async_runtime::spawn(async move {
                // A panel that is only started anew is back in a moment. What nobody can bring back must not stay hidden.
                if !shell.tray_comes(PANEL_BACK_MAX).await && !window.is_there() {
                    shell.lead_to(None, None);
                }
            });
        }
    })
}

/// Deeds come from any thread, and are done on the runtime.
fn doing(shell: &Shell) -> Doing {
    let shell = shell.clone();
    Arc::new(move |deed: Deed| {
        let shell = shell.clone();
        tauri::async_runtime::spawn(async move { shell.done(deed).await });
    })
}

#[cfg(target_os = "linux")]
fn notices(_app: &AppHandle, shell: &Shell, doing: &Doing, quiet: &Arc<AtomicBool>) -> io::Result<Notices> {
    let (doing, quiet, shell) = (Arc::clone(doing), Arc::clone(quiet), shell.clone());
    Notices::start(move || {
        let shell = shell.clone();
        Native::new(Arc::clone(&doing), Arc::clone(&quiet), move || {
            let shell = shell.clone();
            tauri::async_runtime::spawn(async move { shell.apply_attention().await });
        })
    })
}

#[cfg(windows)]
fn notices(app: &AppHandle, _shell: &Shell, doing: &Doing, _quiet: &Arc<AtomicBool>) -> io::Result<Notices> {
    let (app_id, doing) = (app.config().identifier.clone(), Arc::clone(doing));
    Notices::start(move || Native::new(&app_id, Arc::clone(&doing)))
}

#[cfg(target_os = "macos")]
fn notices(app: &AppHandle, _shell: &Shell, doing: &Doing, _quiet: &Arc<AtomicBool>) -> io::Result<Notices> {
    let (app, doing) = (app.clone(), Arc::clone(doing));
    Notices::start(move || Native::new(&app, Arc::clone(&doing)))
}

#[cfg(target_os = "linux")]
fn show(_app: &AppHandle, _shell: &Shell, doing: &Doing, paint: &Paint, icon: &mut Option<Icon>, tray: Tray) {
    let dark = paint.looks.panel_is_dark();
    if let Some(icon) = icon {
        icon.set(tray, dark);
        return;
    }
    match Icon::new(tray, dark, Arc::clone(doing)) {
        Ok(made) => *icon = Some(made),
        Err(error) => tracing::warn!(error, "there is no tray icon"),
    }
}

#[cfg(not(target_os = "linux"))]
fn show(app: &AppHandle, shell: &Shell, doing: &Doing, _paint: &Paint, icon: &mut Option<Icon>, tray: Tray) {
    let (made, set) = sync_channel(1);
    let (app_there, doing, before) = (app.clone(), Arc::clone(doing), icon.take());
    let queued = app.run_on_main_thread(move || {
        let shown = match before {
            Some(icon) => icon.set(&tray).map(|()| icon),
            None => Icon::new(&app_there, tray, doing),
        };
        // The other end waits.
        let _ = made.send(shown);
    });
    match (queued, set.recv()) {
        (Ok(()), Ok(Ok(shown))) => {
            *icon = Some(shown);
            shell.tray_host_is(true);
        }
        (_, Ok(Err(error))) => tracing::warn!(%error, "there is no tray icon"),
        _ => {}
    }
}

impl Desk for System {
    fn notify(&self, notice: Notice) {
        self.notices.show(notice);
    }

    fn withdraw(&self, key: &Key) {
        self.notices.withdraw(key.clone());
    }

    fn notify_and_wait(&self, notice: Notice) -> Later<Result<(), String>> {
        self.notices.show_and_wait(notice)
    }

    fn withdraw_and_wait(&self, key: &Key) -> Later<Result<(), String>> {
        self.notices.withdraw_and_wait(key.clone())
    }

    fn notification_access(&self, ask: bool) -> Later<NotificationAccess> {
        self.notices.access(ask)
    }

    fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    fn tray(&self, tray: Tray) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(tray);
        // Full: it is nudged already.
        let _ = self.nudge.try_send(());
    }

    #[cfg(target_os = "linux")]
    fn has_tray_host(&self) -> bool {
        crate::tray::has_host()
    }

    /// Windows and macOS always have a place for icons.
    #[cfg(not(target_os = "linux"))]
    fn has_tray_host(&self) -> bool {
        true
    }

    fn present(&self, token: Option<&str>) {
        self.window.present(token);
    }

    fn toggle(&self, token: Option<&str>) {
        let focused = self.app.get_webview_window(window::LABEL).is_some_and(|window| {
            window.is_focused().unwrap_or(false) && window.is_visible().unwrap_or(false)
        });
        if focused { self.close() } else { self.present(token) }
    }

    fn close(&self) {
        let (app, shell, window) = (self.app.clone(), self.shell.clone(), self.window.clone());
        tauri::async_runtime::spawn(async move {
            let looked = tokio::task::spawn_blocking(move || shell.look_for_tray_host());
            let hides =
                timeout(LOOK_MAX, looked).await.is_ok_and(|looked| looked.is_ok_and(|it| it.close_hides));
            tracing::info!(hides, "the window is closed");
            if hides {
                window.leave().await;
            } else {
                window.end().await;
                app.exit(0);
            }
        });
    }

    fn repaint(&self) {
        self.window.paint();
    }

    fn open_url(&self, url: &str) -> Result<(), String> {
        self.app.opener().open_url(url, None::<&str>).map_err(|error| error.to_string())
    }

    fn ask_where(&self, name: &str) -> Later<Option<PathBuf>> {
        let (answer, answered) = oneshot::channel();
        self.app.dialog().file().set_file_name(name).save_file(move |path| {
            // Whoever asked may be gone.
            let _ = answer.send(path);
        });
        Box::pin(async { answered.await.ok().flatten()?.into_path().ok() })
    }

    fn autostart(&self, on: bool) -> Result<(), String> {
        let launcher = self.app.autolaunch();
        let outcome = if on { launcher.enable() } else { launcher.disable() };
        outcome.map_err(|error| error.to_string())
    }

    fn is_autostarted(&self) -> Option<bool> {
        self.app.autolaunch().is_enabled().ok()
    }

    fn newer(&self, list: &Value) -> Result<Option<Offer>, ReleaseError> {
        releases::newer(&self.app, list)
    }

    fn install(&self, list: Value, file: Vec<u8>) -> Later<Result<(), ReleaseError>> {
        let (app, shell) = (self.app.clone(), self.shell.clone());
        let installed = tokio::task::spawn_blocking(move || {
            // Where an installer takes over, nothing else tells the profiles that it is over.
            let before = move || tauri::async_runtime::block_on(shell.shut_down());
            releases::install(&app, &list, &file, before)
        });
        Box::pin(async {
            installed.await.unwrap_or_else(|error| Err(ReleaseError::NotPlaced(error.to_string())))
        })
    }

    fn start_anew(&self) {
        let (app, window) = (self.app.clone(), self.window.clone());
        tauri::async_runtime::spawn(async move {
            window.end().await;
            app.request_restart();
        });
    }

    fn quit(&self) {
        let (app, window) = (self.app.clone(), self.window.clone());
        tauri::async_runtime::spawn(async move {
            window.end().await;
            app.exit(0);
        });
    }
}

/// How long the look at the tray may take when a window is closed: a bus may take longer to be reached than to answer.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// Between two changes of the tray: some panels redraw slowly.
const TRAY_REST: Duration = Duration::from_millis(100);
/// How long a panel may take to be started anew before a hidden window comes back.
#[cfg(target_os = "linux")]
const PANEL_BACK_MAX: Duration = Duration::from_secs(2);
