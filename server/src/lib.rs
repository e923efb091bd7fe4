//! The relay.

pub mod clock;
pub mod config;
pub mod rate;
