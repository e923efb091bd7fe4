//! A register is read as it is, or refused.
#![no_main]

use bytes::Bytes;
use kith_protocol::keys::DeviceKeys;
use kith_protocol::register::Register;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(register) = Register::parse(Bytes::copy_from_slice(bytes)) else { return };
    assert_eq!(register.raw(), bytes);
    assert!(bytes.ends_with(&register.body()));
    assert!(register.verify(&DeviceKeys::from_seeds(&[1; 32], &[2; 32]).sign_public()).is_err());
});
