//! The relay.

pub mod admin;
pub mod args;
pub mod backup;
pub mod clock;
pub mod commands;
pub mod config;
mod copied;
pub mod data;
pub mod doctor;
pub mod http;
pub mod init;
pub mod listen;
pub mod logging;
pub mod metrics;
pub mod migrate;
pub mod operator;
mod places;
pub mod platform;
pub mod rate;
pub mod reach;
pub mod refusals;
pub mod relay;
mod reserve;
pub mod serve;
pub mod store;
pub mod stream;
pub mod tls;
