//! Pusher Channels: `trigger` over HTTP, signed (<https://pusher.com/docs/channels/library_auth_reference/rest-api/>). Any
//! server of that protocol will do.

use super::{Adapter, Context, Push, Request};
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A channel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pusher {
    /// Of the server, without a path: `https://api-eu.pusher.com`.
    pub url: String,
    /// The app's id.
    pub app: String,
    /// Its key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// The channel that is told.
    pub channel: String,
}

impl Adapter for Pusher {
    fn request(&self, push: &Push, context: &Context<'_>) -> Result<Request, String> {
        if !is_plain(&self.app) || !is_plain(&self.key) {
            return Err("app and key of a Pusher server are letters, digits, - and _".to_owned());
        }
        let data = json!({ "text": push.text, "count": push.count, "sender": push.sender });
        let event = if push.count == 0 { "kith-test" } else { "kith-message" };
        let body = json!({ "name": event, "channels": [self.channel], "data": data.to_string() }).to_string();
        let path = format!("/apps/{}/events", self.app);
        let query = signed_query(&path, &self.key, &self.secret, context.now_s, &body);
        let url = format!("{}{path}?{query}", self.url.trim_end_matches('/'));
        let headers = vec![("content-type", "application/json".to_owned())];
        Ok(Request { url, headers, body: body.into_bytes() })
    }
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn signed_query(path: &str, key: &str, secret: &str, at_s: u64, body: &str) -> String {
    let md5 = HEXLOWER.encode(&Md5::digest(body));
    let query = format!("auth_key={key}&auth_timestamp={at_s}&auth_version=1.0&body_md5={md5}");
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&hmac_key, format!("POST\n{path}\n{query}").as_bytes());
    format!("{query}&auth_signature={}", HEXLOWER.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Pusher's documentation.
    #[test]
    fn it_signs_as_pusher_documents() {
        let body = r#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
        let (key, secret) = ("278d425bdf160c739803", "7ad3773142a6692b25b8");
        let query = signed_query("/apps/3/events", key, secret, 1_353_088_179, body);
        assert!(query.contains("body_md5=ec365a775a4cd0599faeb73354201b6f"), "{query}");
        let signature = "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";
        assert!(query.ends_with(&format!("&auth_signature={signature}")), "{query}");
    }
}
