//! People, devices and rooms, put straight into a store: what a relay has after a busy year, in a second.
//!
//! Everything is signed as it should be, from keys that follow from a number.

use crate::{Outcome, relay};
use bytes::Bytes;
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::event::{Event, Text};
use kith_protocol::frame::{ClientFrame, Send};
use kith_protocol::ids::{AccountId, Hash, Incarnation, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;
use kith_protocol::limits;
use kith_protocol::room::{ControlOp, Role, direct_ops, group_ops, own_ops};
use kith_relay::store::sqlite::SqliteEngine;
use kith_relay::store::{AccountRow, DeviceRow, Engine, Membership, RelayRole};
use std::path::Path;

/// Somebody with one or two devices.
#[derive(Debug)]
pub(crate) struct Person {
    /// Their name for the relay.
    pub(crate) account: AccountId,
    /// Their devices' keys.
    pub(crate) devices: Vec<DeviceKeys>,
    chain: Vec<ChainEntry>,
}

/// A store that is being filled.
pub(crate) struct World {
    engine: SqliteEngine,
    txns: u64,
}

impl World {
    /// A new store in an empty folder. One group until [`World::done`].
    pub(crate) fn new(folder: &Path) -> Outcome<Self> {
        let mut engine = SqliteEngine::open(&relay::store(folder), Incarnation([7; 16]))?;
        engine.begin()?;
        Ok(Self { engine, txns: 0 })
    }

    /// So many people more, with so many devices each.
    pub(crate) fn people(&mut self, range: std::ops::Range<u32>, devices: u32) -> Outcome<Vec<Person>> {
        range.map(|number| self.person(number, devices)).collect()
    }

    fn person(&mut self, number: u32, devices: u32) -> Outcome<Person> {
        let keys: Vec<_> = (0..devices).map(|device| keys(number, device)).collect();
        let first = keys.first().ok_or("a person without a device")?;
        let genesis = ChainEntry::genesis(first, "first", 1);
        let account = AccountId(genesis.digest().0);
        let mut chain = vec![genesis];
        for other in &keys[1..] {
            let before = chain.last().ok_or("a chain without a beginning")?;
            let header = ChainHeader {
                account,
                index: before.header().index + 1,
                previous: before.digest(),
                author: first.id(),
                at: 1,
                ops: vec![ChainOp::AddDevice(NewDevice::countersign(other, "other", &account))],
            };
            chain.push(ChainEntry::sign(&header, first));
        }
        let handle = format!("p{number}");
        self.engine.put_account(&AccountRow {
            id: account,
            name: handle.clone(),
            handle,
            role: RelayRole::Member,
            disabled: false,
            created_at: 1,
            chain_len: 1,
            integration: false,
        })?;
        for entry in &chain {
            self.engine.append_chain(&account, entry)?;
        }
        for device in &keys {
            self.engine.put_device(&device.id(), DeviceRow { account, blocked: false })?;
        }
        let person = Person { account, devices: keys, chain };
        let own = RoomId::own(&account);
        self.control(&person, own, Hash::ZERO, 0, own_ops(account))?;
        self.member(&account, own)?;
        Ok(person)
    }

    /// The direct chat of two.
    pub(crate) fn direct(&mut self, one: &Person, other: &Person) -> Outcome<RoomId> {
        let room = RoomId::direct(&one.account, &other.account);
        self.control(one, room, Hash::ZERO, 0, direct_ops(one.account, other.account))?;
        self.member(&one.account, room)?;
        self.member(&other.account, room)?;
        Ok(room)
    }

    /// A group; the first of them makes it.
    pub(crate) fn group(&mut self, people: &[Person]) -> Outcome<RoomId> {
        let owner = people.first().ok_or("a room of nobody")?;
        self.txns += 1;
        let nonce = u128::from(self.txns).to_be_bytes();
        let genesis =
            self.control(owner, RoomId::ZERO, Hash::ZERO, 0, group_ops(owner.account, nonce, []))?;
        let (room, mut head) = (genesis.room(), genesis.digest());
        for (index, some) in people[1..].chunks(limits::OPS_MAX).enumerate() {
            let ops = some.iter().map(|person| ControlOp::Add(person.account, Role::Member)).collect();
            head = self.control(owner, room, head, u32::try_from(index)? + 1, ops)?.digest();
        }
        for person in people {
            self.member(&person.account, room)?;
        }
        Ok(room)
    }

    /// Messages that stand in a room's timeline. The larger the number, the later one was written.
    pub(crate) fn messages(
        &mut self,
        author: &Person,
        room: RoomId,
        numbers: std::ops::Range<u64>,
    ) -> Outcome<Vec<Entry>> {
        let entries: Vec<_> = numbers.map(|number| message(author, 0, room, number)).collect();
        for entry in &entries {
            self.engine.append(entry)?;
        }
        Ok(entries)
    }

    /// A conversation: messages as people write them, in turns.
    #[cfg(target_os = "linux")]
    pub(crate) fn conversation(&mut self, people: [&Person; 2], room: RoomId, messages: u64) -> Outcome<()> {
        for number in 0..messages {
            // Some in a row are one person's.
            let author = people[usize::from(number % 7 < 3)];
            let entry = signed(author, 0, room, number, &encoded(&spoken(number)));
            self.engine.append(&entry)?;
        }
        Ok(())
    }

    /// Writes what was put in so far.
    pub(crate) fn done(mut self) -> Outcome<()> {
        self.engine.commit()?;
        Ok(())
    }

    fn control(
        &mut self,
        author: &Person,
        room: RoomId,
        head: Hash,
        index: u32,
        ops: Vec<ControlOp>,
    ) -> Outcome<Entry> {
        self.txns += 1;
        let txn = TxnId((1 << 127 | u128::from(self.txns)).to_be_bytes());
        let header =
            Header { control_head: head, ..header(author, 0, room, txn, Kind::Control { index, ops }) };
        let entry = Entry::sign(&header, &[], &author.devices[0]);
        self.engine.append(&entry)?;
        Ok(entry)
    }

    fn member(&mut self, account: &AccountId, room: RoomId) -> Outcome<()> {
        self.engine.put_membership(account, Membership { room, left: None })?;
        Ok(())
    }
}

/// A signed message with a body of [`BODY`] bytes, from one of the author's devices.
pub(crate) fn message(author: &Person, device: usize, room: RoomId, number: u64) -> Entry {
    let mut text = format!("message {number} ");
    // Beyond some length of the text, what stands around it is always as long.
    text.push_str(&".".repeat(BODY / 2));
    text.push_str(&".".repeat(BODY - encoded(&text).len()));
    signed(author, device, room, number, &encoded(&text))
}

fn signed(author: &Person, device: usize, room: RoomId, number: u64, body: &Bytes) -> Entry {
    // As devices make them: the time, then what is random.
    let random = Hash::of(&[&room.0, &author.devices[device].id().0, &number.to_be_bytes()]).0;
    let txn = TxnId::new(STARTED_AT + number, *random.first_chunk().expect("a hash is longer"));
    let header = Header { at: STARTED_AT + number, ..header(author, device, room, txn, Kind::Message) };
    Entry::sign(&header, body, &author.devices[device])
}

/// What somebody might say: mostly a line, now and then a paragraph, some emphasis, a link, some code.
#[cfg(target_os = "linux")]
fn spoken(number: u64) -> String {
    const WORDS: [&str; 16] = [
        "we",
        "meet",
        "at",
        "the",
        "garden",
        "on",
        "Sunday",
        "and",
        "bring",
        "cake",
        "for",
        "everybody",
        "who",
        "waters",
        "tomatoes",
        "then",
    ];
    let mut random = fastrand::Rng::with_seed(number);
    let length = if random.u8(..8) == 0 { random.usize(40..90) } else { random.usize(2..18) };
    let mut text = format!("{number}:");
    for _ in 0..length {
        text.push(' ');
        text.push_str(WORDS[random.usize(..WORDS.len())]);
    }
    match random.u8(..16) {
        0 => text.push_str(" **for sure**"),
        1 => text.push_str(" https://example.org/garden"),
        2 => text.push_str(" `cargo run`"),
        3 => text.push_str(" 🍅"),
        _ => {}
    }
    text
}

fn encoded(text: &str) -> Bytes {
    Event::Text(Text::plain(text)).encode()
}

/// The frame that sends an entry.
pub(crate) fn send(entry: &Entry) -> Bytes {
    ClientFrame::Send(Send { run: 0, entry: entry.raw().clone() }).encode()
}

/// Bytes in a body.
pub(crate) const BODY: usize = 256;

/// The first message's time, milliseconds since 1970.
const STARTED_AT: u64 = 1_750_000_000_000;

fn header(author: &Person, device: usize, room: RoomId, txn: TxnId, kind: Kind) -> Header {
    Header {
        key_source: 0,
        room,
        account: author.account,
        device: author.devices[device].id(),
        chain_len: u32::try_from(author.chain.len()).expect("a chain of a few entries"),
        control_head: Hash::ZERO,
        seen_seq: Seq::ZERO,
        seen_hash: Hash::ZERO,
        txn,
        at: 1,
        kind,
    }
}

fn keys(person: u32, device: u32) -> DeviceKeys {
    let seed =
        |purpose: u8| Hash::of(&[b"kith-bench", &person.to_be_bytes(), &device.to_be_bytes(), &[purpose]]).0;
    DeviceKeys::from_seeds(&seed(1), &seed(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_large_as_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(folder.path()).unwrap();
        let people = world.people(0..2, 2).unwrap();
        let room = world.direct(&people[0], &people[1]).unwrap();
        for number in [0, 9_999_999] {
            let entry = message(&people[0], 1, room, number);
            assert_eq!(entry.body().unwrap().len(), BODY);
            assert_eq!(entry.verify(&people[0].devices[1].sign_public()), Ok(()));
        }
        world.done().unwrap();
    }
}
