//! All devices are lost, and the recovery key is there.

use crate::app::App;
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::real::Relay;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_comes_back_with_its_recovery_key() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let (lost, bob) = (Terminal::apart(&desktop, "lost"), Terminal::apart(&desktop, "bob"));
    lost.join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "Do you still have your computer?");
    lost.run(&["sync"]);
    let key = lost.run(&["recovery", "new"]);
    let key = key[0]["recovery_key"].as_str().unwrap().to_owned();

    let app = App::start(&desktop).await;
    app.press(word("first_way_link")).await;
    app.press(word("first_lost_all")).await;
    app.fill(word("first_recovery_label"), &key).await;
    app.fill(word("first_relay_label"), &relay.invite().to_string()).await;
    app.picture("recovery");
    app.press(word("first_recover")).await;
    let next = app.text_of(word("first_key_title")).await;
    assert_ne!(next, key.split_whitespace().collect::<String>(), "the old key is not in force any more");
    app.picture("recovery-key");
    app.press(word("first_key_written")).await;
    app.open_chat("Bob").await;
    app.sees_message("Do you still have your computer?").await;
    app.say("Not that one.").await;
    app.sees_message("Not that one.").await;
    lost.try_run(&["sync"]).expect_err("the lost computer is signed out");
}
