//! Arbitrary frames and bodies.

use bytes::Bytes;
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{
    AppSetting, Draft, Edit, Event, LastSeen, Reaction, ReadUpTo, Reply, RoomSettings, Setting, Target, Text,
    Words,
};
use kith_protocol::frame::*;
use kith_protocol::ids::*;
use proptest::prelude::*;

/// A strategy for a struct of which each field has its own.
macro_rules! fields {
    ($name:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        ($($strategy,)*).prop_map(|($($field,)*)| $name { $($field),* })
    };
}

macro_rules! ids {
    ($($function:ident -> $id:ident $len:literal),* $(,)?) => {
        $(pub(crate) fn $function() -> impl Strategy<Value = $id> + Clone {
            any::<[u8; $len]>().prop_map($id)
        })*
    };
}

ids!(
    account -> AccountId 32,
    device -> DeviceId 16,
    room -> RoomId 16,
    txn -> TxnId 16,
    hash -> Hash 32,
    incarnation -> Incarnation 16,
    slot -> SlotId 32,
);

/// Numbers of every length that MessagePack writes them in.
fn number() -> impl Strategy<Value = u64> + Clone {
    (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift)
}

fn small() -> impl Strategy<Value = u32> + Clone {
    (any::<u32>(), 0..32_u32).prop_map(|(number, shift)| number >> shift)
}

pub(crate) fn seq() -> impl Strategy<Value = Seq> + Clone {
    number().prop_map(Seq)
}

fn rev() -> impl Strategy<Value = Rev> + Clone {
    number().prop_map(Rev)
}

/// Bytes on both sides of each length that MessagePack treats differently.
pub(crate) fn some_bytes() -> impl Strategy<Value = Bytes> + Clone {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(any::<u8>(), 250..260),
    ]
    .prop_map(Bytes::from)
}

pub(crate) fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![8 => "\\PC{0,40}", 1 => "[a-z\\n\u{1F600}]{250,260}"]
}

fn list<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(of, 0..20)
}

fn perhaps<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::of(of)
}

fn code() -> impl Strategy<Value = ErrorCode> {
    any::<u16>().prop_map(|code| ErrorCode::from(code % 120))
}

fn append() -> impl Strategy<Value = Append> {
    fields!(Append { req: small(), entry: some_bytes() })
}

fn request() -> impl Strategy<Value = Request> {
    fields!(Request { req: small() })
}

fn push_of() -> impl Strategy<Value = PushOf> {
    fields!(PushOf { req: small(), target: some_bytes() })
}

fn typing() -> impl Strategy<Value = Typing> {
    fields!(Typing { room: room(), account: account() })
}

fn value() -> impl Strategy<Value = Value> {
    fields!(Value { rev: rev(), register: some_bytes() })
}

pub(crate) fn client_frame() -> BoxedStrategy<ClientFrame> {
    use ClientFrame as F;
    let first = prop_oneof![
        fields!(Identify {
            version: any::<u16>(),
            account: account(),
            device: device(),
            answer: some_bytes()
        })
        .prop_map(F::Identify),
        fields!(Join {
            version: any::<u16>(),
            req: small(),
            token: some_bytes(),
            handle: text(),
            name: text(),
            genesis: some_bytes(),
            own_room: some_bytes(),
            answer: some_bytes(),
        })
        .prop_map(F::Join),
        fields!(PutSlot { req: small(), slot: slot(), part: any::<u8>(), data: some_bytes() })
            .prop_map(F::PutSlot),
        fields!(GetSlot { req: small(), slot: slot(), part: any::<u8>() }).prop_map(F::GetSlot),
        fields!(Send { run: small(), entry: some_bytes() }).prop_map(F::Send),
        append().prop_map(F::AppendControl),
        append().prop_map(F::AppendChain),
        append().prop_map(F::SetRegister),
        fields!(Republish { req: small(), room: room(), entries: list(some_bytes()) }).prop_map(F::Republish),
    ];
    let fetches = prop_oneof![
        fields!(Fetch {
            req: small(),
            room: room(),
            after: seq(),
            before: seq(),
            newest: any::<bool>(),
            limit: small(),
        })
        .prop_map(F::Fetch),
        fields!(FetchControl { req: small(), room: room(), from: small() }).prop_map(F::FetchControl),
        fields!(FetchChain { req: small(), account: account(), from: small() }).prop_map(F::FetchChain),
        fields!(FetchRegisters { req: small(), room: room(), after: rev() }).prop_map(F::FetchRegisters),
        request().prop_map(F::FetchHeads),
    ];
    let people = prop_oneof![
        fields!(Lookup {
            req: small(),
            handles: list(text()),
            accounts: list(account()),
            prefix: perhaps(text()),
        })
        .prop_map(F::Lookup),
        fields!(SetProfile { req: small(), name: perhaps(text()), handle: perhaps(text()) })
            .prop_map(F::SetProfile),
        fields!(CreateInvite { req: small(), uses: small(), expires_in_s: number(), room: perhaps(room()) })
            .prop_map(F::CreateInvite),
        request().prop_map(F::ListInvites),
        fields!(RevokeInvite { req: small(), token: some_bytes() }).prop_map(F::RevokeInvite),
        fields!(SetPush {
            req: small(),
            after_s: perhaps(small()),
            show_sender: perhaps(any::<bool>()),
            muted: perhaps(list(fields!(MutedRoom { room: room(), until: number() }))),
        })
        .prop_map(F::SetPush),
        request().prop_map(F::ListPushes),
        fields!(AddPush {
            req: small(),
            kind: text(),
            options: list(fields!(PushOption { name: text(), value: text() })),
        })
        .prop_map(F::AddPush),
        push_of().prop_map(F::RemovePush),
        push_of().prop_map(F::TestPush),
        typing().prop_map(F::Typing),
        fields!(Presence { away: any::<bool>() }).prop_map(F::Presence),
        fields!(Administer { req: small(), ask: some_bytes() }).prop_map(F::Administer),
    ];
    prop_oneof![first, fetches, people].boxed()
}

pub(crate) fn server_frame() -> BoxedStrategy<ServerFrame> {
    use ServerFrame as F;
    let head = fields!(Head {
        room: room(),
        seq: seq(),
        hash: hash(),
        rev: rev(),
        control_len: small(),
        redacted: seq(),
    });
    let ack = fields!(Ack { room: room(), txn: txn(), seq: seq() });
    let first = prop_oneof![
        fields!(Hello {
            version: any::<u16>(),
            incarnation: incarnation(),
            nonce: some_bytes(),
            now: number()
        })
        .prop_map(F::Hello),
        fields!(Welcome {
            version: any::<u16>(),
            account: account(),
            device: device(),
            handle: text(),
            name: text(),
            admin: any::<bool>(),
            pushes: any::<bool>(),
            chain_len: small(),
            reads: some_bytes(),
        })
        .prop_map(F::Welcome),
        fields!(Slot { req: small(), data: some_bytes() }).prop_map(F::Slot),
        fields!(Heads { heads: list(head), done: any::<bool>() }).prop_map(F::Heads),
        fields!(Entries { room: room(), first: seq(), entries: list(some_bytes()) }).prop_map(F::Entries),
        fields!(Acks { acks: list(ack) }).prop_map(F::Acks),
        fields!(Rejected { room: room(), txn: txn(), run: small(), code: code(), retry_in_ms: number() })
            .prop_map(F::Rejected),
        fields!(Registers { req: small(), room: room(), values: list(value()), more: any::<bool>() })
            .prop_map(F::Registers),
    ];
    let answers = prop_oneof![
        fields!(Page {
            req: small(),
            room: room(),
            first: seq(),
            entries: list(some_bytes()),
            more: any::<bool>(),
        })
        .prop_map(F::Page),
        fields!(Control {
            req: small(),
            room: room(),
            entries: list(fields!(Placed { seq: seq(), entry: some_bytes() })),
            more: any::<bool>(),
        })
        .prop_map(F::Control),
        fields!(Chain { req: small(), account: account(), entries: list(some_bytes()), more: any::<bool>() })
            .prop_map(F::Chain),
        fields!(Appended { req: small(), seq: seq() }).prop_map(F::Appended),
        fields!(RegisterSet { req: small(), rev: rev() }).prop_map(F::RegisterSet),
        fields!(RegisterConflict { req: small(), current: value() }).prop_map(F::RegisterConflict),
        request().prop_map(F::Done),
        fields!(Refused { req: small(), code: code(), retry_in_ms: number() }).prop_map(F::Refused),
    ];
    let person = fields!(Person {
        account: account(),
        handle: text(),
        name: text(),
        chain_len: small(),
        integration: any::<bool>()
    });
    let invite =
        fields!(Invite { token: some_bytes(), uses: small(), expires_at: number(), room: perhaps(room()) });
    let presence = fields!(PresenceOf { account: account(), online: any::<bool>(), away: any::<bool>() });
    let people = prop_oneof![
        fields!(Accounts { req: small(), accounts: list(person) }).prop_map(F::Accounts),
        fields!(Invites { req: small(), invites: list(invite) }).prop_map(F::Invites),
        fields!(ChainGrew { account: account(), len: small() }).prop_map(F::ChainGrew),
        fields!(Pushes {
            req: small(),
            after_s: small(),
            show_sender: any::<bool>(),
            vapid_key: some_bytes(),
            targets: list(push_place()),
        })
        .prop_map(F::Pushes),
        fields!(PushSaid { req: small(), failure: perhaps(text()) }).prop_map(F::PushSaid),
        typing().prop_map(F::Typing),
        fields!(Presences { people: list(presence) }).prop_map(F::Presences),
        fields!(Administered { req: small(), part: some_bytes(), more: any::<bool>() })
            .prop_map(F::Administered),
        fields!(Announcement { at: number(), text: text(), until: number() }).prop_map(F::Announcement),
        fields!(Restarting { reconnect_in_ms: number() }).prop_map(F::Restarting),
    ];
    prop_oneof![first, answers, people].boxed()
}

fn push_place() -> impl Strategy<Value = PushPlace> {
    fields!(PushPlace {
        id: some_bytes(),
        kind: text(),
        host: text(),
        created_at: number(),
        failure: perhaps(text()),
    })
}

fn target() -> impl Strategy<Value = Target> {
    fields!(Target { device: device(), txn: txn() })
}

fn reply() -> impl Strategy<Value = Reply> {
    fields!(Reply { target: target(), seq: seq() })
}

pub(crate) fn event() -> BoxedStrategy<Event> {
    prop_oneof![
        fields!(Text {
            text: text(),
            reply_to: perhaps(reply()),
            mentions: list(account()),
            everybody: any::<bool>()
        })
        .prop_map(Event::Text),
        fields!(Edit { target: target(), text: text(), mentions: list(account()) }).prop_map(Event::Edit),
    ]
    .boxed()
}

pub(crate) fn setting() -> BoxedStrategy<Setting> {
    let words = || fields!(Words { text: text() });
    let read = || fields!(ReadUpTo { room: room(), seq: seq() });
    prop_oneof![
        fields!(Reaction { target: target(), emoji: text(), on: any::<bool>() }).prop_map(Setting::Reaction),
        read().prop_map(Setting::Receipt),
        read().prop_map(Setting::ReadMark),
        fields!(Draft { room: room(), text: text(), reply_to: perhaps(reply()) }).prop_map(Setting::Draft),
        fields!(RoomSettings {
            room: room(),
            muted_until: number(),
            mentions_anyway: any::<bool>(),
            pinned: any::<bool>(),
        })
        .prop_map(Setting::RoomSettings),
        words().prop_map(Setting::RoomName),
        words().prop_map(Setting::RoomTopic),
        fields!(AppSetting { name: text(), value: text() }).prop_map(Setting::App),
        fields!(LastSeen { device: device(), at: number() }).prop_map(Setting::LastSeen),
    ]
    .boxed()
}
