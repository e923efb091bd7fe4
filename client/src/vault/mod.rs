//! What the relay cannot give back, and so must not be lost: device keys, outbox, drafts.
//!
//! A [`DurableMap`] is a small sorted map of which every write is on disk (fsynced) when it is answered. [`Vault`] is the
//! one on disk: a log of sealed frames, read whole at the start. [`MemoryVault`] is the reference and the one of
//! simulations.
//!
//! The log, `vault.log`: a header of 16 bytes, then frames. A frame is what one [`DurableMap::write`] wrote, sealed as one
//! (XChaCha20-Poly1305), so that it is there whole or not at all. What a crash leaves of a frame at the end is cut off. A
//! frame that does not open with sound ones after it is damage to something that was promised: the file is kept aside, the
//! rest is saved, and [`OpenedVault::damage`] says so.
//!
//! All calls block, a write for as long as an fsync takes (milliseconds on a slow disk).

pub(crate) mod disk;
mod frame;
mod home;
pub mod keys;
mod log;
mod map;
mod memory;

pub use home::{Home, LockError};
pub use log::{Damage, OpenError, OpenedVault, Vault};
pub use map::{DurableMap, WriteError, Writes};
pub use memory::{Cut, MemoryVault};
