//! Whether anything shows tray icons: the watcher of StatusNotifierItems knows, and says when that changes.

use std::time::Duration;
use std::{io, thread};
use zbus::MatchRule;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::Type;
use zbus::zvariant::OwnedValue;

/// Whether something shows them now, with a second to answer.
pub(crate) fn has_host() -> bool {
    connected().is_ok_and(|bus| is_hosted(&bus))
}

/// Tells at once, and from then on whenever it may have changed, on a thread of its own.
pub(crate) fn watch_host(told: impl Fn(bool) + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("kith host".into()).spawn(move || {
        if let Err(error) = listen(&told) {
            tracing::debug!(%error, "nobody says whether tray icons are shown");
        }
        // Without a bus there are no icons.
        told(false);
    })?;
    Ok(())
}

fn listen(told: &impl Fn(bool)) -> zbus::Result<()> {
    let bus = connected()?;
    let signals = MessageIterator::from(&bus);
    let watching = DBusProxy::new(&bus)?;
    let said = MatchRule::builder().msg_type(Type::Signal).interface(WATCHER)?.build();
    watching.add_match_rule(said)?;
    let came_or_went = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")?
        .member(OWNER_CHANGED)?
        .arg(0, WATCHER)?
        .build();
    watching.add_match_rule(came_or_went)?;
    told(is_hosted(&bus));
    for message in signals {
        let message = message?;
        let header = message.header();
        let of_hosts = header.member().is_some_and(|member| CHANGES.contains(&member.as_str()));
        if message.message_type() == Type::Signal && of_hosts {
            told(is_hosted(&bus));
        }
    }
    Ok(())
}

fn connected() -> zbus::Result<Connection> {
    connection::Builder::session()?.method_timeout(ANSWER_MAX).build()
}

fn is_hosted(bus: &Connection) -> bool {
    let answer = bus.call_method(
        Some(WATCHER),
        "/StatusNotifierWatcher",
        Some("org.freedesktop.DBus.Properties"),
        "Get",
        &(WATCHER, "IsStatusNotifierHostRegistered"),
    );
    let value = answer.ok().and_then(|answer| answer.body().deserialize::<OwnedValue>().ok());
    value.and_then(|value| bool::try_from(value).ok()).unwrap_or(false)
}

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const OWNER_CHANGED: &str = "NameOwnerChanged";
const CHANGES: [&str; 3] = [OWNER_CHANGED, "StatusNotifierHostRegistered", "StatusNotifierHostUnregistered"];
const ANSWER_MAX: Duration = Duration::from_secs(1);
