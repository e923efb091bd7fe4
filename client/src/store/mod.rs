//! What a device holds of the relay's logs, and what it has made of them: a cache that survives restarts.
//!
//! A [`Store`] is a handful of sorted [`Tree`]s with few reads and one write. [`Store::commit`] applies everything that
//! belongs together as one: entries and the place they bring us to are one commit, so the cursor never leads the data.
//! [`MemoryStore`] is the reference, [`SledStore`] the one on disk; `conformance.rs` runs unchanged on both.
//!
//! Nothing in here has to survive: what the relay cannot give back (outbox, drafts, device keys) has its home in
//! [`crate::vault`], where an answer means "on disk". [`Store::flush`] does not mean that.
//!
//! All calls block, for microseconds to milliseconds; make them from the engine's own thread, not from async ones.

mod changes;
mod error;
mod fingerprint;
mod guard;
pub mod keys;
mod memory;
mod migrate;
mod rebuild;
mod seal;
mod sled_store;
mod span;
mod tree;

#[cfg(test)]
mod conformance;

pub use changes::Changes;
pub use error::{CommitError, OpenError, ReadError};
pub use memory::MemoryStore;
pub use sled_store::{Compaction, Opened, SledStore};
pub use span::{Direction, Span};
pub use tree::Tree;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The most puts and removes that one commit takes.
///
/// Source: measured. sled holds a batch in memory until it is sealed, with a copy of each page that it touches: batches of
/// thousands of scattered keys took hundreds of megabytes. Split long work at [`COMMIT_BEST`].
pub const COMMIT_MAX: usize = 4096;

/// The number of puts in one commit at which filling a store is fastest for the memory it takes (measured, see
/// [`COMMIT_MAX`]).
pub const COMMIT_BEST: usize = 512;

/// Sorted trees of bytes with atomic writes.
pub trait Store: Send {
    /// The value under `key`.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// At most `limit` rows of `span`, in the order of their keys ([`Direction::Forward`]) or against it.
    fn range(
        &self,
        tree: Tree,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError>;

    /// How many rows `span` holds. Reads all of them: not for every keystroke.
    fn count(&self, tree: Tree, span: &Span) -> Result<u64, ReadError>;

    /// Applies all of `changes`, or none: also when the process dies in the middle. Later commits imply all earlier ones.
    ///
    /// Not durable against a power cut. Takes at most [`COMMIT_MAX`] operations.
    fn commit(&mut self, changes: Changes) -> Result<(), CommitError>;

    /// Hands what was committed to the operating system: it survives the end of this process, but not a power cut (sled's
    /// flush on Linux is `sync_file_range`, which is no fsync).
    fn flush(&mut self) -> Result<(), CommitError>;

    /// Brings what was committed to the disk: it survives a power cut. Takes as long as an fsync of each file.
    fn sync(&mut self) -> Result<(), CommitError>;

    /// Gives space back, where the files hold much more than what lives in them. Reads everything: call it when idle,
    /// once a day at most. Does nothing where that is not worth it.
    fn compact(&mut self) -> Result<Compaction, CommitError>;

    /// The first row of `span`.
    fn first(&self, tree: Tree, span: &Span) -> Result<Option<Row>, ReadError> {
        Ok(self.range(tree, span, Direction::Forward, 1)?.pop())
    }

    /// The last row of `span`.
    fn last(&self, tree: Tree, span: &Span) -> Result<Option<Row>, ReadError> {
        Ok(self.range(tree, span, Direction::Backward, 1)?.pop())
    }
}
