//! The one window. Hidden means destroyed: nothing that must happen depends on it.
//!
//! ```text
//!  Gone --present--> Open --leave--> Leaving --its page has said all--> Going --destroyed--> Gone
//!                     ^                 |                                  |                  |
//!                     `-----present-----'                                  `--present: made anew
//! ```

use crate::ipc::Theme;
use crate::shell::Shell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tauri::utils::config::Color;
use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

pub(crate) const LABEL: &str = "main";

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Window {
    app: AppHandle,
    shell: Shell,
    paint: Paint,
    stage: Arc<Mutex<Stage>>,
    leavings: Arc<AtomicU64>,
}

#[derive(Default)]
enum Stage {
    #[default]
    Gone,
    /// In sight, or minimized.
    Open,
    /// Out of sight; the page hands over its drafts and its place. The number tells one leaving from another.
    Leaving(u64),
    /// Being destroyed. Whoever wants it back meanwhile gets a new one.
    Going { wanted: Option<Wanted> },
}

/// Somebody wants to see the window.
struct Wanted {
    /// What their click was worth on Wayland.
    token: Option<String>,
}

impl Window {
    pub(crate) fn new(app: &AppHandle, shell: &Shell, paint: Paint) -> Self {
        Self {
            app: app.clone(),
            shell: shell.clone(),
            paint,
            stage: Arc::default(),
            leavings: Arc::default(),
        }
    }

    /// Whether there is one, in sight or not.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_there(&self) -> bool {
        !matches!(*self.stage(), Stage::Gone | Stage::Going { .. })
    }

    /// Brings the window to the front, and makes it if there is none.
    pub(crate) fn present(&self, token: Option<&str>) {
        let (window, token) = (self.clone(), token.map(str::to_owned));
        self.on_main(move || window.present_now(token));
    }

    fn present_now(&self, token: Option<String>) -> tauri::Result<()> {
        {
            let mut stage = self.stage();
            if let Stage::Going { wanted } = &mut *stage {
                *wanted = Some(Wanted { token });
                return Ok(());
            }
            *stage = Stage::Open;
        }
        self.shell.tell_ways();
        let window = match self.app.get_webview_window(LABEL) {
            Some(window) => window,
            None => self.make()?,
        };
        window.unminimize()?;
        window.show()?;
        raise(&window, token.as_deref())
    }

    fn make(&self) -> tauri::Result<WebviewWindow> {
        self.shell.window_begun();
        let theme = self.shell.settings().theme;
        self.paint.apply(&self.app, theme);
        let ground = self.paint.is_dark(theme).map(|dark| if dark { DARK_GROUND } else { LIGHT_GROUND });
        let mut builder = WebviewWindowBuilder::new(&self.app, LABEL, WebviewUrl::default())
            .title("Kith")
            .inner_size(1080.0, 740.0)
            .min_inner_size(360.0, 420.0)
            .theme(fixed(theme))
            .data_directory(self.shell.dirs().web.clone())
            .disable_drag_drop_handler()
            .on_navigation(is_own)
            .on_new_window(|_, _| NewWindowResponse::Deny);
        if let Some(ground) = ground {
            builder = builder.background_color(ground);
        }
        let window = builder.build()?;
        // Where the count stands on the window, a new one has none yet.
        self.shell.tray_changed();
        Ok(window)
    }

    /// Takes the window out of sight at once, and away when its page has handed over what it has to.
    pub(crate) async fn leave(&self) {
        let number = self.leavings.fetch_add(1, Ordering::Relaxed);
        {
            let mut stage = self.stage();
            if !matches!(*stage, Stage::Open) {
                return;
            }
            *stage = Stage::Leaving(number);
        }
        self.hide();
        self.shell.say_goodbye(GOODBYE_MAX).await;
        self.shell.keep_place();
        {
            let mut stage = self.stage();
            if !matches!(*stage, Stage::Leaving(of) if of == number) {
                // Somebody wants to see it again.
                return;
            }
            *stage = Stage::Going { wanted: None };
        }
        // What leads to a place from now on waits for the next window.
        self.shell.forget_window();
        let Some(window) = self.app.get_webview_window(LABEL) else {
            self.gone();
            return;
        };
        if let Err(error) = window.destroy() {
            tracing::warn!(%error, "the window cannot be taken away");
            *self.stage() = Stage::Open;
        }
    }

    /// The last words of the page before the app ends.
    pub(crate) async fn end(&self) {
        self.hide();
        self.shell.say_goodbye(GOODBYE_MAX).await;
    }

    fn hide(&self) {
        if let Some(window) = self.app.get_webview_window(LABEL)
            && let Err(error) = window.hide()
        {
            tracing::warn!(%error, "the window cannot be hidden");
        }
    }

    /// It is destroyed.
    pub(crate) fn gone(&self) {
        let before = std::mem::take(&mut *self.stage());
        let window = self.clone();
        // Not here: Tauri still tidies up.
        if let Stage::Going { wanted: Some(Wanted { token }) } = before {
            tauri::async_runtime::spawn(async move { window.present(token.as_deref()) });
        } else {
            tauri::async_runtime::spawn(async move { window.rest() });
        }
    }

    /// Nobody wants to see it: what only a window needs ends.
    #[cfg(target_os = "linux")]
    fn rest(&self) {
        let window = self.clone();
        // Where windows are made: none is on its way meanwhile.
        self.on_main(move || {
            if matches!(*window.stage(), Stage::Gone) {
                crate::web_kit::end_network_process();
            }
            Ok(())
        });
    }

    /// These systems see to it themselves.
    #[cfg(not(target_os = "linux"))]
    fn rest(&self) {}

    /// Light or dark has changed.
    pub(crate) fn paint(&self) {
        let window = self.clone();
        self.on_main(move || {
            window.paint.apply(&window.app, window.shell.settings().theme);
            Ok(())
        });
    }

    fn on_main(&self, act: impl FnOnce() -> tauri::Result<()> + Send + 'static) {
        let queued = self.app.run_on_main_thread(move || {
            if let Err(error) = act() {
                tracing::error!(%error, "the window cannot be shown");
            }
        });
        if let Err(error) = queued {
            tracing::warn!(%error, "the app is ending: no window is shown");
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How light or dark comes into the window.
#[derive(Clone, Default)]
pub(crate) struct Paint {
    #[cfg(target_os = "linux")]
    pub(crate) looks: Arc<crate::appearance::Looks>,
    /// Whether GTK was told, and by us.
    #[cfg(target_os = "linux")]
    pub(crate) told: Arc<std::sync::atomic::AtomicBool>,
}

impl Paint {
    /// Whether it is dark, as far as that is known before it is drawn.
    fn is_dark(&self, theme: Theme) -> Option<bool> {
        match fixed(theme) {
            Some(theme) => Some(theme == tauri::Theme::Dark),
            None if theme == Theme::System => self.system_is_dark(),
            None => None,
        }
    }

    #[cfg(target_os = "linux")]
    fn system_is_dark(&self) -> Option<bool> {
        self.looks.prefers_dark()
    }

    /// These systems paint the ground themselves.
    #[cfg(not(target_os = "linux"))]
    fn system_is_dark(&self) -> Option<bool> {
        None
    }

    /// GTK paints what is not ours, and tells the page what the person prefers. On the main thread.
    #[cfg(target_os = "linux")]
    fn apply(&self, _app: &AppHandle, theme: Theme) {
        use gtk::prelude::GtkSettingsExt as _;
        let Some(settings) = gtk::Settings::default() else { return };
        let dark = match fixed(theme) {
            Some(theme) => Some(theme == tauri::Theme::Dark),
            None => self.looks.prefers_dark(),
        };
        // Whatever is set, GTK reads its whole theme anew: 20 ms of a window that is to come.
        match dark {
            Some(dark) if dark == settings.is_gtk_application_prefer_dark_theme() => {}
            Some(dark) => {
                self.told.store(true, Ordering::Relaxed);
                settings.set_gtk_application_prefer_dark_theme(dark);
            }
            None if self.told.swap(false, Ordering::Relaxed) => {
                settings.reset_property("gtk-application-prefer-dark-theme");
            }
            None => {}
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn apply(&self, app: &AppHandle, theme: Theme) {
        app.set_theme(fixed(theme));
    }
}

/// Light or dark, if the person has chosen one for this app.
fn fixed(theme: Theme) -> Option<tauri::Theme> {
    match theme {
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
        Theme::System | Theme::Contrast => None,
    }
}

/// Whether an address is the app itself. Everything else opens in the system's browser, after a look at it.
fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        "about" => url.as_str() == "about:blank",
        _ => false,
    }
}

/// On Wayland only whoever holds the token of a click comes to the front.
#[cfg(target_os = "linux")]
fn raise(window: &WebviewWindow, token: Option<&str>) -> tauri::Result<()> {
    use gtk::prelude::GtkWindowExt as _;
    if let Some(token) = token {
        let gtk_window = window.gtk_window()?;
        gtk_window.set_startup_id(token);
        gtk_window.present();
    }
    window.set_focus()
}

#[cfg(not(target_os = "linux"))]
fn raise(window: &WebviewWindow, _token: Option<&str>) -> tauri::Result<()> {
    window.set_focus()
}

const LIGHT_GROUND: Color = Color(255, 255, 255, 255);
const DARK_GROUND: Color = Color(20, 21, 26, 255);
/// How long a page may take to hand over drafts and place: on a busy computer far more than the usual milliseconds. Nobody
/// waits for it: the window is out of sight.
const GOODBYE_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_app_itself_is_navigated_to() {
        let own = |url: &str| is_own(&url.parse().unwrap());
        assert!(own("tauri://localhost/index.html"));
        assert!(own("http://tauri.localhost/"));
        for other in [
            "https://example.org",
            "file:///etc/passwd",
            "data:text/html,x",
            "http://tauri.localhost.example.org/",
        ] {
            assert!(!own(other), "{other}");
        }
    }
}
