//! A key store that is there and does not answer.

use crate::app;
use crate::desktop::Desktop;
use crate::people::Terminal;
use crate::process;
use crate::real::Relay;
use crate::wait::until_now;
use zbus::blocking::{Connection, connection, fdo::DBusProxy};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_store_that_does_not_answer_keeps_no_window_waiting() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    let _silent = silence_key_store(&desktop).await;

    let _app = app::start_undriven(&desktop, &[]);
    let log = until_now("a drawn window", || {
        let log = std::fs::read_to_string(desktop.kith_home().join("logs/kith.log")).unwrap_or_default();
        if log.contains("drawn") { Ok(log) } else { Err(log) }
    })
    .await;
    assert!(!log.contains("a profile cannot be opened"), "the window has waited for the key store: {log}");
    assert_eq!(desktop.windows().len(), 1);
    desktop.picture("silent-key-store");
}

/// Takes the place of the key store, and never says a word.
async fn silence_key_store(desktop: &Desktop) -> Connection {
    let of_desktop = process::with_environment(&format!("KITH_HOME={}", desktop.kith_home().display()));
    let stores = of_desktop.into_iter().filter(|id| {
        process::program_of(*id).is_some_and(|program| program.ends_with("gnome-keyring-daemon"))
    });
    process::kill(&stores.collect::<Vec<_>>());
    let bus = connection::Builder::address(desktop.address()).unwrap().build().unwrap();
    let names = DBusProxy::new(&bus).unwrap();
    until_now("a key store that is gone", || match names.name_has_owner(SECRETS.try_into().unwrap()) {
        Ok(false) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    bus.request_name(SECRETS).unwrap();
    bus
}

const SECRETS: &str = "org.freedesktop.secrets";
