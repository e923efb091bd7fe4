use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroizing;

/// A key that seals what a device keeps: XChaCha20-Poly1305 with a random nonce of 24 bytes, so that no two processes need
/// to agree on a counter.
///
/// Sealed: `nonce 24 | ciphertext | tag 16`.
#[derive(Clone)]
pub struct DataKey {
    // Wiped when dropped, by the cipher itself.
    cipher: XChaCha20Poly1305,
}

const NONCE: usize = 24;
const TAG: usize = 16;

impl DataKey {
    /// The bytes that sealing adds.
    pub const OVERHEAD: usize = NONCE + TAG;

    /// A key of these bytes; see [`super::MasterKey::data_key`] for the usual way.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self { cipher: XChaCha20Poly1305::new((&*bytes).into()) }
    }

    /// Seals `plain` to `place`: it opens nowhere else.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the system has random numbers");
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place })
            .expect("a value is shorter than 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed to `place`, if it was, and under this key, and nobody changed it since.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place }).ok()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn opens_at_its_place_alone(plain: Vec<u8>, place: Vec<u8>, other: Vec<u8>, at: prop::sample::Index) {
            let key = DataKey::from_bytes([1; 32]);
            let sealed = key.seal(&place, &plain);
            prop_assert_eq!(sealed.len(), plain.len() + DataKey::OVERHEAD);
            prop_assert_eq!(key.open(&place, &sealed), Some(plain.clone()));
            prop_assert_eq!(key.open(&other, &sealed).is_some(), other == place);
            prop_assert_eq!(DataKey::from_bytes([2; 32]).open(&place, &sealed), None);

            let at = at.index(sealed.len());
            prop_assert_eq!(key.open(&place, &sealed[..at]), None);
            let mut changed = sealed;
            changed[at] ^= 1;
            prop_assert_eq!(key.open(&place, &changed), None);
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", DataKey::from_bytes([9; 32])), "DataKey(redacted)");
    }
}
