//! Who is there when it begins: three people, five devices, three rooms.

use super::plan::{DEVICES, Net};
use super::world::{SETUP_MS, START, World};
use kith_client::core::{Entropy, Identity, Newcomer, Outgoing, Reply};
use kith_client::vault::MemoryVault;
use kith_protocol::ids::AccountId;
use kith_protocol::link::InviteLink;
use kith_relay::relay::writer::Asker;
use kith_relay::relay::writes::Write;
use kith_relay::store::{InviteRow, RelayRole};

/// While people come in nothing goes wrong.
pub(crate) const CALM: Net = Net { delay_ms: 1, window: 64, queue: 512, disk_ms: 1, group: 1024 };

impl World<'_> {
    pub(crate) fn set_up(&mut self) {
        let alice = self.join("alice");
        let alice2 = self.link(alice);
        let bob = self.join("bob");
        let bob2 = self.link(bob);
        let carol = self.join("carol");
        assert_eq!([alice, alice2, bob, bob2, carol], [0, 1, 2, 3, 4], "as in the plan");

        let account = |world: &Self, id: usize| world.devices[id].engine.me().person.account;
        let (to_alice, to_bob, to_carol) = (account(self, alice), account(self, bob), account(self, carol));
        let direct = |world: &mut Self, id: usize, to: AccountId| {
            let now = world.now;
            world.devices[id].engine.open_direct(now, to).unwrap()
        };
        // Both open the same chat at the same moment.
        let chat = direct(self, alice, to_bob);
        assert_eq!(direct(self, bob, to_alice), chat);
        let other = direct(self, carol, to_alice);
        assert_eq!(direct(self, alice2, to_carol), other);
        let now = self.now;
        let ticket = self.devices[alice].engine.create_room(now, "Garden", &[to_bob]).unwrap();
        self.pump_device(alice);
        self.rest();
        let answers = std::mem::take(&mut self.devices[alice].replies);
        let group = answers.into_iter().find_map(|(answered, reply)| match reply {
            Ok(Reply::Room(room)) if answered == ticket => Some(room),
            _ => None,
        });
        self.rooms = vec![chat, group.expect("the group is made"), other];
        for (id, room) in [(alice, 0), (bob, 0), (carol, 2), (alice2, 2)] {
            self.say(id, self.rooms[room]);
        }
        self.rest();
        self.net = self.plan.net;
        // From here on the queues are those of the plan.
        for id in 0..self.devices.len() {
            self.hang_up(id);
        }
        assert!(self.now < START + SETUP_MS, "setting up took until {}", self.now - START);
        self.now = START + SETUP_MS;
    }

    /// Puts a text into the outbox that was never said before.
    pub(crate) fn say(&mut self, id: usize, room: kith_protocol::ids::RoomId) {
        self.book.texts += 1;
        let text = format!("text {}", self.book.texts);
        let clock = self.clock(id);
        if let Ok(txn) = self.devices[id].engine.send(clock, &room, Outgoing::text(text.clone())) {
            let target = self.devices[id].target(txn);
            let order = self.book.texts;
            self.book.said.insert(target, self.said(id, room, text, order));
        }
        self.pump_device(id);
    }

    fn rest(&mut self) {
        self.run_until_quiet().expect("setting up comes to rest");
    }

    fn join(&mut self, handle: &str) -> usize {
        let mut token = [0; 16];
        self.rng.fill(&mut token);
        let invite =
            InviteRow { token, uses: 1, expires_at: u64::MAX, role: RelayRole::Owner, room: None, by: None };
        self.write(Asker::Waiting { by: None, reply: Box::new(|_| {}) }, Write::PutInvite(invite));
        self.rest();
        let mut vault = MemoryVault::new();
        let mut entropy = Entropy::seeded(self.rng.u64(..));
        let link = InviteLink { relay: "ws://127.0.0.1:1".into(), token, pin: None, from: None, room: None };
        let named = DEVICES[self.devices.len()];
        let who = Newcomer { name: handle.into(), handle: Some(handle.into()), device_name: named.0.into() };
        let identity = Identity::join(&mut vault, &mut entropy, &link, &who, self.now).unwrap();
        let id = self.add_device(named, vault, identity);
        self.back(id);
        self.rest();
        assert!(self.devices[id].engine.is_live(), "{handle} is admitted");
        id
    }

    /// A second device, linked with a code to one that is there.
    fn link(&mut self, to: usize) -> usize {
        self.offer_place(to);
        self.rest();
        let id = self.devices.len() - 1;
        assert!(id > to && self.devices[id].engine.is_live(), "{} is linked", DEVICES[id].0);
        DEVICES[id].0.clone_into(&mut self.devices[id].name);
        id
    }
}
