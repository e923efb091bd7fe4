//! A device's two keys, and the labels that keep what one of them signs from ever being mistaken for something else.

use crate::ids::{DeviceId, Hash, Incarnation};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;
use zeroize::ZeroizeOnDrop;

/// What a signature is for. Each is made over `"kith/1 <kind>" 0x00 || digest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// A timeline entry.
    Entry,
    /// A register.
    Register,
    /// An entry of an account's chain.
    Chain,
    /// A new device agrees to belong to an account.
    Join,
    /// An answer to the relay's challenge.
    Login,
}

impl Label {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Entry => b"kith/1 entry\0",
            Self::Register => b"kith/1 register\0",
            Self::Chain => b"kith/1 chain\0",
            Self::Join => b"kith/1 join\0",
            Self::Login => b"kith/1 login\0",
        }
    }

    fn message(self, digest: &Hash) -> Vec<u8> {
        [self.bytes(), &digest.0].concat()
    }
}

/// An Ed25519 signature.
pub type SignatureBytes = [u8; 64];

/// The signature does not belong to this key and these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is wrong")]
pub struct BadSignature;

/// A public key that is known to be a point of the curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Checks and takes 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadSignature> {
        VerifyingKey::from_bytes(bytes).map(Self).map_err(|_| BadSignature)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature strictly: no small-order keys, no second encoding of the same signature.
    pub fn verify(
        &self,
        label: Label,
        digest: &Hash,
        signature: &SignatureBytes,
    ) -> Result<(), BadSignature> {
        self.0
            .verify_strict(&label.message(digest), &Signature::from_bytes(signature))
            .map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:02x?})", &self.as_bytes()[..4])
    }
}

/// The secret half of a device: one key signs entries, the other answers challenges.
#[derive(Clone, ZeroizeOnDrop)]
pub struct DeviceKeys {
    sign: SigningKey,
    auth: SigningKey,
}

impl DeviceKeys {
    /// From two secret seeds, as kept in the key store or derived from a recovery key.
    pub fn from_seeds(sign: &[u8; 32], auth: &[u8; 32]) -> Self {
        Self { sign: SigningKey::from_bytes(sign), auth: SigningKey::from_bytes(auth) }
    }

    /// Fresh ones from the system's source of randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = zeroize::Zeroizing::new([0; 64]);
        getrandom::fill(seed.as_mut())?;
        Ok(Self::from_seeds_64(&seed))
    }

    /// From both seeds one after the other, the counterpart of [`Self::seeds`].
    pub fn from_seeds_64(seeds: &[u8; 64]) -> Self {
        let (sign, auth) = seeds.split_at(32);
        Self::from_seeds(sign.try_into().expect("32 of 64"), auth.try_into().expect("32 of 64"))
    }

    /// Both secret seeds, to be sealed and kept.
    pub fn seeds(&self) -> zeroize::Zeroizing<[u8; 64]> {
        let mut seeds = zeroize::Zeroizing::new([0; 64]);
        seeds[..32].copy_from_slice(self.sign.as_bytes());
        seeds[32..].copy_from_slice(self.auth.as_bytes());
        seeds
    }

    /// The name that both public keys give the device.
    pub fn id(&self) -> DeviceId {
        DeviceId::of(self.sign_public().as_bytes(), self.auth_public().as_bytes())
    }

    /// The key that entries are checked with.
    pub fn sign_public(&self) -> PublicKey {
        PublicKey(self.sign.verifying_key())
    }

    /// The key that logins are checked with.
    pub fn auth_public(&self) -> PublicKey {
        PublicKey(self.auth.verifying_key())
    }

    /// Signs with the key for entries.
    pub fn sign(&self, label: Label, digest: &Hash) -> SignatureBytes {
        debug_assert_ne!(label, Label::Login, "the entry key never answers a challenge");
        self.sign.sign(&label.message(digest)).to_bytes()
    }

    /// Answers a relay's challenge.
    pub fn answer(&self, challenge: &Challenge) -> SignatureBytes {
        self.auth.sign(&Label::Login.message(&challenge.digest(&self.id()))).to_bytes()
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKeys({:?})", self.id())
    }
}

/// What a relay asks a device to sign: its own identity and 32 random bytes, used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    /// Keeps an answer to one relay from being used at another.
    pub incarnation: Incarnation,
    /// Random, never repeated.
    pub nonce: [u8; 32],
}

impl Challenge {
    fn digest(&self, device: &DeviceId) -> Hash {
        Hash::of(&[&self.incarnation.0, &self.nonce, &device.0])
    }

    /// Checks an answer.
    pub fn check(
        &self,
        auth: &PublicKey,
        device: &DeviceId,
        answer: &SignatureBytes,
    ) -> Result<(), BadSignature> {
        auth.verify(Label::Login, &self.digest(device), answer)
    }
}
