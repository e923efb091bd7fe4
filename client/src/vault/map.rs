use crate::store::Row;
use std::io;

/// What one write does, in this order: `Some` sets the value of a key, `None` leaves it without one.
pub type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A small sorted map, all of it in memory, every change on disk before it is answered.
pub trait DurableMap: Send {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// The rows whose keys begin with `prefix`, in the order of their keys.
    fn scan(&self, prefix: &[u8]) -> Vec<Row>;

    /// Applies all of `writes` with one fsync. `Ok` is a promise: it survives a power cut. After an error nothing is
    /// visible, but after a crash all of it may be: repeat the write, or remove the keys, before relying on either.
    fn write(&mut self, writes: Writes) -> Result<(), WriteError>;

    /// Sets the value of a key that has none, and reads it back from the disk before it says `Ok`.
    fn create(&mut self, key: &[u8], value: &[u8]) -> Result<(), WriteError>;

    /// Sets the value of a key.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        self.write(vec![(key.to_vec(), Some(value.to_vec()))])
    }

    /// Leaves a key without a value.
    fn remove(&mut self, key: &[u8]) -> Result<(), WriteError> {
        self.write(vec![(key.to_vec(), None)])
    }
}

/// Why nothing was written that can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// [`DurableMap::create`] never overwrites.
    #[error("write to the vault: there is a value already")]
    Exists,
    /// More than one frame of the log holds.
    #[error("write to the vault: {bytes} bytes are more than {max} in one write")]
    TooLarge {
        /// How many there were.
        bytes: usize,
        /// The most there can be.
        max: usize,
    },
    /// The disk gave back something else than was written: do not use the value.
    #[error("write to the vault: the disk gives back something else than was written")]
    ReadBack,
    /// The disk refused; what was there before stays.
    #[error("write to the vault")]
    Io(#[source] io::Error),
}

impl WriteError {
    /// Whether the disk has no room: make some, and write again.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}
