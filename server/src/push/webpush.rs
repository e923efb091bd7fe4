//! Web Push (RFC 8030): to browsers, and to phones through UnifiedPush. The content is encrypted for the receiver (RFC 8291,
//! in the encoding of RFC 8188); the relay says who it is with a signature (VAPID, RFC 8292).

use super::{Adapter, Context, Push, Request};
use data_encoding::BASE64URL_NOPAD;
use hyper::{StatusCode, Uri};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A subscription, as a browser hands it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebPush {
    /// Where to post to.
    pub endpoint: String,
    /// The receiver's public key, 65 bytes in base64url.
    pub p256dh: String,
    /// The receiver's secret, 16 bytes in base64url.
    pub auth: String,
}

/// So long a push service keeps what it cannot deliver, in seconds: a day.
const TTL_S: u32 = 24 * 60 * 60;
/// So long a signature is good, in seconds; at most a day is allowed.
const TOKEN_LIFETIME_S: u64 = 12 * 60 * 60;
/// One record holds all: what we send is shorter.
const RECORD_BYTES: u32 = 4096;

impl Adapter for WebPush {
    fn request(&self, push: &Push, context: &Context<'_>) -> Result<Request, String> {
        let content = json!({ "text": push.text, "count": push.count, "sender": push.sender }).to_string();
        let headers = vec![
            ("ttl", TTL_S.to_string()),
            ("urgency", "high".to_owned()),
            // A newer one takes the place of one that was not delivered yet.
            ("topic", "kith".to_owned()),
            ("content-encoding", "aes128gcm".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
            ("authorization", authorization(&self.endpoint, context)?),
        ];
        Ok(Request { url: self.endpoint.clone(), headers, body: self.sealed(content.as_bytes())? })
    }

    fn is_gone(&self, status: StatusCode) -> bool {
        matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }
}

impl WebPush {
    fn sealed(&self, content: &[u8]) -> Result<Vec<u8>, String> {
        let receiver = decoded::<65>("p256dh", &self.p256dh)?;
        let auth = decoded::<16>("auth", &self.auth)?;
        let random = SystemRandom::new();
        let ours = EphemeralPrivateKey::generate(&ECDH_P256, &random).map_err(no_random)?;
        let public = ours.compute_public_key().map_err(no_random)?;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| NO_RANDOM)?;
        agree_ephemeral(ours, &UnparsedPublicKey::new(&ECDH_P256, &receiver), |secret| {
            seal(
                &Keys { secret, ours: public.as_ref(), receiver: &receiver, auth: &auth, salt: &salt },
                content,
            )
        })
        .map_err(|_| "p256dh is no point of the curve P-256".to_owned())?
    }
}

struct Keys<'a> {
    secret: &'a [u8],
    ours: &'a [u8],
    receiver: &'a [u8],
    auth: &'a [u8],
    salt: &'a [u8; 16],
}

/// RFC 8291, section 3.4, and one record of RFC 8188.
fn seal(keys: &Keys<'_>, content: &[u8]) -> Result<Vec<u8>, String> {
    let from_secret = mac(keys.auth, &[keys.secret]);
    let input = mac(&from_secret, &[b"WebPush: info\0", keys.receiver, keys.ours, b"\x01"]);
    let base = mac(keys.salt, &[&input]);
    let key = mac(&base, &[b"Content-Encoding: aes128gcm\0\x01"]);
    let nonce = mac(&base, &[b"Content-Encoding: nonce\0\x01"]);
    let too_long = || "the content of a push is too long".to_owned();
    let key = UnboundKey::new(&AES_128_GCM, &key[..16]).map_err(|_| too_long())?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).map_err(|_| too_long())?;
    // 2 marks the last record.
    let mut record = [content, &[2]].concat();
    if record.len() + AES_128_GCM.tag_len() > RECORD_BYTES as usize {
        return Err(too_long());
    }
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::empty(), &mut record)
        .map_err(|_| too_long())?;
    let key_len = u8::try_from(keys.ours.len()).map_err(|_| too_long())?;
    Ok([keys.salt, &RECORD_BYTES.to_be_bytes()[..], &[key_len], keys.ours, &record].concat())
}

/// One step of HKDF-SHA-256: with one block of output, both its halves are an HMAC.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn authorization(endpoint: &str, context: &Context<'_>) -> Result<String, String> {
    let uri: Uri = endpoint.parse().map_err(|_| "the endpoint is no address".to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("the endpoint is no address".to_owned());
    };
    let mut claims = json!({
        "aud": format!("{scheme}://{authority}"),
        "exp": context.now_s + TOKEN_LIFETIME_S,
    });
    if !context.subject.is_empty() {
        claims["sub"] = context.subject.into();
    }
    let key = key_of(context.vapid_key)?;
    let encode = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(json!({ "typ": "JWT", "alg": "ES256" })), encode(claims));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(no_random)?;
    let signature = BASE64URL_NOPAD.encode(signature.as_ref());
    let public = BASE64URL_NOPAD.encode(key.public_key().as_ref());
    Ok(format!("vapid t={signed}.{signature}, k={public}"))
}

/// A fresh key in PKCS #8, and its public half.
pub fn new_key() -> Result<(Vec<u8>, Vec<u8>), String> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(no_random)?;
    let public = key_of(pkcs8.as_ref())?.public_key().as_ref().to_vec();
    Ok((pkcs8.as_ref().to_vec(), public))
}

/// The public half of a key.
pub fn public_key(pkcs8: &[u8]) -> Result<Vec<u8>, String> {
    Ok(key_of(pkcs8)?.public_key().as_ref().to_vec())
}

fn key_of(pkcs8: &[u8]) -> Result<EcdsaKeyPair, String> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
        .map_err(|_| "the relay's key for push services is damaged".to_owned())
}

fn decoded<const N: usize>(name: &str, text: &str) -> Result<[u8; N], String> {
    let bytes = BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| format!("{name} of a subscription is {N} bytes in base64url"))
}

fn no_random(_: ring::error::Unspecified) -> String {
    NO_RANDOM.to_owned()
}

const NO_RANDOM: &str = "the system has no random numbers";

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as Verifier};

    fn base64(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn it_encrypts_as_the_standard_does() {
        let keys = Keys {
            secret: &base64("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            ours: &base64(
                "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
            ),
            receiver: &base64(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            auth: &base64("BTBZMqHH6r4Tts7J_aSIgg"),
            salt: &base64("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        };
        let sealed = seal(&keys, b"When I grow up, I want to be a watermelon").unwrap();
        assert_eq!(
            BASE64URL_NOPAD.encode(&sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P\
             Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    /// The example of RFC 8292, section 2.4, is read with what ours is read with.
    #[test]
    fn it_says_who_it_is_as_the_standard_does() {
        let check = |authorization: &str| {
            let (token, key) = authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let key = Verifier::new(&ECDSA_P256_SHA256_FIXED, base64(key));
            key.verify(signed.as_bytes(), &base64(signature)).unwrap();
            let (head, claims) = signed.split_once('.').unwrap();
            let read = |part: &str| serde_json::from_slice::<serde_json::Value>(&base64(part)).unwrap();
            assert_eq!(read(head), json!({ "typ": "JWT", "alg": "ES256" }));
            read(claims)
        };
        let theirs = check(concat!(
            "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1",
            "MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb",
            "1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9oj",
            "Swk5Y2EmClBPs"
        ));
        assert_eq!(theirs["aud"], "https://push.example.net");
        let (key, public) = new_key().unwrap();
        assert_eq!(public_key(&key).unwrap(), public);
        let context = Context { now_s: 1000, vapid_key: &key, subject: "https://relay.example" };
        let ours = check(&authorization("https://push.example.net/p/1?x", &context).unwrap());
        let expected =
            json!({ "aud": "https://push.example.net", "exp": 44_200, "sub": "https://relay.example" });
        assert_eq!(ours, expected);
    }

    #[test]
    fn a_subscription_that_is_none_is_refused() {
        let good = WebPush {
            endpoint: "https://push.example.net/1".into(),
            p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
                .into(),
            auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
        };
        assert!(good.sealed(b"x").is_ok());
        assert!(WebPush { auth: "AA".into(), ..good.clone() }.sealed(b"x").is_err());
        assert!(WebPush { p256dh: "BAAA".into(), ..good.clone() }.sealed(b"x").is_err());
        let off = format!("B{}", "A".repeat(86));
        assert!(WebPush { p256dh: off, ..good }.sealed(b"x").unwrap_err().contains("P-256"));
    }
}
