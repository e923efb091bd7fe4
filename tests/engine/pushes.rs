//! Where people are told while none of their devices is connected.

use crate::world::{Id, World};
use kith_client::core::{PushTo, RequestError, RoomWish};
use kith_protocol::admin::AdminRequest;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::ClientFrame;
use kith_protocol::ids::RoomId;
use kith_relay::store::pushes::PushPerson;

fn mute(w: &mut World, id: Id, room: RoomId, muted_until: u64) {
    let (now, wish) = (w.now, RoomWish { muted_until, mentions_anyway: false, pinned: false });
    w.devices[id].engine.set_room_wish(now, &room, wish).unwrap();
    w.settle();
}

/// What the relay knows of somebody.
fn known(w: &World, id: Id) -> Option<PushPerson> {
    let account = w.devices[id].engine.me().person.account;
    w.relay.writer.engine().read().push_person(&account).unwrap()
}

fn waiting_after(w: &mut World, bob: Id, room: RoomId, devices: [Id; 2]) -> Option<u32> {
    devices.iter().for_each(|id| w.disconnect(*id));
    w.say(bob, room, "while she is away");
    w.settle();
    let waiting = known(w, devices[0]).unwrap().waiting.map(|news| news.count);
    devices.iter().for_each(|id| w.connect(*id));
    w.settle();
    waiting
}

/// It reads no setting, so her devices say it.
#[test]
fn the_relay_hears_which_rooms_are_muted_as_soon_as_it_tells_somewhere() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let phone = w.link(alice, "phone");
    let (room, other) = (w.dm(bob, alice), w.group(bob, "Garden", &[alice]));
    w.say(bob, room, "hello");
    w.settle();
    mute(&mut w, alice, room, u64::MAX);
    assert_eq!(known(&w, alice), None, "it is told nothing that it has no use for");

    let topic = PushTo::Ntfy { url: "https://ntfy.example/alice".into(), token: None };
    w.devices[alice].engine.add_push(topic).unwrap();
    w.settle();
    assert_eq!(known(&w, alice).unwrap().wishes.muted, [(room, u64::MAX)]);
    assert_eq!(waiting_after(&mut w, bob, room, [alice, phone]), None);
    assert_eq!(waiting_after(&mut w, bob, other, [alice, phone]), Some(1));

    mute(&mut w, phone, room, 0);
    assert_eq!(known(&w, alice).unwrap().wishes.muted, []);
    assert_eq!(waiting_after(&mut w, bob, room, [alice, phone]), Some(1));
}

/// An older relay passes over what it does not know: nobody waits for an answer that will not come.
#[test]
fn what_the_relay_does_not_read_is_refused_at_once() {
    let mut w = World::new();
    let alice = w.join("alice");
    let mut asked = |reads: &[u8]| {
        w.relay.set_reads(reads);
        w.disconnect(alice);
        w.connect(alice);
        w.settle();
        let engine = &mut w.devices[alice].engine;
        [engine.invites(), engine.pushes(), engine.administer(&AdminRequest::Stats)].map(
            |asked| match asked {
                Ok(_) => true,
                Err(RequestError::Refused(ErrorCode::Unsupported)) => false,
                Err(other) => panic!("{other}"),
            },
        )
    };
    assert_eq!(asked(&[]), [true, false, false]);
    let without_pushes: Vec<u8> = (1..=34).chain(40..=42).collect();
    assert_eq!(asked(&without_pushes), [true, false, true]);
    assert_eq!(asked(ClientFrame::TYPES), [true, true, true]);
}
