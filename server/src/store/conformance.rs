//! What every engine does. Each property runs unchanged against each of them; [`Memory`] is the reference.

mod directory;
mod file;
mod groups;
mod hooks;
mod log;
mod pages;
mod pushes;
mod registers;
mod retention;

use super::memory::MemoryEngine;
use super::sqlite::SqliteEngine;
use super::{
    AccountRow, Announcement, Append, AuditEvent, AuditRecord, DeviceRow, Engine, InviteRow, Left,
    Membership, Range, RelayRole, RoomHead, StoreError, Stretch, Totals,
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
        Self(self.0.disk().open())
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

use directory::*;
use groups::*;
use hooks::*;
use log::*;
use pages::*;
use pushes::*;
use registers::*;
use retention::*;

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
    integrations_are_found_by_their_token,
    a_key_of_an_integration_is_known_for_a_while,
    what_waits_for_people_is_kept,
    what_is_forgotten_leaves_its_place,
    days_and_sizes_say_what_may_go,
    an_account_holds_what_it_has_written,
    an_account_has_a_share,
    the_audit_log_keeps_what_stands_with_its_change,
    one_thing_is_said_to_everybody,
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
        integration: false,
    }
}

fn invite(token: u8, uses: u32, expires_at: u64) -> InviteRow {
    InviteRow { token: [token; 16], uses, expires_at, role: RelayRole::Admin, room: None, by: None }
}
