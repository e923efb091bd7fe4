//! What shows notifications as Plasma's server does: with an answer in place, and with a "do not disturb" that others may
//! read. Plasma's own comes with its whole desktop; this one keeps to what the specification and its source say.

use crate::desktop::Desktop;
use crate::wait::until_now;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedValue, Value};

pub(crate) struct Plasma {
    bus: Connection,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    shown: Vec<Shown>,
    inhibited: bool,
}

/// A notification.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    id: u32,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) actions: Vec<String>,
    pub(crate) urgency: u8,
    /// What stands in the field for an answer.
    pub(crate) placeholder: Option<String>,
    /// Whether it is still there.
    pub(crate) open: bool,
}

impl Plasma {
    pub(crate) fn start(desktop: &Desktop) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let server = Server { state: Arc::clone(&state) };
        let builder = connection::Builder::address(desktop.address()).unwrap().name(NAME).unwrap();
        let bus = builder.serve_at(PATH, server).unwrap().build().unwrap();
        Self { bus, state }
    }

    /// Waits for a notification with this text.
    pub(crate) async fn tells(&self, text: &str) -> Shown {
        until_now(&format!("a notification: {text}"), || {
            let shown = self.shown();
            shown.iter().find(|one| one.open && one.body == text).cloned().ok_or(shown)
        })
        .await
    }

    /// Waits until nothing is left on the screen.
    pub(crate) async fn is_empty(&self) {
        until_now("no notification", || match self.shown() {
            shown if shown.iter().all(|one| !one.open) => Ok(()),
            shown => Err(shown),
        })
        .await;
    }

    /// All that there have been.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.state().shown.clone()
    }

    /// A person writes an answer into the notification, and sends it.
    pub(crate) fn answer(&self, shown: &Shown, text: &str) {
        self.tell("NotificationReplied", &(shown.id, text));
    }

    /// "Do not disturb" goes on or off.
    pub(crate) fn inhibit(&self, on: bool) {
        self.state().inhibited = on;
        let changed = HashMap::from([("Inhibited", Value::from(on))]);
        let body = (NAME, changed, Vec::<&str>::new());
        self.bus.emit_signal(None::<()>, PATH, PROPERTIES, "PropertiesChanged", &body).unwrap();
    }

    fn tell(&self, signal: &str, body: &(u32, &str)) {
        self.bus.emit_signal(None::<()>, PATH, NAME, signal, body).unwrap();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Server {
    state: Arc<Mutex<State>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::unused_self, reason = "the shape of an interface")]
    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body", "body-markup", "inhibitions", "inline-reply", "persistence"]
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        _app: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let id = if replaces == 0 { u32::try_from(state.shown.len()).unwrap() + 1 } else { replaces };
        for one in state.shown.iter_mut().filter(|one| one.id == id) {
            one.open = false;
        }
        let urgency = hints.get("urgency").and_then(|value| u8::try_from(value.clone()).ok()).unwrap_or(1);
        let placeholder = hints.get("x-kde-reply-placeholder-text");
        let placeholder = placeholder.and_then(|value| String::try_from(value.clone()).ok());
        state.shown.push(Shown { id, title, body, actions, urgency, placeholder, open: true });
        id
    }

    fn close_notification(&self, id: u32) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for one in state.shown.iter_mut().filter(|one| one.id == id) {
            one.open = false;
        }
    }

    #[zbus(property)]
    fn inhibited(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).inhibited
    }
}

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
