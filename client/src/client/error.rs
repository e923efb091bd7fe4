use crate::core::{LinkFailed, ReadFailed, Stopped};
use crate::home::HomeError;
use crate::net::AddressError;
use kith_protocol::error::ErrorCode;
use std::io;

/// Why an account cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The home holds none.
    #[error(
        "there is no account in this profile yet: join with an invite, or link this device to an account that you have"
    )]
    NoAccount,
    /// Key, vault or store.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The relay's address is none.
    #[error("the address of the relay is wrong: {0}")]
    Address(#[from] AddressError),
    /// The system gives no thread.
    #[error("the engine cannot be started: {0}")]
    Thread(#[source] io::Error),
    /// Whoever was asked for the passphrase panicked.
    #[error("the profile could not be opened: its key was not given")]
    Panicked,
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The home cannot be opened, or holds an account already.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No way to the relay. What was begun is kept: the same command goes on with it.
    #[error("{0}; nothing is lost: try again")]
    Unreachable(String),
    /// The relay does not admit the account.
    #[error("{0}")]
    Refused(Stopped),
    /// No answer in time.
    #[error("the relay did not answer in time; nothing is lost: try again")]
    TimedOut,
}

/// Why a device was not linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The home cannot be opened, or holds an account already.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No way to the relay.
    #[error("{0}; try again while the code is good")]
    Unreachable(String),
    /// The device was not let in.
    #[error(transparent)]
    Failed(#[from] LinkFailed),
    /// Nobody confirmed in time.
    #[error("nobody confirmed the digits in time: make a new code on the other device")]
    TimedOut,
}

/// Why an account was not recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The home cannot be opened, or holds an account already.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No way to the relay.
    #[error("{0}; nothing is lost: try again")]
    Unreachable(String),
    /// The key is no live device of any account there.
    #[error("the relay knows no account with this recovery key: is it the right relay, and the newest key?")]
    UnknownKey,
    /// The relay refused.
    #[error("{}", .0.sentence())]
    Refused(ErrorCode),
    /// The versions are too far apart.
    #[error(
        "the relay speaks version {theirs} of the protocol, this Kith version {}: update the older of the two",
        kith_protocol::VERSION
    )]
    Version {
        /// What the relay speaks.
        theirs: u16,
    },
    /// What the relay shows as the account's chain is none.
    #[error("what the relay shows as the account is not sound, or does not know this key: ask its operator")]
    BadChain,
    /// No answer in time.
    #[error("the relay did not answer in time; nothing is lost: try again")]
    TimedOut,
}

/// Why not everything is in step with the relay.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// There is no way to the relay just now.
    #[error("{0}; what was written is kept, and goes out with the next connection")]
    Offline(String),
    /// There will be no connection.
    #[error("{0}")]
    Stopped(Stopped),
    /// Not all came in time.
    #[error("not everything was synced in time; what came is kept, and so is what was written")]
    TimedOut,
    /// The engine has stopped.
    #[error("the engine of this profile has stopped: open the profile again")]
    Ended,
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadFailed),
}

/// Why a message is not on the relay.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// Not yet.
    #[error("the message is queued: it is kept on this device, and goes out with the next connection")]
    Queued,
    /// The relay refused it for good.
    #[error("the message was refused: {}", .0.sentence())]
    Failed(ErrorCode),
    /// There is no such message, or it was stored long ago.
    #[error("this device knows no such message")]
    Unknown,
    /// The engine has stopped.
    #[error(
        "the engine of this profile has stopped: the message is kept, and goes out when it is opened again"
    )]
    Stopped,
}
