//! Whoever folds the same log comes to the same state: at once or one by one, from memory or from bytes, with entries
//! between that do not count, with chains of any sufficient length, one room after the other or all mixed.

use crate::choices::Choices;
use crate::world::{Log, Person, World};
use kith_protocol::account::{Account, ChainError};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::ids::{RoomId, Seq};
use kith_protocol::room::{ControlError, Room};
use std::collections::BTreeMap;

/// As if read from a store.
fn stored(entry: &Entry) -> Entry {
    Entry::parse(entry.raw().clone()).unwrap()
}

/// Every account's chain, folded at once and in two pieces.
pub(crate) fn accounts_in_pieces(world: &World, noise: &[u8]) {
    let mut choices = Choices::new(noise);
    for person in &world.people {
        let read = |entry: &ChainEntry| ChainEntry::parse(entry.raw().clone()).unwrap();
        let chain: Vec<ChainEntry> = person.chain.iter().map(read).collect();
        assert_eq!(Account::fold(&chain).as_ref(), Ok(&person.account));

        let cut = 1 + choices.below(chain.len());
        let mut pieces = Account::fold(&chain[..cut]).unwrap();
        let early = pieces.clone();
        chain[cut..].iter().try_for_each(|entry| pieces.apply(entry)).unwrap();
        assert_eq!(pieces, person.account);

        // What was live at a length stays so, however much is known of the chain.
        for (device, len) in
            person.account.devices().flat_map(|(id, _)| (0..=early.len()).map(move |n| (id, n)))
        {
            let (then, now) = (early.device_at(device, len), person.account.device_at(device, len));
            assert_eq!(then.is_some(), now.is_some());
        }
    }
}

/// Every account's chain with entries between that do not count.
pub(crate) fn accounts_with_noise(world: &World, noise: &[u8]) {
    let mut choices = Choices::new(noise);
    for Person { account, chain, refused } in &world.people {
        let mut fold = Account::genesis(&chain[0]).unwrap();
        for at in 1..=chain.len() {
            let before = fold.clone();
            // Refused then, refused now; what was taken is not taken twice; what is early is not taken yet.
            for (len, entry, error) in refused {
                if *len == at {
                    assert_eq!(fold.apply(entry), Err(*error));
                } else if *len < at {
                    assert!(fold.apply(entry).is_err());
                }
            }
            assert!(fold.apply(&chain[choices.below(at)]).is_err());
            if let Some(early) = chain.get(at + 1) {
                assert_eq!(fold.apply(early), Err(ChainError::Unlinked));
            }
            assert_eq!(fold, before);
            if let Some(next) = chain.get(at) {
                fold.apply(next).unwrap();
            }
        }
        assert_eq!(fold, *account);
    }
}

/// Every room, with no more of each author's chain than the entry's header names.
pub(crate) fn rooms_with_just_enough_of_each_chain(world: &World) {
    let just_enough = |entry: &Entry| {
        let header = entry.header();
        let person = world.people.iter().find(|person| person.account.id() == header.account).unwrap();
        Account::fold(&person.chain[..usize::try_from(header.chain_len).unwrap()]).unwrap()
    };
    for log in &world.rooms {
        let entries: Vec<Entry> = log.entries.iter().map(|(_, entry)| stored(entry)).collect();
        let mut room = Room::genesis(&entries[0], &just_enough(&entries[0])).unwrap();
        for ((seq, _), entry) in log.entries.iter().zip(&entries).skip(1) {
            room.apply(entry, &just_enough(entry), *seq).unwrap();
        }
        assert_eq!(room, log.room);
    }
}

/// All rooms mixed with each other and with entries that do not count.
pub(crate) fn rooms_with_noise(world: &World, noise: &[u8]) {
    let mut choices = Choices::new(noise);
    let mut reader = Reader { world, rooms: BTreeMap::new() };
    let mut taken = vec![0; world.rooms.len()];
    loop {
        let open: Vec<usize> =
            (0..taken.len()).filter(|n| taken[*n] < world.rooms[*n].entries.len()).collect();
        if open.is_empty() {
            break;
        }
        let n = *choices.of(&open);
        reader.offer_noise(&world.rooms[n], taken[n], &mut choices);
        let (seq, next) = &world.rooms[n].entries[taken[n]];
        assert_eq!(reader.offer(*seq, next), Ok(()));
        taken[n] += 1;
    }
    for log in &world.rooms {
        assert_eq!(reader.rooms.get(&log.room.id()), Some(&log.room));
    }
    for (entry, error) in world.stillborn.iter().filter(|(_, error)| is_settled(*error)) {
        let author = world.account(&entry.header().account);
        assert_eq!(Room::genesis(&stored(entry), author).as_ref(), Err(error));
    }
}

/// Whether a verdict stays when more of the author's chain is known.
fn is_settled(error: ControlError) -> bool {
    error != ControlError::Stranger
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

    /// Offers what the relay refused when the room had `taken` control entries and before, what was taken already, and
    /// what is early.
    fn offer_noise(&mut self, log: &Log, taken: usize, choices: &mut Choices<'_>) {
        let seq = Seq(1_000_000);
        for (len, entry, error) in &log.refused {
            if *len == taken && is_settled(*error) {
                assert_eq!(self.offer(seq, entry), Err(*error));
            } else if *len < taken {
                assert!(self.offer(seq, entry).is_err());
            }
        }
        if taken > 0 {
            assert!(self.offer(seq, &log.entries[choices.below(taken)].1).is_err());
            if let Some((_, early)) = log.entries.get(taken + 1) {
                assert_eq!(self.offer(seq, early), Err(ControlError::Unlinked));
            }
        }
    }
}
