//! An entry is read, redacted and read again: header and digest stay.
#![no_main]

use bytes::Bytes;
use kith_protocol::entry::Entry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(entry) = Entry::parse(Bytes::copy_from_slice(bytes)) else { return };
    let redacted = entry.redacted();
    let read = Entry::parse(redacted.raw().clone()).unwrap();
    assert_eq!(read, redacted);
    assert_eq!((read.digest(), read.header()), (entry.digest(), entry.header()));
    assert!(read.body().is_none());
    assert_eq!(read.room(), entry.room());
});
