//! What a small or hostile frame may cost in memory while it is read.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be unwrapped fails the test")]

use cap::Cap;
use kith_protocol::event::{Event, Setting};
use kith_protocol::frame::{ClientFrame, ServerFrame};
use kith_protocol::limits::FRAME_BYTES_MAX;
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The most that was allocated at once while `act` ran, in bytes.
fn peak(act: impl FnOnce()) -> usize {
    let before = ALLOCATOR.max_allocated();
    // Lifts what is in use to the mark, so that every byte more moves it.
    let filling = vec![0_u8; before - ALLOCATOR.allocated()];
    let before = ALLOCATOR.max_allocated();
    act();
    drop(filling);
    ALLOCATOR.max_allocated() - before
}

/// `{ "req": 7, "room": 16 zero bytes, <list>: <head> <items> }`, with fields that a frame does not know left to it.
fn frame(code: u8, list: &str, head: &[u8], items: &[u8]) -> Vec<u8> {
    let mut bytes = vec![code, 0x83, 0xa3, b'r', b'e', b'q', 7, 0xa4, b'r', b'o', b'o', b'm', 0xc4, 16];
    bytes.extend([0; 16]);
    bytes.push(0xa0 | u8::try_from(list.len()).unwrap());
    bytes.extend(list.as_bytes());
    bytes.extend(head);
    bytes.extend(items);
    bytes
}

const HUGE_LIST: [u8; 5] = [0xdd, 0xff, 0xff, 0xff, 0xff];
const HUGE_MAP: [u8; 5] = [0xdf, 0xff, 0xff, 0xff, 0xff];
const HUGE_BYTES: [u8; 5] = [0xc6, 0xff, 0xff, 0xff, 0xff];
const HUGE_TEXT: [u8; 5] = [0xdb, 0xff, 0xff, 0xff, 0xff];
const LISTS: [&str; 9] =
    ["entries", "handles", "accounts", "heads", "acks", "values", "invites", "people", "mentions"];

fn read(bytes: &[u8]) {
    let _ = ClientFrame::decode(bytes);
    let _ = ServerFrame::decode(bytes);
    let _ = Event::decode(bytes);
    let _ = Setting::decode(bytes);
}

#[test]
fn a_declared_length_costs_nothing() {
    for code in 0..=255 {
        for head in [HUGE_LIST, HUGE_MAP, HUGE_BYTES, HUGE_TEXT] {
            for list in LISTS {
                let bytes = frame(code, list, &head, &[]);
                let cost = peak(|| read(&bytes));
                assert!(
                    cost <= 1024 * 1024,
                    "type {code}, {list}: {cost} bytes for a frame of {}",
                    bytes.len()
                );
            }
        }
    }
}

#[test]
fn the_largest_frame_of_the_smallest_items_costs_a_client_frame_little() {
    for (code, list, item) in
        [(14, "entries", &[0xc4, 0][..]), (30, "handles", &[0xa0]), (30, "accounts", &[0xc4, 0])]
    {
        let items = item.repeat((FRAME_BYTES_MAX - 64) / item.len());
        let count = u32::try_from(items.len() / item.len()).unwrap();
        let head = [&[0xdd][..], &count.to_be_bytes()].concat();
        let bytes = frame(code, list, &head, &items);
        let cost = peak(|| drop(ClientFrame::decode(&bytes)));
        assert!(cost <= FRAME_BYTES_MAX, "type {code}, {list}: {cost} bytes");
    }
}
