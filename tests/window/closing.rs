//! A window that is closed while its page is busy.

use crate::app::{App, start_undriven};
use crate::desktop::Desktop;
use crate::page::word;
use crate::people::Terminal;
use crate::process;
use crate::real::Relay;
use crate::wait::until_now;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_page_says_its_last_words_out_of_sight() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let bob = Terminal::apart(&desktop, "bob");
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    bob.dm("alice", "Hello.");
    let app = App::start(&desktop).await;
    app.open_chat("Bob").await;
    app.write("What I was about to s").await;

    // Wanted back before the page has answered: it is the same page.
    keep_busy(&app, 3_000, "first").await;
    desktop.close_window();
    app.hides().await;
    desktop.tray().choose(word("tray_open")).await;
    app.appears().await;
    app.sees("the draft", |view| view.composer.as_deref() == Some("What I was about to s")).await;
    assert_eq!(marked(&app).await, json!("first"), "the page has lived on");

    // It answers late: what it has to say counts.
    app.write("What I was about to say").await;
    keep_busy(&app, 1_500, "second").await;
    desktop.close_window();
    app.hides().await;
    no_pages(&desktop).await;
    desktop.tray().choose(word("tray_open")).await;
    app.appears().await;
    app.sees("the draft as it was left", |view| {
        view.title == "Bob" && view.composer.as_deref() == Some("What I was about to say")
    })
    .await;
    assert_eq!(marked(&app).await, json!(null), "it is a new page");

    // It never answers: it goes nevertheless.
    keep_busy(&app, 60_000, "third").await;
    desktop.close_window();
    app.hides().await;
    no_pages(&desktop).await;
    desktop.tray().choose(word("tray_open")).await;
    app.appears().await;
    app.sees("the chat", |view| view.title == "Bob").await;
}

/// Without a driver: that would lose the app with what fetches for pages.
#[tokio::test(flavor = "multi_thread")]
async fn with_its_window_all_of_web_kit_goes_and_comes_back() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    let _app = start_undriven(&desktop, &[]);
    let drawn = async |times: usize| {
        until_now("a drawn window", || {
            let said = fs::read_to_string(desktop.kith_home().join("logs/kith.log")).unwrap_or_default();
            let drawn = said.matches("kith::shell: drawn").count();
            if drawn == times { Ok(()) } else { Err(said) }
        })
        .await;
    };
    for times in 1..=3 {
        drawn(times).await;
        assert!(!of_web_kit(&desktop).is_empty());
        desktop.close_window();
        until_now("the app alone in memory", || match of_web_kit(&desktop) {
            helpers if helpers.is_empty() => Ok(()),
            helpers => Err(helpers),
        })
        .await;
        desktop.tray().click();
    }
    drawn(4).await;
}

/// The page does nothing else for so long; returns when it has begun not to answer.
async fn keep_busy(app: &App<'_>, ms: u64, mark: &str) {
    const SCRIPT: &str = "window.mark = arguments[1]; const ms = arguments[0];
        setTimeout(() => { const end = performance.now() + ms; while (performance.now() < end); }, 300)";
    app.window.execute(SCRIPT, vec![json!(ms), json!(mark)]).await.unwrap();
    while timeout(ANSWER_MAX, app.window.execute("return 1", vec![])).await.is_ok() {}
}

async fn marked(app: &App<'_>) -> serde_json::Value {
    app.window.execute("return window.mark ?? null", vec![]).await.unwrap()
}

/// Waits until no page of the app is in memory.
async fn no_pages(desktop: &Desktop) {
    until_now("no page in memory", || match of_web_kit(desktop) {
        helpers if helpers.iter().any(|helper| helper.ends_with("WebKitWebProcess")) => Err(helpers),
        _ => Ok(()),
    })
    .await;
}

/// What WebKit has started for the app.
fn of_web_kit(desktop: &Desktop) -> Vec<PathBuf> {
    let of_app = process::with_environment(&format!("KITH_HOME={}", desktop.kith_home().display()));
    let mut programs: Vec<_> = of_app.into_iter().filter_map(process::program_of).collect();
    programs.retain(|program| {
        program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("WebKit"))
    });
    programs
}

/// Longer than a page that does nothing else takes to answer.
const ANSWER_MAX: Duration = Duration::from_millis(400);
