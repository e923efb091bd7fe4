//! The one window. Hidden means destroyed: nothing that must happen depends on it.

use crate::dirs::Dirs;
use crate::ipc::Theme;
use tauri::utils::config::Color;
use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

pub(crate) const LABEL: &str = "main";

/// Brings the window to the front, and makes it if there is none. On the main thread.
pub(crate) fn present(app: &AppHandle, dirs: &Dirs, theme: Theme, token: Option<&str>) -> tauri::Result<()> {
    let window = match app.get_webview_window(LABEL) {
        Some(window) => window,
        None => make(app, dirs, theme)?,
    };
    window.unminimize()?;
    window.show()?;
    raise(&window, token)
}

fn make(app: &AppHandle, dirs: &Dirs, theme: Theme) -> tauri::Result<WebviewWindow> {
    let (theme, ground) = match theme {
        Theme::Light => (Some(tauri::Theme::Light), Some(Color(255, 255, 255, 255))),
        Theme::Dark => (Some(tauri::Theme::Dark), Some(Color(20, 21, 26, 255))),
        Theme::System | Theme::Contrast => (None, None),
    };
    let mut builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Kith")
        .inner_size(1080.0, 740.0)
        .min_inner_size(360.0, 420.0)
        .theme(theme)
        .data_directory(dirs.web.clone())
        .disable_drag_drop_handler()
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny);
    if let Some(ground) = ground {
        builder = builder.background_color(ground);
    }
    builder.build()
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
