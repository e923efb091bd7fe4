//! The count on dock or taskbar.

use tauri::AppHandle;

/// Unity's protocol, which Plasma, GNOME's docks and others read as well: a signal on the session bus.
#[cfg(target_os = "linux")]
pub(crate) struct Badge {
    bus: Option<zbus::blocking::Connection>,
    last: u32,
}

#[cfg(target_os = "linux")]
impl Badge {
    pub(crate) fn new(_app: &AppHandle) -> Self {
        Self { bus: zbus::blocking::Connection::session().ok(), last: 0 }
    }

    /// Shows a number; 0: none.
    pub(crate) fn set(&mut self, count: u32) {
        use std::collections::HashMap;
        use zbus::zvariant::Value;
        let Some(bus) = self.bus.as_ref().filter(|_| self.last != count) else { return };
        self.last = count;
        let values: HashMap<&str, Value<'_>> = HashMap::from([
            ("count", Value::from(i64::from(count))),
            ("count-visible", Value::from(count > 0)),
        ]);
        let body = ("application://Kith.desktop", values);
        let sent = bus.emit_signal(
            None::<()>,
            "/chat/kith/launcher",
            "com.canonical.Unity.LauncherEntry",
            "Update",
            &body,
        );
        if let Err(error) = sent {
            tracing::debug!(%error, "the count on the dock was not told");
        }
    }
}

/// macOS's dock; on Windows a picture over the icon of the window.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Badge {
    app: AppHandle,
    /// What the window that there is shows; `None`: there is none, and a new one begins without a number.
    last: Option<u32>,
}

#[cfg(not(target_os = "linux"))]
impl Badge {
    pub(crate) fn new(app: &AppHandle) -> Self {
        Self { app: app.clone(), last: None }
    }

    /// Shows a number; 0: none.
    pub(crate) fn set(&mut self, count: u32) {
        use tauri::Manager as _;
        let Some(window) = self.app.get_webview_window(crate::window::LABEL) else {
            self.last = None;
            return;
        };
        if self.last.replace(count) == Some(count) {
            return;
        }
        #[cfg(target_os = "macos")]
        let shown = window.set_badge_count((count > 0).then_some(count.into()));
        #[cfg(windows)]
        let shown = window
            .set_overlay_icon((count > 0).then(|| tauri::include_image!("src-tauri/icons/unread-dot.png")));
        #[cfg(not(any(windows, target_os = "macos")))]
        let shown = {
            let _ = window;
            tauri::Result::Ok(())
        };
        if let Err(error) = shown {
            tracing::debug!(%error, "the count was not shown");
        }
    }
}
