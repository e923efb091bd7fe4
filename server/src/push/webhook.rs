//! A signed webhook, as Standard Webhooks lays out (<https://www.standardwebhooks.com>): receivers check it with a library
//! that exists, and know a second copy by its id.

use super::{Adapter, Context, Push, Request};
use data_encoding::{BASE64, HEXLOWER};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

/// A program of one's own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it listens.
    pub url: String,
    /// `whsec_` and 24 to 64 bytes in base64.
    pub secret: String,
}

impl Adapter for Webhook {
    fn request(&self, push: &Push, context: &Context<'_>) -> Result<Request, String> {
        let at = UNIX_EPOCH + Duration::from_secs(context.now_s);
        let kind = if push.count == 0 { "kith.test" } else { "kith.message" };
        let body = json!({
            "type": kind,
            "timestamp": humantime::format_rfc3339_seconds(at).to_string(),
            "data": { "text": push.text, "count": push.count, "sender": push.sender },
        });
        let body = body.to_string();
        let id = format!("msg_{}", HEXLOWER.encode(&push.id));
        let signature = sign(&self.secret, &id, context.now_s, &body)?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", context.now_s.to_string()),
            ("webhook-signature", signature),
        ];
        Ok(Request { url: self.url.clone(), headers, body: body.into_bytes() })
    }

    fn may_repeat(&self) -> bool {
        true
    }
}

fn sign(secret: &str, id: &str, at_s: u64, body: &str) -> Result<String, String> {
    let key = secret.strip_prefix("whsec_").and_then(|key| BASE64.decode(key.as_bytes()).ok());
    let key = key
        .filter(|key| (24..=64).contains(&key.len()))
        .ok_or("the secret of a webhook is whsec_ and 24 to 64 bytes in base64")?;
    let signed = format!("{id}.{at_s}.{body}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    Ok(format!("v1,{}", BASE64.encode(tag.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suites of the Standard Webhooks libraries.
    #[test]
    fn it_signs_as_the_standard_does() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(sign(bad, "x", 1, "").is_err(), "{bad}");
        }
    }
}
