//! The app among the other things of a desktop: one at a time, opened by links, closed into the tray.

use crate::app::{self, App};
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::real::Relay;
use crate::wait::{never, until_now};
use std::time::Duration;

/// Alice's computer, and Bob, who has written to her.
fn scene(relay: &Relay, desktop: &Desktop) {
    let bob = Terminal::apart(desktop, "bob");
    Terminal::of_app(desktop).join(relay, "Alice", "alice");
    bob.join(relay, "Bob", "bob");
    bob.dm("alice", "Hello.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_brings_the_first_to_the_front() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    scene(&relay, &desktop);
    let app = App::start(&desktop).await;
    let running = desktop.app_processes();
    let window = desktop.windows().pop().unwrap();
    desktop.xdotool(&["windowminimize", "--sync", &window]).unwrap();
    until_now(
        "no window in sight",
        || if desktop.windows().is_empty() { Ok(()) } else { Err("it is there") },
    )
    .await;

    app::start_again(&desktop, &["--hidden"]).await;
    assert!(desktop.windows().is_empty(), "a hidden start shows nothing");
    app::start_again(&desktop, &[]).await;
    until_now("the window in front", || {
        let active = desktop.xdotool(&["getactivewindow", "getwindowname"]);
        if active.as_ref().is_ok_and(|name| name.ends_with("Kith")) { Ok(()) } else { Err(active) }
    })
    .await;
    app.sees("the focus", |view| view.focused).await;
    assert_eq!(desktop.app_processes(), running, "it is the same process");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_into_the_running_app() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    scene(&relay, &desktop);
    let bob = Terminal::apart(&desktop, "bob");
    for number in 1..=60 {
        bob.run(&["send", "alice", &format!("Number {number}"), "--timeout", "30s"]);
    }
    let history = bob.run(&["history", "alice", "-n", "55"]);
    let wanted = history.first().unwrap();
    let text = wanted["text"].as_str().unwrap();
    let link = format!("kith://room/{}/{}", wanted["room"].as_str().unwrap(), wanted["seq"]);

    let app = App::start(&desktop).await;
    app.sees("the chat", |view| view.unread("Bob") == Some(61)).await;
    app::start_again(&desktop, &[&link]).await;
    app.sees("the message that was linked to", |view| view.line(text).is_some_and(|line| line.lit)).await;

    // With the window hidden, too.
    desktop.close_window();
    app.hides().await;
    app::start_again(&desktop, &[&link]).await;
    app.appears().await;
    app.sees("the message that was linked to", |view| view.title == "Bob" && view.has(text)).await;

    // An invite is offered as one more account, and joined only when the person says so.
    app::start_again(&desktop, &[&relay.invite().to_string()]).await;
    app.sees("the field for a name", |view| view.title == word("first_title_more")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_of_the_tray_opens_chats_keeps_quiet_and_quits() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    scene(&relay, &desktop);
    let bob = Terminal::apart(&desktop, "bob");
    let app = App::start(&desktop).await;
    desktop.tray().shows("mention").await;
    desktop.close_window();
    app.hides().await;

    let chat = desktop.tray().line("Bob (1)", |line| line.label == "Bob (1)").await;
    desktop.tray().choose_line(&chat);
    app.appears().await;
    app.sees("Bob's chat", |view| view.title == "Bob" && view.has("Hello.")).await;
    desktop.tray().shows("idle").await;
    assert!(
        desktop.tray().menu().iter().all(|line| !line.label.starts_with("Bob")),
        "{:?}",
        desktop.tray().menu()
    );
    desktop.close_window();
    app.hides().await;

    desktop.tray().choose(word("tray_dnd_on")).await;
    desktop.tray().line("quiet", |line| line.label == word("tray_dnd_on") && line.checked).await;
    bob.dm("alice", "Psst.");
    desktop.tray().line("Bob (1)", |line| line.label == "Bob (1)").await;
    let disturbed = async || (desktop.dunst().count() > 0).then(|| desktop.dunst().asked());
    never("it disturbed", Duration::from_secs(1), disturbed).await;
    desktop.tray().choose(word("tray_dnd_off")).await;
    desktop.tray().line("no quiet", |line| line.label == word("tray_dnd_off") && line.checked).await;
    bob.dm("alice", "Now!");
    desktop.dunst().tells("Bob", "Now!").await;

    desktop.tray().choose(word("tray_open")).await;
    app.appears().await;
    // A left click hides what has the focus, and brings it back.
    app.sees("the focus", |view| view.focused).await;
    desktop.tray().click();
    app.hides().await;
    desktop.tray().click();
    app.appears().await;

    desktop.tray().choose(word("tray_quit")).await;
    app::ended(&desktop).await;
    desktop.tray().is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_hides_only_where_a_tray_can_bring_it_back() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    scene(&relay, &desktop);
    let app = App::start(&desktop).await;
    app.open_chat("Bob").await;
    app.write("A thought that is not fini").await;
    desktop.close_window();
    app.hides().await;
    desktop.tray().click();
    app.appears().await;
    app.sees("the same place and the draft", |view| {
        view.title == "Bob" && view.composer.as_deref() == Some("A thought that is not fini")
    })
    .await;

    // The panel ends while the window is hidden: it comes back by itself.
    desktop.close_window();
    app.hides().await;
    desktop.lose_tray();
    app.appears().await;
    desktop.close_window();
    app::ended(&desktop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_start_shows_a_window_only_where_there_is_no_tray() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    scene(&relay, &desktop);
    {
        let _app = app::start_undriven(&desktop, &["--hidden"]);
        desktop.tray().shows("mention").await;
        desktop.dunst().tells("Bob", "Hello.").await;
        assert!(desktop.windows().is_empty(), "{:?}", desktop.windows());
    }
    app::ended(&desktop).await;
    desktop.lose_tray();
    let _app = app::start_undriven(&desktop, &["--hidden"]);
    until_now("a window", || if desktop.windows().is_empty() { Err("none") } else { Ok(()) }).await;
}
