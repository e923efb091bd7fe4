//! ntfy: the text is posted to the topic's address (<https://docs.ntfy.sh/publish/>).

use super::{Adapter, Context, Push, Request};
use serde::{Deserialize, Serialize};

/// A topic.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntfy {
    /// Of the topic: `https://ntfy.example/topic`.
    pub url: String,
    /// An access token of that server, if it asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Adapter for Ntfy {
    fn request(&self, push: &Push, _context: &Context<'_>) -> Result<Request, String> {
        let mut headers = vec![("title", "Kith".to_owned()), ("content-type", "text/plain".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        Ok(Request { url: self.url.clone(), headers, body: push.text.clone().into_bytes() })
    }
}
