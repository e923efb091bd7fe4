//! A relay in this process and devices that speak the protocol by hand.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "support: each test uses its part"
)]
mod device;
mod pair;
pub mod receiver;
mod relay;
mod wire;

pub use device::{Device, Group, keys};
pub use pair::Pair;
pub use relay::{Relay, generous};
pub use wire::Wire;

use bytes::Bytes;
use kith_protocol::entry::Entry;
use kith_protocol::error::ErrorCode;
use kith_protocol::event::Event;
use kith_protocol::frame::ServerFrame;

/// The same bytes with a bit of the signature wrong: `at` from the end.
pub fn tampered(raw: &Bytes, at: usize) -> Bytes {
    let mut raw = raw.to_vec();
    let place = raw.len() - at;
    raw[place] ^= 1;
    raw.into()
}

/// The number of the request that a frame answers.
pub fn req_of(frame: &ServerFrame) -> Option<u32> {
    match frame {
        ServerFrame::Refused(it) => Some(it.req),
        ServerFrame::Done(it) => Some(it.req),
        ServerFrame::Appended(it) => Some(it.req),
        ServerFrame::RegisterSet(it) => Some(it.req),
        ServerFrame::RegisterConflict(it) => Some(it.req),
        ServerFrame::Page(it) => Some(it.req),
        ServerFrame::Control(it) => Some(it.req),
        ServerFrame::Chain(it) => Some(it.req),
        ServerFrame::Registers(it) => Some(it.req),
        ServerFrame::Accounts(it) => Some(it.req),
        ServerFrame::Invites(it) => Some(it.req),
        ServerFrame::Slot(it) => Some(it.req),
        ServerFrame::Pushes(it) => Some(it.req),
        ServerFrame::PushSaid(it) => Some(it.req),
        _ => None,
    }
}

pub fn refusal(frame: &ServerFrame) -> ErrorCode {
    match frame {
        ServerFrame::Refused(refused) => refused.code,
        other => panic!("not refused: {other:?}"),
    }
}

pub fn text_of(entry: &Entry) -> String {
    match Event::decode(&entry.body().unwrap()).unwrap() {
        Event::Text(text) => text.text,
        other => panic!("not a text: {other:?}"),
    }
}
