//! Groups: on disk as a whole, or not at all.

use super::*;

pub(super) fn a_group_that_is_rolled_back_leaves_nothing<S: Subject>() {
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

pub(super) fn a_group_reads_what_it_wrote_and_nobody_else_does<S: Subject>() {
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
    let holds_it_all = |store: &dyn crate::store::Reader| {
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

pub(super) fn what_was_not_committed_is_gone_after_a_crash<S: Subject>() {
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
