//! Notifications where the system can do more with them, or wants quiet.

use crate::app::{self, App};
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::plasma::Plasma;
use crate::real::Relay;
use crate::wait::{never, until_now};
use std::time::Duration;

/// A desktop with a tray, on which Plasma's server shows notifications.
async fn plasma_desktop() -> (Desktop, Plasma) {
    let desktop = Desktop::without_tray("alice").await;
    desktop.host_tray();
    let plasma = Plasma::start(&desktop);
    (desktop, plasma)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_place_goes_out_and_marks_the_chat_as_read() {
    let relay = Relay::start().await;
    let (desktop, plasma) = plasma_desktop().await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    let _app = app::start_undriven(&desktop, &["--hidden"]);
    desktop.tray().shows("idle").await;

    bob.dm("alice", "Coffee?");
    let shown = plasma.tells("Coffee?").await;
    assert!(shown.actions.iter().any(|action| action == "inline-reply"), "{shown:?}");
    assert_eq!((shown.title.as_str(), shown.urgency), ("Bob", 1));
    assert_eq!(shown.placeholder.as_deref(), Some(word("notification_reply")));
    desktop.tray().shows("mention").await;
    plasma.answer(&shown, "In five minutes.");
    until_now("the answer at Bob", || {
        let held = bob.run(&["history", "alice", "--sync"]);
        let answered =
            held.iter().any(|line| line["text"] == "In five minutes." && line["sender"] == "alice");
        if answered { Ok(()) } else { Err(held) }
    })
    .await;
    desktop.tray().shows("idle").await;
    plasma.is_empty().await;
    assert!(desktop.windows().is_empty(), "no window was needed for that");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quiet_of_the_system_is_kept_and_ends_with_it() {
    let relay = Relay::start().await;
    let (desktop, plasma) = plasma_desktop().await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    plasma.inhibit(true);
    let app = App::start(&desktop).await;
    desktop.tray().shows("idle").await;
    desktop.close_window();
    app.hides().await;
    bob.dm("alice", "Psst.");
    desktop.tray().shows("mention").await;
    let disturbed = async || Some(plasma.shown()).filter(|shown| !shown.is_empty());
    never("it disturbed", Duration::from_secs(1), disturbed).await;

    plasma.inhibit(false);
    bob.dm("alice", "Now!");
    plasma.tells("Now!").await;
    plasma.inhibit(true);
    let before = plasma.shown().len();
    bob.dm("alice", "Psst again.");
    desktop.tray().line("Bob (3)", |line| line.label == "Bob (3)").await;
    let disturbed = async || Some(plasma.shown()).filter(|shown| shown.len() > before);
    never("it disturbed", Duration::from_secs(1), disturbed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_rests_shows_it_afterwards() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    let dunstctl = |arguments: &[&str]| {
        let output = desktop.command("dunstctl").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    dunstctl(&["set-paused", "true"]);
    let _app = app::start_undriven(&desktop, &["--hidden"]);
    desktop.tray().shows("idle").await;
    bob.dm("alice", "For later.");
    until_now("a notification that waits", || match dunstctl(&["count", "waiting"]).as_str() {
        "1" => Ok(()),
        other => Err(other.to_owned()),
    })
    .await;
    assert_eq!(desktop.dunst().count(), 0);
    dunstctl(&["set-paused", "false"]);
    desktop.dunst().tells("Bob", "For later.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_out_is_told_even_without_a_window() {
    let relay = Relay::start().await;
    let (desktop, plasma) = plasma_desktop().await;
    let (alice, phone) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "phone"));
    alice.join(&relay, "Alice", "alice");
    phone.link_to(&alice);
    let devices = phone.run(&["devices"]);
    let other = devices.iter().find(|device| device["this"] == false).unwrap();
    let _app = app::start_undriven(&desktop, &["--hidden"]);
    desktop.tray().shows("idle").await;
    phone.run(&["revoke", other["device"].as_str().unwrap(), "--yes"]);
    let shown = plasma.tells(word("error_revoked")).await;
    assert_eq!((shown.title.as_str(), shown.urgency), ("Alice", 2), "it stays until it is seen");
}
