//! Damaged, huge, slow, silent and hostile clients: each gets a typed error or a close code, and nobody else notices.
#![allow(clippy::unwrap_used, reason = "these are tests, their helpers too")]

#[path = "hostile/door.rs"]
mod door;
#[path = "hostile/frames.rs"]
mod frames;
#[path = "hostile/limits.rs"]
mod limits;
#[path = "hostile/outcasts.rs"]
mod outcasts;
#[path = "hostile/rights.rs"]
mod rights;
mod support;
