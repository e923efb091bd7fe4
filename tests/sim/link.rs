//! One connection: frames in order and whole, until it is cut.

use bytes::Bytes;
use kith_protocol::error::CloseCode;
use kith_protocol::error::ErrorCode;
use kith_protocol::keys::Challenge;
use kith_relay::relay::session::Session;
use kith_relay::relay::writer::Written;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

pub(crate) type LinkId = usize;

pub(crate) struct Link {
    pub(crate) device: usize,
    pub(crate) name: String,
    /// The relay's process that it leads to.
    pub(crate) process: u32,
    pub(crate) up: VecDeque<Bytes>,
    pub(crate) down: VecDeque<Down>,
    /// When the newest frame of each direction arrives: none overtakes.
    pub(crate) up_at: u64,
    pub(crate) down_at: u64,
    /// When the reader has answered what was asked last.
    pub(crate) read_at: u64,
    pub(crate) relay: Side,
    /// Whether the device still believes in it.
    pub(crate) open: bool,
    /// Nothing crosses any more.
    pub(crate) cut: bool,
}

pub(crate) enum Down {
    Frame(Bytes),
    Close(CloseCode),
}

/// The relay's end.
pub(crate) enum Side {
    Unidentified(Challenge),
    /// Waits for the writer to admit it.
    Joining(Challenge, u32, Admission),
    /// Identified, not yet in the registry.
    Entering,
    Identified(Session),
    Closed,
}

pub(crate) type Admission = Arc<Mutex<Option<Result<Written, ErrorCode>>>>;

impl Link {
    pub(crate) fn new(device: usize, name: String, process: u32, challenge: Challenge) -> Self {
        Self {
            device,
            name,
            process,
            up: VecDeque::new(),
            down: VecDeque::new(),
            up_at: 0,
            down_at: 0,
            read_at: 0,
            relay: Side::Unidentified(challenge),
            open: true,
            cut: false,
        }
    }
}
