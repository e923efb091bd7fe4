//! The engine without clock, socket or randomness of its own: everything that comes in comes with the time it came at.
//!
//! [`Engine`] is driven by whoever owns the connection: [`Engine::connected`], [`Engine::handle_frame`],
//! [`Engine::handle_timeout`], [`Engine::disconnected`] go in; [`Engine::poll_transmit`], [`Engine::poll_event`],
//! [`Engine::poll_reply`] and [`Engine::poll_timeout`] come out. Commands return at once: what a person wrote is on disk
//! by then, and goes out when there is a connection.
//!
//! One noun a file: `session` who speaks, `sync` what is fetched and when, `arrivals` and `ingest` what of it counts, `rooms`
//! and `people` the folds, `outbox` and `registers` what goes out, `own_room` what this person's devices share, `resync` what
//! happens when the relay was restored from a copy, `view` what is shown.

mod administration;
mod announcement;
mod arrivals;
mod commands;
mod control;
mod directory;
mod engine;
mod entropy;
mod error;
mod identity;
mod ingest;
mod last_seen;
mod limits;
mod link_offer;
mod live;
mod model;
mod newcomer;
mod notices;
mod outbox;
mod own_room;
mod people;
mod place;
mod pushes;
mod recovery;
mod register_in;
mod registers;
mod requests;
mod resync;
mod rooms;
mod rows;
mod sending;
mod session;
mod settings;
mod sync;
mod update;
mod verify;
mod view;

pub use engine::{Engine, Parts};
pub use entropy::Entropy;
pub use error::{EngineError, ReadFailed, RequestError, SendError};
pub use identity::{Identity, IdentityError, Newcomer, Relay};
pub use link_offer::Answered;
pub use model::*;
pub use newcomer::{LinkFailed, LinkStep, Linking};
pub use notices::Attention;
pub use pushes::PushTo;
pub use recovery::{RecoverStep, Recovering};
pub use requests::{Reply, Ticket};
pub use update::*;
