use serde::{Deserialize, Serialize};

/// How much a notification shows to whoever looks at the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// The chat, the sender and the text.
    #[default]
    NameAndText,
    /// The chat alone.
    NameOnly,
    /// That there is something.
    Nothing,
}

/// What a notification says: plain text, not escaped for anything. Whoever shows it where markup is read escapes it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The first line: the chat.
    pub title: String,
    /// What stands below; may be empty.
    pub body: String,
}

impl Notice {
    /// The words for one message. `sender` is named where several people write.
    pub(super) fn of_message(privacy: Privacy, chat: &str, sender: Option<&str>, text: &str) -> Self {
        match privacy {
            Privacy::NameAndText => {
                let text = plain(text, TEXT_CHARS_MAX);
                let sender = sender.map(|sender| plain(sender, NAME_CHARS_MAX));
                let body = sender.map_or_else(|| text.clone(), |sender| format!("{sender}: {text}"));
                Self { title: plain(chat, NAME_CHARS_MAX), body }
            }
            Privacy::NameOnly => Self { title: plain(chat, NAME_CHARS_MAX), body: NEW_MESSAGE.to_owned() },
            Privacy::Nothing => Self { title: NEW_MESSAGE.to_owned(), body: String::new() },
        }
    }
}

/// What people wrote stays out of logs.
impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notice").field("bytes", &(self.title.len() + self.body.len())).finish()
    }
}

/// One line that draws nothing beside itself: no control characters, nothing that turns the direction of what follows, not
/// more than `chars_max` characters.
pub(super) fn plain(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let space = (!line.is_empty()).then_some(' ');
        for c in space.into_iter().chain(word.chars()).filter(|c| !turns_direction(*c)) {
            if chars == chars_max {
                line.push('…');
                return line;
            }
            line.push(c);
            chars += 1;
        }
    }
    line
}

/// Embeddings, overrides and isolates of the Unicode bidirectional algorithm (UAX 9). Marks are harmless, and stay.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const NEW_MESSAGE: &str = "New message";
/// What the systems show at most is less.
const TEXT_CHARS_MAX: usize = 240;
pub(super) const NAME_CHARS_MAX: usize = 60;
