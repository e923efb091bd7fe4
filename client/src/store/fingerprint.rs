use crate::keys::DataKey;
use sled::IVec;

/// Tells one set of rows from another: the nonces of all sealed values, XORed.
///
/// Every sealing draws a new nonce, so a row that is missing, or that is an older one than it should be, shows. It is kept
/// in each commit's batch and compared after a crash, because sled, cut by a power cut or met by a bad sector, sometimes
/// opens with a part of what it held: the newest cursor, and a hole in the entries (seen in tests).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    nonces: u128,
}

impl Fingerprint {
    /// Adds a row that was not in it, or takes out one that was.
    pub(crate) fn flip(&mut self, sealed: &[u8]) {
        const { assert!(DataKey::OVERHEAD > size_of::<u128>(), "a sealed value begins with its nonce") };
        if let Some(nonce) = sealed.first_chunk() {
            self.nonces ^= u128::from_be_bytes(*nonce);
        }
    }

    pub(crate) fn to_row(self) -> IVec {
        IVec::from(&self.nonces.to_be_bytes())
    }

    pub(crate) fn from_row(row: &[u8]) -> Option<Self> {
        Some(Self { nonces: u128::from_be_bytes(row.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_is_missing_and_what_is_old() {
        let rows: Vec<Vec<u8>> =
            (0..3).map(|_| DataKey::from_bytes([1; 32]).seal(b"", b"the same")).collect();
        let of = |rows: &[&Vec<u8>]| {
            let mut fingerprint = Fingerprint::default();
            for row in rows {
                fingerprint.flip(row);
            }
            fingerprint
        };
        assert_eq!(of(&[&rows[0], &rows[1]]), of(&[&rows[1], &rows[0]]));
        assert_ne!(of(&[&rows[0], &rows[1]]), of(&[&rows[0]]));
        assert_ne!(of(&[&rows[0], &rows[1]]), of(&[&rows[0], &rows[2]]));
        assert_eq!(Fingerprint::from_row(&of(&[&rows[2]]).to_row()), Some(of(&[&rows[2]])));
        assert_eq!(Fingerprint::from_row(b"short"), None);
    }
}
