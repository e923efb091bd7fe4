//! `master.key`: the master key in a file, sealed with a passphrase or plain.
//!
//! JSON, so that whoever finds it can tell what it is:
//! `{"kith_key":1,"kind":"sealed","m_kib":65536,"t":3,"p":4,"salt":"..","sealed":"..","check":".."}` or
//! `{"kith_key":1,"kind":"plain","key":"..","check":".."}`, bytes in base64. `check` is half a SHA-256 over all that stands
//! before it, so that damage is told from a wrong passphrase.

use super::{DataKey, MasterKey, Passphrase};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE64 as B64, HEXLOWER as HEX};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The format that this program writes.
const FORMAT: u32 = 1;

/// What trying a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Cost {
    /// Argon2id, 64 MiB, three passes, four lanes. Source: RFC 9106, section 4, the second recommended option, for where
    /// memory is scarce.
    pub(crate) const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// The most that a file may ask of us: somebody else may have put it there.
    const MAX: Self = Self { memory_kib: 1024 * 1024, passes: 64, lanes: 64 };
}

/// Why a key file gives no key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    WrongPassphrase,
    Damaged,
    Newer(u32),
}

/// A key file, parsed.
pub(crate) enum KeyFile {
    Sealed(Sealed),
    Plain(MasterKey),
}

pub(crate) struct Sealed {
    cost: Cost,
    salt: Vec<u8>,
    ciphertext: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Json {
    kith_key: u32,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m_kib: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Zeroizing<String>>,
    check: String,
}

/// A file that holds `master`, sealed with `passphrase`.
pub(crate) fn sealed(master: &MasterKey, passphrase: &Passphrase, cost: Cost) -> Zeroizing<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the system has random numbers");
    let key = stretch(passphrase, &salt, cost).expect("our own costs are within Argon2's bounds");
    let sealed = key.seal(&place(cost), master.bytes());
    write(Json {
        kith_key: FORMAT,
        kind: "sealed".into(),
        m_kib: Some(cost.memory_kib),
        t: Some(cost.passes),
        p: Some(cost.lanes),
        salt: Some(B64.encode(&salt)),
        sealed: Some(B64.encode(&sealed)),
        key: None,
        check: String::new(),
    })
}

/// A file that holds `master` for everyone who can read it.
pub(crate) fn plain(master: &MasterKey) -> Zeroizing<String> {
    write(Json {
        kith_key: FORMAT,
        kind: "plain".into(),
        m_kib: None,
        t: None,
        p: None,
        salt: None,
        sealed: None,
        key: Some(Zeroizing::new(B64.encode(master.bytes()))),
        check: String::new(),
    })
}

/// What a file holds.
pub(crate) fn parse(text: &str) -> Result<KeyFile, Unopened> {
    #[derive(Deserialize)]
    struct Head {
        kith_key: u32,
    }
    let head: Head = serde_json::from_str(text).map_err(|_| Unopened::Damaged)?;
    if head.kith_key > FORMAT {
        return Err(Unopened::Newer(head.kith_key));
    }
    let json: Json = serde_json::from_str(text).map_err(|_| Unopened::Damaged)?;
    if json.check != check(&json) {
        return Err(Unopened::Damaged);
    }
    fields(json).ok_or(Unopened::Damaged)
}

impl Sealed {
    /// The key, if this is the passphrase.
    pub(crate) fn open(&self, passphrase: &Passphrase) -> Result<MasterKey, Unopened> {
        let key = stretch(passphrase, &self.salt, self.cost).ok_or(Unopened::Damaged)?;
        let master = key.open(&place(self.cost), &self.ciphertext).ok_or(Unopened::WrongPassphrase)?;
        let master = Zeroizing::new(master);
        Ok(MasterKey::from_bytes(master.as_slice().try_into().map_err(|_| Unopened::Damaged)?))
    }
}

fn fields(json: Json) -> Option<KeyFile> {
    match json.kind.as_str() {
        "sealed" => {
            let cost = Cost { memory_kib: json.m_kib?, passes: json.t?, lanes: json.p? };
            let max = Cost::MAX;
            let bearable =
                cost.memory_kib <= max.memory_kib && cost.passes <= max.passes && cost.lanes <= max.lanes;
            let salt = B64.decode(json.salt?.as_bytes()).ok()?;
            let ciphertext = B64.decode(json.sealed?.as_bytes()).ok()?;
            bearable.then_some(KeyFile::Sealed(Sealed { cost, salt, ciphertext }))
        }
        "plain" => {
            let key = Zeroizing::new(B64.decode(json.key?.as_bytes()).ok()?);
            Some(KeyFile::Plain(MasterKey::from_bytes(key.as_slice().try_into().ok()?)))
        }
        _ => None,
    }
}

fn stretch(passphrase: &Passphrase, salt: &[u8], cost: Cost) -> Option<DataKey> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .ok()?;
    Some(DataKey::from_bytes(*key))
}

/// The key is sealed to its cost, so that nobody can make the file cheaper to try.
fn place(cost: Cost) -> Vec<u8> {
    format!("kith/master.key/1 argon2id m={} t={} p={}", cost.memory_kib, cost.passes, cost.lanes)
        .into_bytes()
}

fn write(mut json: Json) -> Zeroizing<String> {
    json.check = check(&json);
    let mut text = Zeroizing::new(serde_json::to_string(&json).expect("texts and numbers are JSON"));
    text.push('\n');
    text
}

fn check(json: &Json) -> String {
    let numbers = [Some(json.kith_key), json.m_kib, json.t, json.p];
    let texts = [
        Some(json.kind.as_str()),
        json.salt.as_deref(),
        json.sealed.as_deref(),
        json.key.as_ref().map(|k| k.as_str()),
    ];
    let mut sha = Sha256::new();
    for number in numbers {
        sha.update(number.unwrap_or(0).to_be_bytes());
    }
    for text in texts {
        let text = text.unwrap_or_default();
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text);
    }
    let digest: [u8; 32] = sha.finalize().into();
    HEX.encode(digest.first_chunk::<16>().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    fn sealed_part(text: &str) -> Sealed {
        match parse(text) {
            Ok(KeyFile::Sealed(sealed)) => sealed,
            _ => panic!("not a sealed file"),
        }
    }

    #[test]
    fn opens_with_its_passphrase_alone() {
        let master = MasterKey::random();
        let text = sealed(&master, &passphrase("correct horse"), CHEAP);
        let file = sealed_part(&text);
        assert_eq!(file.open(&passphrase("correct horse")).unwrap().bytes(), master.bytes());
        assert_eq!(file.open(&passphrase("wrong horse")).unwrap_err(), Unopened::WrongPassphrase);
        assert!(!text.contains(&B64.encode(master.bytes())));
    }

    #[test]
    fn the_recommended_cost_is_written_down() {
        let text = sealed(&MasterKey::random(), &passphrase("p"), Cost::RECOMMENDED);
        assert!(text.contains(r#""kind":"sealed","m_kib":65536,"t":3,"p":4"#), "{}", *text);
        assert!(sealed_part(&text).open(&passphrase("p")).is_ok());
    }

    #[test]
    fn a_file_from_the_future_says_so() {
        assert_eq!(parse(r#"{"kith_key":2,"kind":"quantum"}"#).err(), Some(Unopened::Newer(2)));
    }

    #[test]
    fn a_file_may_not_ask_for_everything() {
        let cost = Cost { memory_kib: u32::MAX, ..CHEAP };
        let json = Json {
            kith_key: 1,
            kind: "sealed".into(),
            m_kib: Some(cost.memory_kib),
            t: Some(1),
            p: Some(1),
            salt: Some(B64.encode(&[0; 16])),
            sealed: Some(B64.encode(&[0; 72])),
            key: None,
            check: String::new(),
        };
        assert_eq!(parse(&write(json)).err(), Some(Unopened::Damaged));
    }

    proptest! {
        #[test]
        fn damage_is_never_taken_for_a_wrong_passphrase(at: prop::sample::Index, byte in 0x20u8..0x7f, cut: bool) {
            let text = sealed(&MasterKey::from_bytes([5; 32]), &passphrase("p"), CHEAP);
            let mut bytes = text.trim_end().as_bytes().to_vec();
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                prop_assume!(bytes[at] != byte);
                bytes[at] = byte;
            }
            let damaged = String::from_utf8(bytes).unwrap();
            match parse(&damaged) {
                Err(Unopened::Damaged | Unopened::Newer(_)) => {}
                Ok(KeyFile::Sealed(file)) => prop_assert!(file.open(&passphrase("p")).is_ok(), "{}", damaged),
                _ => prop_assert!(false, "{}", damaged),
            }
        }
    }
}
