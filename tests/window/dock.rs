//! The count on the dock: what docks hear, which no test can see.

use crate::app;
use crate::desktop::Desktop;
use crate::people::Terminal;
use crate::real::Relay;
use crate::wait::until_now;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use zbus::MatchRule;
use zbus::blocking::{MessageIterator, connection};
use zbus::zvariant::OwnedValue;

/// A dock that hears.
struct Dock {
    told: Arc<Mutex<Vec<Told>>>,
}

/// For which program, how many, and whether that is shown.
type Told = (String, i64, bool);

impl Dock {
    fn start(desktop: &Desktop) -> Self {
        let told: Arc<Mutex<Vec<Told>>> = Arc::default();
        let bus = connection::Builder::address(desktop.address()).unwrap().build().unwrap();
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface("com.canonical.Unity.LauncherEntry")
            .unwrap()
            .member("Update")
            .unwrap()
            .build();
        let heard = MessageIterator::for_match_rule(rule, &bus, None).unwrap();
        let into = Arc::clone(&told);
        // Ends with the bus.
        thread::spawn(move || {
            for message in heard.flatten() {
                let (app, values): (String, HashMap<String, OwnedValue>) =
                    message.body().deserialize().unwrap();
                let count = i64::try_from(values["count"].clone()).unwrap();
                let visible = bool::try_from(values["count-visible"].clone()).unwrap();
                into.lock().unwrap_or_else(PoisonError::into_inner).push((app, count, visible));
            }
        });
        Self { told }
    }

    async fn shows(&self, count: i64) {
        until_now(&format!("{count} on the dock"), || {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match told.last() {
                Some((app, shown, visible))
                    if app == "application://Kith.desktop" && *shown == count && *visible == (count > 0) =>
                {
                    Ok(())
                }
                _ => Err(told),
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dock_counts_what_is_unread() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let dock = Dock::start(&desktop);
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    let _app = app::start_undriven(&desktop, &["--hidden"]);
    desktop.tray().shows("idle").await;
    bob.dm("alice", "One.");
    dock.shows(1).await;
    bob.dm("alice", "Two.");
    dock.shows(2).await;
    desktop.dunst().tells("Bob", "Two.").await;
    desktop.dunst().mark_read();
    dock.shows(0).await;
}
