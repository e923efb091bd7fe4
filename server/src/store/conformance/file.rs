//! What concerns the file under SQLite.

use super::*;
use crate::store::Reader;
use crate::store::retention::RetentionWrite;
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

/// The same each time, down to the last byte of each signature: what the fixture was filled with.
fn fill(subject: &mut Sqlite) {
    let mut alice = Author::of(subject, 1);
    let control = alice.entry(ROOM, Kind::Control { index: 0, ops: own_ops(alice.account) }, b"");
    let message = alice.message(ROOM, "secret");
    let redaction = alice.entry(ROOM, Kind::Redaction { target: Seq(2), digest: message.digest() }, b"");
    let stays = alice.message(ROOM, "stays");
    let carol = AccountRow { role: RelayRole::Owner, disabled: true, ..account(3, "carol") };
    let left = Left { seq: Seq(3), hash: Hash([9; 32]), control_len: 1 };
    subject.write(|engine| {
        for entry in [&control, &message, &redaction, &stays] {
            engine.append(entry)?;
        }
        engine.set_register(&alice.register(ROOM, Scope::Account, 1, "draft"))?;
        engine.set_register(&alice.register(ROOM, Scope::Room, 1, "name"))?;
        engine.append_chain(&carol.id, &genesis(3))?;
        engine.put_account(&carol)?;
        engine.put_device(&DeviceId([4; 16]), DeviceRow { account: carol.id, blocked: true })?;
        engine.put_membership(&carol.id, Membership { room: ROOM, left: Some(left) })?;
        engine.put_membership(&carol.id, Membership { room: OTHER, left: None })?;
        engine.put_invite(&InviteRow { room: Some(ROOM), by: Some(carol.id), ..invite(5, 2, 100) })
    });
}

/// What the first schema has written is read, and written on, by this one.
#[test]
fn a_file_of_the_first_schema_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join("relay.db")).unwrap();
    old.execute_batch(include_str!("../../../fixtures/schema-1.sql")).unwrap();
    drop(old);
    let mut taken = Sqlite::over(folder, Incarnation([99; 16]));
    let mut fresh = Sqlite::fresh();
    fill(&mut fresh);
    assert_eq!(taken.engine().incarnation(), INCARNATION);
    let carol = account(3, "carol").id;
    let facts = |subject: &mut Sqlite| {
        let store = subject.engine().reader().unwrap();
        let txn = TxnId(2_u128.to_be_bytes());
        let known = store.transaction(&Author::new(1).keys.id(), &txn).unwrap();
        (
            (store.rooms().unwrap(), store.page(&ROOM, all()).unwrap(), store.control(&ROOM, 0, 9).unwrap()),
            (store.registers(&ROOM, Rev(0), 9).unwrap(), known, store.chain(&carol, 0).unwrap()),
            (store.account_by_handle("carol").unwrap(), store.device(&DeviceId([4; 16])).unwrap()),
            (store.rooms_of(&carol).unwrap(), store.invites(0).unwrap()),
            store.held(&Author::new(1).account).unwrap(),
        )
    };
    assert_eq!(facts(&mut taken), facts(&mut fresh));
    assert_eq!(pragma::<u8>(taken.engine().connection(), "auto_vacuum"), 2, "it can become smaller");
    assert!(facts(&mut taken).4 > 1000, "what was there already counts");
    let next = Author::new(1).entry_as(50, ROOM, Kind::Message, b"and on it goes");
    assert_eq!(taken.write(|engine| engine.append(&next).map(new)).seq, Seq(5));
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

/// It was told since, or is no news any more.
#[test]
fn what_waited_to_be_told_is_not_told_out_of_a_restored_copy() {
    let mut sqlite = Sqlite::fresh();
    pushes::fill(&mut sqlite);
    sqlite.engine().renew(Incarnation([8; 16])).unwrap();
    let mut memory = Memory::fresh();
    pushes::fill(&mut memory);
    let mut memory = Memory(memory.0.disk().restored(Incarnation([8; 16])).open());
    let nothing_waits = |store: &dyn Reader| {
        let people = store.push_people().unwrap();
        assert_eq!(people.len(), 1);
        let targets = store.push_targets(&people[0].account).unwrap();
        assert_eq!((people[0].waiting, targets.len(), targets[0].out), (None, 1, None));
        assert!(store.vapid_key().unwrap().is_some());
    };
    nothing_waits(sqlite.engine().read());
    nothing_waits(memory.engine().read());
}

/// The tables that schema 5 lacks are there, and empty.
#[test]
fn a_file_without_pushes_gets_them() {
    let mut subject = Sqlite::fresh();
    fill(&mut subject);
    subject
        .engine()
        .connection()
        .execute_batch("DROP TABLE push_people; DROP TABLE push_targets; PRAGMA user_version = 5;")
        .unwrap();
    let mut subject = subject.reopen();
    assert!(subject.engine().read().push_people().unwrap().is_empty());
    pushes::fill(&mut subject);
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().push_people().unwrap().len(), 1);
    assert_eq!(subject.engine().head(&ROOM).unwrap().seq, Seq(4), "and the rest is as it was");
}

#[test]
fn a_file_that_may_not_grow_refuses_and_recovers() {
    let mut subject = Sqlite::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let kept = alice.message(ROOM, "kept");
    let head = subject.write(|engine| engine.append(&kept).map(new));
    let quota = subject.engine().quota();
    quota.set(Some(1));
    let body = vec![7; 200_000];
    let large = alice.entry(ROOM, Kind::Message, &body);
    let engine = subject.engine();
    engine.begin().unwrap();
    assert!(matches!(engine.append(&large).map(drop).and_then(|()| engine.commit()), Err(StoreError::Full)));
    engine.rollback();
    assert_eq!(engine.reader().unwrap().page(&ROOM, all()).unwrap().entries, [kept.raw().clone()]);
    assert_eq!(engine.head(&ROOM).unwrap(), head);
    quota.set(None);
    assert_eq!(subject.write(|engine| engine.append(&large).map(new)).seq, Seq(2));
    assert_eq!(subject.engine().read().totals().unwrap().entries, 2);
}

fn log_bytes(subject: &Sqlite) -> u64 {
    std::fs::metadata(subject.folder.path().join("relay.db-wal")).unwrap().len()
}

#[test]
fn the_log_keeps_the_room_that_it_was_given() {
    let mut subject = Sqlite::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let room = log_bytes(&subject);
    assert!(room > 1 << 20, "{room} bytes");
    let body = vec![7; 100_000];
    let count = 3 * room / body.len() as u64;
    for _ in 0..count {
        let entry = alice.entry(ROOM, Kind::Message, &body);
        subject.write(|engine| engine.append(&entry).map(new));
        subject.engine().rest(true);
    }
    assert_eq!(log_bytes(&subject), room, "it was folded back, and begun anew");
    assert_eq!(subject.reopen().engine().head(&ROOM).unwrap().seq, Seq(count));
}

#[test]
fn what_is_forgotten_gives_its_disk_back() {
    let mut subject = Sqlite::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let body = vec![7; 40_000];
    for _ in 0..300 {
        let entry = alice.entry(ROOM, Kind::Message, &body);
        subject.write(|engine| engine.append(&entry).map(new));
        while subject.engine().rest(true) {}
    }
    let file = subject.folder.path().join("relay.db");
    let bytes = || std::fs::metadata(&file).unwrap().len();
    let full = bytes();
    assert!(full > 10 << 20, "{full} bytes");
    // Pages are few enough at a time that nobody waits for long.
    let forget = RetentionWrite::Forget { room: ROOM, up_to: Seq(290) };
    subject.write(|engine| engine.put_retention(&forget));
    assert!(!subject.engine().rest(false), "others go first");
    let mut steps = 1;
    while subject.engine().rest(true) {
        steps += 1;
    }
    assert!(steps > 5, "{steps} steps");
    assert!(bytes() < 3 << 20, "{} bytes of {full}", bytes());
    assert!(!subject.engine().rest(true), "there is nothing more to do");
    let kept = subject.engine().reader().unwrap().page(&ROOM, all()).unwrap().entries;
    let whole = |raw: &&Bytes| Entry::parse((*raw).clone()).unwrap().body().is_some();
    assert_eq!((kept.len(), kept.iter().filter(whole).count()), (300, 10));
    let next = alice.entry(ROOM, Kind::Message, &body);
    let mut after = subject.reopen();
    assert_eq!(after.write(|engine| engine.append(&next).map(new)).seq, Seq(301));
}

#[test]
fn a_file_that_became_smaller_may_grow_no_further_than_it_is_told() {
    let mut subject = Sqlite::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let body = vec![7; 100_000];
    let grow = |subject: &mut Sqlite, alice: &mut Author| {
        let entry = alice.entry(ROOM, Kind::Message, &body);
        let engine = subject.engine();
        engine.begin().unwrap();
        let stored = engine.append(&entry).map(drop).and_then(|()| engine.commit());
        stored.inspect_err(|_| engine.rollback())
    };
    for _ in 0..60 {
        grow(&mut subject, &mut alice).unwrap();
    }
    subject.engine().quota().set(Some(3 << 20));
    subject.write(|engine| engine.put_retention(&RetentionWrite::Forget { room: ROOM, up_to: Seq(60) }));
    while subject.engine().rest(true) {}
    let grown = (0..60).take_while(|_| grow(&mut subject, &mut alice).is_ok()).count();
    assert!((10..31).contains(&grown), "{grown} of 100 kB fit into 3 MiB");
}

#[test]
fn what_was_committed_is_read_from_a_log_that_ends_in_zeros() {
    let mut subject = Sqlite::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let kept: Vec<_> = (0..3).map(|number| alice.message(ROOM, &format!("message {number}"))).collect();
    for entry in &kept {
        subject.write(|engine| engine.append(entry).map(new));
    }
    // The files as a kill leaves them.
    let killed = tempfile::tempdir().unwrap();
    for name in ["relay.db", "relay.db-wal"] {
        std::fs::copy(subject.folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let mut after = Sqlite::over(killed, Incarnation([99; 16]));
    assert_eq!(after.engine().incarnation(), INCARNATION);
    let stored = after.engine().reader().unwrap().page(&ROOM, all()).unwrap().entries;
    assert_eq!(stored, kept.iter().map(|entry| entry.raw().clone()).collect::<Vec<_>>());
    let next = alice.message(ROOM, "and on it goes");
    assert_eq!(after.write(|engine| engine.append(&next).map(new)).seq, Seq(4));
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
