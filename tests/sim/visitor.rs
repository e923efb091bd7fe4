//! A device that wants in: it has a code, meets whoever offered it at a slot of the relay, and becomes a device if all goes
//! well.

use super::plan::DEVICES_MAX;
use super::world::{Event, World};
use kith_client::core::{Entropy, LinkStep, Linking, Reply, RequestError, Ticket};
use kith_client::vault::MemoryVault;
use kith_relay::relay::admission;

pub(crate) struct Visitor {
    /// Who offers it a place.
    to: usize,
    offered: Ticket,
    answered: Ticket,
    /// Whether the code may be shown.
    stands: bool,
    /// What each side shows.
    here: Option<String>,
    there: Option<String>,
    confirmed: bool,
    vault: MemoryVault,
    linking: Linking,
    /// The relay's process that it is connected to.
    process: Option<u32>,
    until: u64,
}

/// How often it looks, in milliseconds.
const LOOK_MS: u64 = 700;
/// After so long the person gives it up, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

enum Came {
    In,
    NotYet,
    NotAtAll,
}

impl World<'_> {
    /// A device offers a place, and a new one comes.
    pub(crate) fn offer_place(&mut self, to: usize) {
        let coming = self.visitors.iter().flatten().count();
        let clock = self.clock(to);
        if self.devices.len() + coming >= DEVICES_MAX {
            return;
        }
        let device = &mut self.devices[to];
        let (name, person) = (format!("{}+{}", device.name, self.visitors.len()), device.person);
        let Ok((code, offered, answered)) = device.engine.link_offer(clock) else { return };
        self.pump_device(to);
        // Whoever was not let in, or did not hear of it, comes again with the keys that it has.
        let mut vault = self.turned_away.remove(&person).unwrap_or_default();
        let mut entropy = Entropy::seeded(self.rng.u64(..));
        let linking = Linking::new(&mut vault, &mut entropy, code, &name).unwrap();
        let until = self.now + PATIENCE_MS;
        self.visitors.push(Some(Visitor {
            to,
            offered,
            answered,
            stands: false,
            here: None,
            there: None,
            confirmed: false,
            vault,
            linking,
            process: None,
            until,
        }));
        self.schedule(self.now + LOOK_MS, Event::Visit(self.visitors.len() - 1));
    }

    pub(crate) fn visit(&mut self, index: usize) {
        let Some(mut visitor) = self.visitors[index].take() else { return };
        let person = self.devices[visitor.to].person;
        match self.visit_once(&mut visitor) {
            Came::In => {}
            Came::NotAtAll => drop(self.turned_away.insert(person, visitor.vault)),
            Came::NotYet if self.now > visitor.until => {
                self.trace.say(self.now, format_args!("visitor {index} gives up"));
                self.turned_away.insert(person, visitor.vault);
            }
            Came::NotYet => {
                self.visitors[index] = Some(visitor);
                self.schedule(self.now + LOOK_MS, Event::Visit(index));
            }
        }
    }

    fn visit_once(&mut self, visitor: &mut Visitor) -> Came {
        if self.hear_of(visitor).is_err() {
            return Came::NotAtAll;
        }
        if let (Some(here), Some(there), false) = (&visitor.here, &visitor.there, visitor.confirmed) {
            if here != there {
                self.book.wrong.push(format!("one side shows {here}, the other {there}"));
            }
            let (clock, same) = (self.clock(visitor.to), self.rooms.is_empty() || self.rng.u32(..10) > 0);
            visitor.confirmed = self.devices[visitor.to].engine.link_confirm(clock, same).is_ok();
            self.pump_device(visitor.to);
        }
        if !visitor.stands {
            return Came::NotYet;
        }
        self.speak(visitor);
        while let Some(step) = visitor.linking.poll_step() {
            match step {
                LinkStep::Digits { digits, .. } => visitor.here = Some(digits),
                LinkStep::Linked(account) => {
                    let relay = self.devices[visitor.to].engine.relay().clone();
                    let identity = visitor.linking.finish(&mut visitor.vault, account, relay).unwrap();
                    let host = &self.devices[visitor.to];
                    let (name, person) = (format!("{}'s", host.name), host.person);
                    self.trace.say(self.now, format_args!("{name} is linked"));
                    let id = self.add_device((&name, person), visitor.vault.clone(), identity);
                    self.back(id);
                    return Came::In;
                }
                LinkStep::Failed(why) => {
                    self.trace.say(self.now, format_args!("not linked: {why}"));
                    return Came::NotAtAll;
                }
            }
        }
        Came::NotYet
    }

    /// What the device that offers was told.
    fn hear_of(&mut self, visitor: &mut Visitor) -> Result<(), RequestError> {
        for (ticket, reply) in std::mem::take(&mut self.devices[visitor.to].replies) {
            if ticket == visitor.offered {
                visitor.stands = matches!(reply?, Reply::Offered);
            } else if ticket == visitor.answered {
                if let Reply::Answered(answered) = reply? {
                    visitor.there = Some(answered.digits);
                }
            } else {
                self.devices[visitor.to].replies.push((ticket, reply));
            }
        }
        Ok(())
    }

    /// Speaks with the relay, on a connection that may break.
    fn speak(&mut self, visitor: &mut Visitor) {
        let breaks = !self.rooms.is_empty() && !self.healed && self.rng.u32(..6) == 0;
        let Some(process) = &self.relay.process else {
            visitor.process = None;
            return;
        };
        if visitor.process != Some(process.number) {
            let (_, hello) = admission::hello(self.relay.incarnation, [9; 32], self.now);
            visitor.linking.connected();
            visitor.linking.handle_frame(self.now, &hello);
            visitor.process = Some(process.number);
        }
        visitor.linking.handle_timeout(self.now);
        while let Some(frame) = visitor.linking.poll_transmit() {
            let answer = process.slots.handle(self.now, &frame).expect("all it says is about slots");
            if breaks {
                visitor.process = None;
                return;
            }
            visitor.linking.handle_frame(self.now, &answer);
        }
    }
}
