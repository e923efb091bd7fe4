//! What other people put into bodies.
#![no_main]

use kith_protocol::event::{Event, Setting};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = Event::decode(bytes) {
        assert_eq!(Event::decode(&event.encode()).unwrap(), event);
    }
    if let Ok(setting) = Setting::decode(bytes) {
        let again = Setting::decode(&setting.encode()).unwrap();
        assert_eq!(again.key(), setting.key());
        assert_eq!(again, setting);
    }
});
