//! Timeline entries: a header that the relay reads, a signature, an opaque body.
//!
//! On the wire and on disk an entry is one run of bytes:
//!
//! ```text
//! header_len u16 | header | signature 64 | 1 | body          a body of any length
//! header_len u16 | header | signature 64 | 0 | body_hash 32  the body was redacted
//! ```
//!
//! The digest `SHA-256(header || SHA-256(body))` is what the author signs and what the room's rolling hash runs over, so a
//! redaction changes neither.

use crate::ids::{AccountId, DeviceId, Hash, RoomId, Seq, TxnId};
use crate::keys::{BadSignature, DeviceKeys, Label, PublicKey, SignatureBytes};
use crate::limits;
use crate::room::ControlOp;
use crate::wire::{Reader, WireError, read_ops, write_ops};
use bytes::Bytes;

/// The version of the encoding of what is signed.
pub const ENTRY_VERSION: u8 = 1;
/// Key source 0: the body is plain.
pub const KEY_SOURCE_PLAIN: u8 = 0;

const KIND_MESSAGE: u8 = 1;
const KIND_CONTROL: u8 = 2;
const KIND_REDACTION: u8 = 3;
const SIGNATURE_LEN: usize = 64;
const BODY_REDACTED: u8 = 0;
const BODY_PRESENT: u8 = 1;

/// What an author says about an entry, outside its body.
///
/// | at | size | field |
/// | --- | --- | --- |
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | kind: 1 message, 2 control, 3 redaction |
/// | 2 | 1 | key source, 0 plain |
/// | 3 | 1 | zero |
/// | 4 | 16 | room; zero in a group's genesis |
/// | 20 | 32 | account |
/// | 52 | 16 | device |
/// | 68 | 4 | length of the author's chain |
/// | 72 | 32 | control head: the digest of the newest control entry that the author had seen |
/// | 104 | 8 | the newest Seq that the author had seen |
/// | 112 | 32 | the rolling hash at that Seq |
/// | 144 | 16 | transaction id |
/// | 160 | 8 | the author's clock, milliseconds since 1970 |
/// | 168 | | control: index u32, operations; redaction: target Seq u64, target digest 32 |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Where the secret comes from that the body is sealed with; 0: it is not sealed.
    pub key_source: u8,
    /// The room. Zero in a group's genesis, whose digest names the room.
    pub room: RoomId,
    /// The author.
    pub account: AccountId,
    /// The device that signs.
    pub device: DeviceId,
    /// How long the author's own chain was.
    pub chain_len: u32,
    /// The control entry that the author thought was the newest. Control entries are compare-and-set on it.
    pub control_head: Hash,
    /// The newest entry that the author held.
    pub seen_seq: Seq,
    /// The rolling hash at that place.
    pub seen_hash: Hash,
    /// Makes a retry harmless.
    pub txn: TxnId,
    /// The author's clock in milliseconds since 1970. A claim, not a fact.
    pub at: u64,
    /// What kind of entry it is.
    pub kind: Kind,
}

/// What an entry is to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Something that only members understand.
    Message,
    /// A change of members or rights, see [`crate::room`].
    Control {
        /// Place among the room's control entries; the genesis is 0.
        index: u32,
        /// What changes, all of it or nothing.
        ops: Vec<ControlOp>,
    },
    /// Takes the body of an earlier message away.
    Redaction {
        /// The message.
        target: Seq,
        /// Its digest, so that nothing else can be put in its place.
        digest: Hash,
    },
    /// From a newer version: kept, counted and hashed, not understood.
    Unknown(u8),
}

/// A signed entry, as received.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    raw: Bytes,
    header_len: usize,
    header: Header,
    digest: Hash,
}

impl Entry {
    /// Signs a header and a body.
    pub fn sign(header: &Header, body: &[u8], keys: &DeviceKeys) -> Self {
        debug_assert_eq!(header.device, keys.id(), "an entry is signed by the device that it names");
        let mut raw = vec![0; 2];
        header.write(&mut raw);
        let header_len = raw.len() - 2;
        raw[..2]
            .copy_from_slice(&u16::try_from(header_len).expect("headers stay below 64 KiB").to_be_bytes());
        let digest = Hash::of(&[&raw[2..], &Hash::of(&[body]).0]);
        raw.extend(keys.sign(Label::Entry, &digest));
        raw.push(BODY_PRESENT);
        raw.extend(body);
        Self { raw: raw.into(), header_len, header: header.clone(), digest }
    }

    /// Reads an entry. Its signature is not checked here: that takes the author's key.
    pub fn parse(raw: Bytes) -> Result<Self, WireError> {
        let mut reader = Reader::new(&raw);
        let header_len = usize::from(reader.u16()?);
        let header_bytes = reader.bytes(header_len)?;
        reader.bytes(SIGNATURE_LEN)?;
        let body_hash = match reader.u8()? {
            BODY_REDACTED => {
                let hash = Hash(reader.array()?);
                reader.end()?;
                hash
            }
            BODY_PRESENT => {
                let body = reader.rest();
                if body.len() > limits::BODY_BYTES_MAX {
                    return Err(WireError::TooLong("the body"));
                }
                Hash::of(&[body])
            }
            _ => return Err(WireError::Unknown("the body's mark")),
        };
        let header = Header::parse(header_bytes)?;
        let digest = Hash::of(&[header_bytes, &body_hash.0]);
        Ok(Self { raw, header_len, header, digest })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the author signed and the rolling hash runs over.
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The bytes as they were received.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The body, unless it was redacted.
    pub fn body(&self) -> Option<Bytes> {
        let mark = 2 + self.header_len + SIGNATURE_LEN;
        (self.raw.get(mark) == Some(&BODY_PRESENT)).then(|| self.raw.slice(mark + 1..))
    }

    /// The same entry without its body: header, signature and digest stay.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let Some(body) = self.body() else { return self.clone() };
        let mark = 2 + self.header_len + SIGNATURE_LEN;
        let mut raw = self.raw[..mark].to_vec();
        raw.push(BODY_REDACTED);
        raw.extend(Hash::of(&[&body]).0);
        Self { raw: raw.into(), ..self.clone() }
    }

    /// Checks the signature against the key of the device that the header names.
    pub fn verify(&self, sign: &PublicKey) -> Result<(), BadSignature> {
        sign.verify(Label::Entry, &self.digest, &self.signature())
    }

    /// The room that this entry belongs to; for a group's genesis, the room that it makes.
    pub fn room(&self) -> RoomId {
        if self.header.room.is_zero() { RoomId::group(&self.digest) } else { self.header.room }
    }

    fn signature(&self) -> SignatureBytes {
        let from = 2 + self.header_len;
        self.raw[from..from + SIGNATURE_LEN].try_into().expect("64 bytes, by the range")
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("header", &self.header)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

impl Header {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([ENTRY_VERSION, self.kind.tag(), self.key_source, 0]);
        out.extend(self.room.0);
        out.extend(self.account.0);
        out.extend(self.device.0);
        out.extend(self.chain_len.to_be_bytes());
        out.extend(self.control_head.0);
        out.extend(self.seen_seq.0.to_be_bytes());
        out.extend(self.seen_hash.0);
        out.extend(self.txn.0);
        out.extend(self.at.to_be_bytes());
        match &self.kind {
            Kind::Message | Kind::Unknown(_) => {}
            Kind::Control { index, ops } => {
                out.extend(index.to_be_bytes());
                write_ops(out, ops, ControlOp::write);
            }
            Kind::Redaction { target, digest } => {
                out.extend(target.0.to_be_bytes());
                out.extend(digest.0);
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        let tag = reader.u8()?;
        let key_source = reader.u8()?;
        let known = version == ENTRY_VERSION;
        if reader.u8()? != 0 && known {
            return Err(WireError::Unknown("the header's reserved byte"));
        }
        let mut header = Self {
            key_source,
            room: RoomId(reader.array()?),
            account: AccountId(reader.array()?),
            device: DeviceId(reader.array()?),
            chain_len: reader.u32()?,
            control_head: Hash(reader.array()?),
            seen_seq: Seq(reader.u64()?),
            seen_hash: Hash(reader.array()?),
            txn: TxnId(reader.array()?),
            at: reader.u64()?,
            kind: Kind::Unknown(tag),
        };
        if known {
            header.kind = Kind::parse(tag, reader)?;
        }
        Ok(header)
    }
}

impl Kind {
    fn tag(&self) -> u8 {
        match self {
            Self::Message => KIND_MESSAGE,
            Self::Control { .. } => KIND_CONTROL,
            Self::Redaction { .. } => KIND_REDACTION,
            Self::Unknown(tag) => *tag,
        }
    }

    fn parse(tag: u8, mut reader: Reader<'_>) -> Result<Self, WireError> {
        let kind = match tag {
            KIND_MESSAGE => Self::Message,
            KIND_CONTROL => {
                Self::Control { index: reader.u32()?, ops: read_ops(&mut reader, ControlOp::parse)? }
            }
            KIND_REDACTION => Self::Redaction { target: Seq(reader.u64()?), digest: Hash(reader.array()?) },
            _ => return Ok(Self::Unknown(tag)),
        };
        reader.end()?;
        Ok(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> DeviceKeys {
        DeviceKeys::from_seeds(&[1; 32], &[2; 32])
    }

    fn header(kind: Kind) -> Header {
        Header {
            key_source: KEY_SOURCE_PLAIN,
            room: RoomId([3; 16]),
            account: AccountId([4; 32]),
            device: keys().id(),
            chain_len: 5,
            control_head: Hash([6; 32]),
            seen_seq: Seq(7),
            seen_hash: Hash([8; 32]),
            txn: TxnId([9; 16]),
            at: 10,
            kind,
        }
    }

    #[test]
    fn an_entry_is_what_its_bytes_say() {
        let kinds = [
            Kind::Message,
            Kind::Control { index: 1, ops: vec![ControlOp::Remove(AccountId([4; 32]))] },
            Kind::Redaction { target: Seq(3), digest: Hash([1; 32]) },
            Kind::Unknown(200),
        ];
        for kind in kinds {
            let entry = Entry::sign(&header(kind), b"body", &keys());
            let read = Entry::parse(entry.raw().clone()).unwrap();
            assert_eq!(read, entry);
            assert_eq!(read.verify(&keys().sign_public()), Ok(()));
            assert_eq!(read.body().as_deref(), Some(b"body".as_slice()));
        }
    }

    #[test]
    fn a_redaction_takes_the_body_and_leaves_signature_and_digest() {
        let entry = Entry::sign(&header(Kind::Message), b"secret", &keys());
        let redacted = Entry::parse(entry.redacted().raw().clone()).unwrap();
        assert_eq!(redacted.body(), None);
        assert_eq!((redacted.digest(), redacted.header()), (entry.digest(), entry.header()));
        assert_eq!(redacted.verify(&keys().sign_public()), Ok(()));
        assert_eq!(redacted.redacted(), redacted);
        assert!(!redacted.raw().windows(6).any(|six| six == b"secret"));
    }

    #[test]
    fn another_version_of_the_header_is_kept_and_not_understood() {
        let mut raw = Entry::sign(&header(Kind::Message), b"body", &keys()).raw().to_vec();
        raw[2] = ENTRY_VERSION + 1;
        raw[5] = 7;
        let entry = Entry::parse(raw.clone().into()).unwrap();
        assert_eq!(entry.header().kind, Kind::Unknown(KIND_MESSAGE));
        assert_eq!(entry.raw(), &raw);
        raw[2] = ENTRY_VERSION;
        assert_eq!(Entry::parse(raw.into()), Err(WireError::Unknown("the header's reserved byte")));
    }

    #[test]
    fn a_body_has_a_largest_size() {
        let largest = Entry::sign(&header(Kind::Message), &vec![0; limits::BODY_BYTES_MAX], &keys());
        assert!(Entry::parse(largest.raw().clone()).is_ok());
        let larger = [largest.raw(), [0].as_slice()].concat();
        assert_eq!(Entry::parse(larger.into()), Err(WireError::TooLong("the body")));
    }

    #[test]
    fn a_genesis_names_its_room() {
        let mut header = header(Kind::Control { index: 0, ops: Vec::new() });
        header.room = RoomId::ZERO;
        let entry = Entry::sign(&header, b"", &keys());
        assert_eq!(entry.room(), RoomId::group(&entry.digest()));
    }
}
