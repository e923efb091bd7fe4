//! Client engines against the relay's own sessions, in virtual time.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod chaos;
mod chats;
mod device;
mod devices;
mod groups;
mod halfway;
mod people;
mod pushes;
mod relay;
mod trust;
mod world;
