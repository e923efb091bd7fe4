//! Dark and light, as the portal of the desktop says it.

use crate::app::App;
use crate::desktop::Desktop;
use crate::people::Terminal;
use crate::real::Relay;
use crate::wait::{until, until_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedValue, Value};

/// The part of the portal that knows what the person prefers.
struct Portal {
    bus: Connection,
    scheme: Arc<AtomicU32>,
}

impl Portal {
    fn start(desktop: &Desktop, scheme: u32) -> Self {
        let scheme = Arc::new(AtomicU32::new(scheme));
        let settings = Settings { scheme: Arc::clone(&scheme) };
        let builder = connection::Builder::address(desktop.address()).unwrap();
        let builder = builder.name("org.freedesktop.portal.Desktop").unwrap();
        Self { bus: builder.serve_at(PATH, settings).unwrap().build().unwrap(), scheme }
    }

    fn prefer(&self, scheme: u32) {
        self.scheme.store(scheme, Ordering::SeqCst);
        let body = (NAMESPACE, "color-scheme", Value::from(scheme));
        self.bus.emit_signal(None::<()>, PATH, INTERFACE, "SettingChanged", &body).unwrap();
    }
}

struct Settings {
    scheme: Arc<AtomicU32>,
}

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    /// Wrapped twice, as portals do.
    fn read(&self, namespace: &str, key: &str) -> zbus::fdo::Result<OwnedValue> {
        if (namespace, key) != (NAMESPACE, "color-scheme") {
            return Err(zbus::fdo::Error::Failed("no such setting".into()));
        }
        let scheme = Value::from(self.scheme.load(Ordering::SeqCst));
        Ok(Value::Value(Box::new(scheme)).try_into().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn window_and_tray_follow_the_desktop_into_the_dark_and_back() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let portal = Portal::start(&desktop, DARK);
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    let app = App::start(&desktop).await;
    looks(&app, true).await;
    app.picture("dark-as-the-desktop");
    portal.prefer(LIGHT);
    looks(&app, false).await;

    // While there is no window, too.
    desktop.close_window();
    app.hides().await;
    portal.prefer(DARK);
    until_now("an icon for a dark panel", || match desktop.tray().icon() {
        Some(icon) if icon.on_dark => Ok(()),
        other => Err(other),
    })
    .await;
    desktop.tray().click();
    app.appears().await;
    looks(&app, true).await;
}

async fn looks(app: &App<'_>, dark: bool) {
    let hoped = if dark { "dark" } else { "light" };
    until(&format!("a {hoped} page"), async || {
        let seen = app.window.execute(DARK_PAGE, vec![]).await;
        if seen.as_ref().is_ok_and(|seen| *seen == dark) { Ok(()) } else { Err(seen) }
    })
    .await;
    until_now(&format!("an icon for a {hoped} panel"), || match app.desktop().tray().icon() {
        Some(icon) if icon.on_dark == dark => Ok(()),
        other => Err(other),
    })
    .await;
}

const DARK_PAGE: &str = "return matchMedia('(prefers-color-scheme: dark)').matches";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.Settings";
const NAMESPACE: &str = "org.freedesktop.appearance";
const DARK: u32 = 1;
const LIGHT: u32 = 2;
