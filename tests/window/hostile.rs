//! What people send who mean no good: nothing runs, nothing loads, nothing gets out of its message.

use crate::app::App;
use crate::desktop::Desktop;
use crate::people::Terminal;
use crate::real::Relay;
use crate::wait::until;
use fantoccini::Locator;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// A server that nobody must ever ask for anything.
struct Trap {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&asked);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counts.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { address, asked }
    }
}

/// Each with a word that stands in it, so that one sees that it is there.
fn messages(trap: &str) -> Vec<(&'static str, String)> {
    vec![
        ("script", format!("script <script>window.broken = 1; fetch('http://{trap}/a')</script>")),
        ("picture", format!("picture <img src=\"http://{trap}/b\" onerror=\"window.broken = 2\"> ![x](http://{trap}/c)")),
        ("frame", format!("frame <iframe src=\"http://{trap}/d\"></iframe><object data=\"http://{trap}/e\"></object>")),
        ("drawing", format!("drawing <svg onload=\"window.broken = 3\"><image href=\"http://{trap}/f\"/></svg>")),
        ("style", format!("style <style>* {{ display: none }} body {{ background: url(http://{trap}/g) }}</style><link rel=stylesheet href=http://{trap}/h>")),
        ("base", format!("base <base href=\"http://{trap}/\"><meta http-equiv=\"refresh\" content=\"0; url=http://{trap}/i\">")),
        ("javascript", "[javascript](javascript:window.broken=4) <a href=\"javascript:window.broken=5\">x</a>".into()),
        ("local", "[local](file:///etc/passwd) [other](data:text/html,<script>window.broken=6</script>) [app](tauri://localhost/index.html) [own](kith://join)".into()),
        ("split", "[split](java\u{0}script:window.broken=7) [tab](java\tscript:window.broken=8) [case](JaVaScRiPt:window.broken=9)".into()),
        ("turned", "turned \u{202e}gnp.exe\u{202c} \u{2066}\u{2067}\u{202d} never closed \u{202e}\u{202e}".into()),
        ("stacked", format!("stacked {}", "Z\u{0351}\u{036b}\u{0343}\u{034b}\u{0325}\u{0347}\u{0353}".repeat(400))),
        ("wide", format!("wide {}", "W".repeat(20_000))),
        ("deep", format!("deep\n\n{}bottom", "> ".repeat(2_000))),
        ("lists", format!("lists\n\n{}", (0..120).map(|depth| format!("{}- x\n", " ".repeat(depth * 2))).collect::<String>())),
        ("emphasis", format!("emphasis {}x", "*_".repeat(5_000))),
        ("brackets", format!("brackets {}", "[".repeat(20_000))),
        ("table", format!("table\n\n|{}\n|{}\n", "a|".repeat(500), "-|".repeat(500))),
        ("code", "code\n\n```html\"><script>window.broken=10</script>\n</code></pre><script>window.broken=11</script>\n```".into()),
        ("nothing", "nothing\u{200b}\u{200b}\u{feff}\u{2060}\u{0000}\u{0007}\u{001b}[31m".into()),
        ("template", "template {{constructor.constructor('window.broken=12')()}} ${window.broken=13} {@html x}".into()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_message_does_nothing_and_stays_in_its_place() {
    let relay = Relay::start().await;
    let trap = Trap::set().await;
    let desktop = Desktop::start("alice").await;
    let (alice, mallory) = (Terminal::of_app(&desktop), Terminal::apart(&desktop, "mallory"));
    alice.join(&relay, "Alice", "alice");
    mallory.join(&relay, "Mallory", "mallory");
    mallory.dm("alice", "Look at this.");
    let app = App::start(&desktop).await;
    app.open_chat("Mallory").await;
    let before = app.window.execute(PARTS, vec![]).await.unwrap();
    for (word, text) in messages(&trap.address) {
        mallory.dm("alice", &text);
        // What is higher than the window is not scrolled away by what comes after it.
        until(word, async || {
            app.window.execute(TO_NEWEST, vec![]).await.map_err(|error| error.to_string())?;
            let last = app.view().await?.lines.pop().map(|line| line.text).unwrap_or_default();
            if last.contains(word) { Ok(()) } else { Err(last.chars().take(80).collect::<String>()) }
        })
        .await;
        assert_sound(&app, word, &before).await;
    }
    for _ in 0..20 {
        mallory.dm("alice", &"👩‍👩‍👧‍👦🏴‍☠️".repeat(1_500));
    }
    mallory.dm("alice", "after a megabyte");
    until("the newest message", async || {
        app.window.execute(TO_NEWEST, vec![]).await.map_err(|error| error.to_string())?;
        let view = app.view().await?;
        if view.has("after a megabyte") { Ok(()) } else { Err(format!("{} lines", view.lines.len())) }
    })
    .await;
    app.sees_message("after a megabyte").await;
    assert_sound(&app, "emoji", &before).await;
    app.picture("hostile");

    // What can be clicked leads to the web and to mail, and nowhere else.
    let hrefs = app.window.execute(HREFS, vec![]).await.unwrap();
    for href in hrefs.as_array().unwrap() {
        let href = href.as_str().unwrap();
        assert!(["http://", "https://", "mailto:"].iter().any(|safe| href.starts_with(safe)), "{href}");
    }
    mallory.dm("alice", "[to the web](https://kith.example/page)");
    app.sees_message("to the web").await;
    app.click(Locator::LinkText("to the web")).await;
    until("the browser", async || match desktop.opened() {
        opened if opened == ["https://kith.example/page"] => Ok(()),
        opened => Err(opened),
    })
    .await;
    app.say("I am still here.").await;
    app.sees_message("I am still here.").await;
    assert_eq!(trap.asked.load(Ordering::Relaxed), 0, "something was loaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_imitate_are_told_apart_and_notifications_hold_no_markup() {
    let relay = Relay::start().await;
    let desktop = Desktop::start("alice").await;
    let alice = Terminal::of_app(&desktop);
    alice.join(&relay, "Alice", "alice");
    let people = [
        ("bob", "Bob"),
        ("zero", "Bo\u{200b}b"),
        ("cyrillic", "В\u{043e}b"),
        ("turned", "\u{202e}boB"),
        ("markup", "<b>Bob</b><img src=x onerror=window.broken=1>"),
    ];
    for (handle, name) in people {
        let person = Terminal::apart(&desktop, handle);
        person.join(&relay, name, handle);
        person.dm("alice", &format!("I am {handle}."));
    }
    let app = App::start(&desktop).await;
    app.sees("all five", |view| view.chats.len() >= people.len()).await;
    app.picture("imitated-names");
    let chats = app.window.execute(TITLES, vec![]).await.unwrap();
    let mut titles: Vec<String> = serde_json::from_value(chats).unwrap();
    for title in &titles {
        assert!(!title.chars().any(is_hidden), "{title:?}");
    }
    titles.sort();
    titles.dedup();
    assert!(titles.len() >= people.len(), "they are not told apart: {titles:?}");

    desktop.close_window();
    app.hides().await;
    Terminal::apart(&desktop, "markup")
        .dm("alice", "<b>bold</b> <a href=\"file:///etc/passwd\">x</a> & <img src=x>");
    until("an escaped notification", async || {
        let bodies = desktop.dunst().bodies();
        let escaped = "&lt;b&gt;bold&lt;/b&gt; &lt;a href=&quot;file:///etc/passwd&quot;&gt;x&lt;/a&gt; &amp; &lt;img src=x&gt;";
        if bodies.iter().any(|body| body == escaped) { Ok(()) } else { Err(bodies) }
    })
    .await;
    desktop.picture("markup-in-a-notification");
}

async fn assert_sound(app: &App<'_>, word: &str, before: &Value) {
    let parts = app.window.execute(PARTS, vec![]).await.unwrap();
    assert_eq!(&parts, before, "{word} has added something to the page");
    let outside = app.window.execute(OUTSIDE, vec![]).await.unwrap();
    assert_eq!(outside, json!([]), "{word} gets out of its message");
}

/// Hides or turns around.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\0'..='\u{1f}')
}

/// What can run or load, wherever it is, and whether something has run.
const PARTS: &str = "
const inLog = (name) => document.querySelectorAll(`[role=log] ${name}`).length
return {
  broken: window.broken ?? null,
  scripts: document.scripts.length,
  frames: document.querySelectorAll('iframe, object, embed, frame, base, meta[http-equiv=refresh]').length,
  loaded: inLog('img') + inLog('image') + inLog('video') + inLog('audio') + inLog('link') + inLog('style') + inLog('form'),
  handlers: [...document.querySelectorAll('[role=log] *')]
    .filter((element) => [...element.attributes].some((attribute) => /^on/i.test(attribute.name))).length,
  address: location.href,
}";

/// Parts of messages that are drawn beside or below the message that they belong to, or over the edge of the list.
const OUTSIDE: &str = "
const log = document.querySelector('[role=log]').getBoundingClientRect()
return [...document.querySelectorAll('[role=log] [role=article]')].flatMap((article) => {
  const own = article.getBoundingClientRect()
  const clipped = (element) => {
    for (let at = element.parentElement; at && at !== article; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== 'visible') return true
    return false
  }
  const out = [...article.querySelectorAll('.text *')].filter((element) => {
    const box = element.getBoundingClientRect()
    return box.width > 0 && !clipped(element)
      && (box.left < log.left - 1 || box.right > log.right + 1 || box.top < own.top - 1 || box.bottom > own.bottom + 1)
  })
  return out.slice(0, 3).map((element) => element.outerHTML.slice(0, 120))
})";

/// As the button does that leads to the newest message.
const TO_NEWEST: &str = "document.querySelector('button.newest')?.click()";

const HREFS: &str = "return [...document.querySelectorAll('[role=log] a')].map((link) => link.href)";

const TITLES: &str = "return [...document.querySelectorAll('[data-room]')].map((row) => row.querySelector('.title').innerText.trim())";
