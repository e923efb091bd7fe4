//! What a person pastes, and what stands in a rendezvous slot.
#![no_main]

use kith_protocol::chain::NewDevice;
use kith_protocol::link::Link;
use kith_protocol::recovery::RecoveryKey;
use kith_protocol::rendezvous::{Answer, LinkCode, Offer, Outcome};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let code = LinkCode::from_secret([1; 16]);
    let _ = code.open::<Offer>(0, bytes);
    let _ = code.open::<Answer>(1, bytes);
    let _ = code.open::<Outcome>(2, bytes);
    if let Ok(device) = NewDevice::from_bytes(bytes) {
        assert_eq!(device.to_bytes(), bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse() {
        Ok(Link::Join(link)) => assert_eq!(link.to_string().parse(), Ok(Link::Join(link))),
        Ok(Link::Device(link)) => assert_eq!(link.to_string().parse(), Ok(Link::Device(link))),
        Err(_) => {}
    }
    if let Ok(code) = text.parse::<LinkCode>() {
        assert_eq!(code.to_string().parse(), Ok(code));
    }
    if let Ok(key) = text.parse::<RecoveryKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
});
