//! Which changes of this computer's addresses matter.

use std::{collections::BTreeSet, net::IpAddr};

use if_watch::{IfEvent, IpNet};

/// The addresses that lead anywhere, and whether they have changed since last asked.
#[derive(Debug)]
pub(super) struct Addresses {
    present: BTreeSet<IpNet>,
    changed: bool,
    learned: bool,
}

impl Addresses {
    pub(super) fn new() -> Self {
        Self { present: BTreeSet::new(), changed: false, learned: false }
    }

    /// Whether the event matters.
    pub(super) fn note(&mut self, event: IfEvent) -> bool {
        let changed = match event {
            IfEvent::Up(net) => leads_anywhere(net.addr()) && self.present.insert(net),
            IfEvent::Down(net) => self.present.remove(&net),
        };
        // The same address, gone and back, may well be another network: homes are all alike.
        self.changed |= changed;
        changed
    }

    /// Whether there was a change worth waking for; the first time there is none, for then all is new.
    pub(super) fn settle(&mut self) -> bool {
        let worth_it = self.learned && self.changed && !self.present.is_empty();
        self.learned = true;
        self.changed = false;
        worth_it
    }
}

fn leads_anywhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(text: &str) -> IfEvent {
        IfEvent::Up(text.parse().unwrap())
    }

    fn down(text: &str) -> IfEvent {
        IfEvent::Down(text.parse().unwrap())
    }

    #[test]
    fn what_leads_nowhere_is_no_network() {
        let mut addresses = Addresses::new();
        addresses.settle();
        for local in ["127.0.0.1/8", "::1/128", "fe80::1/64", "169.254.3.4/16"] {
            assert!(!addresses.note(up(local)), "{local}");
        }
        assert!(!addresses.settle());
    }

    #[test]
    fn losing_the_last_address_wakes_nobody_and_getting_it_back_does() {
        let mut addresses = Addresses::new();
        addresses.note(up("192.168.1.5/24"));
        assert!(!addresses.settle(), "first learned");
        addresses.note(down("192.168.1.5/24"));
        assert!(!addresses.settle());
        addresses.note(up("192.168.1.5/24"));
        assert!(addresses.settle());
        assert!(!addresses.settle());
    }

    #[test]
    fn the_same_address_gone_and_back_is_a_change() {
        let mut addresses = Addresses::new();
        addresses.note(up("192.168.1.5/24"));
        addresses.settle();
        addresses.note(down("192.168.1.5/24"));
        addresses.note(up("192.168.1.5/24"));
        assert!(addresses.settle());
    }

    #[test]
    fn one_of_two_networks_lost_is_a_change() {
        let mut addresses = Addresses::new();
        addresses.note(up("192.168.1.5/24"));
        addresses.note(up("10.0.0.2/8"));
        addresses.settle();
        addresses.note(down("192.168.1.5/24"));
        assert!(addresses.settle());
    }
}
