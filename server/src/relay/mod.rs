//! The relay itself, from the inside out: what is stored and by which rule ([`writer`], [`writes`], [`folds`]), what is read
//! ([`reads`]), who is connected ([`registry`], [`conn`], [`outbound`]) and hears of it when ([`publish`](mod@publish)), what
//! a device may say ([`admission`], [`session`], [`slots`]). None of these knows a socket; `handshake`, [`actor`] and
//! [`hub`] tie them to real ones.

pub mod actor;
pub mod admission;
pub mod conn;
pub mod folds;
mod handshake;
pub mod hub;
pub mod outbound;
#[cfg(test)]
mod person;
pub mod publish;
pub mod reads;
pub mod registry;
pub mod session;
pub mod slots;
pub mod writer;
pub mod writes;
