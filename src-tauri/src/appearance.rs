//! Dark or light: what the person has chosen for the whole desktop. Its portal knows, and says when that changes; it may be
//! slow or missing, so nobody waits for it.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::zvariant::{OwnedValue, Value};
use zbus::{MatchRule, Message};

/// What is known by now.
#[derive(Debug, Default)]
pub(crate) struct Looks(AtomicU8);

impl Looks {
    /// Whether the person prefers dark; `None`: nothing is known, or they prefer nothing.
    pub(crate) fn prefers_dark(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            DARK => Some(true),
            LIGHT => Some(false),
            _ => None,
        }
    }

    /// Whether the panel is dark. Of GNOME's it is known; else the colours that the person prefers are taken for its.
    pub(crate) fn panel_is_dark(&self) -> bool {
        let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
        desktop.split(':').any(|part| part.eq_ignore_ascii_case("gnome"))
            || self.prefers_dark().unwrap_or(true)
    }

    fn note(&self, scheme: u32) -> bool {
        let known = u8::try_from(scheme).unwrap_or(0);
        self.0.swap(known, Ordering::Relaxed) != known
    }
}

/// Asks, and listens from then on, on a thread of its own. `changed` is called after something has.
pub(crate) fn follow(looks: std::sync::Arc<Looks>, changed: impl Fn() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("kith looks".into()).spawn(move || {
        if let Err(error) = listen(&looks, changed) {
            tracing::debug!(%error, "dark or light is not known here");
        }
    })?;
    Ok(())
}

fn listen(looks: &Looks, changed: impl Fn()) -> zbus::Result<()> {
    let bus = connection::Builder::session()?.method_timeout(ANSWER_MAX).build()?;
    // First: what changes while the portal is being asked counts.
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(SETTINGS)?
        .member("SettingChanged")?
        .arg(0, NAMESPACE)?
        .build();
    let signals = MessageIterator::for_match_rule(rule, &bus, Some(SIGNALS_MAX))?;
    // No portal, or one that does not know: a later one says so by itself.
    if asked(&bus).is_some_and(|scheme| looks.note(scheme)) {
        changed();
    }
    for message in signals.flatten() {
        if told(&message).is_some_and(|scheme| looks.note(scheme)) {
            changed();
        }
    }
    Ok(())
}

fn asked(bus: &Connection) -> Option<u32> {
    let answer = bus.call_method(Some(PORTAL), PATH, Some(SETTINGS), "Read", &(NAMESPACE, SCHEME));
    let answer = answer.ok()?;
    let value: OwnedValue = answer.body().deserialize().ok()?;
    number(&value)
}

fn told(message: &Message) -> Option<u32> {
    let (_, key, value) = message.body().deserialize::<(String, String, OwnedValue)>().ok()?;
    if key == SCHEME { number(&value) } else { None }
}

/// Older portals wrap the value twice.
fn number(value: &Value<'_>) -> Option<u32> {
    match value {
        Value::U32(scheme) => Some(*scheme),
        Value::Value(inner) => number(inner),
        _ => None,
    }
}

const PORTAL: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SETTINGS: &str = "org.freedesktop.portal.Settings";
const NAMESPACE: &str = "org.freedesktop.appearance";
const SCHEME: &str = "color-scheme";
const DARK: u8 = 1;
const LIGHT: u8 = 2;
/// Longer than a bus waits for a portal that it has to start.
const ANSWER_MAX: Duration = Duration::from_secs(30);
const SIGNALS_MAX: usize = 8;
