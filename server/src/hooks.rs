//! What a program may say to an integration's address, and what it hears.

use hyper::StatusCode;
use kith_protocol::ids::{RoomId, Seq};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What a program wants written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookPost {
    /// Markdown, not empty.
    pub text: String,
    /// Whether all who read it are meant.
    pub everybody: bool,
    /// SHA-256 of what makes a second message the same one.
    pub key: Option<[u8; 32]>,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    pub room: RoomId,
    pub seq: Seq,
    /// A message under the same key stood there already.
    pub again: bool,
}

/// Why it was not written. Each has a code for programs and a sentence for whoever wrote them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    #[error("post to this address; GET shows nothing")]
    Method,
    #[error(
        "there is no integration with this address: it was mistyped or revoked; make one with kith-relay hooks create"
    )]
    Unknown,
    #[error("the integration is not in its room: an admin of the room has to add it, or to add it again")]
    NotInRoom,
    #[error(
        "the integration may not write: the room lets only some of its members write, or the operator has disabled it"
    )]
    Denied,
    #[error("the message is too large: at most {0} bytes are taken")]
    TooLarge(usize),
    #[error("the message is empty: send its text as the body, or as \"text\" in JSON")]
    Empty,
    #[error("the body is not what it is said to be: {0}")]
    Malformed(String),
    #[error("too many messages: wait a little, then go on more slowly")]
    Later,
    #[error(
        "the integration holds as much as it may: the relay's operator can give it more with kith-relay users quota"
    )]
    Quota,
    #[error("the relay cannot store messages just now; try again later")]
    Storage,
}

impl HookError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Unknown => "unknown-token",
            Self::NotInRoom => "not-in-room",
            Self::Denied => "denied",
            Self::TooLarge(_) => "too-large",
            Self::Empty => "empty",
            Self::Malformed(_) => "malformed",
            Self::Later => "rate-limited",
            Self::Quota => "quota-reached",
            Self::Storage => "storage",
        }
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::NotInRoom | Self::Denied => StatusCode::FORBIDDEN,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Empty | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Later => StatusCode::TOO_MANY_REQUESTS,
            Self::Quota => StatusCode::INSUFFICIENT_STORAGE,
            Self::Storage => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl HookPost {
    /// A body that is the message, as it is.
    pub fn plain(body: &[u8]) -> Result<Self, HookError> {
        let text =
            std::str::from_utf8(body).map_err(|_| HookError::Malformed("it is not UTF-8".to_owned()))?;
        let text = text.trim_end();
        if text.trim().is_empty() { Err(HookError::Empty) } else { Ok(Self::of(text.to_owned())) }
    }

    /// A body in JSON: `text` or `title`, and what else it names.
    pub fn json(body: &[u8]) -> Result<Self, HookError> {
        let said: Said =
            serde_json::from_slice(body).map_err(|error| HookError::Malformed(error.to_string()))?;
        let title = said.title.iter().map(|title| format!("**{}**", escaped(title)));
        let link = said.link.iter().map(|link| linked(link));
        let text = said.text.iter().map(|text| Ok(text.trim_end().to_owned()));
        let parts: Vec<String> = title.map(Ok).chain(text).chain(link).collect::<Result<_, HookError>>()?;
        let empty = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        if empty(&said.title) && empty(&said.text) {
            return Err(HookError::Empty);
        }
        let key = said.key.filter(|key| !key.is_empty()).map(|key| Sha256::digest(key).into());
        Ok(Self { everybody: said.priority == Priority::High, key, ..Self::of(parts.join("\n\n")) })
    }

    fn of(text: String) -> Self {
        Self { text, everybody: false, key: None }
    }
}

/// The token of an address, as it is kept: the SHA-256 of what stands in the address.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    title: Option<String>,
    text: Option<String>,
    #[serde(default)]
    priority: Priority,
    link: Option<String>,
    key: Option<String>,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Priority {
    #[default]
    Normal,
    High,
}

/// One line of Markdown that says just this.
fn escaped(line: &str) -> String {
    let mut escaped = String::new();
    for word in line.split_whitespace() {
        if !escaped.is_empty() {
            escaped.push(' ');
        }
        for c in word.chars() {
            if c.is_ascii_punctuation() {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

/// Only what a client would open.
fn linked(link: &str) -> Result<String, HookError> {
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme));
    if known && !link.contains(|c: char| c.is_whitespace() || c.is_control() || "<>".contains(c)) {
        Ok(format!("<{link}>"))
    } else {
        Err(HookError::Malformed("link must be an address with https, http or mailto".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<HookPost, HookError> {
        HookPost::json(text.as_bytes())
    }

    #[test]
    fn a_plain_body_is_the_message() {
        assert_eq!(HookPost::plain(b"Backup *done*\n").unwrap().text, "Backup *done*");
        assert_eq!(HookPost::plain(b" \n"), Err(HookError::Empty));
        assert!(matches!(HookPost::plain(&[0xff]), Err(HookError::Malformed(_))));
    }

    #[test]
    fn json_becomes_a_message() {
        let post = json(
            r#"{"title":"Disk *full*\n","text":"92 %","link":"https://ci.example/1","priority":"high","key":"disk"}"#,
        )
        .unwrap();
        assert_eq!(post.text, "**Disk \\*full\\***\n\n92 %\n\n<https://ci.example/1>");
        assert!(post.everybody);
        assert_eq!(post.key, Some(Sha256::digest("disk").into()));
        assert_eq!(json(r#"{"text":"x"}"#).unwrap(), HookPost::of("x".into()));
        assert_eq!(json(r#"{"title":"x"}"#).unwrap().text, "**x**");
    }

    #[test]
    fn json_that_says_nothing_is_refused() {
        for empty in ["{}", r#"{"text":" "}"#, r#"{"link":"https://a.example"}"#] {
            assert_eq!(json(empty), Err(HookError::Empty), "{empty}");
        }
        for bad in [
            "x",
            r#"{"text":"x","link":"javascript:alert(1)"}"#,
            r#"{"text":"x","link":"https://a.example/> **b**"}"#,
            r#"{"text":"x","priority":"urgent"}"#,
            r#"{"message":"x"}"#,
        ] {
            assert!(matches!(json(bad), Err(HookError::Malformed(_))), "{bad}");
        }
    }
}
