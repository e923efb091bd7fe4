//! Notifications and the tray of a computer on which somebody is written to.

use crate::app::{self, App};
use crate::desktop::Desktop;
use crate::dunst::Asked;
use crate::people::Terminal;
use crate::real::Relay;
use crate::wait::never;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_click_on_a_notification_of_a_hidden_window_opens_that_message() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    let app = App::start(&desktop).await;
    desktop.tray().shows("idle").await;
    desktop.close_window();
    app.hides().await;

    bob.dm("alice", "Are you there?");
    desktop.dunst().tells("Bob", "Are you there?").await;
    let icon = desktop.tray().shows("mention").await;
    assert!(icon.tooltip.contains('1'), "{icon:?}");
    assert_eq!(icon.status, "NeedsAttention");
    bob.dm("alice", "It is about the garden.");
    desktop.dunst().tells("Bob", "It is about the garden.").await;
    // The newer one stands in the place of the older one.
    desktop.dunst().shows(1).await;
    desktop.picture("notification-while-hidden");

    desktop.dunst().click();
    app.appears().await;
    let view = app.sees_message("It is about the garden.").await;
    assert_eq!(view.title, "Bob");
    app.sees("that message lit up", |view| view.line("It is about the garden.").is_some_and(|line| line.lit))
        .await;
    desktop.dunst().shows(0).await;
    let icon = desktop.tray().shows("idle").await;
    assert_eq!(icon.status, "Active");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_on_one_device_is_withdrawn_on_the_other() {
    let relay = Relay::start().await;
    let (laptop, desk) = (Desktop::start("laptop").await, Desktop::start("desk").await);
    let bob = Terminal::apart(&laptop, "bob");
    Terminal::of_app(&laptop).join(&relay, "Alice", "alice");
    Terminal::of_app(&desk).link_to(&Terminal::of_app(&laptop));
    bob.join(&relay, "Bob", "bob");
    let (on_laptop, on_desk) = (App::start(&laptop).await, App::start(&desk).await);
    for (desktop, app) in [(&laptop, &on_laptop), (&desk, &on_desk)] {
        desktop.close_window();
        app.hides().await;
    }

    bob.dm("alice", "Coffee?");
    laptop.dunst().tells("Bob", "Coffee?").await;
    desk.dunst().tells("Bob", "Coffee?").await;
    desk.tray().shows("mention").await;

    laptop.dunst().click();
    on_laptop.appears().await;
    on_laptop.sees_message("Coffee?").await;
    desk.dunst().shows(0).await;
    desk.tray().shows("idle").await;
    assert!(matches!(desk.dunst().asked().last(), Some(Asked::Close { .. })), "the app has taken it away");

    // And the other way, without any window.
    laptop.close_window();
    on_laptop.hides().await;
    bob.dm("alice", "Or tea?");
    laptop.dunst().tells("Bob", "Or tea?").await;
    desk.dunst().tells("Bob", "Or tea?").await;
    desk.dunst().mark_read();
    laptop.dunst().shows(0).await;
    laptop.tray().shows("idle").await;
    desk.tray().shows("idle").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_notifies_in_the_chat_in_front_nor_twice() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "One, before the app has ever run.");
    let app = App::start(&desktop).await;
    app.open_chat("Bob").await;
    bob.dm("alice", "Two, into an open chat.");
    app.sees_message("Two, into an open chat.").await;
    desktop.tray().shows("idle").await;
    assert_eq!(desktop.dunst().count(), 0, "{:?}", desktop.dunst().asked());

    desktop.close_window();
    app.hides().await;
    bob.dm("alice", "Three, while hidden.");
    desktop.dunst().tells("Bob", "Three, while hidden.").await;
    desktop.dunst().close_all();
    app.kill().await;

    let app = App::start(&desktop).await;
    app.sees("what is unread", |view| view.unread("Bob") == Some(1)).await;
    desktop.tray().shows("mention").await;
    let again = async || (desktop.dunst().count() > 0).then(|| desktop.dunst().asked());
    never("it notified twice", Duration::from_secs(2), again).await;
    drop(app);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_time_away_there_is_one_summary() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "The first word.");
    alice.run(&["sync"]);
    for number in 1..=25 {
        bob.dm("alice", &format!("Number {number}"));
    }
    let _app = app::start_undriven(&desktop, &["--hidden"]);
    desktop.tray().shows("mention").await;
    desktop.dunst().shows(1).await;
    desktop.tray().line("all of them", |line| line.label == "Bob (26)").await;
    let asked = desktop.dunst().asked();
    assert!(asked.len() <= 2, "one summary, not one for each: {asked:#?}");
    assert!(
        asked.iter().any(|asked| matches!(asked, Asked::Show { title, .. } if title.contains("25"))),
        "{asked:#?}"
    );
    assert!(desktop.windows().is_empty(), "it has started hidden");
}
