use super::*;
use crate::timeline::{Change, Content, Redaction, Verified};
use kith_protocol::event::{Edit, Target, Text};
use kith_protocol::ids::{AccountId, DeviceId, Hash, RoomId, Seq, TxnId};
use kith_protocol::room::RoomKind;
use proptest::prelude::*;

const ALICE: AccountId = AccountId([0xa1; 32]);
const BOB: AccountId = AccountId([0xb0; 32]);
const ROOM: RoomId = RoomId([7; 16]);
const NOW: u64 = 1000;

fn context() -> Context<'static> {
    Context {
        me: ALICE,
        now: NOW,
        kind: RoomKind::Group,
        chat: "Family",
        read_up_to: Seq(9),
        muted_until: 0,
        mentions_anyway: false,
        focused: false,
        do_not_disturb: DoNotDisturb::default(),
        privacy: Privacy::NameAndText,
        arrival: Arrival::Live,
        earlier: None,
        floor: None,
    }
}

fn text(mentions: &[AccountId]) -> Content {
    Content::Text(Text { mentions: mentions.to_vec(), ..Text::plain("dinner?") })
}

/// By Bob, at 10, the first unread one.
fn entry(content: Content) -> Verified {
    Verified {
        seq: Seq(10),
        account: BOB,
        device: DeviceId([1; 16]),
        txn: TxnId([2; 16]),
        at: 3,
        digest: Hash([4; 32]),
        content,
    }
}

fn asked(context: &Context<'_>, entry: &Verified) -> Decision {
    decide(context, &Candidate { room: ROOM, entry, sender: "Bob", redacted: false })
}

fn record(reason: Reason) -> Record {
    Record { at: 5, reason, withdrawn: false }
}

/// Of each rule: what fits it, and against which later ones it holds.
#[test]
fn each_rule_has_its_reason() {
    let plain = entry(text(&[]));
    let mention = entry(text(&[ALICE]));
    let own = Verified { account: ALICE, ..plain.clone() };
    let target = Target { device: DeviceId([1; 16]), txn: TxnId([1; 16]) };
    let edit = entry(Content::Edit(Edit { target, text: "lunch?".to_owned(), mentions: vec![ALICE] }));
    let digest = Hash([4; 32]);
    let redaction =
        entry(Content::Redaction(Redaction { target: Seq(3), digest, moderates: false, edit_of: None }));

    let here = context();
    let direct = Context { kind: RoomKind::Direct, ..here.clone() };
    let muted = Context { muted_until: NOW + 1, ..here.clone() };
    let mentions_anyway = Context { mentions_anyway: true, ..muted.clone() };
    let focused = Context { focused: true, ..mentions_anyway.clone() };
    let read = Context { read_up_to: Seq(10), ..focused.clone() };
    let quiet = |until, system| Context { do_not_disturb: DoNotDisturb { until, system }, ..muted.clone() };
    let earlier = |reason| Context { earlier: Some(record(reason)), ..here.clone() };
    let summary = |through| Reason::Summarized { through: Seq(through), messages: 9, chats: 2 };
    let floor = |reason| Context { floor: Some(record(reason)), ..here.clone() };
    let muted_in_summary = Context { earlier: Some(record(Reason::FocusedChat)), ..floor(summary(12)) };
    let catching_up = |context: &Context<'static>| Context { arrival: Arrival::CatchUp, ..context.clone() };
    let first_sync = Context { arrival: Arrival::FirstSync, ..here.clone() };

    let table = [
        ("new in a group", &here, &plain, Reason::NewMessage),
        ("to me alone", &direct, &plain, Reason::DirectMessage),
        ("names me", &here, &mention, Reason::Mention),
        ("to me alone, and names me", &direct, &mention, Reason::DirectMessage),
        ("muted", &muted, &plain, Reason::Muted { until: NOW + 1 }),
        ("muted, names me", &muted, &mention, Reason::Muted { until: NOW + 1 }),
        ("muted, names me, asked for", &mentions_anyway, &mention, Reason::MutedButMention),
        ("muted, does not name me", &mentions_anyway, &plain, Reason::Muted { until: NOW + 1 }),
        ("was muted", &Context { muted_until: NOW, ..here.clone() }, &plain, Reason::NewMessage),
        ("quiet", &quiet(NOW + 5, false), &plain, Reason::DoNotDisturb { until: Some(NOW + 5) }),
        ("was quiet", &quiet(NOW, false), &plain, Reason::Muted { until: NOW + 1 }),
        ("the system is quiet", &quiet(0, true), &mention, Reason::DoNotDisturb { until: None }),
        ("in front of me", &focused, &mention, Reason::FocusedChat),
        ("read elsewhere", &read, &mention, Reason::AlreadyRead),
        ("mine", &read, &own, Reason::OwnMessage),
        ("an edit that names me", &here, &edit, Reason::Edited),
        ("a redaction", &here, &redaction, Reason::Redacted),
        ("a body that is gone", &here, &entry(Content::Redacted), Reason::Redacted),
        ("members", &here, &entry(Content::Control(vec![Change::Left { who: BOB }])), Reason::NotAMessage),
        ("unknown", &here, &entry(Content::Unknown), Reason::NotAMessage),
        ("invalid", &here, &entry(Content::Invalid), Reason::NotAMessage),
        ("notified", &earlier(Reason::NewMessage), &plain, Reason::AlreadyNotified),
        ("decided", &earlier(Reason::FocusedChat), &plain, Reason::FocusedChat),
        ("in a summary", &floor(summary(10)), &plain, Reason::AlreadyNotified),
        ("among what is in a summary", &muted_in_summary, &plain, Reason::FocusedChat),
        ("behind a summary", &floor(summary(9)), &plain, Reason::NewMessage),
        ("catching up", &catching_up(&here), &plain, Reason::Backlog),
        ("catching up, muted", &catching_up(&muted), &plain, Reason::Muted { until: NOW + 1 }),
        ("catching up, read", &catching_up(&read), &plain, Reason::AlreadyRead),
        ("just linked", &first_sync, &mention, Reason::FirstSync { through: Seq(10) }),
    ];
    for (case, context, entry, reason) in table {
        let decision = asked(context, entry);
        assert_eq!(decision.reason, reason, "{case}");
        assert_eq!(decision.notify, reason.notifies(), "{case}");
        assert_eq!(decision.notice.is_some(), decision.notify, "{case}");
    }
}

#[test]
fn a_message_that_was_taken_away_meanwhile_is_silent() {
    let mention = entry(text(&[ALICE]));
    let candidate = Candidate { room: ROOM, entry: &mention, sender: "Bob", redacted: true };
    assert_eq!(decide(&context(), &candidate).reason, Reason::Redacted);
}

#[test]
fn the_same_message_never_notifies_twice() {
    let plain = entry(text(&[]));
    let first = asked(&context(), &plain);
    assert!(first.notify);
    // Over a restart the record is all that is left.
    let kept = Record::decode(&first.record.expect("a notification is recorded").encode()).unwrap();
    let again = asked(&Context { earlier: Some(kept), ..context() }, &plain);
    assert_eq!((again.notify, again.reason, again.record), (false, Reason::AlreadyNotified, None));
}

#[test]
fn silence_that_depends_on_the_moment_is_kept_too() {
    let plain = entry(text(&[]));
    let silent = asked(&Context { focused: true, ..context() }, &plain);
    let later = Context { earlier: silent.record, ..context() };
    assert_eq!(asked(&later, &plain).reason, Reason::FocusedChat, "it does not pop up when the focus goes");
    let own = Verified { account: ALICE, ..plain };
    assert_eq!(asked(&context(), &own).record, None, "this comes out the same at any time");
}

#[test]
fn privacy_says_how_much_is_shown() {
    let plain = entry(text(&[]));
    let shown = |privacy, kind| {
        let notice = asked(&Context { kind, privacy, ..context() }, &plain).notice.expect("it notifies");
        (notice.title, notice.body)
    };
    let pair = |title: &str, body: &str| (title.to_owned(), body.to_owned());
    for (privacy, kind, expected) in [
        (Privacy::NameAndText, RoomKind::Group, pair("Family", "Bob: dinner?")),
        (Privacy::NameAndText, RoomKind::Direct, pair("Family", "dinner?")),
        (Privacy::NameOnly, RoomKind::Group, pair("Family", "New message")),
        (Privacy::NameOnly, RoomKind::Direct, pair("Family", "New message")),
        (Privacy::Nothing, RoomKind::Group, pair("New message", "")),
        (Privacy::Nothing, RoomKind::Direct, pair("New message", "")),
    ] {
        assert_eq!(shown(privacy, kind), expected, "{privacy:?} {kind:?}");
    }
}

#[test]
fn what_people_write_stays_in_its_line() {
    assert_eq!(words::plain("a\n\u{7}b\t c", 9), "a b c");
    assert_eq!(words::plain("evil\u{202e}txt.exe", 99), "eviltxt.exe");
    assert_eq!(words::plain("سلام 你好", 99), "سلام 你好");
    assert_eq!(words::plain(&"ä".repeat(300), 240).chars().count(), 241);
    let debug = format!("{:?}", asked(&context(), &entry(text(&[]))));
    assert!(!debug.contains("dinner"), "{debug}");
}

#[test]
fn a_few_are_told_one_by_one_and_many_at_once() {
    let mut catch_up = CatchUp::default();
    for seq in 1..=5 {
        catch_up.add(ROOM, Seq(seq));
        catch_up.add(ROOM, Seq(seq));
    }
    let each: Vec<_> = (1..=5).map(|seq| (ROOM, Seq(seq))).collect();
    assert_eq!(catch_up.finish(), CaughtUp::Each(each));
    assert_eq!(catch_up.finish(), CaughtUp::Each(Vec::new()), "finished is finished");

    for room in 1..=6_u8 {
        for seq in 1..=54 {
            catch_up.add(RoomId([room; 16]), Seq(seq));
        }
    }
    catch_up.add(RoomId([6; 16]), Seq(99));
    catch_up.redacted(&RoomId([6; 16]), Seq(99));
    catch_up.add(ROOM, Seq(3));
    catch_up.read(&ROOM, Seq(3));
    let CaughtUp::Summary(summary) = catch_up.finish() else { panic!("these are many") };
    let name = |room: &RoomId| format!("Chat {}", room.0[0]);
    let notice = summary.notice(Privacy::NameAndText, name);
    assert_eq!(notice.title, "324 new messages in 6 chats");
    assert_eq!(notice.body, "Chat 1, Chat 2, Chat 3 and 3 more");
    assert_eq!(summary.notice(Privacy::Nothing, name).body, "");

    let records: Vec<_> = summary.records(NOW).collect();
    assert_eq!(records.len(), 6);
    let (room, record) = records[0];
    assert_eq!(room, RoomId([1; 16]));
    assert!(record.covers(Seq(1)) && record.covers(Seq(54)) && !record.covers(Seq(55)));
    assert_eq!(
        record.reason.sentence(),
        "You were notified once for all of 324 messages in 6 chats: they came together after a time offline."
    );
}

#[test]
fn a_summary_of_one_chat_is_named_after_it() {
    let mut catch_up = CatchUp::default();
    (1..=6).for_each(|seq| catch_up.add(ROOM, Seq(seq)));
    let CaughtUp::Summary(summary) = catch_up.finish() else { panic!("these are many") };
    let words = |privacy| {
        let notice = summary.notice(privacy, |_| "Family".to_owned());
        [notice.title, notice.body]
    };
    assert_eq!(words(Privacy::NameOnly), ["Family", "6 new messages"]);
    assert_eq!(words(Privacy::Nothing), ["6 new messages in 1 chat", ""]);
}

#[test]
fn what_was_there_before_a_device_was_linked_stays_silent() {
    let floor = Some(Record::first_sync(NOW, Seq(12)));
    let decision = asked(&Context { floor, ..context() }, &entry(text(&[ALICE])));
    assert_eq!(decision.reason, Reason::FirstSync { through: Seq(12) });
}

#[test]
fn notifications_go_when_they_were_read_elsewhere() {
    let other = RoomId([8; 16]);
    let new = record(Reason::NewMessage);
    let mut standing = Standing::default();
    for seq in [3, 5, 7] {
        standing.add(ROOM, Seq(seq), &new);
        standing.add(ROOM, Seq(seq), &new);
    }
    standing.add(other, Seq(4), &new);
    standing.add(other, Seq(5), &record(Reason::Muted { until: 1 }));
    standing.add(other, Seq(6), &Record { withdrawn: true, ..new });
    let message = |room, seq| Withdrawal::Message { room, seq: Seq(seq) };
    assert_eq!(standing.read(&ROOM, Seq(5)), [message(ROOM, 3), message(ROOM, 5)]);
    assert_eq!(standing.read(&ROOM, Seq(5)), []);
    assert_eq!(standing.redacted(&ROOM, Seq(7)), Some(message(ROOM, 7)));
    assert_eq!(standing.redacted(&ROOM, Seq(7)), None);
    assert_eq!(standing.read(&other, Seq(9)), [message(other, 4)]);
}

#[test]
fn a_summary_goes_when_all_of_it_was_read() {
    let other = RoomId([8; 16]);
    let summary = |through| record(Reason::Summarized { through: Seq(through), messages: 9, chats: 2 });
    let mut standing = Standing::default();
    standing.add(ROOM, FLOOR, &summary(5));
    standing.add(other, FLOOR, &summary(4));
    assert_eq!(standing.read(&ROOM, Seq(4)), []);
    assert_eq!(standing.read(&ROOM, Seq(6)), []);
    assert_eq!(standing.read(&other, Seq(4)), [Withdrawal::Summary]);
}

#[test]
fn no_more_than_a_bound_is_remembered() {
    let mut standing = Standing::default();
    for seq in 1..=STANDING_MAX as u64 + 10 {
        standing.add(ROOM, Seq(seq), &record(Reason::NewMessage));
    }
    assert_eq!(standing.read(&ROOM, Seq(u64::MAX)).len(), STANDING_MAX);
}

fn reasons() -> Vec<Reason> {
    vec![
        Reason::DirectMessage,
        Reason::Mention,
        Reason::MutedButMention,
        Reason::NewMessage,
        Reason::Summarized { through: Seq(1), messages: 2, chats: 3 },
        Reason::OwnMessage,
        Reason::NotAMessage,
        Reason::Edited,
        Reason::Redacted,
        Reason::AlreadyRead,
        Reason::AlreadyNotified,
        Reason::FocusedChat,
        Reason::DoNotDisturb { until: None },
        Reason::DoNotDisturb { until: Some(4) },
        Reason::Muted { until: u64::MAX },
        Reason::Backlog,
        Reason::FirstSync { through: Seq(5) },
        Reason::Unknown,
    ]
}

#[test]
fn records_survive_and_sentences_differ() {
    let mut sentences = std::collections::BTreeSet::new();
    for reason in reasons() {
        for withdrawn in [false, true] {
            let record = Record { at: 9, reason, withdrawn };
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
        let sentence = reason.sentence();
        assert!(sentence.ends_with('.') && sentences.insert(sentence), "{reason:?}");
    }
    assert_eq!(
        record(Reason::Muted { until: 6 }).encode(),
        [1, 14, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6]
    );
    let newer = [1, 99, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(Record::decode(&newer).map(|record| record.reason), Ok(Reason::Unknown));
}

proptest! {
    #[test]
    fn damaged_records_are_refused_without_a_panic(bytes: Vec<u8>, which in 0..18_usize, cut in 0..40_usize) {
        let _ = Record::decode(&bytes);
        let record = record(reasons()[which]);
        let whole = record.encode();
        prop_assert_ne!(Record::decode(&whole[..cut.min(whole.len() - 1)]), Ok(record));
    }
}
