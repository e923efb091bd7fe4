//! Registers: keyed values of which only the latest counts.
//!
//! ```text
//! header 152 | signature 64 | body
//! ```
//!
//! | at | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | kind, 32 |
//! | 2 | 1 | key source, 0 plain |
//! | 3 | 1 | scope: 0 one value for each account, 1 one for the room |
//! | 4 | 16 | room |
//! | 20 | 32 | account |
//! | 52 | 16 | device |
//! | 68 | 4 | length of the author's chain |
//! | 72 | 32 | control head |
//! | 104 | 8 | the Rev of the value that this one replaces, 0 for none |
//! | 112 | 32 | key |
//! | 144 | 8 | the author's clock, milliseconds since 1970 |
//!
//! A write is accepted only if the value that it replaces is still the current one. Who comes too late gets the current
//! value, merges, and writes again: so a read mark that was set while offline never moves a newer one back.

use crate::ids::{AccountId, DeviceId, Hash, RegisterKey, Rev, RoomId};
use crate::keys::{BadSignature, DeviceKeys, Label, PublicKey, SignatureBytes};
use crate::limits;
use crate::wire::{Reader, WireError};
use bytes::Bytes;

const REGISTER_VERSION: u8 = 1;
const KIND_REGISTER: u8 = 32;
const HEADER_LEN: usize = 152;
const SIGNATURE_LEN: usize = 64;

/// Whose the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Each account has its own value under the key: reactions, receipts, drafts.
    Account,
    /// The room has one value, which takes the right to rename: name, topic.
    Room,
}

/// What an author says about a register, outside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterHeader {
    /// Where the secret comes from that the body is sealed with; 0: it is not sealed.
    pub key_source: u8,
    /// Whose the value is.
    pub scope: Scope,
    /// The room.
    pub room: RoomId,
    /// The author.
    pub account: AccountId,
    /// The device that signs.
    pub device: DeviceId,
    /// How long the author's own chain was.
    pub chain_len: u32,
    /// The newest control entry that the author had seen.
    pub control_head: Hash,
    /// The Rev of the value that this one replaces; 0: there was none.
    pub replaces: Rev,
    /// The name of the value within the room.
    pub key: RegisterKey,
    /// The author's clock in milliseconds since 1970.
    pub at: u64,
}

/// A signed register, as received.
#[derive(Clone, PartialEq, Eq)]
pub struct Register {
    raw: Bytes,
    header: RegisterHeader,
    digest: Hash,
}

impl Register {
    /// Signs a header and a body.
    pub fn sign(header: &RegisterHeader, body: &[u8], keys: &DeviceKeys) -> Self {
        debug_assert_eq!(header.device, keys.id(), "a register is signed by the device that it names");
        let mut raw = Vec::with_capacity(HEADER_LEN + SIGNATURE_LEN + body.len());
        header.write(&mut raw);
        let digest = Hash::of(&[&raw, &Hash::of(&[body]).0]);
        raw.extend(keys.sign(Label::Register, &digest));
        raw.extend(body);
        Self { raw: raw.into(), header: header.clone(), digest }
    }

    /// Reads a register; the signature is not checked here.
    pub fn parse(raw: Bytes) -> Result<Self, WireError> {
        let mut reader = Reader::new(&raw);
        let header_bytes = reader.bytes(HEADER_LEN)?;
        reader.bytes(SIGNATURE_LEN)?;
        let body = reader.rest();
        if body.len() > limits::REGISTER_BYTES_MAX {
            return Err(WireError::TooLong("the register's body"));
        }
        let header = RegisterHeader::parse(header_bytes)?;
        let digest = Hash::of(&[header_bytes, &Hash::of(&[body]).0]);
        Ok(Self { raw, header, digest })
    }

    /// The header.
    pub fn header(&self) -> &RegisterHeader {
        &self.header
    }

    /// What the author signed.
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The bytes as they were received.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The opaque value.
    pub fn body(&self) -> Bytes {
        self.raw.slice(HEADER_LEN + SIGNATURE_LEN..)
    }

    /// Checks the signature against the key of the device that the header names.
    pub fn verify(&self, sign: &PublicKey) -> Result<(), BadSignature> {
        let signature: SignatureBytes =
            self.raw[HEADER_LEN..HEADER_LEN + SIGNATURE_LEN].try_into().expect("64 bytes, by the range");
        sign.verify(Label::Register, &self.digest, &signature)
    }
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register")
            .field("header", &self.header)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

impl RegisterHeader {
    /// Whose value it is in the relay's table: the account, or nobody's for one that belongs to the room.
    pub fn owner(&self) -> AccountId {
        match self.scope {
            Scope::Account => self.account,
            Scope::Room => AccountId::ZERO,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let scope = match self.scope {
            Scope::Account => 0,
            Scope::Room => 1,
        };
        out.extend([REGISTER_VERSION, KIND_REGISTER, self.key_source, scope]);
        out.extend(self.room.0);
        out.extend(self.account.0);
        out.extend(self.device.0);
        out.extend(self.chain_len.to_be_bytes());
        out.extend(self.control_head.0);
        out.extend(self.replaces.0.to_be_bytes());
        out.extend(self.key.0);
        out.extend(self.at.to_be_bytes());
    }

    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != REGISTER_VERSION {
            return Err(WireError::Unknown("the register's version"));
        }
        if reader.u8()? != KIND_REGISTER {
            return Err(WireError::Unknown("the register's kind"));
        }
        let key_source = reader.u8()?;
        let scope = match reader.u8()? {
            0 => Scope::Account,
            1 => Scope::Room,
            _ => return Err(WireError::Unknown("the register's scope")),
        };
        let header = Self {
            key_source,
            scope,
            room: RoomId(reader.array()?),
            account: AccountId(reader.array()?),
            device: DeviceId(reader.array()?),
            chain_len: reader.u32()?,
            control_head: Hash(reader.array()?),
            replaces: Rev(reader.u64()?),
            key: RegisterKey(reader.array()?),
            at: reader.u64()?,
        };
        reader.end()?;
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> DeviceKeys {
        DeviceKeys::from_seeds(&[1; 32], &[2; 32])
    }

    fn register(scope: Scope, body: &[u8]) -> Register {
        let header = RegisterHeader {
            key_source: 0,
            scope,
            room: RoomId([3; 16]),
            account: AccountId([4; 32]),
            device: keys().id(),
            chain_len: 5,
            control_head: Hash([6; 32]),
            replaces: Rev(7),
            key: RegisterKey([8; 32]),
            at: 9,
        };
        Register::sign(&header, body, &keys())
    }

    #[test]
    fn a_register_is_what_its_bytes_say() {
        for scope in [Scope::Account, Scope::Room] {
            let register = register(scope, b"value");
            let read = Register::parse(register.raw().clone()).unwrap();
            assert_eq!(read, register);
            assert_eq!(read.verify(&keys().sign_public()), Ok(()));
            assert_eq!(&read.body()[..], b"value");
        }
    }

    #[test]
    fn a_value_of_the_room_is_nobody_s_own() {
        assert_eq!(register(Scope::Room, b"").header().owner(), AccountId::ZERO);
        assert_eq!(register(Scope::Account, b"").header().owner(), AccountId([4; 32]));
    }

    #[test]
    fn what_this_version_does_not_know_is_refused() {
        for (at, what) in
            [(0, "the register's version"), (1, "the register's kind"), (3, "the register's scope")]
        {
            let mut raw = register(Scope::Room, b"value").raw().to_vec();
            raw[at] = 99;
            assert_eq!(Register::parse(raw.into()), Err(WireError::Unknown(what)));
        }
    }

    #[test]
    fn a_value_has_a_largest_size() {
        let largest = register(Scope::Account, &vec![0; limits::REGISTER_BYTES_MAX]);
        assert!(Register::parse(largest.raw().clone()).is_ok());
        let larger = [largest.raw(), [0].as_slice()].concat();
        assert_eq!(Register::parse(larger.into()), Err(WireError::TooLong("the register's body")));
    }
}
