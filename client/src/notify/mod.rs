//! Whether, why and in which words to notify a person of an entry.
//!
//! Pure: what it depends on comes in as a [`Context`], and nothing here shows anything. The engine asks [`decide`] once
//! about each entry that it takes in.
//!
//! # At most once
//!
//! A [`Decision`] that is worth keeping brings a [`Record`]. It is put under (room, seq) *in the same commit as the entry*,
//! before anything is shown: whoever dies in between notifies not at all rather than twice. Whoever asks again hands in the
//! record that stands there ([`Context::earlier`]), and the one at the room's [`FLOOR`]: they have decided.
//!
//! Reasons that would come out the same at any time (own messages, edits, what was read) leave no record.
//!
//! # After a long time
//!
//! What comes while the engine catches up is put off ([`Reason::Backlog`]) and collected in a [`CatchUp`]; at its end a few
//! are decided one by one, and many become one [`Summary`] with one record a room, at its [`FLOOR`]: all up to the newest of
//! them is decided, and so is older history that is filled in later. What a newly linked device reads for the first time is
//! no news at all ([`Arrival::FirstSync`]); when it has all, the engine puts [`Record::first_sync`] there.
//!
//! # Going away again
//!
//! [`Standing`] knows what is on the screen, and says what has to go when it was read on another device, or taken away.

mod catch_up;
mod decide;
mod reason;
mod record;
mod standing;
mod words;

#[cfg(test)]
mod tests;

pub use catch_up::{CatchUp, CaughtUp, SUMMARY_ABOVE, Summary};
pub use decide::{Arrival, Candidate, Context, Decision, DoNotDisturb, decide};
pub use reason::Reason;
pub use record::{BadRecord, FLOOR, Record};
pub use standing::{STANDING_MAX, Standing, Withdrawal};
pub use words::{Notice, Privacy};
