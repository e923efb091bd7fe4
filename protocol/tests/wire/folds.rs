//! Whoever folds the same log comes to the same state: at once or one by one, from memory or from bytes, with entries
//! between that do not count, with chains of any sufficient length, one room after the other or all mixed.

use crate::choices::Choices;
use crate::world::World;
use kith_protocol::account::{Account, ChainError};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::ids::{RoomId, Seq};
use kith_protocol::room::{ControlError, Room};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn stories() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..2000)
}

/// As if read from a store.
fn stored(entry: &Entry) -> Entry {
    Entry::parse(entry.raw().clone()).unwrap()
}

fn stored_chain(chain: &[ChainEntry]) -> Vec<ChainEntry> {
    chain.iter().map(|entry| ChainEntry::parse(entry.raw().clone()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn accounts_at_once_and_in_pieces(story in stories(), cut: prop::sample::Index) {
        for person in World::after(&story).people {
            let chain = stored_chain(&person.chain);
            prop_assert_eq!(Account::fold(&chain), Ok(person.account.clone()));

            let cut = 1 + cut.index(chain.len());
            let mut pieces = Account::fold(&chain[..cut]).unwrap();
            let early = pieces.clone();
            chain[cut..].iter().try_for_each(|entry| pieces.apply(entry)).unwrap();
            prop_assert_eq!(&pieces, &person.account);

            // What was live at a length stays so, however much is known of the chain.
            for (device, _) in person.account.devices() {
                for len in 0..=early.len() {
                    prop_assert_eq!(
                        early.device_at(device, len).is_some(),
                        person.account.device_at(device, len).is_some(),
                    );
                }
            }
        }
    }

    #[test]
    fn accounts_with_entries_between_that_do_not_count(story in stories(), noise in stories()) {
        let mut choices = Choices::new(&noise);
        for person in World::after(&story).people {
            let mut account = Account::genesis(&person.chain[0]).unwrap();
            for at in 1..=person.chain.len() {
                let before = account.clone();
                // Refused then, refused now; what was taken is not taken twice; what is early is not taken yet.
                for (len, entry, error) in &person.refused {
                    if *len == at {
                        prop_assert_eq!(account.apply(entry), Err(*error));
                    } else if *len < at && choices.one_in(2) {
                        prop_assert!(account.apply(entry).is_err());
                    }
                }
                prop_assert!(account.apply(&person.chain[choices.below(at)]).is_err());
                if at + 1 < person.chain.len() {
                    prop_assert_eq!(account.apply(&person.chain[at + 1]), Err(ChainError::Unlinked));
                }
                prop_assert_eq!(&account, &before);
                if let Some(next) = person.chain.get(at) {
                    account.apply(next).unwrap();
                }
            }
            prop_assert_eq!(account, person.account);
        }
    }

    #[test]
    fn rooms_with_just_enough_of_each_chain(story in stories()) {
        let world = World::after(&story);
        let just_enough = |entry: &Entry| {
            let person = world.people.iter().find(|p| p.account.id() == entry.header().account).unwrap();
            let len = usize::try_from(entry.header().chain_len).unwrap();
            Account::fold(&person.chain[..len]).unwrap()
        };
        for log in &world.rooms {
            let entries: Vec<Entry> = log.entries.iter().map(|(_, entry)| stored(entry)).collect();
            let mut room = Room::genesis(&entries[0], &just_enough(&entries[0])).unwrap();
            for ((seq, _), entry) in log.entries.iter().zip(&entries).skip(1) {
                room.apply(entry, &just_enough(entry), *seq).unwrap();
            }
            prop_assert_eq!(&room, &log.room);
        }
    }

    #[test]
    fn rooms_mixed_with_each_other_and_with_entries_that_do_not_count(story in stories(), noise in stories()) {
        let world = World::after(&story);
        let mut choices = Choices::new(&noise);
        let mut reader = Reader { world: &world, rooms: BTreeMap::new() };
        let mut taken = vec![0; world.rooms.len()];
        // While there are choices any room goes on; then each to its end.
        loop {
            let open: Vec<usize> =
                (0..taken.len()).filter(|n| taken[*n] < world.rooms[*n].entries.len()).collect();
            if open.is_empty() {
                break;
            }
            let n = *choices.of(&open);
            let log = &world.rooms[n];
            for (len, entry, error) in &log.refused {
                // One that was refused for a chain too short then is not offered again when the chain has grown.
                let settled = *error != ControlError::Stranger;
                if *len == taken[n] && settled {
                    prop_assert_eq!(reader.offer(Seq(1000), entry), Err(*error));
                } else if *len < taken[n] {
                    prop_assert!(reader.offer(Seq(1000), entry).is_err());
                }
            }
            if let Some((seq, early)) = log.entries.get(taken[n] + 1) {
                prop_assert!(taken[n] == 0 || reader.offer(*seq, early).is_err());
            }
            if taken[n] > 0 {
                let (seq, again) = &log.entries[choices.below(taken[n])];
                prop_assert!(reader.offer(*seq, again).is_err());
            }
            let (seq, next) = &log.entries[taken[n]];
            prop_assert_eq!(reader.offer(*seq, next), Ok(()));
            taken[n] += 1;
        }
        for log in &world.rooms {
            prop_assert_eq!(reader.rooms.get(&log.room.id()), Some(&log.room));
        }
        for (entry, error) in &world.stillborn {
            if *error != ControlError::Stranger {
                prop_assert_eq!(Room::genesis(&stored(entry), world.account(&entry.header().account)), Err(*error));
            }
        }
    }
}

/// A client that knows all chains and takes control entries as they come.
struct Reader<'a> {
    world: &'a World,
    rooms: BTreeMap<RoomId, Room>,
}

impl Reader<'_> {
    fn offer(&mut self, seq: Seq, entry: &Entry) -> Result<(), ControlError> {
        let entry = stored(entry);
        let author = self.world.account(&entry.header().account);
        if let Some(room) = self.rooms.get_mut(&entry.room()) {
            let before = room.clone();
            let taken = room.apply(&entry, author, seq);
            assert!(taken.is_ok() || *room == before, "whole or not at all");
            return taken;
        }
        let room = Room::genesis(&entry, author)?;
        self.rooms.insert(entry.room(), room);
        Ok(())
    }
}

/// A generator that never makes what it should make tests nothing.
#[test]
fn the_stories_reach_every_verdict() {
    let (mut taken, mut chains, mut rooms) = (0, BTreeMap::new(), BTreeMap::new());
    let mut longest = 0;
    for seed in 0..60_u64 {
        let mut state = seed;
        let story: Vec<u8> = (0..2000)
            .map(|_| {
                // Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                u8::try_from((z ^ (z >> 27)) >> 56).unwrap()
            })
            .collect();
        let world = World::after(&story);
        for person in &world.people {
            taken += person.chain.len();
            for (_, _, error) in &person.refused {
                *chains.entry(format!("{error:?}")).or_insert(0) += 1;
            }
        }
        for log in &world.rooms {
            taken += log.entries.len();
            longest = longest.max(log.entries.len());
            for (_, _, error) in &log.refused {
                *rooms.entry(format!("{error:?}")).or_insert(0) += 1;
            }
        }
        for (_, error) in &world.stillborn {
            *rooms.entry(format!("genesis {error:?}")).or_insert(0) += 1;
        }
    }
    println!("{taken} taken, the longest room {longest}; chains {chains:?}; rooms {rooms:?}");
    for verdict in ["Unlinked", "Stranger", "BadSignature", "Senseless"] {
        assert!(chains.contains_key(verdict), "no chain entry is {verdict}");
    }
    for verdict in [
        "Unlinked",
        "Stranger",
        "BadSignature",
        "Senseless",
        "Denied",
        "genesis Senseless",
        "genesis Stranger",
    ] {
        assert!(rooms.contains_key(verdict), "no control entry is {verdict}");
    }
    assert!(taken > 1000 && longest >= 12, "{taken} taken, the longest room {longest}");
}
