//! One of everything, always the same.

pub(crate) mod admin;

use crate::people::{NOON, Person, Seen, keys};
use bytes::Bytes;
use kith_protocol::admin::{AdminRequest, AdminResponse};
use kith_protocol::chain::{ChainEntry, ChainOp};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{
    AppSetting, Draft, Edit, Event, LastSeen, Reaction, ReadUpTo, Reply, RoomSettings, Setting, Target, Text,
    Words,
};
use kith_protocol::frame::{Person as KnownPerson, *};
use kith_protocol::ids::*;
use kith_protocol::keys::Challenge;
use kith_protocol::link::{DeviceLink, InviteLink};
use kith_protocol::recovery::RecoveryKey;
use kith_protocol::register::{Register, RegisterHeader, Scope};
use kith_protocol::rendezvous::{Answer, LinkCode, Offer, Outcome};
use kith_protocol::room::{ControlOp, Policy, Role, RoomKind};

pub(crate) const ROOM: RoomId = RoomId([0xab; 16]);
const TXN: TxnId = TxnId([0xcd; 16]);
const HASH: Hash = Hash([0xee; 32]);
const SLOT: SlotId = SlotId([0x5a; 32]);

fn short(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn value() -> Value {
    Value { rev: Rev(300), register: short("register") }
}

pub(crate) fn client_frames() -> Vec<ClientFrame> {
    use ClientFrame as F;
    let alice = Person::alice();
    let (account, device) = (alice.id(), alice.keys.id());
    let challenge = Challenge { incarnation: Incarnation([1; 16]), nonce: [2; 32] };
    let answer = Bytes::copy_from_slice(&alice.keys.answer(&challenge));
    let append = || Append { req: 7, entry: short("signed") };
    vec![
        F::Identify(Identify { version: 1, account, device, answer: answer.clone() }),
        F::Join(Join {
            version: 1,
            req: 7,
            token: Bytes::from_static(&[3; 16]),
            handle: "alice".into(),
            name: "Alice".into(),
            genesis: short("genesis"),
            own_room: short("own room"),
            answer,
        }),
        F::PutSlot(PutSlot { req: 7, slot: SLOT, part: 1, data: short("sealed") }),
        F::GetSlot(GetSlot { req: 7, slot: SLOT, part: 1 }),
        F::Send(Send { run: 2, entry: short("signed") }),
        F::AppendControl(append()),
        F::AppendChain(append()),
        F::SetRegister(append()),
        F::Republish(Republish { req: 7, room: ROOM, entries: vec![short("first"), short("second")] }),
        F::Fetch(Fetch {
            req: 7,
            room: ROOM,
            after: Seq(300),
            before: Seq(u64::MAX),
            newest: true,
            limit: 50,
        }),
        F::FetchControl(FetchControl { req: 7, room: ROOM, from: 1 }),
        F::FetchChain(FetchChain { req: 7, account, from: 1 }),
        F::FetchRegisters(FetchRegisters { req: 7, room: ROOM, after: Rev(300) }),
        F::FetchHeads(Request { req: 7 }),
        F::Lookup(Lookup {
            req: 7,
            handles: vec!["bob".into()],
            accounts: vec![account],
            prefix: Some("b".into()),
        }),
        F::SetProfile(SetProfile { req: 7, name: Some("Alice B.".into()), handle: None }),
        F::CreateInvite(CreateInvite { req: 7, uses: 1, expires_in_s: 604_800, room: Some(ROOM) }),
        F::ListInvites(Request { req: 7 }),
        F::RevokeInvite(RevokeInvite { req: 7, token: Bytes::from_static(&[3; 16]) }),
        F::SetPush(SetPush {
            req: 7,
            after_s: Some(30),
            show_sender: Some(true),
            muted: Some(vec![MutedRoom { room: ROOM, until: NOON }]),
        }),
        F::ListPushes(Request { req: 7 }),
        F::AddPush(AddPush {
            req: 7,
            kind: "ntfy".into(),
            options: vec![PushOption { name: "url".into(), value: "https://ntfy.example/alice".into() }],
        }),
        F::RemovePush(PushOf { req: 7, target: Bytes::from_static(&[4; 16]) }),
        F::TestPush(PushOf { req: 7, target: Bytes::from_static(&[4; 16]) }),
        F::Typing(Typing { room: ROOM, account: AccountId::ZERO }),
        F::Presence(Presence { away: true }),
        F::Administer(Administer { req: 7, ask: AdminRequest::Users.encode() }),
    ]
}

pub(crate) fn server_frames() -> Vec<ServerFrame> {
    use ServerFrame as F;
    let done = AdminResponse::Done { message: "done".into() };
    let alice = Person::alice();
    let (account, device) = (alice.id(), alice.keys.id());
    let head =
        Head { room: ROOM, seq: Seq(70_000), hash: HASH, rev: Rev(300), control_len: 3, redacted: Seq(5) };
    let invite = Invite {
        token: Bytes::from_static(&[3; 16]),
        uses: 1,
        expires_at: NOON + 604_800_000,
        room: Some(ROOM),
    };
    vec![
        F::Hello(Hello {
            version: 1,
            incarnation: Incarnation([1; 16]),
            nonce: Bytes::from_static(&[2; 32]),
            now: NOON,
        }),
        F::Welcome(Welcome {
            version: 1,
            account,
            device,
            handle: "alice".into(),
            name: "Alice".into(),
            admin: true,
            pushes: true,
            chain_len: 2,
            reads: Bytes::from_static(&[1, 2, 10, 42]),
        }),
        F::Slot(Slot { req: 7, data: short("sealed") }),
        F::Heads(Heads { heads: vec![head], done: true }),
        F::Entries(Entries { room: ROOM, first: Seq(70_000), entries: vec![short("signed")] }),
        F::Acks(Acks { acks: vec![Ack { room: ROOM, txn: TXN, seq: Seq(70_000) }] }),
        F::Rejected(Rejected {
            room: ROOM,
            txn: TXN,
            run: 2,
            code: ErrorCode::StorageFull,
            retry_in_ms: 5000,
        }),
        F::Registers(Registers { req: 0, room: ROOM, values: vec![value()], more: false }),
        F::Page(Page { req: 7, room: ROOM, first: Seq(1), entries: vec![short("signed")], more: true }),
        F::Control(Control {
            req: 7,
            room: ROOM,
            entries: vec![Placed { seq: Seq(1), entry: short("signed") }],
            more: false,
        }),
        F::Chain(Chain { req: 7, account, entries: vec![short("signed")], more: false }),
        F::Appended(Appended { req: 7, seq: Seq(300) }),
        F::RegisterSet(RegisterSet { req: 7, rev: Rev(301) }),
        F::RegisterConflict(RegisterConflict { req: 7, current: value() }),
        F::Accounts(Accounts {
            req: 7,
            accounts: vec![
                KnownPerson {
                    account,
                    handle: "alice".into(),
                    name: "Alice".into(),
                    chain_len: 2,
                    integration: false,
                },
                KnownPerson {
                    account: Person::bob().id(),
                    handle: "backup".into(),
                    name: "Backup".into(),
                    chain_len: 1,
                    integration: true,
                },
            ],
        }),
        F::Invites(Invites { req: 7, invites: vec![invite] }),
        F::Done(Request { req: 7 }),
        F::Refused(Refused { req: 7, code: ErrorCode::Conflict, retry_in_ms: 0 }),
        F::ChainGrew(ChainGrew { account, len: 3 }),
        F::Pushes(Pushes {
            req: 7,
            after_s: 30,
            show_sender: false,
            vapid_key: Bytes::from_static(&[5; 65]),
            targets: vec![PushPlace {
                id: Bytes::from_static(&[4; 16]),
                kind: "ntfy".into(),
                host: "ntfy.example".into(),
                created_at: NOON,
                failure: Some("it cannot be reached".into()),
            }],
        }),
        F::PushSaid(PushSaid { req: 7, failure: Some("it cannot be reached".into()) }),
        F::Typing(Typing { room: ROOM, account }),
        F::Presences(Presences { people: vec![PresenceOf { account, online: true, away: false }] }),
        F::Administered(Administered { req: 7, part: done.encode(), more: false }),
        F::Announcement(Announcement { at: NOON, text: "Back at six".into(), until: NOON + 7_200_000 }),
        F::Restarting(Restarting { reconnect_in_ms: 1500 }),
    ]
}

fn target() -> Target {
    Target { device: Person::alice().keys.id(), txn: TXN }
}

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let mentions = vec![Person::bob().id()];
    let text = Text::plain("hello");
    let alarm = Text { everybody: true, ..Text::plain("disk full") };
    let reply_to = Some(Reply { target: target(), seq: Seq(300) });
    vec![
        ("text", Event::Text(text.clone())),
        ("reply", Event::Text(Text { reply_to, mentions: mentions.clone(), ..text })),
        ("everybody", Event::Text(alarm)),
        ("edit", Event::Edit(Edit { target: target(), text: "hello, Bob".into(), mentions })),
    ]
}

pub(crate) fn settings() -> Vec<(&'static str, Setting)> {
    let read = || ReadUpTo { room: ROOM, seq: Seq(300) };
    let words = |text: &str| Words { text: text.into() };
    vec![
        ("reaction", Setting::Reaction(Reaction { target: target(), emoji: "\u{1F44D}".into(), on: true })),
        ("receipt", Setting::Receipt(read())),
        ("read mark", Setting::ReadMark(read())),
        (
            "draft",
            Setting::Draft(Draft {
                room: ROOM,
                text: "not yet".into(),
                reply_to: Some(Reply { target: target(), seq: Seq(300) }),
            }),
        ),
        (
            "room settings",
            Setting::RoomSettings(RoomSettings {
                room: ROOM,
                muted_until: u64::MAX,
                mentions_anyway: true,
                pinned: false,
            }),
        ),
        ("room name", Setting::RoomName(words("Walks"))),
        ("room topic", Setting::RoomTopic(words("Sunday at ten"))),
        ("app", Setting::App(AppSetting { name: "theme".into(), value: "dark".into() })),
        ("last seen", Setting::LastSeen(LastSeen { device: target().device, at: NOON })),
    ]
}

fn seen() -> Seen {
    Seen { control_head: HASH, seq: Seq(300), hash: HASH }
}

/// Each operation in an entry of its own, so that each stands in a snapshot.
pub(crate) fn control_ops() -> Vec<(&'static str, ControlOp)> {
    let (alice, bob) = (Person::alice().id(), Person::bob().id());
    let policy = Policy { post: Role::Member, invite: Role::Admin, rename: Role::Owner };
    vec![
        ("create", ControlOp::Create { kind: RoomKind::Group, nonce: [0x77; 16] }),
        ("add", ControlOp::Add(bob, Role::Admin)),
        ("remove", ControlOp::Remove(bob)),
        ("set role", ControlOp::SetRole(alice, Role::Owner)),
        ("set policy", ControlOp::SetPolicy(policy)),
    ]
}

pub(crate) fn control(op: ControlOp) -> Entry {
    Person::alice().entry(ROOM, 1, Kind::Control { index: 4, ops: vec![op] }, b"", seen())
}

pub(crate) fn message() -> Entry {
    Person::alice().entry(ROOM, 1, Kind::Message, &events()[0].1.encode(), seen())
}

pub(crate) fn redaction() -> Entry {
    let kind = Kind::Redaction { target: Seq(299), digest: message().digest() };
    Person::alice().entry(ROOM, 2, kind, b"", seen())
}

pub(crate) fn chain_ops() -> Vec<(&'static str, ChainOp)> {
    let alice = Person::alice();
    let recovery = RecoveryKey::from_secret([0x44; 20]).device_keys();
    vec![
        ("add device", ChainOp::AddDevice(alice.device(&keys(0x21), "phone"))),
        ("revoke device", ChainOp::RevokeDevice(keys(0x21).id())),
        ("set recovery", ChainOp::SetRecovery(alice.device(&recovery, "recovery key"))),
    ]
}

pub(crate) fn chain_entry(op: ChainOp) -> ChainEntry {
    Person::alice().next(vec![op])
}

pub(crate) fn register(scope: Scope) -> Register {
    let alice = Person::alice();
    let setting = match scope {
        Scope::Account => settings()[0].1.clone(),
        Scope::Room => settings()[5].1.clone(),
    };
    let header = RegisterHeader {
        key_source: 0,
        scope,
        room: ROOM,
        account: alice.id(),
        device: alice.keys.id(),
        chain_len: 1,
        control_head: HASH,
        replaces: Rev(299),
        key: setting.key(),
        at: NOON,
    };
    Register::sign(&header, &setting.encode(), &alice.keys)
}

/// Every signed object as bytes, by name.
pub(crate) fn signed() -> Vec<(String, Bytes)> {
    let mut all = vec![
        ("message".to_owned(), message().raw().clone()),
        ("redacted".to_owned(), message().redacted().raw().clone()),
        ("redaction".to_owned(), redaction().raw().clone()),
        ("genesis".to_owned(), Person::alice().genesis.raw().clone()),
    ];
    all.extend(control_ops().into_iter().map(|(name, op)| (name.to_owned(), control(op).raw().clone())));
    all.extend(chain_ops().into_iter().map(|(name, op)| (name.to_owned(), chain_entry(op).raw().clone())));
    for scope in [Scope::Account, Scope::Room] {
        all.push((format!("register {scope:?}"), register(scope).raw().clone()));
    }
    all
}

pub(crate) fn link_code() -> LinkCode {
    LinkCode::from_secret(*b"0123456789abcdef")
}

pub(crate) fn recovery_key() -> RecoveryKey {
    RecoveryKey::from_secret(*b"0123456789abcdefghij")
}

pub(crate) fn invite_links() -> Vec<InviteLink> {
    let whole = InviteLink {
        relay: "wss://chat.example:7443".into(),
        token: [3; 16],
        pin: Some(Hash([0xf0; 32])),
        from: Some(Person::alice().id()),
        room: Some(ROOM),
    };
    let least = InviteLink {
        relay: "ws://127.0.0.1:7443".into(),
        pin: None,
        from: None,
        room: None,
        ..whole.clone()
    };
    vec![whole, least]
}

pub(crate) fn device_links() -> Vec<DeviceLink> {
    let whole = DeviceLink {
        relay: "wss://chat.example:7443".into(),
        code: link_code(),
        pin: Some(Hash([0xf0; 32])),
    };
    vec![whole.clone(), DeviceLink { pin: None, ..whole }]
}

/// The three parts of a rendezvous slot: number, name, bytes.
pub(crate) fn slot_parts() -> Vec<(u8, &'static str, Vec<u8>)> {
    let (alice, code) = (Person::alice(), link_code());
    let offer = Offer { account: alice.id(), handle: "alice".into() };
    let answer = Answer { device: alice.device(&keys(0x21), "phone").to_bytes() };
    vec![
        (0, "offer", code.seal(0, &offer)),
        (1, "answer", code.seal(1, &answer)),
        (2, "outcome", code.seal(2, &Outcome { linked: true })),
    ]
}
