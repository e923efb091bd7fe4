//! What is written is what is read.

use crate::people::keys;
use crate::{any as an, samples, signed};
use kith_protocol::admin::{AdminRequest, AdminResponse, AuditEvent, NewInvite, RelayRole};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::event::{Event, Setting};
use kith_protocol::frame::{ClientFrame, ServerFrame};
use kith_protocol::ids::AccountId;
use kith_protocol::link::{DeviceLink, InviteLink, Link};
use kith_protocol::recovery::RecoveryKey;
use kith_protocol::register::Register;
use kith_protocol::rendezvous::{Answer, LinkCode, Offer};
use proptest::prelude::*;

proptest! {
    #[test]
    fn client_frames(frame in an::client_frame()) {
        prop_assert_eq!(ClientFrame::decode(&frame.encode()).unwrap(), frame);
    }

    #[test]
    fn server_frames(frame in an::server_frame()) {
        prop_assert_eq!(ServerFrame::decode(&frame.encode()).unwrap(), frame);
    }

    #[test]
    fn names_in_what_an_admin_asks_and_hears(name in an::text(), number: u32) {
        let ask = AdminRequest::Invite(NewInvite {
            uses: number,
            expires_s: number.into(),
            role: RelayRole::Owner,
            room: Some(name.clone()),
        });
        prop_assert_eq!(AdminRequest::decode(&ask.encode()).unwrap(), ask);
        let answer = AdminResponse::error(&name, name.clone());
        prop_assert_eq!(AdminResponse::decode(&answer.encode()).unwrap(), answer);
    }

    #[test]
    fn events_and_settings(event in an::event(), setting in an::setting()) {
        prop_assert_eq!(Event::decode(&event.encode()).unwrap(), event);
        let read = Setting::decode(&setting.encode()).unwrap();
        prop_assert_eq!(read.key(), setting.key());
        prop_assert_eq!(read, setting);
    }

    #[test]
    fn entries(entry in signed::entry()) {
        let read = Entry::parse(entry.raw().clone()).unwrap();
        prop_assert_eq!(read.verify(&keys(1).sign_public()), Ok(()));
        prop_assert!(read.verify(&keys(2).sign_public()).is_err());
        prop_assert_eq!(&read, &entry);

        let redacted = Entry::parse(entry.redacted().raw().clone()).unwrap();
        prop_assert_eq!(redacted.digest(), entry.digest());
        prop_assert_eq!(redacted.header(), entry.header());
        prop_assert_eq!(redacted.verify(&keys(1).sign_public()), Ok(()));
        prop_assert!(redacted.body().is_none());

        // Signing what was read gives the same bytes: there is one way to write an entry.
        if !matches!(entry.header().kind, Kind::Unknown(_)) {
            let again = Entry::sign(read.header(), &read.body().unwrap(), &keys(1));
            prop_assert_eq!(again.raw(), entry.raw());
        }
    }

    #[test]
    fn registers(register in signed::register()) {
        let read = Register::parse(register.raw().clone()).unwrap();
        prop_assert_eq!(read.verify(&keys(1).sign_public()), Ok(()));
        prop_assert_eq!(Register::sign(read.header(), &read.body(), &keys(1)), register);
    }

    #[test]
    fn chain_entries(entry in signed::chain_entry()) {
        let read = ChainEntry::parse(entry.raw().clone()).unwrap();
        prop_assert_eq!(read.verify(&keys(1).sign_public()), Ok(()));
        prop_assert_eq!(ChainEntry::sign(read.header(), &keys(1)), entry);
    }

    #[test]
    fn links(
        relay in "wss?://[\\PC]{1,40}",
        token: [u8; 16],
        secret: [u8; 16],
        pin in prop::option::of(an::hash()),
        from in prop::option::of(an::account()),
        room in prop::option::of(an::room()),
    ) {
        let relay = relay.trim().to_owned();
        let join = InviteLink { relay: relay.clone(), token, pin, from, room };
        prop_assert_eq!(join.to_string().parse(), Ok(Link::Join(join)));
        let device = DeviceLink { relay, code: LinkCode::from_secret(secret), pin };
        prop_assert_eq!(device.to_string().parse(), Ok(Link::Device(device)));
    }

    #[test]
    fn codes_and_recovery_keys(short: [u8; 16], long: [u8; 20]) {
        let code = LinkCode::from_secret(short);
        prop_assert_eq!(code.to_string().to_lowercase().parse::<LinkCode>(), Ok(code));
        let key = RecoveryKey::from_secret(long);
        prop_assert_eq!(key.to_string().to_lowercase().parse::<RecoveryKey>(), Ok(key));
    }

    #[test]
    fn parts_of_a_slot(secret: [u8; 16], part: u8, handle in an::text(), device in an::some_bytes()) {
        let code = LinkCode::from_secret(secret);
        let offer = Offer { account: AccountId([1; 32]), handle };
        prop_assert_eq!(code.open(part, &code.seal(part, &offer)), Ok(offer));
        let answer = Answer { device: device.to_vec() };
        prop_assert_eq!(code.open(part, &code.seal(part, &answer)), Ok(answer));
    }
}

#[test]
fn what_an_admin_asks_and_hears() {
    for ask in samples::admin::requests() {
        assert_eq!(AdminRequest::decode(&ask.encode()).unwrap(), ask);
    }
    for answer in samples::admin::responses() {
        assert_eq!(AdminResponse::decode(&answer.encode()).unwrap(), answer);
    }
}

/// `{"do": "dance"}`, and a record of the audit log that tells of something new.
#[test]
fn what_only_a_newer_version_knows_of_administration() {
    assert!(AdminRequest::decode(b"\x81\xa2do\xa5dance").is_err());
    let known = b"\x82\xa5event\xaduser-disabled\xa7account\xa1x";
    let event: AuditEvent = rmp_serde::from_slice(known).unwrap();
    assert_eq!(event, AuditEvent::Other);
}
