use std::io;
use std::path::PathBuf;

/// Why a store could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What is there makes no sense: set the store aside ([`super::SledStore::open_fresh`]) and fill a new one.
    #[error("read the local store: it is damaged ({0})")]
    Damaged(String),
    /// The disk refused.
    #[error("read the local store")]
    Io(#[source] io::Error),
}

/// Why nothing of a commit was applied.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// More than [`super::COMMIT_MAX`] operations: split the work.
    #[error("commit to the local store: {operations} operations are more than {max}")]
    TooLarge {
        /// How many there were.
        operations: usize,
        /// [`super::COMMIT_MAX`].
        max: usize,
    },
    /// The store is damaged: set it aside ([`super::SledStore::open_fresh`]) and fill a new one.
    #[error("commit to the local store: it is damaged ({0})")]
    Damaged(String),
    /// The disk has no room. sled writes nothing more after this: make room, drop the store, open it again.
    #[error("commit to the local store: the disk is full; make room and try again")]
    Full,
    /// The disk refused. sled writes nothing more after this: drop the store, open it again.
    #[error("commit to the local store")]
    Io(#[source] io::Error),
}

impl ReadError {
    /// Whether only a new store helps.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

impl CommitError {
    /// Whether only a new store helps.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

/// Why a store could not be opened. Damage is no reason: then a new one is made, and [`super::Opened`] says so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it.
    #[error("Kith is already running with this profile ({}): use that one, or close it first", .0.display())]
    Locked(PathBuf),
    /// Written by a newer Kith.
    #[error("the local store has format {found}, and this Kith knows formats up to {known}: update Kith")]
    Newer {
        /// The format on disk.
        found: u32,
        /// The newest one that this program reads.
        known: u32,
    },
    /// The values were sealed under another key.
    #[error("the local store was sealed with another key than this profile's: put the right key back, or move {} away", .0.display())]
    WrongKey(PathBuf),
    /// The disk refused.
    #[error("open the local store in {}", path.display())]
    Io {
        /// The store's directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
