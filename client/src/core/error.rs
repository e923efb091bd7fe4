use super::identity::IdentityError;
use crate::store::{CommitError, ReadError};
use crate::vault::WriteError;
use kith_protocol::admin::AdminError;
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::AccountId;

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The vault cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The identity cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl EngineError {
    /// Whether only a new store helps.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Read(error) => error.is_damage(),
            Self::Commit(error) => error.is_damage(),
            Self::Write(_) | Self::Identity(_) => false,
        }
    }
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// There is no such room on this device.
    #[error("this device knows no such room: see the list of rooms, or sync first")]
    NoRoom,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// The engine has stopped.
    #[error("the engine of this profile has stopped: open the profile again")]
    Stopped,
}

/// Why nothing was put into the outbox.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no such room on this device.
    #[error("this device knows no such room: see the list of rooms, or sync first")]
    NoRoom,
    /// There is no such message on this device.
    #[error("this device knows no such message in that room: load the history up to it first")]
    NoMessage,
    /// Nothing was written.
    #[error("there is no text to send")]
    Empty,
    /// More than the relay takes.
    #[error("the text has {bytes} bytes, more than the {max} that fit into one message: send it in parts")]
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        max: usize,
    },
    /// No right to write there, as far as this device knows.
    #[error("you may not do that in this room: ask one of its owners")]
    Denied,
    /// Somebody used what only a newer Kith understands.
    #[error("this room uses something that only a newer Kith understands: update Kith to write in it")]
    NeedsUpdate,
    /// The partner's handle means somebody else now.
    #[error("@{handle} is another account than before: say first that this is right")]
    HandleMoved {
        /// The handle.
        handle: String,
    },
    /// Too much waits already.
    #[error("{0} messages wait to be sent already: connect first")]
    Full(usize),
    /// The store could not be written.
    #[error("this device's store cannot be written just now: try again")]
    NotStored,
    /// The disk refused: the message is not safe.
    #[error("the message could not be kept, and is not sent: {0}")]
    Write(#[from] WriteError),
    /// The store could not be read or written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The engine has stopped.
    #[error("the engine of this profile has stopped: open the profile again")]
    Stopped,
}

/// Why the relay did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no connection.
    #[error("this takes a connection to the relay, and there is none: try again when there is")]
    Offline,
    /// The connection ended before the answer came: it may or may not have been done.
    #[error("the connection ended before the relay answered: look whether it was done, and try again")]
    Lost,
    /// No answer in time.
    #[error("the relay did not answer in time: look whether it was done, and try again")]
    TimedOut,
    /// The relay refused.
    #[error("{}", .0.sentence())]
    Refused(ErrorCode),
    /// The relay will not do it for this admin.
    #[error("{0}")]
    Administration(AdminError),
    /// There is no such room on this device.
    #[error("this device knows no such room: see the list of rooms, or sync first")]
    NoRoom,
    /// Nobody has that handle.
    #[error("nobody here is called @{0}")]
    NoSuchHandle(String),
    /// The handle means somebody else than before.
    #[error("@{handle} is another account than before: say first that this is right")]
    HandleMoved {
        /// The handle.
        handle: String,
        /// Whom it meant.
        before: AccountId,
        /// Whom it means.
        now: AccountId,
    },
    /// This account is the one that was asked for.
    #[error("that is you: choose another")]
    Yourself,
    /// No right to do that, as the room's own entries say.
    #[error("you may not do that in this room: ask one of its owners")]
    Denied,
    /// It makes no sense where things stand.
    #[error("that cannot be done as things stand: {0}")]
    Senseless(&'static str),
    /// Somebody else's change came first again and again.
    #[error("others changed the same thing at the same time, again and again: try once more")]
    Contended,
    /// The link code has expired, or the other side gave up.
    #[error("nobody used the code in time: make a new one")]
    Expired,
    /// What stands in the rendezvous slot was not made with this code.
    #[error("the other side used another code, or somebody is in between: make a new code")]
    WrongCode,
    /// The relay says why it cannot tell this person there.
    #[error("the relay cannot tell you there: {0}")]
    PushFailed(String),
    /// Something could not be kept.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The engine has stopped.
    #[error("the engine of this profile has stopped: open the profile again")]
    Stopped,
}

impl RequestError {
    /// Whether the same request may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Offline | Self::Lost | Self::TimedOut | Self::Contended => true,
            Self::Refused(code) => code.is_passing(),
            _ => false,
        }
    }
}

/// What ends the handling of one input: the disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Fault {
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Read(error) => error.is_damage(),
            Self::Commit(error) => error.is_damage(),
            Self::Write(_) => false,
        }
    }
}
