//! Connections that a server knows by name.

use super::wire::{Wire, client_frame};
use crate::world::Person;
use crate::{Outcome, bare};
use bytes::Bytes;
use kith_protocol::frame::{ClientFrame, Hello, Identify, ServerFrame};
use kith_protocol::ids::AccountId;
use kith_protocol::keys::{Challenge, DeviceKeys};
use std::net::SocketAddr;

/// Connects to the bare server and takes a place.
pub(crate) async fn name(to: SocketAddr, place: usize) -> Outcome<Wire> {
    let mut wire = Wire::connect(to).await?;
    let mut naming = vec![bare::NAME];
    naming.extend(u32::try_from(place)?.to_be_bytes());
    wire.pen().write(&client_frame(&naming)).await?;
    wire.hear().await?;
    Ok(wire)
}

/// Connects to the relay and identifies a person's device.
pub(crate) async fn identify(to: SocketAddr, account: AccountId, keys: &DeviceKeys) -> Outcome<Wire> {
    let mut wire = Wire::connect(to).await?;
    loop {
        match ServerFrame::decode(&wire.hear().await?)? {
            ServerFrame::Hello(hello) => {
                let identify = answer(&hello, account, keys)?;
                wire.pen().write(&client_frame(&identify.encode())).await?;
            }
            ServerFrame::Heads(heads) if heads.done => return Ok(wire),
            ServerFrame::Refused(refused) => return Err(format!("refused: {:?}", refused.code).into()),
            _ => {}
        }
    }
}

/// So many places of the bare server.
pub(crate) async fn name_all(to: SocketAddr, count: usize) -> Outcome<Vec<Wire>> {
    super::many((0..count).map(move |place| name(to, place))).await
}

/// All devices of these people, on the relay, in their order.
pub(crate) async fn identify_all(to: SocketAddr, people: &[Person]) -> Outcome<Vec<Wire>> {
    let identify = |(account, keys)| async move { identify(to, account, &keys).await };
    super::many(keys_of(people).into_iter().map(identify)).await
}

/// The keys of all devices of these people.
pub(super) fn keys_of(people: &[Person]) -> Vec<(AccountId, DeviceKeys)> {
    let copy = |keys: &DeviceKeys| DeviceKeys::from_seeds_64(&keys.seeds());
    people.iter().flat_map(|person| person.devices.iter().map(|keys| (person.account, copy(keys)))).collect()
}

/// What answers a relay's hello.
pub(super) fn answer(hello: &Hello, account: AccountId, keys: &DeviceKeys) -> Outcome<ClientFrame> {
    let challenge = Challenge { incarnation: hello.incarnation, nonce: hello.nonce.as_ref().try_into()? };
    Ok(ClientFrame::Identify(Identify {
        version: kith_protocol::VERSION,
        account,
        device: keys.id(),
        answer: Bytes::copy_from_slice(&keys.answer(&challenge)),
    }))
}
