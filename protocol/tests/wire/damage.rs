//! Flipped, cut, lengthened and senseless bytes: never a panic, never another meaning under the same signature.

use crate::people::{Person, keys};
use crate::{any as an, samples, signed};
use bytes::Bytes;
use kith_protocol::chain::{ChainEntry, NewDevice};
use kith_protocol::entry::Entry;
use kith_protocol::event::{Event, Setting};
use kith_protocol::frame::{ClientFrame, ServerFrame};
use kith_protocol::keys::PublicKey;
use kith_protocol::link::Link;
use kith_protocol::recovery::RecoveryKey;
use kith_protocol::register::Register;
use kith_protocol::rendezvous::{Answer, LinkCode, Offer, Outcome};
use proptest::prelude::*;

/// Reads bytes in every way that there is.
fn read_as_everything(bytes: &[u8]) {
    let _ = ClientFrame::decode(bytes);
    let _ = ServerFrame::decode(bytes);
    let _ = Event::decode(bytes);
    let _ = Setting::decode(bytes);
    let _ = NewDevice::from_bytes(bytes);
    let raw = Bytes::copy_from_slice(bytes);
    if let Ok(entry) = Entry::parse(raw.clone()) {
        let redacted = entry.redacted();
        assert_eq!(Entry::parse(redacted.raw().clone()).unwrap(), redacted);
        let _ = (entry.body(), entry.room());
    }
    let _ = Register::parse(raw.clone()).map(|register| register.body());
    let _ = ChainEntry::parse(raw);
    let code = samples::link_code();
    let _ = code.open::<Offer>(0, bytes);
    let _ = code.open::<Answer>(1, bytes);
    let _ = code.open::<Outcome>(2, bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = text.parse::<Link>();
    let _ = text.parse::<LinkCode>();
    let _ = text.parse::<RecoveryKey>();
}

/// Whether bytes are a signed object of some kind whose signature is right.
fn verifies(bytes: Bytes, key: &PublicKey) -> bool {
    Entry::parse(bytes.clone()).is_ok_and(|entry| entry.verify(key).is_ok())
        || Register::parse(bytes.clone()).is_ok_and(|register| register.verify(key).is_ok())
        || ChainEntry::parse(bytes).is_ok_and(|entry| entry.verify(key).is_ok())
}

fn no_damage_verifies(whole: &Bytes, key: &PublicKey) {
    assert!(verifies(whole.clone(), key));
    for len in 0..whole.len() {
        let cut = whole.slice(..len);
        read_as_everything(&cut);
        assert!(!verifies(cut, key), "cut to {len} bytes");
    }
    for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut flipped = whole.to_vec();
        flipped[at] ^= 1 << bit;
        assert!(!verifies(flipped.into(), key), "bit {bit} of byte {at} flipped");
    }
    for more in [&[0][..], &[1], &[0xff; 64], whole] {
        assert!(!verifies([whole, more].concat().into(), key), "{} bytes appended", more.len());
    }
}

#[test]
fn no_damaged_signed_object_verifies() {
    let key = Person::alice().keys.sign_public();
    for (_, bytes) in samples::signed() {
        no_damage_verifies(&bytes, &key);
    }
}

#[test]
fn cut_frames_are_refused() {
    let cuts = |bytes: &Bytes| (1..bytes.len()).map(|len| bytes.slice(..len)).collect::<Vec<_>>();
    for frame in samples::client_frames() {
        for cut in cuts(&frame.encode()) {
            assert!(ClientFrame::decode(&cut).is_err(), "{frame:?} cut to {} bytes", cut.len());
        }
    }
    for frame in samples::server_frames() {
        for cut in cuts(&frame.encode()) {
            assert!(ServerFrame::decode(&cut).is_err(), "{frame:?} cut to {} bytes", cut.len());
        }
    }
}

#[test]
fn bytes_behind_a_frame_change_nothing() {
    for frame in samples::client_frames() {
        let longer = [&frame.encode()[..], &[0xc1, 0xff]].concat();
        assert_eq!(ClientFrame::decode(&longer).unwrap(), frame);
    }
}

#[test]
fn every_flipped_bit_of_frames_bodies_and_parts_is_read_or_refused() {
    let mut all: Vec<Bytes> = samples::client_frames().iter().map(ClientFrame::encode).collect();
    all.extend(samples::server_frames().iter().map(ServerFrame::encode));
    all.extend(samples::events().iter().map(|(_, event)| event.encode()));
    all.extend(samples::settings().iter().map(|(_, setting)| setting.encode()));
    all.extend(samples::slot_parts().into_iter().map(|(_, _, bytes)| Bytes::from(bytes)));
    for whole in all {
        for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = whole.to_vec();
            flipped[at] ^= 1 << bit;
            read_as_everything(&flipped);
        }
    }
}

#[test]
fn a_changed_part_of_a_slot_is_not_opened() {
    let code = samples::link_code();
    for (part, name, sealed) in samples::slot_parts() {
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(code.open::<Offer>(part, &changed).is_err(), "{name}, byte {at}");
        }
    }
}

#[test]
fn a_deep_nest_is_refused() {
    for opener in [&[0x91][..], &[0x81, 0xa1, b'x']] {
        let nest = [&[41, 0x82, 0xa1, b'x'], opener.repeat(100_000).as_slice()].concat();
        assert!(ClientFrame::decode(&nest).is_err());
    }
}

proptest! {
    #[test]
    fn senseless_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn senseless_maps_of_every_type(code: u8, bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        read_as_everything(&[&[code, 0x82], bytes.as_slice()].concat());
    }

    #[test]
    fn frames_with_some_bytes_changed(
        frame in an::server_frame(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = frame.encode().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_as_everything(&bytes);
    }

    #[test]
    fn signed_objects_with_a_byte_changed(
        entry in signed::entry(),
        register in signed::register(),
        chain in signed::chain_entry(),
        at: prop::sample::Index,
        change in 1..=255_u8,
    ) {
        for whole in [entry.raw(), entry.redacted().raw(), register.raw(), chain.raw()] {
            let mut changed = whole.to_vec();
            changed[at.index(whole.len())] ^= change;
            prop_assert!(!verifies(changed.into(), &keys(1).sign_public()));
        }
    }
}
