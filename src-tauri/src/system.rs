//! The real system around the app, made of Tauri and its plugins.

use crate::badge::Badge;
use crate::desk::{Deed, Desk, Key, Later, Notice, Tray};
use crate::notifier::{Native, Notices};
use crate::shell::Shell;
use crate::tray::{Doing, Icon};
use crate::window;
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

/// Holds what of the system belongs to the app.
pub(crate) struct System {
    app: AppHandle,
    shell: Shell,
    notices: Notices,
    quiet: Arc<AtomicBool>,
    /// The newest tray to show, and a nudge for the thread that shows it.
    wanted: Arc<Mutex<Option<Tray>>>,
    nudge: SyncSender<()>,
}

impl System {
    pub(crate) fn new(app: &AppHandle, shell: &Shell) -> io::Result<Self> {
        let doing = doing(shell);
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
                show(&app_of_icon, &shell_of_icon, &doing, &mut icon, tray);
                // A burst of messages is one change.
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a rest between two changes, on a thread of its own"
                )]
                thread::sleep(TRAY_REST);
            }
        })?;
        Ok(Self { app: app.clone(), shell: shell.clone(), notices, quiet, wanted, nudge })
    }

    fn on_main(&self, act: impl FnOnce(&AppHandle) -> tauri::Result<()> + Send + 'static) {
        let app = self.app.clone();
        let queued = self.app.run_on_main_thread(move || {
            if let Err(error) = act(&app) {
                tracing::error!(%error, "the window cannot be shown");
            }
        });
        if let Err(error) = queued {
            tracing::warn!(%error, "the app is ending: no window is shown");
        }
    }
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
fn show(app: &AppHandle, shell: &Shell, doing: &Doing, icon: &mut Option<Icon>, tray: Tray) {
    if let Some(icon) = icon {
        icon.set_dark(crate::appearance::panel_is_dark());
        icon.set(tray);
        return;
    }
    let (shell, app) = (shell.clone(), app.clone());
    let hosted = Arc::new(move |host: bool| {
        let was = shell.tray_status().host;
        shell.tray_host_is(host);
        // What nobody can bring back must not stay hidden.
        if was && !host && app.get_webview_window(window::LABEL).is_none() {
            shell.lead_to(None, None);
        }
    });
    match Icon::new(tray, Arc::clone(doing), hosted) {
        Ok(made) => *icon = Some(made),
        Err(error) => tracing::warn!(error, "there is no tray icon"),
    }
}

#[cfg(not(target_os = "linux"))]
fn show(app: &AppHandle, shell: &Shell, doing: &Doing, icon: &mut Option<Icon>, tray: Tray) {
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
        let (dirs, theme, token) =
            (self.shell.dirs().clone(), self.shell.settings().theme, token.map(str::to_owned));
        if self.app.get_webview_window(window::LABEL).is_none() {
            self.shell.window_begun();
        }
        self.on_main(move |app| window::present(app, &dirs, theme, token.as_deref()));
    }

    fn toggle(&self, token: Option<&str>) {
        let focused = self.app.get_webview_window(window::LABEL).is_some_and(|window| {
            window.is_focused().unwrap_or(false) && window.is_visible().unwrap_or(false)
        });
        if focused { self.close() } else { self.present(token) }
    }

    fn close(&self) {
        let (app, shell) = (self.app.clone(), self.shell.clone());
        tauri::async_runtime::spawn(async move {
            let asked = shell.clone();
            let looked = tokio::task::spawn_blocking(move || asked.look_for_tray_host());
            let hides = looked.await.is_ok_and(|status| status.close_hides);
            shell.say_goodbye(CLOSING_MAX).await;
            if !hides {
                app.exit(0);
                return;
            }
            shell.keep_place();
            if let Some(window) = app.get_webview_window(window::LABEL)
                && let Err(error) = window.destroy()
            {
                tracing::warn!(%error, "the window cannot be hidden");
            }
        });
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

    fn quit(&self) {
        let (app, shell) = (self.app.clone(), self.shell.clone());
        tauri::async_runtime::spawn(async move {
            shell.say_goodbye(CLOSING_MAX).await;
            app.exit(0);
        });
    }
}

/// How long a window that closes may take to hand over drafts and place.
const CLOSING_MAX: Duration = Duration::from_millis(300);
/// Between two changes of the tray: some panels redraw slowly.
const TRAY_REST: Duration = Duration::from_millis(100);
