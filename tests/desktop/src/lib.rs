//! Computers on which the app runs as it does at people's: each a desktop of its own, without a screen, with a display, a
//! session bus, a window manager, a notification daemon, a key store and a tray; and the driver that acts in its window.
//!
//! For tests, and for measurements: what does not come about ends them, with what was seen last.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]
#![allow(
    clippy::await_holding_refcell_ref,
    reason = "a tray is looked at and exchanged by one and the same test"
)]
#![allow(
    clippy::format_collect,
    clippy::used_underscore_binding,
    reason = "short texts; the shape of an interface"
)]

pub mod app;
pub mod desktop;
pub mod dunst;
pub mod page;
pub mod pictures;
pub mod process;
pub mod tray;
pub mod wait;
