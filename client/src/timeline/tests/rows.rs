use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn relation() -> impl Strategy<Value = Relation> {
    let target = || {
        (any::<[u8; 16]>(), any::<[u8; 16]>())
            .prop_map(|(device, txn)| Target { device: DeviceId(device), txn: TxnId(txn) })
    };
    prop_oneof![
        (target(), any::<u64>()).prop_map(|(target, seq)| Relation::Edit { target, seq: Seq(seq) }),
        (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(target, seq, moderates)| {
            Relation::Redaction { target: Seq(target), seq: Seq(seq), moderates }
        }),
        (target(), any::<[u8; 32]>(), any::<u64>()).prop_map(|(target, account, rev)| Relation::Reaction {
            target,
            account: AccountId(account),
            emoji: "👩‍👩‍👧‍👦".to_owned(),
            rev: Rev(rev),
            on: true,
        }),
    ]
}

proptest! {
    #[test]
    fn rows_round_trip(relation in relation()) {
        prop_assert_eq!(Relation::decode(&relation.key(&ROOM), &relation.value()), Ok(relation));
    }

    #[test]
    fn other_bytes_are_refused_without_a_panic(key: Vec<u8>, value: Vec<u8>, relation in relation(), cut in 0..80_usize) {
        let _ = Relation::decode(&key, &value);
        let whole = relation.key(&ROOM);
        let cut = &whole[..cut.min(whole.len() - 1)];
        prop_assert_ne!(Relation::decode(cut, &relation.value()), Ok(relation));
    }
}

#[test]
fn the_bytes_of_each_row() {
    let target = id(BOB, 1);
    let edit = Relation::Edit { target, seq: Seq(2) };
    let name = [&[7; 16][..], b"e", &[0xb0; 16], &[1; 16]].concat();
    assert_eq!(edit.key(&ROOM), [&name[..], &[0, 0, 0, 0, 0, 0, 0, 2]].concat());
    assert_eq!(Relation::edits_of(&ROOM, &target), name);
    let redaction = Relation::Redaction { target: Seq(3), seq: Seq(4), moderates: true };
    assert_eq!(
        redaction.key(&ROOM),
        [&[7; 16][..], b"d", &[0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4]].concat()
    );
    assert_eq!(redaction.value(), [1]);
    let back = Relation::of_register(&reaction(5, ALICE, target, "+", false)).unwrap();
    assert!(!back.stands());
    assert_eq!(
        back.key(&ROOM),
        Relation::of_register(&reaction(4, ALICE, target, "+", true)).unwrap().key(&ROOM)
    );
}

/// What the module's page says: a page from the middle, with what the rows lead to, looks as it does within the whole.
#[test]
fn a_page_from_the_middle_looks_as_in_the_whole() {
    let log: Vec<Verified> = vec![
        entry(1, BOB, text("one")),
        entry(2, ALICE, text("two")),
        entry(3, BOB, text("three")),
        entry(4, ALICE, Content::Redacted),
        entry(5, BOB, text("five")),
        entry(6, ALICE, edit(id(ALICE, 2), "TWO")),
        entry(7, ALICE, edit(id(ALICE, 2), "Two")),
        entry(8, BOB, redaction(3, None)),
        entry(9, ALICE, redaction(7, Some(id(ALICE, 2)))),
        entry(10, ALICE, redaction(4, Some(id(BOB, 1)))),
    ];
    let reactions = [reaction(1, BOB, id(ALICE, 2), "+", true), reaction(2, BOB, id(BOB, 1), "+", true)];

    let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let related =
        log.iter().filter_map(Relation::of_entry).chain(reactions.iter().filter_map(Relation::of_register));
    for relation in related {
        rows.insert(relation.key(&ROOM), relation.value());
    }
    let under = |prefix: Vec<u8>| -> Vec<Relation> {
        let matching = rows.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        matching.map(|(key, value)| Relation::decode(key, value).unwrap()).collect()
    };
    let load = |seq: Seq| log.iter().find(|entry| entry.seq == seq).unwrap().clone();

    let mut page = Shown::default();
    let mut wanted: Vec<Seq> = (2..=4).map(Seq).collect();
    while let Some(seq) = wanted.pop() {
        let entry = load(seq);
        wanted.extend(under(Relation::redactions_of(&ROOM, seq)).iter().map(|relation| match relation {
            Relation::Redaction { seq, .. } => *seq,
            other => panic!("{other:?} stands among the redactions"),
        }));
        if matches!(entry.content, Content::Text(_)) {
            for relation in under(Relation::edits_of(&ROOM, &entry.id())) {
                if let Relation::Edit { seq, .. } = relation {
                    wanted.push(seq);
                }
            }
            for relation in under(Relation::reactions_to(&ROOM, &entry.id())) {
                page.register(&relation.register().unwrap());
            }
        }
        page.insert(entry);
    }

    let mut whole = Shown::with(log.clone());
    for value in &reactions {
        whole.register(value);
    }
    let of_page: Vec<Message> =
        whole.copy.into_iter().filter(|line| (2..=4).contains(&line.seq.unwrap().0)).collect();
    assert_eq!(page.copy, of_page);
    assert_eq!(page.texts(), ["TWO", ""]);
}
