//! What every engine does. Each property runs unchanged against each of them; [`Memory`] is the reference.

use super::memory::MemoryEngine;
use super::sqlite::SqliteEngine;
use super::{
    AccountRow, Append, DeviceRow, Engine, InviteRow, Left, Membership, Range, RelayRole, RoomHead,
    StoreError, Stretch, Totals,
};
use bytes::Bytes;
use kith_protocol::account::Account;
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::ids::{AccountId, DeviceId, Hash, Incarnation, RegisterKey, Rev, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;
use kith_protocol::register::{Register, RegisterHeader, Scope};
use kith_protocol::room::own_ops;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// An engine under test, and the disk under it.
trait Subject: Sized {
    type Engine: Engine;

    fn fresh() -> Self;
    fn engine(&mut self) -> &mut Self::Engine;
    /// What another process finds after this one died: what was committed, and nothing else.
    fn reopen(self) -> Self;

    /// One group, committed.
    fn write<T>(&mut self, group: impl FnOnce(&mut Self::Engine) -> Result<T, StoreError>) -> T {
        let engine = self.engine();
        engine.begin().unwrap();
        let yielded = group(engine).unwrap();
        engine.commit().unwrap();
        yielded
    }
}

struct Memory(MemoryEngine);

impl Subject for Memory {
    type Engine = MemoryEngine;

    fn fresh() -> Self {
        Self(MemoryEngine::new(INCARNATION))
    }

    fn engine(&mut self) -> &mut MemoryEngine {
        &mut self.0
    }

    fn reopen(self) -> Self {
        Self(self.0.restored(self.0.incarnation()))
    }
}

struct Sqlite {
    engine: SqliteEngine,
    folder: tempfile::TempDir,
}

impl Sqlite {
    fn over(folder: tempfile::TempDir, fresh: Incarnation) -> Self {
        Self { engine: SqliteEngine::open(&folder.path().join("relay.db"), fresh).unwrap(), folder }
    }
}

impl Subject for Sqlite {
    type Engine = SqliteEngine;

    fn fresh() -> Self {
        Self::over(tempfile::tempdir().unwrap(), INCARNATION)
    }

    fn engine(&mut self) -> &mut SqliteEngine {
        &mut self.engine
    }

    fn reopen(self) -> Self {
        drop(self.engine);
        Self::over(self.folder, Incarnation([99; 16]))
    }
}

macro_rules! conformance {
    ($($property:ident,)*) => {
        mod memory {
            $(#[test] fn $property() { super::$property::<super::Memory>(); })*
        }
        mod sqlite {
            $(#[test] fn $property() { super::$property::<super::Sqlite>(); })*
        }
    };
}

conformance!(
    places_are_dense_and_the_hash_rolls,
    a_transaction_is_known_for_ever,
    a_known_transaction_makes_no_room,
    a_device_of_no_chain_writes_nothing,
    a_group_that_is_rolled_back_leaves_nothing,
    a_group_reads_what_it_wrote_and_nobody_else_does,
    what_was_not_committed_is_gone_after_a_crash,
    pages_hold_what_a_vector_would,
    an_empty_page_says_where_it_would_begin,
    registers_come_by_rev,
    registers_are_counted_by_their_owner,
    control_entries_have_an_index,
    a_redaction_takes_the_body_and_nothing_else,
    a_redaction_of_nothing_harms_nothing,
    a_chain_grows_at_its_end,
    a_handle_is_one_account_s,
    an_account_changes_but_for_its_birth,
    search_takes_its_prefix_literally,
    a_device_stays_whose_it_is,
    rooms_are_found_by_who_is_in_them,
    invites_are_open_until_used_or_expired,
    totals_count,
    an_incarnation_is_kept,
);

const INCARNATION: Incarnation = Incarnation([7; 16]);
const ROOM: RoomId = RoomId([1; 16]);
const OTHER: RoomId = RoomId([2; 16]);

struct Author {
    keys: DeviceKeys,
    account: AccountId,
    txns: u64,
}

impl Author {
    fn new(seed: u8) -> Self {
        let keys = DeviceKeys::from_seeds(&[seed; 32], &[!seed; 32]);
        Self { keys, account: AccountId([seed; 32]), txns: 0 }
    }

    /// Known to an engine.
    fn of(subject: &mut impl Subject, seed: u8) -> Self {
        let author = Self::new(seed);
        let row = DeviceRow { account: author.account, blocked: false };
        subject.write(|engine| engine.put_device(&author.keys.id(), row));
        author
    }

    fn entry(&mut self, room: RoomId, kind: Kind, body: &[u8]) -> Entry {
        self.txns += 1;
        self.entry_as(self.txns, room, kind, body)
    }

    fn entry_as(&self, txn: u64, room: RoomId, kind: Kind, body: &[u8]) -> Entry {
        let header = Header {
            key_source: KEY_SOURCE_PLAIN,
            room,
            account: self.account,
            device: self.keys.id(),
            chain_len: 1,
            control_head: Hash::ZERO,
            seen_seq: Seq::ZERO,
            seen_hash: Hash::ZERO,
            txn: TxnId(u128::from(txn).to_be_bytes()),
            at: 1,
            kind,
        };
        Entry::sign(&header, body, &self.keys)
    }

    fn message(&mut self, room: RoomId, body: &str) -> Entry {
        self.entry(room, Kind::Message, body.as_bytes())
    }

    fn register(&self, room: RoomId, scope: Scope, key: u8, body: &str) -> Register {
        let header = RegisterHeader {
            key_source: KEY_SOURCE_PLAIN,
            scope,
            room,
            account: self.account,
            device: self.keys.id(),
            chain_len: 1,
            control_head: Hash::ZERO,
            replaces: Rev::ZERO,
            key: RegisterKey([key; 32]),
            at: 1,
        };
        Register::sign(&header, body.as_bytes(), &self.keys)
    }
}

fn new(append: Append) -> RoomHead {
    match append {
        Append::New(head) => head,
        Append::Known(room, seq) => panic!("known in {room} at {seq}"),
    }
}

fn all() -> Range {
    Range { after: Seq(0), before: Seq(u64::MAX), newest: false, limit: u32::MAX, bytes: usize::MAX }
}

fn raw(entries: &[Entry]) -> Vec<Bytes> {
    entries.iter().map(|entry| entry.raw().clone()).collect()
}

fn places_are_dense_and_the_hash_rolls<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    assert_eq!(subject.engine().head(&ROOM).unwrap(), RoomHead::default());
    let mut hashes = [Hash::ZERO; 2];
    for step in 0..12_u64 {
        // Three in one room for one in the other, several in a group.
        let (room, at) = if step % 4 == 3 { (OTHER, 1) } else { (ROOM, 0) };
        let entry = alice.message(room, "hello");
        hashes[at] = hashes[at].extend(&entry.digest());
        let head = subject.write(|engine| engine.append(&entry).map(new));
        let seq = if at == 1 { step / 4 + 1 } else { step - step / 4 + 1 };
        let expected = RoomHead { seq: Seq(seq), hash: hashes[at], ..RoomHead::default() };
        assert_eq!(head, expected);
        assert_eq!(subject.engine().head(&room).unwrap(), expected);
        assert_eq!(subject.engine().read().head(&room).unwrap(), expected);
    }
    let heads = subject.engine().reader().unwrap().rooms().unwrap();
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().rooms().unwrap(), heads);
    assert_eq!(
        heads.iter().map(|(room, head)| (*room, head.seq)).collect::<Vec<_>>(),
        [(ROOM, Seq(9)), (OTHER, Seq(3))]
    );
    let entry = alice.message(ROOM, "after the restart");
    let head = subject.write(|engine| engine.append(&entry).map(new));
    assert_eq!((head.seq, head.hash), (Seq(10), hashes[0].extend(&entry.digest())));
}

fn a_transaction_is_known_for_ever<S: Subject>() {
    let mut subject = S::fresh();
    let (alice, bob) = (Author::of(&mut subject, 1), Author::of(&mut subject, 2));
    let entry = alice.entry_as(5, ROOM, Kind::Message, b"first");
    let other_bytes = alice.entry_as(5, ROOM, Kind::Message, b"second");
    let other_room = alice.entry_as(5, OTHER, Kind::Message, b"third");
    let of_another = bob.entry_as(5, ROOM, Kind::Message, b"mine");
    let head = subject.write(|engine| {
        let head = new(engine.append(&entry)?);
        assert_eq!(engine.append(&entry)?, Append::Known(ROOM, Seq(1)), "within its group");
        Ok(head)
    });
    for _ in 0..2 {
        for retry in [&entry, &other_bytes, &other_room] {
            let again = subject.write(|engine| engine.append(retry));
            assert_eq!(again, Append::Known(ROOM, Seq(1)));
        }
        assert_eq!(subject.engine().head(&ROOM).unwrap(), head);
        let known = subject.engine().read().transaction(&alice.keys.id(), &entry.header().txn).unwrap();
        assert_eq!(known, Some((ROOM, Seq(1))));
        assert_eq!(subject.engine().read().transaction(&bob.keys.id(), &entry.header().txn).unwrap(), None);
        assert_eq!(
            subject.engine().read().transaction(&DeviceId([9; 16]), &entry.header().txn).unwrap(),
            None
        );
        assert_eq!(subject.engine().read().page(&ROOM, all()).unwrap().entries, [entry.raw().clone()]);
        subject = subject.reopen();
    }
    assert_eq!(subject.write(|engine| engine.append(&of_another).map(new)).seq, Seq(2));
}

fn a_known_transaction_makes_no_room<S: Subject>() {
    let mut subject = S::fresh();
    let alice = Author::of(&mut subject, 1);
    subject.write(|engine| engine.append(&alice.entry_as(5, ROOM, Kind::Message, b"here")));
    subject.write(|engine| engine.append(&alice.entry_as(5, OTHER, Kind::Message, b"there")));
    assert_eq!(subject.engine().read().totals().unwrap().rooms, 1);
    let head =
        subject.write(|engine| engine.append(&alice.entry_as(6, OTHER, Kind::Message, b"there")).map(new));
    assert_eq!(head.seq, Seq(1));
    assert_eq!(subject.engine().read().totals().unwrap().rooms, 2);
}

fn a_device_of_no_chain_writes_nothing<S: Subject>() {
    let mut subject = S::fresh();
    let mut eve = Author::new(6);
    let entry = eve.message(ROOM, "who am I");
    subject.engine().begin().unwrap();
    assert!(matches!(subject.engine().append(&entry), Err(StoreError::Failed(_))));
    subject.engine().rollback();
    assert_eq!(subject.engine().read().totals().unwrap().rooms, 0);
}

fn a_group_that_is_rolled_back_leaves_nothing<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let first = alice.message(ROOM, "stays");
    let head = subject.write(|engine| engine.append(&first).map(new));
    let name = alice.register(ROOM, Scope::Room, 1, "name");
    subject.write(|engine| engine.set_register(&name));
    let before = subject.engine().read().head(&ROOM).unwrap();
    assert_eq!(before, RoomHead { rev: Rev(1), ..head });

    let mut bob = Author::new(2);
    let (chain, carol) = (genesis(3), account(3, "carol"));
    let redaction = alice.entry(ROOM, Kind::Redaction { target: Seq(1), digest: first.digest() }, b"");
    let (lost, elsewhere) = (alice.message(ROOM, "goes"), alice.message(OTHER, "goes too"));
    let by_bob = bob.message(ROOM, "and this");
    let invite = invite(4, 1, 100);
    let engine = subject.engine();
    engine.begin().unwrap();
    engine.put_device(&bob.keys.id(), DeviceRow { account: bob.account, blocked: false }).unwrap();
    engine.put_device(&alice.keys.id(), DeviceRow { account: alice.account, blocked: true }).unwrap();
    for entry in [&redaction, &lost, &elsewhere, &by_bob] {
        new(engine.append(entry).unwrap());
    }
    assert_eq!(engine.set_register(&alice.register(ROOM, Scope::Room, 1, "other")).unwrap(), Rev(2));
    engine.append_chain(&carol.id, &chain).unwrap();
    engine.put_account(&carol).unwrap();
    engine.put_membership(&carol.id, Membership { room: ROOM, left: None }).unwrap();
    engine.put_invite(&invite).unwrap();
    engine.rollback();

    for _ in 0..2 {
        let engine = subject.engine();
        assert_eq!(engine.head(&ROOM).unwrap(), before);
        assert_eq!(engine.head(&OTHER).unwrap(), RoomHead::default());
        for store in [engine.read(), &*engine.reader().unwrap()] {
            assert_eq!(store.rooms().unwrap(), [(ROOM, before)]);
            assert_eq!(store.page(&ROOM, all()).unwrap().entries, [first.raw().clone()], "body and all");
            assert_eq!(store.registers(&ROOM, Rev(0), 9).unwrap(), [(Rev(1), name.raw().clone())]);
            assert_eq!(store.transaction(&alice.keys.id(), &lost.header().txn).unwrap(), None);
            assert_eq!(store.device(&bob.keys.id()).unwrap(), None);
            assert!(!store.device(&alice.keys.id()).unwrap().unwrap().blocked);
            assert_eq!(store.chain(&carol.id, 0).unwrap(), Vec::<Bytes>::new());
            assert_eq!(store.account(&carol.id).unwrap(), None);
            assert_eq!(store.membership(&carol.id, &ROOM).unwrap(), None);
            assert_eq!(store.invite(&invite.token).unwrap(), None);
        }
        subject = subject.reopen();
    }
    assert_eq!(subject.write(|engine| engine.append(&elsewhere).map(new)).seq, Seq(1));
    let head = subject.write(|engine| engine.append(&lost).map(new));
    assert_eq!((head.seq, head.hash), (Seq(2), before.hash.extend(&lost.digest())));
    subject.engine().begin().unwrap();
    assert!(subject.engine().append(&by_bob).is_err(), "the device went with the group");
    subject.engine().rollback();
}

fn a_group_reads_what_it_wrote_and_nobody_else_does<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let reader = subject.engine().reader().unwrap();
    let control = alice.entry(ROOM, Kind::Control { index: 0, ops: own_ops(alice.account) }, b"");
    let message = alice.message(ROOM, "secret");
    let redaction = alice.entry(ROOM, Kind::Redaction { target: Seq(2), digest: message.digest() }, b"");
    let register = alice.register(ROOM, Scope::Account, 1, "draft");
    let (carol, chain) = (account(3, "carol"), genesis(3));

    let engine = subject.engine();
    engine.begin().unwrap();
    for entry in [&control, &message, &redaction] {
        new(engine.append(entry).unwrap());
    }
    engine.set_register(&register).unwrap();
    engine.append_chain(&carol.id, &chain).unwrap();
    engine.put_account(&carol).unwrap();
    engine.put_membership(&carol.id, Membership { room: ROOM, left: None }).unwrap();
    assert_eq!(engine.head(&ROOM).unwrap().seq, Seq(3));
    let holds_it_all = |store: &dyn super::Reader| {
        let entries = store.page(&ROOM, all()).unwrap().entries;
        assert_eq!(entries, raw(&[control.clone(), message.redacted(), redaction.clone()]));
        assert_eq!(store.control(&ROOM, 0, 9).unwrap(), [(Seq(1), control.raw().clone())]);
        let owner = alice.account;
        let found = store.register(&ROOM, &owner, &register.header().key).unwrap();
        assert_eq!(found, Some((Rev(1), register.raw().clone())));
        assert_eq!(store.register_count(&ROOM, &owner).unwrap(), 1);
        assert_eq!(store.chain(&carol.id, 0).unwrap(), [chain.raw().clone()]);
        assert_eq!(store.account_by_handle("carol").unwrap().map(|row| row.chain_len), Some(1));
        assert_eq!(store.rooms_of(&carol.id).unwrap(), [Membership { room: ROOM, left: None }]);
        let known = store.transaction(&alice.keys.id(), &message.header().txn).unwrap();
        assert_eq!(known, Some((ROOM, Seq(2))));
    };
    holds_it_all(engine.read());
    assert_eq!(reader.head(&ROOM).unwrap(), RoomHead::default());
    assert_eq!(reader.page(&ROOM, all()).unwrap().entries, Vec::<Bytes>::new());
    assert_eq!(reader.totals().unwrap().accounts, 0);
    assert_eq!(reader.chain(&carol.id, 0).unwrap(), Vec::<Bytes>::new());
    assert_eq!(reader.transaction(&alice.keys.id(), &message.header().txn).unwrap(), None);
    engine.commit().unwrap();
    holds_it_all(reader.as_ref());
    assert_eq!(reader.head(&ROOM).unwrap().control_len, 1);
}

fn what_was_not_committed_is_gone_after_a_crash<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let (kept, lost) = (alice.message(ROOM, "kept"), alice.message(ROOM, "lost"));
    let head = subject.write(|engine| engine.append(&kept).map(new));
    subject.engine().begin().unwrap();
    subject.engine().append(&lost).unwrap();
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().head(&ROOM).unwrap(), head);
    assert_eq!(subject.write(|engine| engine.append(&lost).map(new)).seq, Seq(2));
}

fn pages_hold_what_a_vector_would<S: Subject>() {
    const ENTRIES: u64 = 40;
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let bodies = (0..ENTRIES).map(|i| "x".repeat((i as usize * 37) % 500));
    let entries: Vec<Entry> = bodies.map(|body| alice.message(ROOM, &body)).collect();
    let beside: Vec<Entry> = (0..3).map(|_| alice.message(OTHER, "beside")).collect();
    subject
        .write(|engine| entries.iter().chain(&beside).try_for_each(|entry| engine.append(entry).map(drop)));
    let reader = subject.engine().reader().unwrap();

    let place = prop_oneof![0..ENTRIES + 4, Just(u64::MAX - 1), Just(u64::MAX)];
    let ranges = (place.clone(), place, any::<bool>(), 0..ENTRIES as u32 + 4, 0..20_000_usize);
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&ranges, |(after, before, newest, limit, bytes)| {
        let range = Range { after: Seq(after), before: Seq(before), newest, limit, bytes };
        prop_assert_eq!(reader.page(&ROOM, range).unwrap(), naive(&entries, range));
        Ok(())
    });
    checked.unwrap();
}

/// The same, the plainest way.
fn naive(entries: &[Entry], range: Range) -> Stretch {
    let placed = entries.iter().zip(1_u64..);
    let mut wanted: Vec<(u64, Bytes)> = placed
        .map(|(entry, seq)| (seq, entry.raw().clone()))
        .filter(|(seq, _)| *seq > range.after.0 && *seq < range.before.0)
        .collect();
    let found = wanted.len();
    if range.newest {
        wanted.reverse();
    }
    wanted.truncate(range.limit as usize);
    let mut bytes = 0;
    wanted.retain(|(_, entry)| {
        let fits = bytes < range.bytes;
        bytes += entry.len();
        fits
    });
    if range.newest {
        wanted.reverse();
    }
    let first = wanted.first().map_or(range.after.next(), |(seq, _)| Seq(*seq));
    let more = wanted.len() < found;
    Stretch { first, entries: wanted.into_iter().map(|(_, entry)| entry).collect(), more }
}

fn an_empty_page_says_where_it_would_begin<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    subject.write(|engine| engine.append(&alice.message(ROOM, "one")));
    let reader = subject.engine().reader().unwrap();
    for newest in [false, true] {
        let nothing = |first| Stretch { first: Seq(first), entries: Vec::new(), more: false };
        assert_eq!(reader.page(&OTHER, Range { newest, ..all() }).unwrap(), nothing(1));
        let behind = Range { after: Seq(7), newest, ..all() };
        assert_eq!(reader.page(&ROOM, behind).unwrap(), nothing(8));
        let crossed = Range { after: Seq(7), before: Seq(0), newest, ..all() };
        assert_eq!(reader.page(&ROOM, crossed).unwrap(), nothing(8));
        let none = Range { limit: 0, newest, ..all() };
        assert_eq!(reader.page(&ROOM, none).unwrap(), Stretch { more: true, ..nothing(1) });
    }
}

fn registers_come_by_rev<S: Subject>() {
    let mut subject = S::fresh();
    let (alice, bob) = (Author::of(&mut subject, 1), Author::of(&mut subject, 2));
    let mark = alice.register(ROOM, Scope::Account, 1, "mark");
    let name = alice.register(ROOM, Scope::Room, 1, "name");
    let of_bob = bob.register(ROOM, Scope::Account, 1, "his mark");
    let renamed = bob.register(ROOM, Scope::Room, 1, "new name");
    let newer = alice.register(ROOM, Scope::Account, 1, "newer mark");
    let beside = alice.register(OTHER, Scope::Account, 1, "elsewhere");
    let revs = subject.write(|engine| {
        [&mark, &name, &of_bob, &beside, &renamed, &newer]
            .map(|register| engine.set_register(register))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(revs, [Rev(1), Rev(2), Rev(3), Rev(1), Rev(4), Rev(5)]);
    for _ in 0..2 {
        let store = subject.engine().reader().unwrap();
        let stands = |rev, register: &Register| (Rev(rev), register.raw().clone());
        let expected = [stands(3, &of_bob), stands(4, &renamed), stands(5, &newer)];
        assert_eq!(store.registers(&ROOM, Rev(0), 9).unwrap(), expected, "a replaced value leaves its Rev");
        assert_eq!(store.registers(&ROOM, Rev(0), 2).unwrap(), expected[..2]);
        assert_eq!(store.registers(&ROOM, Rev(3), 9).unwrap(), expected[1..]);
        assert_eq!(store.registers(&ROOM, Rev(5), 9).unwrap(), []);
        assert_eq!(store.registers(&ROOM, Rev(u64::MAX), 9).unwrap(), []);
        assert_eq!(store.registers(&OTHER, Rev(0), 9).unwrap(), [stands(1, &beside)]);
        let key = RegisterKey([1; 32]);
        assert_eq!(store.register(&ROOM, &AccountId::ZERO, &key).unwrap(), Some(stands(4, &renamed)));
        assert_eq!(store.register(&ROOM, &alice.account, &key).unwrap(), Some(stands(5, &newer)));
        assert_eq!(store.register(&ROOM, &alice.account, &RegisterKey([9; 32])).unwrap(), None);
        assert_eq!(store.head(&ROOM).unwrap(), RoomHead { rev: Rev(5), ..RoomHead::default() });
        drop(store);
        subject = subject.reopen();
    }
}

fn registers_are_counted_by_their_owner<S: Subject>() {
    let mut subject = S::fresh();
    let (alice, bob) = (Author::of(&mut subject, 1), Author::of(&mut subject, 2));
    subject.write(|engine| {
        for key in [1, 2, 2, 3] {
            engine.set_register(&alice.register(ROOM, Scope::Account, key, "mine"))?;
        }
        engine.set_register(&alice.register(ROOM, Scope::Room, 9, "ours"))?;
        engine.set_register(&bob.register(ROOM, Scope::Account, 1, "his"))
    });
    let store = subject.engine().reader().unwrap();
    let count = |room, owner| store.register_count(&room, &owner).unwrap();
    assert_eq!(count(ROOM, alice.account), 3);
    assert_eq!(count(ROOM, bob.account), 1);
    assert_eq!(count(ROOM, AccountId::ZERO), 1);
    assert_eq!(count(OTHER, alice.account), 0);
}

fn control_entries_have_an_index<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let kinds = [true, false, false, true, true, false];
    let mut index = 0;
    let entries = kinds.map(|control| {
        let kind = if control { Kind::Control { index, ops: own_ops(alice.account) } } else { Kind::Message };
        index += u32::from(control);
        alice.entry(ROOM, kind, b"")
    });
    subject.write(|engine| entries.iter().try_for_each(|entry| engine.append(entry).map(drop)));
    for _ in 0..2 {
        let store = subject.engine().reader().unwrap();
        let at = |seq: u64| (Seq(seq), entries[seq as usize - 1].raw().clone());
        assert_eq!(store.head(&ROOM).unwrap().control_len, 3);
        assert_eq!(store.control(&ROOM, 0, 9).unwrap(), [at(1), at(4), at(5)]);
        assert_eq!(store.control(&ROOM, 1, 1).unwrap(), [at(4)]);
        assert_eq!(store.control(&ROOM, 3, 9).unwrap(), []);
        assert_eq!(store.control(&OTHER, 0, 9).unwrap(), []);
        drop(store);
        subject = subject.reopen();
    }
}

fn a_redaction_takes_the_body_and_nothing_else<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let secret = alice.message(ROOM, "secret");
    let stays = alice.message(ROOM, "stays");
    let beside = alice.message(OTHER, "also at the first place");
    subject
        .write(|engine| [&secret, &stays, &beside].into_iter().try_for_each(|e| engine.append(e).map(drop)));
    let before = subject.engine().read().head(&ROOM).unwrap();
    let redaction = alice.entry(ROOM, Kind::Redaction { target: Seq(1), digest: secret.digest() }, b"");
    let head = subject.write(|engine| engine.append(&redaction).map(new));
    let expected =
        RoomHead { seq: Seq(3), hash: before.hash.extend(&redaction.digest()), redacted: Seq(3), ..before };
    assert_eq!(head, expected);
    for _ in 0..2 {
        let store = subject.engine().reader().unwrap();
        assert_eq!(store.head(&ROOM).unwrap(), expected);
        let found = store.page(&ROOM, all()).unwrap().entries;
        assert_eq!(found, raw(&[secret.redacted(), stays.clone(), redaction.clone()]));
        let read = Entry::parse(found[0].clone()).unwrap();
        assert_eq!((read.body(), read.digest()), (None, secret.digest()));
        assert_eq!(store.page(&OTHER, all()).unwrap().entries, [beside.raw().clone()]);
        drop(store);
        subject = subject.reopen();
    }
    // Once more changes nothing of the target.
    let again = alice.entry(ROOM, Kind::Redaction { target: Seq(1), digest: secret.digest() }, b"");
    assert_eq!(subject.write(|engine| engine.append(&again).map(new)).redacted, Seq(4));
    assert_eq!(subject.engine().read().page(&ROOM, all()).unwrap().entries[0], secret.redacted().raw());
}

fn a_redaction_of_nothing_harms_nothing<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let entries: Vec<Entry> = [0, 1, 7, u64::MAX]
        .map(|target| alice.entry(ROOM, Kind::Redaction { target: Seq(target), digest: Hash::ZERO }, b"why"))
        .into();
    for (entry, seq) in entries.iter().zip(1..) {
        let head = subject.write(|engine| engine.append(entry).map(new));
        assert_eq!((head.seq, head.redacted), (Seq(seq), Seq(seq)));
    }
    let mut expected = entries.clone();
    expected[0] = entries[0].redacted();
    assert_eq!(subject.engine().read().page(&ROOM, all()).unwrap().entries, raw(&expected));
}

fn genesis(seed: u8) -> ChainEntry {
    ChainEntry::genesis(&DeviceKeys::from_seeds(&[seed; 32], &[!seed; 32]), "laptop", 1)
}

fn account(seed: u8, handle: &str) -> AccountRow {
    AccountRow {
        id: AccountId(genesis(seed).digest().0),
        handle: handle.into(),
        name: handle.to_uppercase(),
        role: RelayRole::Member,
        disabled: false,
        created_at: u64::from(seed),
        chain_len: 0,
    }
}

fn a_chain_grows_at_its_end<S: Subject>() {
    let mut subject = S::fresh();
    let (laptop, phone) = (Author::new(1), Author::new(2));
    let genesis = genesis(1);
    let mut fold = Account::genesis(&genesis).unwrap();
    let header = ChainHeader {
        account: fold.id(),
        index: 1,
        previous: fold.head(),
        author: laptop.keys.id(),
        at: 1,
        ops: vec![ChainOp::AddDevice(NewDevice::countersign(&phone.keys, "phone", &fold.id()))],
    };
    let second = ChainEntry::sign(&header, &laptop.keys);
    fold.apply(&second).unwrap();
    let refuses = |subject: &mut S, entry: &ChainEntry| {
        subject.engine().begin().unwrap();
        assert!(matches!(subject.engine().append_chain(&fold.id(), entry), Err(StoreError::Failed(_))));
        subject.engine().rollback();
    };
    refuses(&mut subject, &second);
    subject.write(|engine| engine.append_chain(&fold.id(), &genesis));
    refuses(&mut subject, &genesis);
    subject.write(|engine| engine.append_chain(&fold.id(), &second));
    refuses(&mut subject, &second);
    let mut subject = subject.reopen();
    let store = subject.engine().reader().unwrap();
    assert_eq!(store.chain(&fold.id(), 0).unwrap(), [genesis.raw().clone(), second.raw().clone()]);
    assert_eq!(store.chain(&fold.id(), 1).unwrap(), [second.raw().clone()]);
    assert_eq!(store.chain(&fold.id(), 2).unwrap(), Vec::<Bytes>::new());
    assert_eq!(store.chain(&AccountId([9; 32]), 0).unwrap(), Vec::<Bytes>::new());
}

fn a_handle_is_one_account_s<S: Subject>() {
    let mut subject = S::fresh();
    let (alice, bob) = (account(1, "alice"), account(2, "bob"));
    subject.write(|engine| engine.put_account(&alice).and_then(|()| engine.put_account(&bob)));
    let engine = subject.engine();
    for thief in [account(3, "alice"), AccountRow { handle: "alice".into(), ..bob.clone() }] {
        engine.begin().unwrap();
        assert!(matches!(engine.put_account(&thief), Err(StoreError::Failed(_))));
        engine.rollback();
    }
    assert_eq!(engine.read().account_by_handle("alice").unwrap(), Some(alice.clone()));
    assert_eq!(engine.read().account_by_handle("Alice").unwrap(), None);
    assert_eq!(engine.read().account(&account(3, "x").id).unwrap(), None);
    // A handle that was given up is free.
    let renamed = AccountRow { handle: "alicia".into(), ..alice };
    let heir = AccountRow { handle: "alice".into(), ..bob };
    subject.write(|engine| engine.put_account(&renamed).and_then(|()| engine.put_account(&heir)));
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().account_by_handle("alice").unwrap(), Some(heir));
    assert_eq!(subject.engine().read().account(&renamed.id).unwrap(), Some(renamed));
}

fn an_account_changes_but_for_its_birth<S: Subject>() {
    let mut subject = S::fresh();
    let alice = account(1, "alice");
    subject.write(|engine| engine.put_account(&alice));
    let changed = AccountRow {
        name: "A. Liddell".into(),
        role: RelayRole::Owner,
        disabled: true,
        created_at: 99,
        chain_len: 99,
        ..alice.clone()
    };
    subject.write(|engine| engine.put_account(&changed));
    let expected = AccountRow { created_at: alice.created_at, chain_len: 0, ..changed };
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().account(&alice.id).unwrap(), Some(expected));
    subject.write(|engine| engine.append_chain(&alice.id, &genesis(1)));
    let found = subject.engine().read().account(&alice.id).unwrap();
    assert_eq!(found.map(|row| row.chain_len), Some(1));
}

fn search_takes_its_prefix_literally<S: Subject>() {
    let mut subject = S::fresh();
    let people = [
        (1, "ann", "Zoe"),
        (2, "ann_b", "100% Ann"),
        (3, "annxb", "back\\slash"),
        (4, "bob", "ANNABEL"),
        (5, "zed", "_under"),
    ];
    subject.write(|engine| {
        people.iter().try_for_each(|(seed, handle, name)| {
            engine.put_account(&AccountRow { name: (*name).into(), ..account(*seed, handle) })
        })
    });
    let found = |prefix: &str, limit| {
        let rows = subject.engine().read().search(prefix, limit).unwrap();
        rows.into_iter().map(|row| row.handle).collect::<Vec<_>>()
    };
    let mut found = found;
    assert_eq!(found("ann", 9), ["ann", "ann_b", "annxb", "bob"], "by handle or name, in any case");
    assert_eq!(found("ann", 2), ["ann", "ann_b"]);
    assert_eq!(found("ann_", 9), ["ann_b"]);
    assert_eq!(found("ANN_B", 9), ["ann_b"]);
    assert_eq!(found("100%", 9), ["ann_b"]);
    assert_eq!(found("%", 9), Vec::<String>::new());
    assert_eq!(found("_", 9), ["zed"]);
    assert_eq!(found("back\\", 9), ["annxb"]);
    assert_eq!(found("nn", 9), Vec::<String>::new());
    assert_eq!(found("", 9), ["ann", "ann_b", "annxb", "bob", "zed"]);
}

fn a_device_stays_whose_it_is<S: Subject>() {
    let mut subject = S::fresh();
    let device = DeviceId([4; 16]);
    let row = DeviceRow { account: AccountId([1; 32]), blocked: false };
    assert_eq!(subject.engine().read().device(&device).unwrap(), None);
    subject.write(|engine| engine.put_device(&device, row));
    assert_eq!(subject.engine().read().device(&device).unwrap(), Some(row));
    let stolen = DeviceRow { account: AccountId([2; 32]), blocked: true };
    subject.write(|engine| engine.put_device(&device, stolen));
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().device(&device).unwrap(), Some(DeviceRow { blocked: true, ..row }));
    subject.write(|engine| engine.put_device(&device, row));
    assert_eq!(subject.engine().read().device(&device).unwrap(), Some(row), "and is let in again");
}

fn rooms_are_found_by_who_is_in_them<S: Subject>() {
    let mut subject = S::fresh();
    let (alice, bob) = (AccountId([1; 32]), AccountId([2; 32]));
    let last = RoomId([0xff; 16]);
    let member = |room| Membership { room, left: None };
    let left = Left { seq: Seq(9), hash: Hash([3; 32]), control_len: 2 };
    let gone = Membership { room: OTHER, left: Some(left) };
    subject.write(|engine| {
        engine.put_membership(&alice, member(last))?;
        engine.put_membership(&alice, member(OTHER))?;
        engine.put_membership(&alice, member(RoomId::ZERO))?;
        engine.put_membership(&bob, member(ROOM))?;
        engine.put_membership(&alice, gone)
    });
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    assert_eq!(read.rooms_of(&alice).unwrap(), [member(RoomId::ZERO), gone, member(last)]);
    assert_eq!(read.rooms_of(&bob).unwrap(), [member(ROOM)]);
    assert_eq!(read.rooms_of(&AccountId([9; 32])).unwrap(), []);
    assert_eq!(read.membership(&alice, &OTHER).unwrap(), Some(gone));
    assert_eq!(read.membership(&alice, &ROOM).unwrap(), None);
    subject.write(|engine| engine.put_membership(&alice, member(OTHER)));
    let back = subject.engine().read().membership(&alice, &OTHER).unwrap();
    assert_eq!(back, Some(member(OTHER)), "who comes back is a member like any other");
}

fn invite(token: u8, uses: u32, expires_at: u64) -> InviteRow {
    InviteRow { token: [token; 16], uses, expires_at, role: RelayRole::Admin, room: None, by: None }
}

fn invites_are_open_until_used_or_expired<S: Subject>() {
    let mut subject = S::fresh();
    let alice = AccountId([1; 32]);
    let later = invite(1, 3, 200);
    let sooner = invite(2, 1, 100);
    let hers = InviteRow { by: Some(alice), room: Some(ROOM), ..invite(3, 1, 150) };
    let for_ever = invite(4, 1, i64::MAX as u64);
    subject.write(|engine| {
        [&later, &sooner, &hers, &for_ever].into_iter().try_for_each(|it| engine.put_invite(it))
    });
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    let open = [sooner.clone(), later.clone(), for_ever.clone()];
    assert_eq!(read.invites(None, 0).unwrap(), open, "soonest first");
    assert_eq!(read.invites(None, 99).unwrap(), open);
    assert_eq!(read.invites(None, 100).unwrap(), open[1..], "no longer at its very end");
    assert_eq!(read.invites(Some(&alice), 0).unwrap(), [hers.clone()]);
    assert_eq!(read.invites(Some(&AccountId([9; 32])), 0).unwrap(), []);
    assert_eq!(read.invite(&hers.token).unwrap(), Some(hers));
    assert_eq!(read.invite(&[9; 16]).unwrap(), None);
    let used = InviteRow { uses: 0, ..later };
    subject.write(|engine| engine.put_invite(&used));
    let read = subject.engine().read();
    assert_eq!(read.invites(None, 0).unwrap(), [sooner, for_ever]);
    assert_eq!(read.invite(&used.token).unwrap(), Some(used), "who comes late hears that it was used");
}

fn totals_count<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    assert_eq!(Totals { bytes: 0, ..subject.engine().read().totals().unwrap() }, Totals::default());
    subject.write(|engine| {
        engine.put_account(&account(1, "alice"))?;
        for room in [ROOM, ROOM, OTHER] {
            engine.append(&alice.message(room, "hello"))?;
        }
        Ok(())
    });
    let found = subject.engine().reader().unwrap().totals().unwrap();
    assert_eq!((found.accounts, found.rooms, found.entries), (1, 2, 3));
    assert!(found.bytes > 0);
}

fn an_incarnation_is_kept<S: Subject>() {
    let mut subject = S::fresh();
    assert_eq!(subject.engine().incarnation(), INCARNATION);
    assert_eq!(subject.reopen().engine().incarnation(), INCARNATION);
}

/// What concerns the file.
mod file {
    use super::*;
    use rusqlite::Connection;

    fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> T {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_ack_means_on_disk() {
        let mut subject = Sqlite::fresh();
        let connection = subject.engine().connection();
        assert_eq!(pragma::<String>(connection, "journal_mode"), "wal");
        assert_eq!(pragma::<u8>(connection, "synchronous"), 2, "FULL");
    }

    #[test]
    fn data_of_a_newer_relay_is_left_alone() {
        let folder = Sqlite::fresh().folder;
        let path = folder.path().join("relay.db");
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 1000).unwrap();
        drop(newer);
        let before = std::fs::read(&path).unwrap();
        let Err(error) = SqliteEngine::open(&path, INCARNATION) else { panic!("it was opened") };
        assert!(error.to_string().contains("written by a newer kith-relay (schema 1000"), "{error}");
        assert!(error.to_string().contains("update kith-relay"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_is_no_database_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.db");
        std::fs::write(&path, "not a database, whatever its name says\n".repeat(100)).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(SqliteEngine::open(&path, INCARNATION), Err(StoreError::Failed(_))));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_restored_copy_gets_a_new_identity() {
        let mut subject = Sqlite::fresh();
        subject.engine().renew(Incarnation([8; 16])).unwrap();
        assert_eq!(subject.engine().incarnation(), Incarnation([8; 16]));
        assert_eq!(subject.reopen().engine().incarnation(), Incarnation([8; 16]));
    }

    #[test]
    fn a_file_that_may_not_grow_refuses_and_recovers() {
        let mut subject = Sqlite::fresh();
        let mut alice = Author::of(&mut subject, 1);
        let kept = alice.message(ROOM, "kept");
        let head = subject.write(|engine| engine.append(&kept).map(new));
        let quota = subject.engine().quota();
        quota.set(Some(1));
        let large = alice.entry(ROOM, Kind::Message, &[7; 200_000]);
        let engine = subject.engine();
        engine.begin().unwrap();
        assert!(matches!(
            engine.append(&large).map(drop).and_then(|()| engine.commit()),
            Err(StoreError::Full)
        ));
        engine.rollback();
        assert_eq!(engine.reader().unwrap().page(&ROOM, all()).unwrap().entries, [kept.raw().clone()]);
        assert_eq!(engine.head(&ROOM).unwrap(), head);
        quota.set(None);
        assert_eq!(subject.write(|engine| engine.append(&large).map(new)).seq, Seq(2));
        assert_eq!(subject.engine().read().totals().unwrap().entries, 2);
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_their_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let mut subject = Sqlite::fresh();
        Author::of(&mut subject, 1);
        for name in ["relay.db", "relay.db-wal", "relay.db-shm"] {
            let mode = subject.folder.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
