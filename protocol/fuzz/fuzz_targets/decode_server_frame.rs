//! What a hostile relay sends: read or refused, and what was read is written and read again alike.
#![no_main]

use kith_protocol::frame::ServerFrame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = ServerFrame::decode(bytes) {
        assert_eq!(ServerFrame::decode(&frame.encode()).unwrap(), frame);
    }
});
