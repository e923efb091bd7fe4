//! What the engine tells without being asked.

use super::model::{Millis, Person, RoomSummary};
use crate::notify::{Decision, Notice, Withdrawal};
use crate::timeline::Diff;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::ids::{AccountId, RoomId, Seq, TxnId};

/// Something changed.
#[expect(clippy::large_enum_variant, reason = "moved a few times on its way; a box each would cost more")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// A room's timeline. Steps are made for the lines that [`Engine::history`](super::Engine::history) has loaded last;
    /// whoever shows others goes by ids and seqs instead of the index. Of a room that was not loaded, only new lines at
    /// the end are told.
    Timeline {
        /// The room.
        room: RoomId,
        /// What changed.
        diff: Diff,
    },
    /// More lines came at once than are told one by one: ask for them ([`Engine::history_after`](super::Engine::history_after)).
    Behind {
        /// The room.
        room: RoomId,
    },
    /// The list of rooms.
    Rooms(RoomsDiff),
    /// The connection.
    Connection(Connection),
    /// How far the relay's log has been read.
    Progress(Progress),
    /// Whether, why and how to notify the person of an entry. At most once for each entry, restarts included.
    Notification(Decision),
    /// One notification for all that came while this device was away.
    Summary {
        /// How many messages.
        messages: u64,
        /// In how many rooms.
        chats: u64,
        /// What to show.
        notice: Notice,
    },
    /// Notifications that have to go: what they tell of was read, or taken away.
    Withdraw(Vec<Withdrawal>),
    /// A message has left the outbox: it is on the relay's disk.
    Acked {
        /// The message.
        txn: TxnId,
        /// Its room.
        room: RoomId,
        /// Its place.
        seq: Seq,
    },
    /// The relay refused a message for good; it stays in the outbox, to be retried or discarded.
    SendFailed {
        /// The message.
        txn: TxnId,
        /// Its room.
        room: RoomId,
        /// Why.
        code: ErrorCode,
    },
    /// Somebody is writing. Holds for some seconds.
    Typing {
        /// The room.
        room: RoomId,
        /// Who.
        person: Person,
    },
    /// Somebody came, went, or stepped away.
    Presence {
        /// Who.
        account: AccountId,
        /// Connected with some device.
        online: bool,
        /// Away from all keyboards.
        away: bool,
    },
    /// The devices of this account changed.
    Devices,
    /// A setting of the app changed on some device.
    Setting {
        /// Which one.
        name: String,
        /// Its value.
        value: String,
    },
    /// What is announced to everybody has changed, or was put away: ask for it
    /// ([`Engine::announcement`](super::Engine::announcement)).
    Announcement,
    /// Something that the person should know.
    Trouble(Trouble),
}

/// A change of the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomsDiff {
    /// This room is new or has changed.
    Set(Box<RoomSummary>),
    /// This room is gone.
    Remove(RoomId),
    /// Ask again.
    Reset,
}

/// The connection to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Nobody asked for one, or it is waited for: `retry_at` says until when.
    Offline {
        /// When the next attempt is made; `None`: not by itself.
        retry_at: Option<Millis>,
        /// Why there is none, in a sentence.
        why: Option<String>,
    },
    /// Dialing, or saying who we are.
    Connecting,
    /// Live.
    Online,
    /// Over, until the person does something; what is on this device stays readable.
    Stopped(Stopped),
}

/// Why there will be no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Another device of this account revoked this one.
    #[error(
        "this device was signed out by another device of the account: what it holds stays readable; link it anew to use it"
    )]
    Revoked,
    /// The operator disabled the account.
    #[error("the relay's operator has disabled this account: ask them")]
    Disabled,
    /// The versions are too far apart.
    #[error(
        "the relay speaks version {theirs} of the protocol, this Kith version {ours}: update the older of the two"
    )]
    Version {
        /// What this program speaks.
        ours: u16,
        /// What the relay speaks.
        theirs: u16,
    },
    /// The relay does not know this device.
    #[error("the relay does not know this device: it may have been set up anew; ask its operator")]
    Unknown,
    /// The relay refused to take the account.
    #[error("{}", .0.sentence())]
    NotAdmitted(ErrorCode),
    /// The relay closed for another reason that does not pass.
    #[error("the relay closed the connection for good ({})", u16::from(*.0))]
    Closed(CloseCode),
    /// The relay could not be dialed, and trying again does not help.
    #[error("{0}")]
    Undialable(String),
}

/// How far the relay's log has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Entries that this device holds.
    pub held: u64,
    /// Entries that the relay has for this account.
    pub known: u64,
    /// Messages that wait in the outbox.
    pub outbox: usize,
    /// Whether everything was read, and all that could be sent was sent.
    pub done: bool,
}

/// Something that the person should know, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The relay was restored from an older copy.
    #[error(
        "the relay was restored from an older copy: everything is being compared, and what it lacks is given back to it"
    )]
    Resync,
    /// What the relay lacked was given back.
    #[error("{entries} messages were given back to the relay in {rooms} rooms")]
    Republished {
        /// In how many rooms.
        rooms: usize,
        /// How many entries.
        entries: u64,
    },
    /// The relay's log is not what it was, or not what others have seen.
    #[error(
        "the messages in \"{title}\" are not the same on the relay as on this device: ask its operator, and compare with the others (verify)"
    )]
    Integrity {
        /// The room.
        room: RoomId,
        /// Its title.
        title: String,
        /// The place at which the difference was noticed.
        seq: Seq,
    },
    /// This computer's clock is wrong.
    #[error("the clock of this computer is {} seconds {}: messages are given the relay's time", .offset_ms.unsigned_abs() / 1000, if *.offset_ms > 0 { "behind" } else { "ahead" })]
    WrongClock {
        /// What has to be added to it, in milliseconds.
        offset_ms: i64,
    },
    /// A handle means somebody else than before.
    #[error(
        "@{handle} is another account than before: nothing is sent there until you say that this is right"
    )]
    HandleMoved {
        /// The handle.
        handle: String,
        /// Whom it meant.
        before: AccountId,
        /// Whom it means.
        now: AccountId,
    },
    /// The store could not be written.
    #[error("this device's store cannot be written ({0}): nothing new is taken in until it can")]
    Storage(String),
    /// The relay has no room for what waits in the outbox, which keeps it.
    #[error("{}", .0.sentence())]
    NotStored(ErrorCode),
    /// The store was damaged, and is filled again from the relay.
    #[error(
        "the local store was damaged; it was set aside ({0}) and is being filled again from the relay. Nothing that was not sent is lost"
    )]
    StoreSetAside(String),
    /// Part of what was promised to be kept could not be read.
    #[error(
        "{writes} changes that were not sent yet were lost to damage of the disk; the damaged file is kept as {kept}"
    )]
    VaultDamaged {
        /// At least so many.
        writes: u64,
        /// Where the file is.
        kept: String,
    },
    /// The key of this profile is kept where others may read it.
    #[error("{0}")]
    KeyExposed(String),
}
