//! The app itself: real windows on real desktops without a screen, driven from outside. Each computer is a desktop of its
//! own, with a display, a session bus, a window manager, a notification daemon, a key store and a tray; the relay is a
//! process, and people talk through it.
#![cfg(all(target_os = "linux", feature = "desktop"))]
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]
#![allow(
    clippy::await_holding_refcell_ref,
    reason = "a tray is looked at and exchanged by one and the same test"
)]
#![allow(
    clippy::format_collect,
    clippy::used_underscore_binding,
    reason = "short texts; the shape of an interface"
)]

mod people;
#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../real/mod.rs"]
mod real;

use kith_virtual_desktop::{app, desktop, dunst, page, process, wait};

mod answered;
mod closing;
mod dock;
mod hostile;
mod job;
mod killed;
mod locked;
mod looks;
mod notified;
mod panel;
mod plasma;
mod recovered;
mod settings;
mod system;
mod two_devices;
mod updated;
