//! The engine.

pub mod net;
pub mod keys;
pub mod store;
pub mod vault;
pub mod notify;
pub mod timeline;
