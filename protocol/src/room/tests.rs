use super::*;
use crate::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use crate::entry::Header;
use crate::ids::TxnId;
use crate::keys::DeviceKeys;

const ROLES: [Role; 3] = [Role::Member, Role::Admin, Role::Owner];

struct Person {
    keys: DeviceKeys,
    account: Account,
}

fn person(seed: u8) -> Person {
    let keys = DeviceKeys::from_seeds(&[seed; 32], &[seed ^ 0xff; 32]);
    let account = Account::genesis(&ChainEntry::genesis(&keys, "laptop", 1)).unwrap();
    Person { keys, account }
}

impl Person {
    fn id(&self) -> AccountId {
        self.account.id()
    }

    fn control(&self, room: RoomId, head: Hash, index: u32, ops: Vec<ControlOp>) -> Entry {
        let header = Header {
            key_source: 0,
            room,
            account: self.id(),
            device: self.keys.id(),
            chain_len: 1,
            control_head: head,
            seen_seq: Seq::ZERO,
            seen_hash: Hash::ZERO,
            txn: TxnId([9; 16]),
            at: 7,
            kind: Kind::Control { index, ops },
        };
        Entry::sign(&header, b"", &self.keys)
    }

    fn begins(&self, room: RoomId, ops: Vec<ControlOp>) -> Result<Room, ControlError> {
        Room::genesis(&self.control(room, Hash::ZERO, 0, ops), &self.account)
    }

    fn does(&self, room: &mut Room, ops: Vec<ControlOp>) -> Result<(), ControlError> {
        let entry = self.control(room.id(), room.control_head(), room.control_len(), ops);
        room.apply(&entry, &self.account, Seq(u64::from(room.control_len()) + 10))
    }
}

/// A group of which Alice is the owner, and Bob and Carol have the roles given.
fn group(bob: Role, carol: Role) -> ([Person; 3], Room) {
    let people = [person(1), person(2), person(3)];
    let ops = vec![
        ControlOp::Create { kind: RoomKind::Group, nonce: [5; 16] },
        ControlOp::Add(people[0].id(), Role::Owner),
        ControlOp::Add(people[1].id(), bob),
        ControlOp::Add(people[2].id(), carol),
    ];
    let room = people[0].begins(RoomId::ZERO, ops).unwrap();
    (people, room)
}

fn all_policies() -> impl Iterator<Item = Policy> {
    let pairs = ROLES.into_iter().flat_map(|post| ROLES.map(|invite| (post, invite)));
    pairs.flat_map(|(post, invite)| ROLES.map(|rename| Policy { post, invite, rename }))
}

#[test]
fn each_policy_asks_for_its_role_and_no_less() {
    for policy in all_policies() {
        for role in ROLES {
            let ([alice, bob, _], mut room) = group(role, Role::Member);
            alice.does(&mut room, vec![ControlOp::SetPolicy(policy)]).unwrap();
            let (bob_id, stranger) = (bob.id(), person(9).id());
            assert_eq!(room.may_post(&bob_id), role >= policy.post);
            assert_eq!(room.may_rename(&bob_id), role >= policy.rename);
            assert!(!room.may_post(&stranger) && !room.may_rename(&stranger));
            for new in ROLES {
                let added = bob.does(&mut room.clone(), vec![ControlOp::Add(stranger, new)]);
                let expected = role >= policy.invite && new <= role;
                assert_eq!(added, if expected { Ok(()) } else { Err(ControlError::Denied) });
            }
        }
    }
}

#[test]
fn who_may_remove_whom() {
    for (bob_role, carol_role) in ROLES.into_iter().flat_map(|b| ROLES.map(|c| (b, c))) {
        let ([_, bob, carol], mut room) = group(bob_role, carol_role);
        let removed = bob.does(&mut room, vec![ControlOp::Remove(carol.id())]);
        let permitted = bob_role == Role::Owner || bob_role == Role::Admin && carol_role == Role::Member;
        assert_eq!(removed, if permitted { Ok(()) } else { Err(ControlError::Denied) });
        assert_eq!(room.role(&carol.id()).is_none(), permitted);

        let ([_, bob, _], mut room) = group(bob_role, carol_role);
        assert_eq!(bob.does(&mut room, vec![ControlOp::Remove(bob.id())]), Ok(()), "anybody may leave");
    }
}

#[test]
fn who_may_change_roles() {
    for (bob_role, carol_role) in ROLES.into_iter().flat_map(|b| ROLES.map(|c| (b, c))) {
        for new in ROLES {
            let ([_, bob, carol], room) = group(bob_role, carol_role);
            let other = bob.does(&mut room.clone(), vec![ControlOp::SetRole(carol.id(), new)]);
            assert_eq!(other.is_ok(), bob_role == Role::Owner);
            let own = bob.does(&mut room.clone(), vec![ControlOp::SetRole(bob.id(), new)]);
            assert_eq!(own.is_ok(), bob_role == Role::Owner || new < bob_role, "stepping down is free");
            let policy = bob.does(&mut room.clone(), vec![ControlOp::SetPolicy(Policy::default())]);
            assert_eq!(policy.is_ok(), bob_role == Role::Owner);
        }
    }
}

#[test]
fn who_may_redact_what() {
    for role in ROLES {
        let ([alice, bob, _], room) = group(role, Role::Member);
        assert!(room.may_redact(&bob.id(), &bob.id()));
        assert_eq!(room.may_redact(&bob.id(), &alice.id()), role >= Role::Admin);
        assert!(!room.may_redact(&person(9).id(), &person(9).id()), "a stranger takes nothing away");
    }
}

#[test]
fn a_direct_chat_and_an_own_room_are_as_they_began() {
    let (alice, bob, carol) = (person(1), person(2), person(3));
    let id = RoomId::direct(&alice.id(), &bob.id());
    let mut direct = bob.begins(id, direct_ops(alice.id(), bob.id())).unwrap();
    let mut own = alice.begins(RoomId::own(&alice.id()), own_ops(alice.id())).unwrap();
    for room in [&mut direct, &mut own] {
        let before = room.clone();
        let denied = [
            ControlOp::Add(carol.id(), Role::Member),
            ControlOp::Remove(alice.id()),
            ControlOp::SetRole(alice.id(), Role::Owner),
            ControlOp::SetPolicy(Policy::default()),
            ControlOp::Unknown(99),
        ];
        for op in denied {
            assert_eq!(alice.does(room, vec![op]), Err(ControlError::Denied));
        }
        assert_eq!(alice.does(room, Vec::new()), Err(ControlError::Senseless));
        assert_eq!(*room, before);
    }
    assert!(direct.may_post(&alice.id()) && direct.may_post(&bob.id()) && !direct.may_post(&carol.id()));
    assert!(!direct.may_rename(&alice.id()) && own.may_rename(&alice.id()) && !own.may_rename(&bob.id()));
    assert!(direct.may_redact(&alice.id(), &alice.id()) && !direct.may_redact(&alice.id(), &bob.id()));
    assert_eq!(direct.partner(&alice.id()), Some(bob.id()));
    assert_eq!(own.partner(&alice.id()), None);
}

#[test]
fn a_genesis_that_does_not_fit_its_room_makes_none() {
    let (alice, bob, carol) = (person(1), person(2), person(3));
    let direct = RoomId::direct(&alice.id(), &bob.id());
    let create = |kind| ControlOp::Create { kind, nonce: [0; 16] };
    let group_of = |op| vec![create(RoomKind::Group), op];
    let mut with_a_third = direct_ops(alice.id(), bob.id());
    with_a_third.extend([ControlOp::Add(carol.id(), Role::Member), ControlOp::Remove(carol.id())]);
    let mut with_a_policy = direct_ops(alice.id(), bob.id());
    with_a_policy.push(ControlOp::SetPolicy(Policy { post: Role::Owner, ..Policy::default() }));
    let mut with_an_owner = own_ops(alice.id());
    with_an_owner.push(ControlOp::SetRole(alice.id(), Role::Owner));
    let cases = [
        ("not between these two", RoomId::direct(&alice.id(), &carol.id()), direct_ops(alice.id(), bob.id())),
        ("between two others", RoomId::direct(&bob.id(), &carol.id()), direct_ops(bob.id(), carol.id())),
        ("of three, of whom one has left", direct, with_a_third),
        ("direct with a policy", direct, with_a_policy),
        ("somebody else's own", RoomId::own(&bob.id()), own_ops(bob.id())),
        ("own with a role", RoomId::own(&alice.id()), with_an_owner),
        ("a group with a name of its choice", direct, group_ops(alice.id(), [1; 16], [])),
        ("a group without its maker", RoomId::ZERO, group_of(ControlOp::Add(bob.id(), Role::Owner))),
        (
            "a group that its maker does not own",
            RoomId::ZERO,
            group_of(ControlOp::Add(alice.id(), Role::Admin)),
        ),
        ("created twice", RoomId::ZERO, group_of(create(RoomKind::Group))),
        ("not created", RoomId::ZERO, vec![ControlOp::Add(alice.id(), Role::Owner)]),
        ("empty", RoomId::ZERO, Vec::new()),
    ];
    for (what, room, ops) in cases {
        assert_eq!(alice.begins(room, ops), Err(ControlError::Senseless), "{what}");
    }
}

#[test]
fn the_last_owner_leaves_and_the_highest_and_eldest_takes_over() {
    let ([alice, bob, carol], mut room) = group(Role::Member, Role::Admin);
    alice.does(&mut room, vec![ControlOp::Remove(alice.id())]).unwrap();
    assert_eq!(room.role(&carol.id()), Some(Role::Owner));
    assert_eq!(room.role(&bob.id()), Some(Role::Member));

    let ([alice, bob, carol], mut room) = group(Role::Member, Role::Member);
    let dave = person(4).id();
    alice.does(&mut room, vec![ControlOp::Add(dave, Role::Member)]).unwrap();
    alice.does(&mut room, vec![ControlOp::Remove(alice.id())]).unwrap();
    assert_eq!(room.role(&bob.id().min(carol.id())), Some(Role::Owner), "among equals the lowest id");
    assert_eq!(room.role(&dave), Some(Role::Member), "who came later waits");
}

#[test]
fn everyone_may_leave_and_an_empty_room_takes_nothing_more() {
    let alice = person(1);
    let mut room = alice.begins(RoomId::ZERO, group_ops(alice.id(), [1; 16], [])).unwrap();
    alice.does(&mut room, vec![ControlOp::Remove(alice.id())]).unwrap();
    assert_eq!(room.members().len(), 0);
    let back = alice.does(&mut room, vec![ControlOp::Add(alice.id(), Role::Owner)]);
    assert_eq!(back, Err(ControlError::Denied));
}

#[test]
fn who_was_removed_reads_up_to_there_and_who_returns_reads_all() {
    let ([alice, bob, _], mut room) = group(Role::Member, Role::Member);
    assert_eq!(room.readable_until(&bob.id()), Some(Seq(u64::MAX)));
    alice.does(&mut room, vec![ControlOp::Remove(bob.id())]).unwrap();
    assert_eq!(room.readable_until(&bob.id()), Some(Seq(11)), "the entry that removes is the last");
    alice.does(&mut room, vec![ControlOp::Add(bob.id(), Role::Member)]).unwrap();
    assert_eq!(room.readable_until(&bob.id()), Some(Seq(u64::MAX)));
    assert_eq!(room.readable_until(&person(9).id()), None);
}

#[test]
fn an_unknown_operation_makes_the_room_wait_for_an_update() {
    let ([_, bob, _], mut room) = group(Role::Member, Role::Member);
    assert!(!room.needs_update());
    bob.does(&mut room, vec![ControlOp::Unknown(99)]).unwrap();
    assert!(room.needs_update());
}

#[test]
fn an_entry_counts_whole_or_not_at_all() {
    let ([alice, _, carol], mut room) = group(Role::Member, Role::Member);
    let before = room.clone();
    let ops = vec![ControlOp::Remove(carol.id()), ControlOp::Remove(carol.id())];
    assert_eq!(alice.does(&mut room, ops), Err(ControlError::Senseless));
    assert_eq!(room, before);
}

#[test]
fn what_follows_another_entry_than_the_newest_is_refused() {
    let ([alice, bob, _], mut room) = group(Role::Admin, Role::Member);
    let leave = |who: &Person| {
        who.control(room.id(), room.control_head(), room.control_len(), vec![ControlOp::Remove(who.id())])
    };
    let (first, second) = (leave(&alice), leave(&bob));
    room.apply(&first, &alice.account, Seq(2)).unwrap();
    let before = room.clone();
    assert_eq!(room.apply(&second, &bob.account, Seq(3)), Err(ControlError::Unlinked));
    assert_eq!(room.apply(&first, &alice.account, Seq(3)), Err(ControlError::Unlinked));
    assert_eq!(room, before);
}

#[test]
fn what_another_signed_does_not_count() {
    let ([alice, bob, _], mut room) = group(Role::Member, Role::Member);
    let entry =
        alice.control(room.id(), room.control_head(), room.control_len(), vec![ControlOp::Remove(bob.id())]);
    let mut raw = entry.raw().to_vec();
    let signature = raw.len() - 2;
    raw[signature] ^= 1;
    let forged = Entry::parse(raw.into()).unwrap();
    assert_eq!(room.apply(&forged, &alice.account, Seq(2)), Err(ControlError::BadSignature));
    assert_eq!(room.apply(&entry, &bob.account, Seq(2)), Err(ControlError::Stranger));
    assert_eq!(room.apply(&entry, &alice.account, Seq(2)), Ok(()));
}

#[test]
fn a_recovery_key_and_a_stranger_s_device_write_in_no_room() {
    let mut alice = person(1);
    let recovery = DeviceKeys::from_seeds(&[8; 32], &[9; 32]);
    let header = ChainHeader {
        account: alice.id(),
        index: 1,
        previous: alice.account.head(),
        author: alice.keys.id(),
        at: 2,
        ops: vec![ChainOp::SetRecovery(NewDevice::countersign(&recovery, "recovery key", &alice.id()))],
    };
    alice.account.apply(&ChainEntry::sign(&header, &alice.keys)).unwrap();
    let own = Person { keys: recovery, account: alice.account.clone() };
    for chain_len in [1, 2] {
        let mut entry = own.control(RoomId::ZERO, Hash::ZERO, 0, group_ops(alice.id(), [1; 16], []));
        let mut header = entry.header().clone();
        header.chain_len = chain_len;
        entry = Entry::sign(&header, b"", &own.keys);
        assert_eq!(Room::genesis(&entry, &own.account), Err(ControlError::Stranger));
    }
    let borrowed = Person { keys: person(2).keys, account: alice.account.clone() };
    let made = borrowed.begins(RoomId::ZERO, group_ops(alice.id(), [1; 16], []));
    assert_eq!(made, Err(ControlError::Stranger));
}
