//! The wire of Kith: what a relay and its clients say to each other, and the one fold that both draw the same
//! conclusions with. No I/O, no clock, no async.
//!
//! From the inside out:
//!
//! - [`ids`]: accounts, devices, rooms, places. [`wire`]: the fixed binary encoding of everything that is signed.
//! - [`entry`], [`register`], [`chain`]: the three signed objects, and what each says.
//! - [`account`], [`room`]: the folds. Chain entries become an [`account::Account`] with its devices; control entries become a
//!   [`room::Room`] with its members and rights. Relay and client run the same code.
//! - [`event`]: what a body holds while bodies are plain. The relay never looks.
//! - [`frame`]: what crosses the WebSocket. [`error`]: refusals and close codes. [`limits`]: every bound, with its reason.
//! - [`link`], [`rendezvous`], [`recovery`]: invite links, linking a device, the recovery key.

#![deny(missing_docs)]

pub mod account;
pub mod admin;
pub mod chain;
pub mod entry;
pub mod error;
pub mod event;
pub mod frame;
pub mod ids;
pub mod keys;
pub mod limits;
pub mod link;
mod list;
pub mod recovery;
pub mod register;
pub mod rendezvous;
pub mod room;
pub mod wire;

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;

/// Two peers talk if their versions differ by at most one; the lower of the two is spoken.
///
/// Returns the version to speak, or `None` if they are too far apart.
///
/// ```
/// assert_eq!(kith_protocol::common_version(2, 1), Some(1));
/// assert_eq!(kith_protocol::common_version(3, 1), None);
/// ```
pub fn common_version(ours: u16, theirs: u16) -> Option<u16> {
    (ours.abs_diff(theirs) <= 1).then_some(ours.min(theirs))
}
