//! The relay.

pub mod admin;
pub mod clock;
pub mod config;
pub mod data;
pub mod http;
pub mod listen;
pub mod logging;
pub mod metrics;
mod places;
pub mod platform;
pub mod rate;
pub mod relay;
pub mod store;
pub mod stream;
pub mod tls;
