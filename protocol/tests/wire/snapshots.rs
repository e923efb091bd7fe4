//! The bytes of everything. A difference here is a change of the protocol: look at it before you accept it, and change
//! PROTOCOL.md with it.

use crate::{dump, samples};
use kith_protocol::frame::{ClientFrame, FrameError, ServerFrame};
use kith_protocol::ids::Hash;
use kith_protocol::keys::Label;
use kith_protocol::register::Scope;
use std::fmt::Write as _;

fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// `Send(Send { .. })` -> `send`.
fn variant(debug: &str) -> String {
    let name = debug.split('(').next().unwrap();
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
}

#[test]
fn client_frames() {
    for frame in samples::client_frames() {
        let name = variant(&format!("{frame:?}"));
        check(&format!("client_{name}"), &dump::tagged(&name, &frame.encode()));
    }
}

#[test]
fn server_frames() {
    for frame in samples::server_frames() {
        let name = variant(&format!("{frame:?}"));
        check(&format!("server_{name}"), &dump::tagged(&name, &frame.encode()));
    }
}

#[test]
fn there_is_a_sample_of_every_frame() {
    let known = |decode: &dyn Fn(&[u8]) -> bool| -> Vec<u8> {
        (0..=255).filter(|code| decode(&[*code, 0x80])).collect()
    };
    let client = known(&|bytes| !matches!(ClientFrame::decode(bytes), Ok(ClientFrame::Unknown(_))));
    let server = known(&|bytes| !matches!(ServerFrame::decode(bytes), Ok(ServerFrame::Unknown(_))));
    let sampled = |all: Vec<bytes::Bytes>| -> Vec<u8> { all.iter().map(|bytes| bytes[0]).collect() };
    assert_eq!(client, sampled(samples::client_frames().iter().map(ClientFrame::encode).collect()));
    assert_eq!(server, sampled(samples::server_frames().iter().map(ServerFrame::encode).collect()));
    assert!(matches!(ClientFrame::decode(&[10, 0x80]), Err(FrameError::Malformed(10))));
}

const ENTRY_HEADER: [(&str, Option<usize>); 13] = [
    ("header length", Some(2)),
    ("version", Some(1)),
    ("kind", Some(1)),
    ("key source", Some(1)),
    ("zero", Some(1)),
    ("room", Some(16)),
    ("account", Some(32)),
    ("device", Some(16)),
    ("chain length", Some(4)),
    ("control head", Some(32)),
    ("seen seq", Some(8)),
    ("seen hash", Some(32)),
    ("txn", Some(16)),
];

fn entry(name: &str, raw: &[u8], own: &[(&str, Option<usize>)]) {
    check(&format!("entry_{name}"), &entry_dump(raw, own));
}

pub(crate) fn entry_dump(raw: &[u8], own: &[(&str, Option<usize>)]) -> String {
    let mut all = ENTRY_HEADER.to_vec();
    all.push(("at", Some(8)));
    all.extend(own);
    all.extend([("signature", Some(64)), ("body mark", Some(1))]);
    all.push(if raw[raw.len() - 1 - trailer(raw)] == 0 { ("body hash", Some(32)) } else { ("body", None) });
    dump::fields(raw, &all)
}

/// How many bytes follow the body's mark.
fn trailer(raw: &[u8]) -> usize {
    raw.len() - 2 - usize::from(u16::from_be_bytes([raw[0], raw[1]])) - 64 - 1
}

#[test]
fn entries() {
    let message = samples::message();
    entry("message", message.raw(), &[]);
    entry("redacted", message.redacted().raw(), &[]);
    entry("redaction", samples::redaction().raw(), &[("target", Some(8)), ("target digest", Some(32))]);
    for (name, op) in samples::control_ops() {
        let payload: &[(&str, Option<usize>)] = match name {
            "create" => &[("room kind", Some(1)), ("nonce", Some(16))],
            "remove" => &[("account", Some(32))],
            "set policy" => &[("post", Some(1)), ("invite", Some(1)), ("rename", Some(1))],
            _ => &[("account", Some(32)), ("role", Some(1))],
        };
        let mut own =
            vec![("index", Some(4)), ("operations", Some(1)), ("tag", Some(1)), ("length", Some(2))];
        own.extend(payload);
        entry(&format!("control_{}", name.replace(' ', "_")), samples::control(op).raw(), &own);
    }
}

pub(crate) fn chain_dump(raw: &[u8], payload: &[(&str, Option<usize>)]) -> String {
    let mut all = vec![
        ("version", Some(1)),
        ("kind", Some(1)),
        ("account", Some(32)),
        ("index", Some(4)),
        ("previous", Some(32)),
        ("author", Some(16)),
        ("at", Some(8)),
        ("operations", Some(1)),
        ("tag", Some(1)),
        ("length", Some(2)),
    ];
    all.extend(payload);
    all.push(("signature", Some(64)));
    dump::fields(raw, &all)
}

pub(crate) fn device_fields(name: &str) -> Vec<(&'static str, Option<usize>)> {
    vec![
        ("sign key", Some(32)),
        ("auth key", Some(32)),
        ("countersignature", Some(64)),
        ("name length", Some(1)),
        ("name", Some(name.len())),
    ]
}

#[test]
fn chain_entries() {
    check(
        "chain_genesis",
        &chain_dump(crate::people::Person::alice().genesis.raw(), &device_fields("laptop")),
    );
    for (name, op) in samples::chain_ops() {
        let payload = match name {
            "add device" => device_fields("phone"),
            "set recovery" => device_fields("recovery key"),
            _ => vec![("device", Some(16))],
        };
        let entry = samples::chain_entry(op);
        check(&format!("chain_{}", name.replace(' ', "_")), &chain_dump(entry.raw(), &payload));
    }
}

#[test]
fn registers() {
    for (name, scope) in [("account", Scope::Account), ("room", Scope::Room)] {
        let text = dump::fields(
            samples::register(scope).raw(),
            &[
                ("version", Some(1)),
                ("kind", Some(1)),
                ("key source", Some(1)),
                ("scope", Some(1)),
                ("room", Some(16)),
                ("account", Some(32)),
                ("device", Some(16)),
                ("chain length", Some(4)),
                ("control head", Some(32)),
                ("replaces", Some(8)),
                ("key", Some(32)),
                ("at", Some(8)),
                ("signature", Some(64)),
                ("body", None),
            ],
        );
        check(&format!("register_{name}"), &text);
    }
}

#[test]
fn bodies() {
    for (name, event) in samples::events() {
        check(&format!("event_{name}"), &dump::tagged(name, &event.encode()));
    }
    for (name, setting) in samples::settings() {
        let text = format!("register key {}\n{}", setting.key(), dump::tagged(name, &setting.encode()));
        check(&format!("setting_{}", name.replace(' ', "_")), &text);
    }
}

#[test]
fn digests_and_names() {
    let (alice, bob) = (crate::people::Person::alice(), crate::people::Person::bob());
    let mut text = String::new();
    let mut line = |name: &str, value: String| writeln!(text, "{name}: {value}").unwrap();
    line("account alice", alice.id().to_string());
    line("device alice/laptop", alice.keys.id().to_string());
    line("direct alice bob", kith_protocol::ids::RoomId::direct(&alice.id(), &bob.id()).to_string());
    line("own alice", kith_protocol::ids::RoomId::own(&alice.id()).to_string());
    line("digest of the message", samples::message().digest().to_string());
    line("digest of the register", samples::register(Scope::Account).digest().to_string());
    line("rolling hash of one entry", Hash::ZERO.extend(&samples::message().digest()).to_string());
    for label in [Label::Entry, Label::Register, Label::Chain, Label::Join] {
        let signature = alice.keys.sign(label, &Hash([7; 32]));
        line(&format!("signature as {label:?}"), data_encoding::HEXLOWER.encode(&signature));
    }
    check("digests_and_names", &text);
}

#[test]
fn links_codes_and_keys() {
    let mut text = String::new();
    for link in samples::invite_links() {
        writeln!(text, "{link}").unwrap();
    }
    for link in samples::device_links() {
        writeln!(text, "{link}").unwrap();
    }
    writeln!(text, "link code: {}", samples::link_code()).unwrap();
    writeln!(text, "its slot: {}", samples::link_code().slot()).unwrap();
    writeln!(text, "recovery key: {}", samples::recovery_key()).unwrap();
    writeln!(text, "its device: {}", samples::recovery_key().device_keys().id()).unwrap();
    let parts = samples::slot_parts();
    writeln!(text, "six digits: {}", samples::link_code().digits(&parts[0].2, &parts[1].2)).unwrap();
    check("links_codes_and_keys", &text);
    for (_, name, bytes) in parts {
        check(&format!("slot_{name}"), &dump::fields(&bytes, &[("MAC", Some(32)), ("map", None)]));
    }
}
