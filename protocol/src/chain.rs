//! Entries of an account's chain: which devices are this account.
//!
//! ```text
//! header | signature 64
//! ```
//!
//! | at | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | kind, 16 |
//! | 2 | 32 | account; zero in the genesis, whose digest is the account's id |
//! | 34 | 4 | index; the genesis is 0 |
//! | 38 | 32 | digest of the entry before; zero in the genesis |
//! | 70 | 16 | the device that signs |
//! | 86 | 8 | the author's clock, milliseconds since 1970 |
//! | 94 | | operations |

use crate::ids::{AccountId, DeviceId, Hash};
use crate::keys::{BadSignature, DeviceKeys, Label, PublicKey, SignatureBytes};
use crate::limits;
use crate::wire::{Reader, WireError, read_ops, write_ops, write_text};
use bytes::Bytes;

const CHAIN_VERSION: u8 = 1;
const KIND_CHAIN: u8 = 16;
const SIGNATURE_LEN: usize = 64;
const OP_ADD_DEVICE: u8 = 1;
const OP_REVOKE_DEVICE: u8 = 2;
const OP_SET_RECOVERY: u8 = 3;

/// What a chain entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHeader {
    /// The account; zero in the genesis.
    pub account: AccountId,
    /// Place in the chain; the genesis is 0. Appends are compare-and-set on it.
    pub index: u32,
    /// Digest of the entry before; zero in the genesis.
    pub previous: Hash,
    /// The device that signs.
    pub author: DeviceId,
    /// The author's clock in milliseconds since 1970.
    pub at: u64,
    /// What changes, all of it or nothing.
    pub ops: Vec<ChainOp>,
}

/// One change of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainOp {
    /// A device of the person's.
    AddDevice(NewDevice),
    /// A device that is lost or no longer used.
    RevokeDevice(DeviceId),
    /// The recovery key, as one more device; takes the place of the one before.
    SetRecovery(NewDevice),
    /// From a newer version.
    Unknown(u8),
}

/// A device as it enters a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// Checks what it signs.
    pub sign: PublicKey,
    /// Checks its logins.
    pub auth: PublicKey,
    /// What its owner calls it, at most 64 bytes.
    pub name: String,
    /// Its own consent, see [`NewDevice::countersign`].
    pub countersignature: SignatureBytes,
}

impl NewDevice {
    /// A device that agrees to belong to `account`; [`AccountId::ZERO`] in a genesis, where the account has no id yet.
    pub fn countersign(keys: &DeviceKeys, name: &str, account: &AccountId) -> Self {
        let name = clip_name(name);
        let digest = consent_digest(keys.sign_public(), keys.auth_public(), &name, account);
        Self {
            sign: keys.sign_public(),
            auth: keys.auth_public(),
            name,
            countersignature: keys.sign(Label::Join, &digest),
        }
    }

    /// Its id.
    pub fn id(&self) -> DeviceId {
        DeviceId::of(self.sign.as_bytes(), self.auth.as_bytes())
    }

    /// Whether the device did agree.
    pub fn check(&self, account: &AccountId) -> Result<(), BadSignature> {
        let digest = consent_digest(self.sign, self.auth, &self.name, account);
        self.sign.verify(Label::Join, &digest, &self.countersignature)
    }

    /// The bytes of an operation that adds it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The counterpart of [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        Self::parse(Reader::new(bytes))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.sign.as_bytes());
        out.extend(self.auth.as_bytes());
        out.extend(self.countersignature);
        write_text(out, &self.name);
    }

    fn parse(mut reader: Reader<'_>) -> Result<Self, WireError> {
        let key = |bytes: [u8; 32]| {
            PublicKey::from_bytes(&bytes).map_err(|_| WireError::Unknown("the device's public key"))
        };
        let device = Self {
            sign: key(reader.array()?)?,
            auth: key(reader.array()?)?,
            countersignature: reader.array()?,
            name: reader.text("the device's name", limits::DEVICE_NAME_BYTES_MAX)?,
        };
        reader.end()?;
        Ok(device)
    }
}

fn consent_digest(sign: PublicKey, auth: PublicKey, name: &str, account: &AccountId) -> Hash {
    Hash::of(&[&account.0, sign.as_bytes(), auth.as_bytes(), name.as_bytes()])
}

fn clip_name(name: &str) -> String {
    let mut clipped = String::new();
    for c in name.trim().chars().filter(|c| !c.is_control()) {
        if clipped.len() + c.len_utf8() > limits::DEVICE_NAME_BYTES_MAX {
            break;
        }
        clipped.push(c);
    }
    clipped
}

/// A signed chain entry, as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainEntry {
    raw: Bytes,
    header: ChainHeader,
    digest: Hash,
}

impl ChainEntry {
    /// Signs a header.
    pub fn sign(header: &ChainHeader, keys: &DeviceKeys) -> Self {
        debug_assert_eq!(header.author, keys.id(), "a chain entry is signed by the device that it names");
        let mut raw = Vec::new();
        header.write(&mut raw);
        let digest = Hash::of(&[&raw]);
        raw.extend(keys.sign(Label::Chain, &digest));
        Self { raw: raw.into(), header: header.clone(), digest }
    }

    /// The first entry of a new account, with its first device.
    pub fn genesis(keys: &DeviceKeys, device_name: &str, at: u64) -> Self {
        let header = ChainHeader {
            account: AccountId::ZERO,
            index: 0,
            previous: Hash::ZERO,
            author: keys.id(),
            at,
            ops: vec![ChainOp::AddDevice(NewDevice::countersign(keys, device_name, &AccountId::ZERO))],
        };
        Self::sign(&header, keys)
    }

    /// Reads a chain entry; the signature is not checked here.
    pub fn parse(raw: Bytes) -> Result<Self, WireError> {
        if raw.len() > limits::CHAIN_ENTRY_BYTES_MAX {
            return Err(WireError::TooLong("the chain entry"));
        }
        let header_len = raw.len().checked_sub(SIGNATURE_LEN).ok_or(WireError::Short)?;
        let header_bytes = &raw[..header_len];
        let header = ChainHeader::parse(header_bytes)?;
        let digest = Hash::of(&[header_bytes]);
        Ok(Self { raw, header, digest })
    }

    /// What it says.
    pub fn header(&self) -> &ChainHeader {
        &self.header
    }

    /// What the author signed, and what the next entry links to.
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The bytes as they were received.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Checks the signature against a device's key.
    pub fn verify(&self, sign: &PublicKey) -> Result<(), BadSignature> {
        let from = self.raw.len() - SIGNATURE_LEN;
        let signature: SignatureBytes = self.raw[from..].try_into().expect("64 bytes, by the range");
        sign.verify(Label::Chain, &self.digest, &signature)
    }
}

impl ChainHeader {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([CHAIN_VERSION, KIND_CHAIN]);
        out.extend(self.account.0);
        out.extend(self.index.to_be_bytes());
        out.extend(self.previous.0);
        out.extend(self.author.0);
        out.extend(self.at.to_be_bytes());
        write_ops(out, &self.ops, ChainOp::write);
    }

    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != CHAIN_VERSION {
            return Err(WireError::Unknown("the chain entry's version"));
        }
        if reader.u8()? != KIND_CHAIN {
            return Err(WireError::Unknown("the chain entry's kind"));
        }
        let header = Self {
            account: AccountId(reader.array()?),
            index: reader.u32()?,
            previous: Hash(reader.array()?),
            author: DeviceId(reader.array()?),
            at: reader.u64()?,
            ops: read_ops(&mut reader, ChainOp::parse)?,
        };
        reader.end()?;
        Ok(header)
    }
}

impl ChainOp {
    fn write(&self, out: &mut Vec<u8>) -> u8 {
        match self {
            Self::AddDevice(device) => {
                device.write(out);
                OP_ADD_DEVICE
            }
            Self::RevokeDevice(id) => {
                out.extend(id.0);
                OP_REVOKE_DEVICE
            }
            Self::SetRecovery(device) => {
                device.write(out);
                OP_SET_RECOVERY
            }
            Self::Unknown(tag) => *tag,
        }
    }

    fn parse(tag: u8, mut reader: Reader<'_>) -> Result<Self, WireError> {
        match tag {
            OP_ADD_DEVICE => NewDevice::parse(reader).map(Self::AddDevice),
            OP_REVOKE_DEVICE => {
                let id = DeviceId(reader.array()?);
                reader.end()?;
                Ok(Self::RevokeDevice(id))
            }
            OP_SET_RECOVERY => NewDevice::parse(reader).map(Self::SetRecovery),
            _ => Ok(Self::Unknown(tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> DeviceKeys {
        DeviceKeys::from_seeds(&[seed; 32], &[seed ^ 0xff; 32])
    }

    #[test]
    fn a_chain_entry_is_what_its_bytes_say() {
        let account = AccountId([3; 32]);
        let header = ChainHeader {
            account,
            index: 4,
            previous: Hash([5; 32]),
            author: keys(1).id(),
            at: 6,
            ops: vec![
                ChainOp::AddDevice(NewDevice::countersign(&keys(2), "phone", &account)),
                ChainOp::SetRecovery(NewDevice::countersign(&keys(3), "recovery key", &account)),
                ChainOp::RevokeDevice(keys(1).id()),
                ChainOp::Unknown(99),
            ],
        };
        let entry = ChainEntry::sign(&header, &keys(1));
        let read = ChainEntry::parse(entry.raw().clone()).unwrap();
        assert_eq!(read, entry);
        assert_eq!(read.header(), &header);
        assert_eq!(read.verify(&keys(1).sign_public()), Ok(()));
        assert_eq!(read.verify(&keys(2).sign_public()), Err(BadSignature));
    }

    #[test]
    fn bytes_left_over_are_refused_wherever_they_are() {
        let genesis = ChainEntry::genesis(&keys(1), "laptop", 1);
        let longer = [genesis.raw(), [0].as_slice()].concat();
        assert_eq!(ChainEntry::parse(longer.into()), Err(WireError::Trailing));
        let device =
            [NewDevice::countersign(&keys(1), "laptop", &AccountId::ZERO).to_bytes(), vec![0]].concat();
        assert_eq!(NewDevice::from_bytes(&device), Err(WireError::Trailing));
    }

    #[test]
    fn an_entry_has_a_largest_size() {
        let huge = vec![0; limits::CHAIN_ENTRY_BYTES_MAX + 1];
        assert_eq!(ChainEntry::parse(huge.into()), Err(WireError::TooLong("the chain entry")));
    }

    #[test]
    fn names_are_cut_between_characters_and_hold_no_control_characters() {
        let device =
            NewDevice::countersign(&keys(1), &format!(" a\n{}", "\u{1F5A5}".repeat(99)), &AccountId::ZERO);
        assert_eq!(device.name, format!("a{}", "\u{1F5A5}".repeat(15)));
        assert_eq!(NewDevice::from_bytes(&device.to_bytes()), Ok(device));
    }

    #[test]
    fn a_name_with_control_characters_is_refused_when_read() {
        let mut bytes = NewDevice::countersign(&keys(1), "laptop", &AccountId::ZERO).to_bytes();
        let last = bytes.len() - 1;
        bytes[last] = b'\n';
        assert_eq!(NewDevice::from_bytes(&bytes), Err(WireError::BadText("the device's name")));
    }

    #[test]
    fn consent_names_its_account_and_its_name() {
        let account = AccountId([3; 32]);
        let device = NewDevice::countersign(&keys(1), "laptop", &account);
        assert_eq!(device.check(&account), Ok(()));
        assert_eq!(device.check(&AccountId::ZERO), Err(BadSignature));
        let renamed = NewDevice { name: "phone".into(), ..device };
        assert_eq!(renamed.check(&account), Err(BadSignature));
    }
}
