//! Timelines, chains, and what is counted over all of them.

use super::*;

pub(super) fn places_are_dense_and_the_hash_rolls<S: Subject>() {
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

pub(super) fn a_transaction_is_known_for_ever<S: Subject>() {
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

pub(super) fn a_known_transaction_makes_no_room<S: Subject>() {
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

pub(super) fn a_device_of_no_chain_writes_nothing<S: Subject>() {
    let mut subject = S::fresh();
    let mut eve = Author::new(6);
    let entry = eve.message(ROOM, "who am I");
    subject.engine().begin().unwrap();
    assert!(matches!(subject.engine().append(&entry), Err(StoreError::Failed(_))));
    subject.engine().rollback();
    assert_eq!(subject.engine().read().totals().unwrap().rooms, 0);
}

pub(super) fn control_entries_have_an_index<S: Subject>() {
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

pub(super) fn a_redaction_takes_the_body_and_nothing_else<S: Subject>() {
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

pub(super) fn a_redaction_of_nothing_harms_nothing<S: Subject>() {
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

pub(super) fn a_chain_grows_at_its_end<S: Subject>() {
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

pub(super) fn totals_count<S: Subject>() {
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

pub(super) fn an_incarnation_is_kept<S: Subject>() {
    let mut subject = S::fresh();
    assert_eq!(subject.engine().incarnation(), INCARNATION);
    assert_eq!(subject.reopen().engine().incarnation(), INCARNATION);
}
