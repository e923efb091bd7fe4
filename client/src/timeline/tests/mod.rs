//! Named people, and entries in one line each.

mod counting;
mod lines;
mod order;
mod reading;
mod reference;
mod rows;

use super::*;
use kith_protocol::event::{Edit, Reaction, ReadUpTo, Reply, Setting, Target, Text};
use kith_protocol::ids::{AccountId, DeviceId, Hash, Rev, RoomId, Seq, TxnId};

pub(super) const ALICE: AccountId = AccountId([0xa1; 32]);
pub(super) const BOB: AccountId = AccountId([0xb0; 32]);
pub(super) const CAROL: AccountId = AccountId([0xca; 32]);
const ROOM: RoomId = RoomId([7; 16]);

/// The `n`th thing that this account wrote on its only device.
fn id(account: AccountId, n: u8) -> Target {
    Target { device: DeviceId([account.0[0]; 16]), txn: TxnId([n; 16]) }
}

/// An entry whose transaction id is its seq.
fn entry(seq: u8, account: AccountId, content: Content) -> Verified {
    let Target { device, txn } = id(account, seq);
    let digest = Hash([seq; 32]);
    Verified { seq: Seq(seq.into()), account, device, txn, at: 1000 + u64::from(seq), digest, content }
}

fn words(text: &str) -> Text {
    Text::plain(text)
}

fn text(text: &str) -> Content {
    Content::Text(words(text))
}

fn answer(target: Target, seq: u64, text: &str) -> Content {
    Content::Text(Text { reply_to: Some(Reply { target, seq: Seq(seq) }), ..words(text) })
}

fn naming(who: AccountId, text: &str) -> Content {
    Content::Text(Text { mentions: vec![who], ..words(text) })
}

fn new_words(target: Target, text: &str) -> Edit {
    Edit { target, text: text.to_owned(), mentions: Vec::new() }
}

fn edit(target: Target, text: &str) -> Content {
    Content::Edit(new_words(target, text))
}

/// Takes away the entry that [`entry`] made for `seq`.
fn redaction(seq: u8, edit_of: Option<Target>) -> Content {
    let (target, digest) = (Seq(seq.into()), Hash([seq; 32]));
    Content::Redaction(Redaction { target, digest, moderates: false, edit_of })
}

fn reaction(rev: u64, account: AccountId, target: Target, emoji: &str, on: bool) -> RegisterValue {
    let setting = Setting::Reaction(Reaction { target, emoji: emoji.to_owned(), on });
    RegisterValue { account, rev: Rev(rev), setting }
}

fn receipt(rev: u64, account: AccountId, seq: u64) -> RegisterValue {
    let setting = Setting::Receipt(ReadUpTo { room: ROOM, seq: Seq(seq) });
    RegisterValue { account, rev: Rev(rev), setting }
}

fn echo(order: u8, content: EchoContent) -> Echo {
    let at = 9000 + u64::from(order);
    Echo {
        order: order.into(),
        id: id(ALICE, 100 + order),
        account: ALICE,
        at,
        content,
        state: State::Waiting,
    }
}

/// A timeline and the copy that somebody shows.
#[derive(Default)]
struct Shown {
    timeline: Timeline,
    copy: Vec<Message>,
}

impl Shown {
    fn with(entries: impl IntoIterator<Item = Verified>) -> Self {
        let mut shown = Self::default();
        shown.change(|timeline| timeline.insert_all(entries));
        shown
    }

    fn change(&mut self, change: impl FnOnce(&mut Timeline) -> Vec<Diff>) -> Vec<Diff> {
        let diffs = change(&mut self.timeline);
        for diff in diffs.clone() {
            diff.apply(&mut self.copy).expect("the steps fit the copy");
        }
        let lines: Vec<Message> = self.timeline.messages().cloned().collect();
        assert_eq!(self.copy, lines, "the copy follows the steps {diffs:#?}");
        diffs
    }

    fn insert(&mut self, entry: Verified) -> Vec<Diff> {
        self.change(|timeline| timeline.insert(entry))
    }

    fn register(&mut self, value: &RegisterValue) -> Vec<Diff> {
        self.change(|timeline| timeline.apply_register(value))
    }

    fn echo(&mut self, echo: Echo) -> Vec<Diff> {
        self.change(|timeline| timeline.echo(echo))
    }

    fn texts(&self) -> Vec<&str> {
        self.copy.iter().map(|line| line.text.as_str()).collect()
    }
}
