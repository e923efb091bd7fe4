//! Desktop notifications over the session bus: replaced and withdrawn by id, with clicks, buttons and, where the server can,
//! an answer in place.

use super::Notifier;
use crate::desk::{Deed, Key, Notice, Urgency};
use crate::ipc::{NotificationAccess, OpenTarget};
use crate::tray::Doing;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::zvariant::{OwnedValue, Value};
use zbus::{MatchRule, Message};

/// One connection, kept open: some servers take notifications away with the connection that sent them.
pub(crate) struct Freedesktop {
    bus: Connection,
    shared: Arc<Shared>,
}

struct Shared {
    doing: Doing,
    /// The system's own "do not disturb", and whom to tell when it changes.
    quiet: Arc<AtomicBool>,
    quiet_changed: Box<dyn Fn() + Send + Sync>,
    ids: Mutex<Ids>,
}

#[derive(Default)]
struct Ids {
    by_key: BTreeMap<Key, u32>,
    shown: BTreeMap<u32, (Key, Option<OpenTarget>)>,
    /// What a click was worth, told just before the click itself.
    tokens: BTreeMap<u32, String>,
}

impl Freedesktop {
    /// Finds the server. `quiet` follows the system's own "do not disturb"; `quiet_changed` is called after it has changed.
    pub(crate) fn new(
        doing: Doing,
        quiet: Arc<AtomicBool>,
        quiet_changed: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let shared = Shared { doing, quiet, quiet_changed: Box::new(quiet_changed), ids: Mutex::default() };
        Self::connect(Arc::new(shared)).map_err(|error| error.to_string())
    }

    fn connect(shared: Arc<Shared>) -> zbus::Result<Self> {
        let bus = connection::Builder::session()?.method_timeout(ANSWER_MAX).build()?;
        let signals = |interface: &'static str| -> zbus::Result<MessageIterator> {
            let rule = MatchRule::builder()
                .msg_type(zbus::message::Type::Signal)
                .path(PATH)?
                .interface(interface)?
                .build();
            MessageIterator::for_match_rule(rule, &bus, Some(SIGNALS_MAX))
        };
        let notices = signals(INTERFACE)?;
        let properties = signals(PROPERTIES)?;
        let (hears, sees) = (Arc::downgrade(&shared), Arc::downgrade(&shared));
        thread::Builder::new().name("kith clicks".into()).spawn(move || {
            for message in notices.flatten() {
                let Some(shared) = hears.upgrade() else { return };
                shared.heard(&message);
            }
        })?;
        thread::Builder::new().name("kith quiet".into()).spawn(move || {
            for message in properties.flatten() {
                let Some(shared) = sees.upgrade() else { return };
                shared.changed(&message);
            }
        })?;
        let notifier = Self { bus, shared };
        notifier.shared.quiet.store(notifier.is_inhibited(), Ordering::Relaxed);
        Ok(notifier)
    }

    /// KDE's property; other servers keep their quiet themselves.
    fn is_inhibited(&self) -> bool {
        let answer = self.bus.call_method(Some(NAME), PATH, Some(PROPERTIES), "Get", &(INTERFACE, INHIBITED));
        let value = answer.ok().and_then(|answer| answer.body().deserialize::<OwnedValue>().ok());
        value.and_then(|value| bool::try_from(value).ok()).unwrap_or(false)
    }

    /// Asked each time: a server may be exchanged for another.
    fn abilities(&self) -> zbus::Result<BTreeSet<String>> {
        let answer = self.bus.call_method(Some(NAME), PATH, Some(INTERFACE), "GetCapabilities", &())?;
        Ok(answer.body().deserialize::<Vec<String>>()?.into_iter().collect())
    }

    fn notify(&self, notice: &Notice) -> zbus::Result<()> {
        let can = self.abilities()?;
        let body = if can.contains("body-markup") { escaped(&notice.body) } else { notice.body.clone() };
        let mut actions: Vec<&str> = Vec::new();
        if can.contains("actions") {
            actions.extend(["default", &notice.labels.open]);
            if notice.answers {
                actions.extend([MARK_READ, &notice.labels.mark_read]);
                if can.contains(REPLY) {
                    actions.extend([REPLY, &notice.labels.reply]);
                }
            }
        }
        let mut hints: HashMap<&str, Value<'_>> = HashMap::from([
            ("desktop-entry", Value::from("Kith")),
            ("category", Value::from(category(notice.urgency))),
            ("urgency", Value::from(urgency(notice.urgency))),
        ]);
        if notice.sound {
            hints.insert("sound-name", Value::from("message-new-instant"));
        } else {
            hints.insert("suppress-sound", Value::from(true));
        }
        if notice.answers && can.contains(REPLY) {
            hints.insert("x-kde-reply-placeholder-text", Value::from(notice.labels.reply.as_str()));
            hints.insert("x-kde-reply-submit-button-text", Value::from(notice.labels.reply.as_str()));
        }
        let replaces = self.shared.ids().by_key.get(&notice.key).copied().unwrap_or(0);
        let arguments =
            ("Kith", replaces, "kith", notice.title.as_str(), body.as_str(), actions, hints, -1_i32);
        let answer = self.bus.call_method(Some(NAME), PATH, Some(INTERFACE), "Notify", &arguments)?;
        let id: u32 = answer.body().deserialize()?;
        let mut ids = self.shared.ids();
        if replaces != id {
            ids.shown.remove(&replaces);
        }
        ids.by_key.insert(notice.key.clone(), id);
        ids.shown.insert(id, (notice.key.clone(), notice.target.clone()));
        Ok(())
    }

    fn close(&self, key: &Key) -> zbus::Result<()> {
        let Some(id) = self.shared.ids().forget(key) else { return Ok(()) };
        match self.bus.call_method(Some(NAME), PATH, Some(INTERFACE), "CloseNotification", &(id,)) {
            // It is gone already.
            Err(zbus::Error::MethodError(..)) => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

impl Drop for Freedesktop {
    fn drop(&mut self) {
        // Ends the threads that listen.
        let _ = self.bus.clone().close();
    }
}

impl Notifier for Freedesktop {
    fn show(&mut self, notice: &Notice) -> Result<(), String> {
        self.notify(notice).map_err(|error| error.to_string())
    }

    fn withdraw(&mut self, key: &Key) -> Result<(), String> {
        self.close(key).map_err(|error| error.to_string())
    }

    /// Nobody is asked here: there is a server or there is none.
    fn access(&mut self, _ask: bool) -> NotificationAccess {
        match self.abilities() {
            Ok(_) => NotificationAccess::Granted,
            Err(_) => NotificationAccess::Missing,
        }
    }
}

impl Shared {
    fn heard(&self, message: &Message) {
        let header = message.header();
        let Some(member) = header.member() else { return };
        let body = message.body();
        match member.as_str() {
            "ActivationToken" => {
                if let Ok((id, token)) = body.deserialize::<(u32, String)>() {
                    let mut ids = self.ids();
                    if ids.shown.contains_key(&id) {
                        ids.tokens.insert(id, token);
                    }
                }
            }
            "ActionInvoked" => {
                if let Ok((id, action)) = body.deserialize::<(u32, String)>() {
                    self.clicked(id, &action);
                }
            }
            "NotificationReplied" => {
                if let Ok((id, text)) = body.deserialize::<(u32, String)>()
                    && let Some(target) = self.ids().target(id)
                    && !text.trim().is_empty()
                {
                    (self.doing)(Deed::Reply(target, text));
                }
            }
            "NotificationClosed" => {
                if let Ok((id, _)) = body.deserialize::<(u32, u32)>() {
                    self.ids().gone(id);
                }
            }
            _ => {}
        }
    }

    fn clicked(&self, id: u32, action: &str) {
        let (target, token) = {
            let mut ids = self.ids();
            if !ids.shown.contains_key(&id) {
                return;
            }
            (ids.target(id), ids.tokens.remove(&id))
        };
        match (action, target) {
            (MARK_READ, Some(target)) => (self.doing)(Deed::MarkRead(target)),
            ("default", target) => (self.doing)(Deed::Open(target, token)),
            _ => {}
        }
    }

    fn changed(&self, message: &Message) {
        type Changed = (String, HashMap<String, OwnedValue>, Vec<String>);
        let Ok((interface, values, _)) = message.body().deserialize::<Changed>() else { return };
        let inhibited = values.get(INHIBITED).and_then(|value| bool::try_from(value.clone()).ok());
        if let Some(inhibited) = inhibited.filter(|_| interface == INTERFACE)
            && self.quiet.swap(inhibited, Ordering::Relaxed) != inhibited
        {
            (self.quiet_changed)();
        }
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ids {
    fn target(&self, id: u32) -> Option<OpenTarget> {
        self.shown.get(&id).and_then(|(_, target)| target.clone())
    }

    fn forget(&mut self, key: &Key) -> Option<u32> {
        let id = self.by_key.remove(key)?;
        self.gone(id);
        Some(id)
    }

    fn gone(&mut self, id: u32) {
        self.tokens.remove(&id);
        if let Some((key, _)) = self.shown.remove(&id)
            && self.by_key.get(&key) == Some(&id)
        {
            self.by_key.remove(&key);
        }
    }
}

/// As the specification numbers it.
fn urgency(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Normal => 1,
        Urgency::Critical => 2,
    }
}

fn category(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Normal => "im.received",
        Urgency::Critical => "im.error",
    }
}

/// What the servers that read markup read as it was written.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const INTERFACE: &str = "org.freedesktop.Notifications";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const INHIBITED: &str = "Inhibited";
const MARK_READ: &str = "mark-read";
/// KDE's name for an answer in place.
const REPLY: &str = "inline-reply";
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Signals that wait while a click is dealt with.
const SIGNALS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_bodies_is_shown_as_it_was_written() {
        assert_eq!(escaped("<b>a & b</b> \"'"), "&lt;b&gt;a &amp; b&lt;/b&gt; &quot;&apos;");
    }

    #[test]
    fn what_was_replaced_is_forgotten_and_what_took_its_place_is_not() {
        let mut ids = Ids::default();
        ids.by_key.insert(Key::Test, 2);
        ids.shown.insert(1, (Key::Test, None));
        ids.shown.insert(2, (Key::Test, None));
        ids.gone(1);
        assert_eq!(ids.by_key.get(&Key::Test), Some(&2));
        assert_eq!(ids.forget(&Key::Test), Some(2));
        assert!(ids.shown.is_empty());
    }
}
