//! What a hostile client sends: read or refused, and what was read is written and read again alike.
#![no_main]

use kith_protocol::frame::ClientFrame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = ClientFrame::decode(bytes) {
        assert_eq!(ClientFrame::decode(&frame.encode()).unwrap(), frame);
    }
});
