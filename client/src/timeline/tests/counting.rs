use super::*;
use proptest::prelude::*;

fn counts(unread: u64, mentions: u64) -> Counts {
    Counts { unread, mentions }
}

#[test]
fn texts_by_others_behind_the_mark_are_unread() {
    let mut unread = Unread::new(ALICE, Seq(1));
    for entry in [
        entry(1, BOB, text("read before")),
        entry(2, BOB, text("new")),
        entry(3, ALICE, text("my own")),
        entry(4, BOB, naming(ALICE, "you")),
        entry(5, BOB, edit(id(BOB, 2), "newer")),
        entry(6, BOB, Content::Control(vec![Change::Left { who: BOB }])),
        entry(7, BOB, Content::Redacted),
        entry(8, BOB, naming(CAROL, "not you")),
    ] {
        unread.insert(&entry);
        assert!(!unread.insert(&entry), "twice is once");
    }
    assert_eq!(unread.counts(), counts(3, 1));
    assert_eq!(unread.first(), Some(Seq(2)));
    assert!(unread.read(Seq(4)));
    assert_eq!(unread.counts(), counts(1, 0));
    assert!(!unread.read(Seq(2)), "a mark never goes back");
    assert!(!unread.insert(&entry(4, BOB, naming(ALICE, "you"))), "it was read");
}

#[test]
fn what_is_taken_away_is_not_unread_whichever_comes_first() {
    let (mention, gone) = (entry(2, BOB, naming(ALICE, "you")), entry(3, BOB, redaction(2, None)));
    for order in [[&mention, &gone], [&gone, &mention]] {
        let mut unread = Unread::new(ALICE, Seq::ZERO);
        for entry in order {
            unread.insert(entry);
        }
        assert_eq!(unread.counts(), counts(0, 0));
    }
    let mut unread = Unread::new(ALICE, Seq::ZERO);
    unread.insert(&mention);
    unread.insert(&entry(3, CAROL, redaction(2, None)));
    assert_eq!(unread.counts(), counts(1, 1), "it was not hers");
}

fn any_entry(seq: u8) -> impl Strategy<Value = Verified> {
    let account = prop_oneof![Just(ALICE), Just(BOB), Just(CAROL)];
    let content = prop_oneof![
        Just(text("hi")),
        Just(naming(ALICE, "you")),
        Just(edit(id(BOB, 1), "other")),
        Just(Content::Redacted),
        (1..=12_u8, any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(target, moderates, sound)| {
            Content::Redaction(Redaction {
                target: Seq(target.into()),
                digest: Hash([if sound { target } else { 0 }; 32]),
                moderates,
                edit_of: None,
            })
        }),
    ];
    (account, content).prop_map(move |(account, content)| entry(seq, account, content))
}

proptest! {
    #[test]
    fn counting_as_they_come_is_counting_anew(
        log in (1..=12_u8).map(|seq| any_entry(seq).boxed()).collect::<Vec<_>>().prop_shuffle(),
        marks in prop::collection::vec(0..14_u64, 12),
    ) {
        let mut unread = Unread::new(ALICE, Seq::ZERO);
        for (n, (entry, mark)) in log.iter().zip(marks).enumerate() {
            unread.insert(entry);
            if n % 3 == 0 {
                unread.read(Seq(mark));
            }
            prop_assert_eq!(unread.counts(), recount(&ALICE, unread.mark(), &log[..=n]));
        }
    }
}
