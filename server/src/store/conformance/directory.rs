//! What the folds and the operator have yielded.

use super::*;

pub(super) fn a_handle_is_one_account_s<S: Subject>() {
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

pub(super) fn an_account_changes_but_for_its_birth<S: Subject>() {
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

pub(super) fn search_takes_its_prefix_literally<S: Subject>() {
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

pub(super) fn a_device_stays_whose_it_is<S: Subject>() {
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

pub(super) fn rooms_are_found_by_who_is_in_them<S: Subject>() {
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

pub(super) fn invites_are_open_until_used_or_expired<S: Subject>() {
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
    let open = [sooner.clone(), hers.clone(), later.clone(), for_ever.clone()];
    assert_eq!(read.invites(0).unwrap(), open, "soonest first");
    assert_eq!(read.invites(99).unwrap(), open);
    assert_eq!(read.invites(100).unwrap(), open[1..], "no longer at its very end");
    assert_eq!(read.invite(&hers.token).unwrap(), Some(hers.clone()));
    assert_eq!(read.invite(&[9; 16]).unwrap(), None);
    let used = InviteRow { uses: 0, ..later };
    subject.write(|engine| engine.put_invite(&used));
    let read = subject.engine().read();
    assert_eq!(read.invites(0).unwrap(), [sooner, hers, for_ever]);
    assert_eq!(read.invite(&used.token).unwrap(), Some(used), "who comes late hears that it was used");
}

pub(super) fn the_audit_log_keeps_what_stands_with_its_change<S: Subject>() {
    let mut subject = S::fresh();
    let record = |at, by, invite: &str| AuditRecord {
        at,
        by,
        event: AuditEvent::InviteRevoked { invite: invite.to_owned() },
    };
    let (first, second) = (record(5, None, "a"), record(3, Some(AccountId([1; 32])), "b"));
    subject.write(|engine| engine.audit(&first));
    let engine = subject.engine();
    engine.begin().unwrap();
    engine.audit(&record(9, None, "never")).unwrap();
    engine.rollback();
    subject.write(|engine| engine.audit(&second));
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    assert_eq!(read.audit_log(9).unwrap(), [first, second.clone()], "in the order of the writes");
    assert_eq!(read.audit_log(1).unwrap(), [second], "the newest");
    assert_eq!(read.audit_log(0).unwrap(), []);
}

pub(super) fn one_thing_is_said_to_everybody<S: Subject>() {
    let mut subject = S::fresh();
    let said = |text: &str| Announcement {
        text: text.into(),
        at: 5,
        until: Some(9),
        by: Some(account(1, "alice").id),
    };
    assert_eq!(subject.engine().read().announcement().unwrap(), None);
    subject.write(|engine| engine.put_announcement(Some(&said("first"))));
    let last = Announcement { until: None, by: None, ..said("second") };
    subject.write(|engine| engine.put_announcement(Some(&last)));
    assert_eq!(subject.engine().read().announcement().unwrap(), Some(last));
    subject.write(|engine| engine.put_announcement(None));
    assert_eq!(subject.engine().read().announcement().unwrap(), None);
}
