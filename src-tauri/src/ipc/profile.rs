use super::{AccountId, AppError, DeviceId, Millis, ProfileId, RoomId};
use serde::{Deserialize, Serialize};
use specta::Type;

/// One account on one relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name on this computer.
    pub id: ProfileId,
    /// Whether it is open.
    pub state: ProfileState,
    /// Who one is there, if it is open.
    pub me: Option<Me>,
    /// The connection.
    pub connection: Connection,
    /// What the person should know, the newest last.
    pub troubles: Vec<Trouble>,
    /// Messages that wait to be sent.
    pub outbox: u32,
}

/// Whether a profile is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ProfileState {
    /// It is being opened.
    Opening,
    /// It is open.
    Open,
    /// It takes a passphrase.
    Locked,
    /// It cannot be opened.
    Failed {
        /// Why.
        error: AppError,
    },
}

/// Who one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The account.
    pub account: AccountId,
    /// The handle without `@`.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// This device.
    pub device: DeviceId,
    /// What it is called.
    pub device_name: String,
    /// The relay's address.
    pub relay: String,
    /// Whether the account administers the relay, and may invite.
    pub admin: bool,
    /// Bytes of text that fit into one message, unless the relay's operator has set less.
    #[specta(optional)]
    pub text_bytes_max: Option<u32>,
}

/// The connection to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Connection {
    /// None.
    Offline {
        /// When the next attempt is made.
        retry_at: Option<Millis>,
        /// Why there is none, in an English sentence.
        why: Option<String>,
    },
    /// Dialing.
    Connecting,
    /// Live.
    Online,
    /// Over, until the person does something.
    Stopped {
        /// Why: `revoked`, `disabled`, `version`, `unknownKey` or `refused`.
        error: AppError,
    },
}

/// Something that the person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// What it is.
    pub kind: TroubleKind,
    /// One English sentence with the details.
    pub message: String,
    /// The room that it is about.
    pub room: Option<RoomId>,
    /// The handle that it is about.
    pub handle: Option<String>,
}

/// What a trouble is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TroubleKind {
    /// The relay was restored from an older copy.
    Resync,
    /// What the relay lacked was given back to it.
    Republished,
    /// The relay's log is not what others have seen.
    Integrity,
    /// This computer's clock is wrong.
    WrongClock,
    /// A handle means somebody else than before; see `acceptHandle`.
    HandleMoved,
    /// This device's store cannot be written.
    Storage,
    /// The relay's disk is full; what was written waits.
    RelayFull,
    /// This account has used up its share of the relay's disk; what was written waits.
    QuotaReached,
    /// The store was damaged, and is filled again.
    StoreSetAside,
    /// Unsent changes were lost to damage of the disk.
    VaultDamaged,
    /// The key of this profile is kept where others may read it.
    KeyExposed,
}

/// Where the key of a new profile is kept.
#[derive(Clone, PartialEq, Eq, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum KeyChoice {
    /// In the system's key store; `passphraseNeeded` if there is none.
    Best,
    /// In a file sealed with a passphrase.
    Passphrase {
        /// It.
        passphrase: String,
    },
    /// In a plain file, because the person said so.
    PlainFile,
}

/// A new profile on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Arrived {
    /// The profile.
    pub profile: ProfileId,
    /// Where to begin: the room of the invite, or the chat with whoever invited.
    pub room: Option<RoomId>,
}

/// The connection in detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionInfo {
    /// The relay's address.
    pub relay: String,
    /// The pin of its key, in hexadecimal digits; `null`: the system's certificate authorities are trusted.
    pub pin: Option<String>,
    /// The version of the protocol.
    pub protocol: u16,
    /// How long the relay takes to answer, in milliseconds; `null` without a connection.
    pub latency_ms: Option<u32>,
    /// The connection.
    pub connection: Connection,
}
