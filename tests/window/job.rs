//! The main job: from an invite to a conversation.

use crate::app::App;
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::real::Relay;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job() {
    let relay = Relay::start().await;
    let (alices, bobs) = (Desktop::start("alice").await, Desktop::start("bob").await);
    Terminal::of_app(&bobs).join(&relay, "Bob", "bob");

    let alice = App::start(&alices).await;
    alice.picture("1-first-run");
    alice.fill(word("first_link_label"), &relay.invite().to_string()).await;
    alice.fill(word("first_name_label"), "Alice").await;
    alice.picture("2-an-invite");
    alice.press(word("first_join")).await;
    alice
        .sees("a chat with a first word in it", |view| view.composer.is_some() && !view.lines.is_empty())
        .await;
    alice.picture("3-joined");

    Terminal::of_app(&bobs).dm("alice", "Hello Alice, this is **Kith**.");
    alice.open_chat("Bob").await;
    alice.sees_message("Hello Alice, this is Kith.").await;

    prefer_dark(&bobs);
    let bob = App::start(&bobs).await;
    bob.open_chat("Alice").await;
    alice.say("Hello Bob! It works.").await;
    alice.sees_message("Hello Bob! It works.").await;
    bob.sees_message("Hello Bob! It works.").await;
    bob.say("And back again.").await;
    alice.sees_message("And back again.").await;
    alice.picture("4-a-conversation");
    bob.picture("5-the-other-side-dark");
}

/// As somebody who has chosen the dark theme before.
fn prefer_dark(desktop: &Desktop) {
    let settings = json!({
        "theme": "dark", "density": "comfortable", "textSize": 100, "language": null, "notifications": true,
        "privacy": "nameAndText", "sound": true, "closeToTray": true, "autostart": false, "enterSends": true,
        "sendTyping": true, "dismissed": [],
    });
    std::fs::create_dir_all(desktop.kith_home().join("config")).unwrap();
    std::fs::write(desktop.kith_home().join("config/settings.json"), settings.to_string()).unwrap();
}
