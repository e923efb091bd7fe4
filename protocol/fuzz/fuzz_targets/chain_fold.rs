//! Chains: bytes as a row of entries, each behind its length, and the same bytes as a story of devices.
#![no_main]

#[path = "../../tests/wire/agreement.rs"]
#[allow(dead_code)]
mod agreement;
#[path = "../../tests/wire/choices.rs"]
mod choices;
#[path = "../../tests/wire/world.rs"]
mod world;

use bytes::Bytes;
use kith_protocol::account::Account;
use kith_protocol::chain::ChainEntry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Account::fold(&entries(bytes));
    // A longer story finds nothing that a short one does not, and takes the time of many.
    let bytes = &bytes[..bytes.len().min(600)];
    let (story, noise) = bytes.split_at(bytes.len() - bytes.len() / 4);
    let world = world::World::after(story);
    agreement::accounts_in_pieces(&world, noise);
    agreement::accounts_with_noise(&world, noise);
});

fn entries(mut bytes: &[u8]) -> Vec<ChainEntry> {
    let mut entries = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
        entries.extend(ChainEntry::parse(Bytes::copy_from_slice(&rest[..len])));
        bytes = &rest[len..];
    }
    entries
}
