//! What a person sees in the window, and does there. Things are found by role and name, as a screen reader finds them.

use crate::app::App;
use crate::wait::until;
use fantoccini::Locator;
use fantoccini::error::CmdError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// All that the window shows, as far as tests ask.
#[derive(Debug, Clone, Deserialize)]
pub struct View {
    /// The chat that is open.
    pub title: String,
    /// The list of chats.
    pub chats: Vec<Chat>,
    pub lines: Vec<Line>,
    /// What stands in the composer; `None` if there is none.
    pub composer: Option<String>,
    /// All that has the role of a status or an alert.
    pub said: Vec<String>,
    /// Whether the window has the focus.
    pub focused: bool,
    /// Of the window.
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Chat {
    pub title: String,
    /// What only a screen reader says: counts, and more.
    pub spoken: String,
    /// Below the title.
    pub last: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    pub text: String,
    /// On its way; `None`: it has arrived.
    pub under_way: Option<String>,
    /// Led to.
    pub lit: bool,
}

impl View {
    pub fn line(&self, text: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.text == text)
    }

    pub fn has(&self, text: &str) -> bool {
        self.line(text).is_some()
    }

    /// Whether the relay has stored it.
    pub fn has_sent(&self, text: &str) -> bool {
        self.line(text).is_some_and(|line| line.under_way.is_none())
    }

    pub fn chat(&self, title: &str) -> Option<&Chat> {
        self.chats.iter().find(|chat| chat.title == title)
    }

    /// Unread messages of a chat.
    pub fn unread(&self, title: &str) -> Option<u32> {
        let chat = self.chat(title)?;
        let part = chat.spoken.split(", ").find(|part| part.contains("unread"));
        Some(part.and_then(|part| part.split(' ').next()?.parse().ok()).unwrap_or(0))
    }

    pub fn says(&self, text: &str) -> bool {
        self.said.iter().any(|said| said.contains(text))
    }
}

impl App<'_> {
    /// What the window shows now.
    pub async fn view(&self) -> Result<View, String> {
        let seen = self.window.execute(VIEW, vec![]).await.map_err(|error| error.to_string())?;
        serde_json::from_value(seen).map_err(|error| error.to_string())
    }

    /// Waits until the window shows what was hoped for.
    pub async fn sees(&self, what: &str, hoped: impl Fn(&View) -> bool) -> View {
        let what = format!("{} sees {what}", self.desktop().name());
        until(&what, async || match self.view().await {
            Ok(view) if hoped(&view) => Ok(view),
            other => Err(other),
        })
        .await
    }

    /// Waits until a message is here, and stored by the relay.
    pub async fn sees_message(&self, text: &str) -> View {
        self.sees(&format!("the message {text:?}"), |view| view.has_sent(text)).await
    }

    /// Opens a chat of the list.
    pub async fn open_chat(&self, title: &str) {
        self.sees(&format!("the chat {title}"), |view| view.chat(title).is_some()).await;
        let row = format!("//*[@data-room][.//*[normalize-space(.)={}]]", quoted(title));
        self.click(Locator::XPath(&row)).await;
        self.sees(&format!("{title} open"), |view| view.title == title).await;
    }

    /// Writes, and sends.
    pub async fn say(&self, text: &str) {
        self.write(text).await;
        // Once more does nothing, if it was heard before.
        until("Enter", async || self.window.find(Locator::Css(COMPOSER)).await?.send_keys(ENTER).await).await;
        self.sees(&format!("{text:?} among the messages"), |view| view.has(text)).await;
    }

    /// Writes into the composer.
    pub async fn write(&self, text: &str) {
        self.put(Locator::Css(COMPOSER), text).await;
        self.sees("what was written", |view| view.composer.as_ref().is_some_and(|it| it.ends_with(text)))
            .await;
    }

    /// Waits until this stands there.
    pub async fn sees_text(&self, text: &str) {
        let at = format!("//*[normalize-space(.)={}]", quoted(text));
        until(&format!("the words {text}"), async || self.window.find(Locator::XPath(&at)).await).await;
    }

    /// Presses the button with this name.
    pub async fn press(&self, name: &str) {
        self.click(Locator::XPath(&button(name))).await;
    }

    /// Presses the last of several buttons with this name.
    pub async fn press_last(&self, name: &str) {
        self.click(Locator::XPath(&format!("({})[last()]", button(name)))).await;
    }

    /// What stands in the element with this name, without spaces.
    pub async fn text_of(&self, name: &str) -> String {
        let name_begins = format!("starts-with(@aria-label, {})", quoted(&format!("{name}:")));
        let at = format!("//*[@aria-label={} or {name_begins}]", quoted(name));
        until(&format!("something with the name {name}"), async || -> Result<String, String> {
            let told = |error: CmdError| error.to_string();
            let found = self.window.find(Locator::XPath(&at)).await.map_err(told)?;
            let shown = found.text().await.map_err(told)?;
            let value = found.prop("value").await.map_err(told)?.filter(|value| !value.is_empty());
            let all = found.prop("textContent").await.map_err(told)?.unwrap_or_default();
            let text = value.unwrap_or(if shown.is_empty() { all } else { shown });
            let text: String = text.split_whitespace().collect();
            if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text) }
        })
        .await
    }

    /// Writes into the field with this name.
    pub async fn fill(&self, label: &str, text: &str) {
        let by_label =
            format!("//input[@id=//label[normalize-space(.)={0}]/@for or @aria-label={0}]", quoted(label));
        self.put(Locator::XPath(&by_label), text).await;
    }

    /// Clicks, as soon as it can be clicked.
    pub async fn click(&self, at: Locator<'_>) {
        until(&format!("a click on {at:?}"), async || -> Result<(), CmdError> {
            self.window.find(at).await?.click().await
        })
        .await;
    }

    /// Types until it stands there: a driver that lost its connection has typed a part.
    async fn put(&self, at: Locator<'_>, text: &str) {
        until(&format!("{text:?} in {at:?}"), async || -> Result<(), String> {
            let told = |error: CmdError| error.to_string();
            let field = self.window.find(at).await.map_err(told)?;
            let there = field.prop("value").await.map_err(told)?.unwrap_or_default();
            if there == text {
                return Ok(());
            }
            if !there.is_empty() {
                field.clear().await.map_err(told)?;
            }
            field.send_keys(text).await.map_err(told)?;
            Err(there)
        })
        .await;
    }
}

/// A text of the app, in English.
pub fn word(key: &str) -> &'static str {
    WORDS.get(key).unwrap_or_else(|| panic!("no text has the key {key}"))
}

static WORDS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let all: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(include_str!("../../../ui/messages/en.json")).unwrap();
    all.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect()
});

fn button(name: &str) -> String {
    format!(
        "//*[self::button or self::label or @role='button' or @role='menuitem' or @role='tab']\
         [@aria-label={name} or normalize-space(.)={name}][not(@disabled)]",
        name = quoted(name)
    )
}

/// A text in XPath, which has no way to escape quotes.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text}");
    format!("\"{text}\"")
}

/// The key, as WebDriver writes it.
pub const ENTER: &str = "\u{e007}";
const COMPOSER: &str = "textarea[data-region=composer]";

const VIEW: &str = r"
const text = (element) => element ? element.innerText.trim() : ''
const all = (selector, make) => [...document.querySelectorAll(selector)].map(make)
return {
  title: text(document.querySelector('main h1')),
  chats: all('[data-room]', (row) => ({
    title: text(row.querySelector('.title')),
    spoken: row.querySelector('.visually-hidden')?.textContent ?? '',
    last: text(row.querySelector('.last')),
  })),
  lines: all('[role=log] [data-line][role=article]', (line) => ({
    text: text(line.querySelector('.text')),
    under_way: line.querySelector('.delivery')?.getAttribute('aria-label') ?? null,
    lit: line.classList.contains('lit'),
  })),
  composer: document.querySelector('textarea[data-region=composer]')?.value ?? null,
  said: all('[role=status], [role=alert]', text),
  focused: document.hasFocus(),
  name: document.title,
}
";
