//! Without a connection, and without a chance to say goodbye.

use crate::app::App;
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::real::Relay;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_offline_survives_kill_and_goes_out_in_its_order() {
    let mut relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let (alice, bob) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "bob"));
    alice.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "Write when you are home.");
    let app = App::start(&desktop).await;
    app.open_chat("Bob").await;
    app.say("On my way.").await;
    app.sees_message("On my way.").await;

    relay.kill();
    app.sees("that there is no connection", |view| view.says(word("connection_offline"))).await;
    app.say("First, without a connection.").await;
    app.say("Second, without a connection.").await;
    let waits = app
        .sees("that both wait", |view| {
            let waits = |text| view.line(text).is_some_and(|line| line.under_way.is_some());
            waits("First, without a connection.") && waits("Second, without a connection.")
        })
        .await;
    assert!(waits.says("2 messages wait"), "{:?}", waits.said);
    app.write("Third, not fini").await;
    app.picture("offline");
    // What the list shows comes from the engine: there it is kept.
    app.open_chat("Notes to self").await;
    app.sees("the draft in the list", |view| {
        view.chat("Bob").is_some_and(|chat| chat.last.ends_with("Third, not fini"))
    })
    .await;
    app.open_chat("Bob").await;
    app.kill().await;

    let app = App::start(&desktop).await;
    let view = app.sees("the chat that was open, with its draft", |view| {
        view.title == "Bob" && view.composer.as_deref() == Some("Third, not fini")
    });
    view.await;
    app.sees("what waits", |view| {
        view.line("Second, without a connection.").is_some_and(|line| line.under_way.is_some())
    })
    .await;

    relay.start_again();
    app.sees_message("First, without a connection.").await;
    let view = app.sees_message("Second, without a connection.").await;
    assert_eq!(view.composer.as_deref(), Some("Third, not fini"));
    let order: Vec<_> = view.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(order, SAID);
    let held = bob.run(&["history", "alice", "--sync"]);
    let held: Vec<_> =
        held.iter().filter(|line| line["kind"] == "text").map(|line| line["text"].clone()).collect();
    assert_eq!(held, SAID);
}

const SAID: [&str; 4] = [
    "Write when you are home.",
    "On my way.",
    "First, without a connection.",
    "Second, without a connection.",
];
