//! Alice with two computers, and Bob with one: three windows.

use crate::app::App;
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::real::Relay;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_device_says_and_reads_is_so_on_all() {
    let relay = Relay::start().await;
    let (laptop, desk, bobs) =
        (Desktop::start("laptop").await, Desktop::start("desk").await, Desktop::start("bob").await);
    Terminal::of_app(&laptop).join(&relay, "Alice", "alice");
    Terminal::of_app(&desk).link_to(&Terminal::of_app(&laptop));
    Terminal::of_app(&bobs).join(&relay, "Bob", "bob");
    Terminal::of_app(&bobs).dm("alice", "Hello to both of your computers.");
    let (on_laptop, on_desk, at_bob) =
        (App::start(&laptop).await, App::start(&desk).await, App::start(&bobs).await);

    for (desktop, app) in [(&laptop, &on_laptop), (&desk, &on_desk)] {
        app.sees("one unread message", |view| view.unread("Bob") == Some(1)).await;
        app.sees("it in the title", |view| view.name == "(1) Kith").await;
        desktop.tray().shows("mention").await;
    }
    on_laptop.open_chat("Bob").await;
    on_desk.sees("that it was read elsewhere", |view| view.unread("Bob") == Some(0)).await;
    laptop.tray().shows("idle").await;
    desk.tray().shows("idle").await;

    on_laptop.say("From the laptop.").await;
    on_desk.open_chat("Bob").await;
    on_desk.sees_message("From the laptop.").await;
    at_bob.open_chat("Alice").await;
    at_bob.sees_message("From the laptop.").await;
    on_desk.say("From the desk.").await;
    on_laptop.sees_message("From the desk.").await;
    at_bob.sees_message("From the desk.").await;
    on_laptop.picture("two-devices-laptop");
    on_desk.picture("two-devices-desk");

    // A draft goes where the person goes, and never under the cursor.
    on_laptop.open_chat(word("room_notes")).await;
    on_laptop.write("Milk, bread").await;
    on_laptop.open_chat("Bob").await;
    on_desk.open_chat(word("room_notes")).await;
    on_desk.sees("the draft", |view| view.composer.as_deref() == Some("Milk, bread")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_is_linked_and_signed_out_in_windows() {
    let relay = Relay::start().await;
    let (laptop, desk) = (Desktop::start("laptop").await, Desktop::start("desk").await);
    let bob = Terminal::apart(&laptop, "bob");
    Terminal::of_app(&laptop).join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "Hello.");
    let (on_laptop, on_desk) = (App::start(&laptop).await, App::start(&desk).await);

    laptop.xdotool(&["key", "ctrl+comma"]).unwrap();
    on_laptop.press(word("settings_page_devices")).await;
    on_laptop.press(word("settings_link_device")).await;
    let link = on_laptop.text_of(word("settings_link_link")).await;
    on_desk.press(word("first_way_link")).await;
    on_desk.fill(word("first_code_label"), &link).await;
    on_desk.press(word("first_link_this")).await;
    let shown = on_desk.text_of(word("first_compare_title")).await;
    assert_eq!(shown.len(), 6, "{shown}");
    assert_eq!(on_laptop.text_of(word("first_compare_title")).await, shown);
    on_desk.picture("link-digits-new");
    on_laptop.picture("link-digits-old");
    on_laptop.press(word("settings_compare_same")).await;
    on_laptop.press(word("settings_ok")).await;
    on_desk.open_chat("Bob").await;
    on_desk.sees_message("Hello.").await;
    on_desk.say("From the new computer.").await;

    on_laptop.press(word("settings_sign_out")).await;
    on_laptop.press_last(word("settings_sign_out_yes")).await;
    on_desk.sees("that it was signed out", |view| view.says(word("error_revoked"))).await;
    on_desk.picture("signed-out");
    laptop.xdotool(&["key", "Escape"]).unwrap();
    on_laptop.open_chat("Bob").await;
    on_laptop.sees_message("From the new computer.").await;
    bob.dm("alice", "Only the laptop may read this.");
    on_laptop.sees("the message", |view| view.has("Only the laptop may read this.")).await;
    assert!(!on_desk.view().await.unwrap().has("Only the laptop may read this."));
}
