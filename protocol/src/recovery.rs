//! The recovery key: 160 random bits, shown once, that sign in a new computer when all devices are lost.

use crate::ids::Hash;
use crate::keys::DeviceKeys;
use crate::rendezvous::BASE32;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;
use zeroize::ZeroizeOnDrop;

/// The name under which it stands in the list of devices.
pub const DEVICE_NAME: &str = "recovery key";

/// 160 random bits. Written as nine groups of four characters, the last of which checks the others.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct RecoveryKey([u8; 20]);

/// The text is no recovery key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no recovery key, or a character of it is wrong: it has nine groups of four letters and digits"
)]
pub struct BadRecoveryKey;

impl RecoveryKey {
    /// From 160 random bits.
    pub fn from_secret(secret: [u8; 20]) -> Self {
        Self(secret)
    }

    /// The device that it is.
    pub fn device_keys(&self) -> DeviceKeys {
        let derive = |what: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
            mac.update(b"kith/1 recovery\0");
            mac.update(what);
            zeroize::Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()))
        };
        DeviceKeys::from_seeds(&derive(b"sign"), &derive(b"auth"))
    }

    fn check(&self) -> [u8; 3] {
        let hash = Hash::of(&[b"kith/1 recovery key\0", &self.0]).0;
        [hash[0], hash[1], hash[2] & 0xf0]
    }
}

impl fmt::Display for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 180 bits in 36 characters: 160 of secret, 20 of check.
        let text = BASE32.encode(&[self.0.as_slice(), &self.check()].concat());
        for (n, group) in text.as_bytes()[..36].chunks(4).enumerate() {
            let group = std::str::from_utf8(group).expect("base 32 is ASCII");
            write!(f, "{}{group}", if n == 0 { "" } else { "-" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey(..)")
    }
}

impl FromStr for RecoveryKey {
    type Err = BadRecoveryKey;

    fn from_str(text: &str) -> Result<Self, BadRecoveryKey> {
        let mut symbols: Vec<u8> = text.bytes().filter(|b| !b"- \t\r\n".contains(b)).collect();
        if symbols.len() != 36 {
            return Err(BadRecoveryKey);
        }
        symbols.push(b'0');
        let bytes = BASE32.decode(&symbols).map_err(|_| BadRecoveryKey)?;
        let (secret, check) = bytes.split_first_chunk::<20>().ok_or(BadRecoveryKey)?;
        let key = Self(*secret);
        if *check == key.check() { Ok(key) } else { Err(BadRecoveryKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_paper_and_a_wrong_character_is_noticed() {
        let key = RecoveryKey::from_secret([0x5a; 20]);
        let text = key.to_string();
        assert_eq!(text.len(), 44);
        assert_eq!(text.to_lowercase().parse(), Ok(key.clone()));
        assert_eq!(key.device_keys().id(), text.parse::<RecoveryKey>().unwrap().device_keys().id());
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            if wrong[at] != b'-' {
                wrong[at] = if wrong[at] == b'7' { b'8' } else { b'7' };
                assert_eq!(String::from_utf8(wrong).unwrap().parse::<RecoveryKey>(), Err(BadRecoveryKey));
            }
        }
    }
}
