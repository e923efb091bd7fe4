//! Arbitrary signed objects.

use crate::any as an;
use crate::people::keys;
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::ids::{AccountId, RegisterKey, Rev};
use kith_protocol::register::{Register, RegisterHeader, Scope};
use kith_protocol::room::{ControlOp, Policy, Role, RoomKind};
use proptest::prelude::*;

fn role() -> impl Strategy<Value = Role> + Clone {
    prop_oneof![Just(Role::Member), Just(Role::Admin), Just(Role::Owner)]
}

fn control_op() -> impl Strategy<Value = ControlOp> {
    let kind = prop_oneof![Just(RoomKind::Group), Just(RoomKind::Direct), Just(RoomKind::Own)];
    let policy = (role(), role(), role()).prop_map(|(post, invite, rename)| Policy { post, invite, rename });
    prop_oneof![
        (kind, any::<[u8; 16]>()).prop_map(|(kind, nonce)| ControlOp::Create { kind, nonce }),
        (an::account(), role()).prop_map(|(account, role)| ControlOp::Add(account, role)),
        an::account().prop_map(ControlOp::Remove),
        (an::account(), role()).prop_map(|(account, role)| ControlOp::SetRole(account, role)),
        policy.prop_map(ControlOp::SetPolicy),
        (100..=255_u8).prop_map(ControlOp::Unknown),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Message),
        (any::<u32>(), prop::collection::vec(control_op(), 0..6))
            .prop_map(|(index, ops)| Kind::Control { index, ops }),
        (an::seq(), an::hash()).prop_map(|(target, digest)| Kind::Redaction { target, digest }),
        (100..=255_u8).prop_map(Kind::Unknown),
    ]
}

/// By the device of `keys(1)`.
pub(crate) fn entry() -> BoxedStrategy<Entry> {
    let place = (an::hash(), an::seq(), an::hash(), an::txn());
    (any::<u8>(), an::room(), an::account(), any::<u32>(), place, any::<u64>(), kind(), an::some_bytes())
        .prop_map(|(key_source, room, account, chain_len, (head, seq, hash, txn), at, kind, body)| {
            let header = Header {
                key_source,
                room,
                account,
                device: keys(1).id(),
                chain_len,
                control_head: head,
                seen_seq: seq,
                seen_hash: hash,
                txn,
                at,
                kind,
            };
            Entry::sign(&header, &body, &keys(1))
        })
        .boxed()
}

/// By the device of `keys(1)`.
pub(crate) fn register() -> BoxedStrategy<Register> {
    let scope = prop_oneof![Just(Scope::Account), Just(Scope::Room)];
    let place = (an::room(), an::account(), an::hash());
    let numbers = (any::<u8>(), any::<u32>(), any::<u64>(), any::<u64>());
    (scope, place, numbers, any::<[u8; 32]>(), an::some_bytes())
        .prop_map(|(scope, (room, account, control_head), (key_source, chain_len, rev, at), key, body)| {
            let header = RegisterHeader {
                key_source,
                scope,
                room,
                account,
                device: keys(1).id(),
                chain_len,
                control_head,
                replaces: Rev(rev),
                key: RegisterKey(key),
                at,
            };
            Register::sign(&header, &body, &keys(1))
        })
        .boxed()
}

fn chain_op() -> impl Strategy<Value = ChainOp> {
    let device = || {
        (1..200_u8, an::text())
            .prop_map(|(n, name)| NewDevice::countersign(&keys(n), &name, &AccountId([9; 32])))
    };
    prop_oneof![
        device().prop_map(ChainOp::AddDevice),
        an::device().prop_map(ChainOp::RevokeDevice),
        device().prop_map(ChainOp::SetRecovery),
        (100..=255_u8).prop_map(ChainOp::Unknown),
    ]
}

/// By the device of `keys(1)`.
pub(crate) fn chain_entry() -> BoxedStrategy<ChainEntry> {
    let ops = prop::collection::vec(chain_op(), 0..5);
    (an::account(), any::<u32>(), an::hash(), any::<u64>(), ops)
        .prop_map(|(account, index, previous, at, ops)| {
            let header = ChainHeader { account, index, previous, author: keys(1).id(), at, ops };
            ChainEntry::sign(&header, &keys(1))
        })
        .boxed()
}
