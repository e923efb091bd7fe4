use super::DataKey;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// The secret that everything else of a profile on this device is sealed under. Wiped when dropped.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; 32]>,
}

/// What a [`DataKey`] is for: each its own, so that nothing sealed for one opens as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Values of [`crate::store`].
    Store,
    /// Frames of [`crate::vault`].
    Vault,
}

impl MasterKey {
    /// A fresh one.
    pub fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).expect("the system has random numbers");
        Self { bytes }
    }

    /// The one of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes: Zeroizing::new(bytes) }
    }

    /// The key for one purpose: HKDF-SHA256 (RFC 5869) without salt, `"kith/1 <purpose>"` as info.
    pub fn data_key(&self, purpose: Purpose) -> DataKey {
        let info: &[u8] = match purpose {
            Purpose::Store => b"kith/1 store",
            Purpose::Vault => b"kith/1 vault",
        };
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, self.bytes.as_slice())
            .expand(info, &mut key)
            .expect("32 bytes are fewer than HKDF-SHA256 can give");
        DataKey::from_bytes(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_have_keys_of_their_own() {
        let master = MasterKey::from_bytes([3; 32]);
        let sealed = master.data_key(Purpose::Store).seal(b"", b"plain");
        assert_eq!(master.clone().data_key(Purpose::Store).open(b"", &sealed).unwrap(), b"plain");
        assert_eq!(master.data_key(Purpose::Vault).open(b"", &sealed), None);
        assert_eq!(MasterKey::random().data_key(Purpose::Store).open(b"", &sealed), None);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", MasterKey::from_bytes([3; 32])), "MasterKey(redacted)");
    }
}
