//! Linking a new device: both sides know a short code, meet at a slot that is derived from it, and authenticate what they
//! leave there with it. The relay sees neither the code nor can it change a word.
//!
//! Part 0 is the offer of the device that is in, part 1 the answer of the one that wants in, part 2 the outcome. Each is
//! `HMAC-SHA256 32 | MessagePack map`; the MAC runs over the part's number and the map.

use crate::ids::{AccountId, Hash, SlotId};
use crate::wire::WireError;
use data_encoding::{Encoding, Specification};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use zeroize::ZeroizeOnDrop;

/// Crockford's base 32: no letter that is taken for a digit.
pub(crate) static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    spec.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    spec.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    spec.ignore.push_str("- ");
    spec.check_trailing_bits = false;
    spec.encoding().expect("32 symbols, each once")
});

/// 16 random bytes, written as 26 characters of which the last carries two bits to check.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct LinkCode([u8; 16]);

/// The text is no link code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no link code, or a character of it is wrong: it has 26 letters and digits")]
pub struct BadCode;

/// Why what stands in a slot does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Made with another code, or changed on its way.
    #[error("the other side used another code")]
    WrongCode,
    /// Made by a version that says it differently.
    #[error("the other side speaks another version of the protocol")]
    Malformed,
}

/// Part 0: who you would belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The account.
    pub account: AccountId,
    /// Its handle, to be shown.
    pub handle: String,
}

/// Part 1: who would join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// A [`crate::chain::NewDevice`] that agreed to the offer's account.
    #[serde(with = "serde_bytes")]
    pub device: Vec<u8>,
}

/// Part 2: what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether the device is in the chain now.
    pub linked: bool,
}

impl LinkCode {
    /// From 16 random bytes.
    pub fn from_secret(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// Where both sides meet.
    pub fn slot(&self) -> SlotId {
        SlotId(self.mac(&[b"slot"]))
    }

    /// Wraps a part.
    pub fn seal(&self, part: u8, content: &impl Serialize) -> Vec<u8> {
        let map = rmp_serde::to_vec_named(content).expect("a part holds nothing that MessagePack cannot");
        [self.mac(&[b"part", &[part], &map]).as_slice(), &map].concat()
    }

    /// Unwraps a part.
    pub fn open<T: DeserializeOwned>(&self, part: u8, data: &[u8]) -> Result<T, SlotError> {
        let (mac, map) = data.split_at_checked(32).ok_or(SlotError::Malformed)?;
        let expected = self.mac(&[b"part", &[part], map]);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(mac, expected.as_slice())) {
            return Err(SlotError::WrongCode);
        }
        rmp_serde::from_slice(map).map_err(|_| SlotError::Malformed)
    }

    /// Six digits that both sides show; the person compares them.
    pub fn digits(&self, offer: &[u8], answer: &[u8]) -> String {
        let mac = self.mac(&[b"digits", &Hash::of(&[offer]).0, &Hash::of(&[answer]).0]);
        let (number, _) = mac.split_first_chunk().expect("a MAC has 32 bytes");
        format!("{:06}", u64::from_be_bytes(*number) % 1_000_000)
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(b"kith/1 link\0");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn check_bits(&self) -> u8 {
        Hash::of(&[b"kith/1 link code\0", &self.0]).0[0] & 0b11
    }
}

impl fmt::Display for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.to_vec();
        // 26 characters hold 130 bits: two are left for the check.
        bytes.push(self.check_bits() << 6);
        f.write_str(&BASE32.encode(&bytes)[..26])
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode(..)")
    }
}

impl FromStr for LinkCode {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        let mut symbols: Vec<u8> = text.bytes().filter(|b| !b"- \t\r\n".contains(b)).collect();
        if symbols.len() != 26 {
            return Err(BadCode);
        }
        // Filled up to 140 bits, of which 136 are whole bytes: the code, and the check in the upper two of the last.
        symbols.extend(b"00");
        let bytes = BASE32.decode(&symbols).map_err(|_| BadCode)?;
        let (secret, check) = bytes.split_first_chunk::<16>().ok_or(BadCode)?;
        let code = Self(*secret);
        if check.first() == Some(&(code.check_bits() << 6)) { Ok(code) } else { Err(BadCode) }
    }
}

impl From<WireError> for SlotError {
    fn from(_: WireError) -> Self {
        Self::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_read_aloud() {
        let code = LinkCode::from_secret(*b"0123456789abcdef");
        let text = code.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse(), Ok(code.clone()));
        let spaced = text.to_lowercase().replace('0', "o").replace('1', "l");
        assert_eq!(format!("{}-{}", &spaced[..13], &spaced[13..]).parse(), Ok(code));
        assert_eq!(text[..25].parse::<LinkCode>(), Err(BadCode));
    }

    #[test]
    fn parts_count_only_in_their_place_and_with_their_code() {
        let code = LinkCode::from_secret([1; 16]);
        let offer = Offer { account: AccountId([2; 32]), handle: "alice".into() };
        let sealed = code.seal(0, &offer);
        assert_eq!(code.open(0, &sealed), Ok(offer));
        assert_eq!(code.open::<Offer>(1, &sealed), Err(SlotError::WrongCode));
        assert_eq!(LinkCode::from_secret([3; 16]).open::<Offer>(0, &sealed), Err(SlotError::WrongCode));
        assert_eq!(code.open::<Offer>(0, &[]), Err(SlotError::Malformed));
    }
}
