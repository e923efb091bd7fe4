//! The engine of Kith without a window: session, sync, offline store, outbox, timeline, notification decisions.
//!
//! [`Client`] is what most people want: one account on one device, with async methods and a stream of [`Update`]s; see
//! `examples/echo_bot.rs`. [`core::Engine`] is the same without clock, socket and randomness, for simulations.
//!
//! ```text
//!  Client (handle, clones) --commands--> engine thread: core::Engine --- store (sled, a cache of the relay)
//!     ^                                        ^  |                 `--- vault (fsynced: outbox, drafts, keys)
//!     `--------------- Updates ----------------'  | frames
//!                                                 v
//!                                    actor task: net::Link --- relay
//! ```

pub mod core;
pub mod keys;
pub mod net;
pub mod notify;
pub mod store;
pub mod timeline;
pub mod vault;

mod actor;
mod client;
mod home;

pub use client::{
    AckError, Client, Digits, FoundIn, JoinError, LinkError, LinkOffer, Next, OpenError, RecoverError,
    SyncError, Updates,
};
pub use core::{
    Answered, Attention, Connection, DeviceOf, Me, MemberOf, Millis, Newcomer, Outgoing, Person, Progress,
    PushTo, Queued, QueuedKind, ReadFailed, Relay, RequestError, RoomSummary, RoomWish, RoomsDiff, SendError,
    Stopped, Trouble, Update, Verified,
};
pub use home::{Access, Home, HomeError, Profiles};
