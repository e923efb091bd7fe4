//! From verified entries, registers and local echoes to what a person sees: right in any order of arrival.
//!
//! Pure: no store, no clock, no async. A [`Timeline`] holds what is loaded of one room. Whatever is put into it, it answers
//! with [`Diff`]s; whoever applies them to a copy always has [`Timeline::messages`].
//!
//! # What is shown
//!
//! - Lines stand in the order of their seqs; local echoes behind them, in the order written. An echo that was acknowledged
//!   takes its place among the others; its id stays the same. A message shows once, however often it comes.
//! - The newest edit by the author of a text counts: the highest seq, and an echo of an edit before all of them. An edit is
//!   no line of its own, and is nothing for anything but a text.
//! - A redaction counts if it names the digest of what it takes away, and comes from the same account or from somebody who
//!   may. Then the body does not count any more, *whether this device still holds it or not*, and with it go reactions and
//!   edits: so a device that comes later, to which the relay gives no body, shows the same. For the same reason the
//!   redaction of an edit says that it was one ([`Redaction::body`]): the edit is undone, and leaves no line. One that
//!   does not say so leaves the line of a message that was taken away.
//! - What was taken away together with a text should be taken away with its edits, as they hold the same words.
//! - Receipts stand at the last line that their person has read, if the entry that they name is loaded.
//!
//! # Loading pages
//!
//! Edits and redactions stand later than what they change, reactions beside the timeline. To show a page from the middle
//! without all that follows, the store keeps one small row per [`Relation`], put down in the same commit as the entry or
//! register that it comes from:
//!
//! | what | key | value |
//! | --- | --- | --- |
//! | edit | room 16, `'e'`, target device 16, target txn 16, seq 8 | empty |
//! | redaction | room 16, `'d'`, target seq 8, seq 8 | moderates 1 |
//! | reaction | room 16, `'r'`, target device 16, target txn 16, account 32, emoji | rev 8 |
//!
//! To load the entries `from..=to`: [`insert_all`](Timeline::insert_all) them; for each of them that is a text read the
//! rows under [`Relation::edits_of`] and [`Relation::reactions_to`], and for each of them, and each edit found, those under
//! [`Relation::redactions_of`]; load the entries that the rows name and insert them as well. They are no lines, so that it
//! does not matter that they stand outside of the page; the order does not matter either. A reaction that was taken back
//! has no row.
//!
//! A redaction's `moderates` is not in the entry: it is the author's right at that place, known when the entry is checked,
//! and kept in the row.
//!
//! Whoever takes a redaction in should also put the entry that it names back without its body, [`Entry::redacted`].
//!
//! [`Entry::redacted`]: kith_protocol::entry::Entry::redacted

mod change;
mod diff;
mod echo;
mod facts;
mod message;
mod project;
mod reactions;
mod receipts;
mod register_value;
mod relation;
mod room_timeline;
mod unread;
mod verified;

#[cfg(test)]
mod tests;

pub use change::Change;
pub use diff::{Diff, OutOfStep};
pub use echo::{Echo, EchoContent};
pub use message::{Kind, Message, PREVIEW_CHARS_MAX, Pending, Preview, Reactions, ReplyTo, State};
pub use register_value::RegisterValue;
pub use relation::{BadRelation, Relation};
pub use room_timeline::{Removal, Timeline};
pub use unread::{Counts, Unread, recount};
pub use verified::{Content, Redaction, Verified};
