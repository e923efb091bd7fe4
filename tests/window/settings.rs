//! What the settings do beyond this window: a test of the way, and files.

use crate::app::App;
use crate::desktop::Desktop;
use crate::dunst::Asked;
use crate::page::word;
use crate::people::Terminal;
use crate::real::Relay;
use crate::wait::until_now;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn the_self_test_goes_all_the_way_and_leaves_nothing() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    let app = App::start(&desktop).await;
    open(&app, "settings_page_notifications").await;
    app.press(word("settings_test_run")).await;
    let good = word("settings_test_good").split_once('{').unwrap().0;
    desktop.dunst().tells(word("notification_self_test"), word("notification_self_test_body")).await;
    app.sees("that all is well", |view| view.says(good)).await;
    app.picture("self-test");
    desktop.dunst().shows(0).await;
    assert!(matches!(desktop.dunst().asked().last(), Some(Asked::Close { .. })));
    app.kill().await;

    let alice = Terminal::of_app(&desktop);
    let devices = alice.run(&["devices"]);
    let live: Vec<_> = devices.iter().filter(|device| device["revoked"] == false).collect();
    assert_eq!((live.len(), devices.len()), (1, 2), "the second session is signed out: {devices:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_log_are_saved_where_the_person_says() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let bob = Terminal::apart(&desktop, "bob");
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "What Bob said is his.");
    let app = App::start(&desktop).await;
    app.open_chat("Bob").await;
    app.say("What I said: \"quoted\", ä, 你好.").await;
    app.sees_message("What I said: \"quoted\", ä, 你好.").await;

    let folder = desktop.config().join("saved");
    std::fs::create_dir_all(&folder).unwrap();
    let messages = folder.join("messages.json");
    open(&app, "settings_page_storage").await;
    app.press(word("settings_export_do")).await;
    save_as(&desktop, &messages).await;
    let saved = until_now("the messages", || {
        let text = std::fs::read_to_string(&messages).map_err(|error| error.to_string())?;
        serde_json::from_str::<Vec<serde_json::Value>>(&text).map_err(|error| format!("{error}: {text}"))
    })
    .await;
    assert_eq!(saved.len(), 1, "only one's own: {saved:?}");
    assert_eq!(saved[0]["text"], "What I said: \"quoted\", ä, 你好.");
    assert_eq!(saved[0]["chat"], "Bob");

    let log = folder.join("kith.log");
    app.press(word("settings_page_connection")).await;
    app.press(word("settings_log_do")).await;
    save_as(&desktop, &log).await;
    app.sees("where the log is", |view| view.says(&log.display().to_string())).await;
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("drawn"), "{log}");
    for secret in ["What I said", "What Bob said", "Bob"] {
        assert!(!log.contains(secret), "{secret} stands in the log: {log}");
    }
}

async fn open(app: &App<'_>, page: &str) {
    app.desktop().xdotool(&["key", "ctrl+comma"]).unwrap();
    app.press(word(page)).await;
}

/// Types a path into the dialog of the desktop.
async fn save_as(desktop: &Desktop, path: &Path) {
    until_now("a dialog", || {
        let active = desktop.xdotool(&["getactivewindow", "getwindowname"])?;
        if active.ends_with("Kith") { Err(active) } else { Ok(()) }
    })
    .await;
    desktop.xdotool(&["key", "ctrl+a"]).unwrap();
    desktop.xdotool(&["type", &path.display().to_string()]).unwrap();
    desktop.picture("save-dialog");
    desktop.xdotool(&["key", "Return"]).unwrap();
    until_now("the end of the dialog", || {
        let active = desktop.xdotool(&["getactivewindow", "getwindowname"])?;
        if active.ends_with("Kith") { Ok(()) } else { Err(active) }
    })
    .await;
}
