//! Registers.

use super::*;

pub(super) fn registers_come_by_rev<S: Subject>() {
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

pub(super) fn registers_are_counted_by_their_owner<S: Subject>() {
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
