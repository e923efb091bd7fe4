//! The desktop app: a thin shell around [`kith_client`]. Windows come and go; profiles, tray and notifications stay.
//!
//! ```text
//!  window (web view) --commands--> Shell ---> Profile: Client (one engine each)
//!     ^                             ^  |         |
//!     `---- Feed: batched updates --'  |      pump: what the engine tells
//!                                      `--> Desk: tray, notifications, window of the system
//! ```

#![cfg(feature = "desktop")]

mod badge;
mod commands;
mod convert;
mod desk;
mod dirs;
mod export;
mod failure;
mod feed;
mod find;
pub mod ipc;
mod kept;
mod links;
mod log;
mod markdown;
mod names;
mod notifier;
mod profile;
mod pump;
mod releases;
mod self_test;
mod shell;
mod start;
mod system;
mod tray;
mod why;
mod window;
mod words;

#[cfg(target_os = "linux")]
mod appearance;
#[cfg(target_os = "linux")]
mod web_kit;

#[cfg(test)]
mod tests;

pub use start::run;
