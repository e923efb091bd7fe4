//! Who may be connected: bounds on all connections together and on those of one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{clock::Instant, config::Limits, rate::Buckets};

/// Counts what is open against a limit that may change while it counts.
#[derive(Debug, Default)]
pub(crate) struct Places {
    taken: AtomicU32,
    freed: Notify,
}

/// One of [`Places`]; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    pub(crate) fn take(self: &Arc<Self>, max: u32) -> Option<Place> {
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < max).then_some(taken + 1))
            .ok()
            .map(|_| Place(self.clone()))
    }

    /// As [`Places::take`], once there is one. `max` is asked again each time.
    pub(crate) async fn wait(self: &Arc<Self>, max: impl Fn() -> u32) -> Place {
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.take(max()) {
                return place;
            }
            freed.await;
        }
    }

    pub(crate) fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Waits until all are free.
    pub(crate) async fn emptied(&self) {
        loop {
            let freed = self.freed.notified();
            if self.taken() == 0 {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
        // One task waits at most for each purpose, and a permit is kept if none does.
        self.0.freed.notify_one();
    }
}

/// What each address has open, and how fast it opens more.
#[derive(Debug)]
pub(crate) struct Addresses(Mutex<State>);

#[derive(Debug)]
struct State {
    open: HashMap<IpAddr, u32>,
    new: Buckets<IpAddr>,
}

/// One connection of an address; free again when dropped.
#[derive(Debug)]
pub(crate) struct AddressPlace {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { open: HashMap::new(), new: Buckets::new(ADDRESSES_MAX) }))
    }

    /// Whether this address may open one more just now.
    pub(crate) fn paced(&self, address: IpAddr, now: Instant, limits: &Limits) -> bool {
        is_exempt(address)
            || self.state().new.take(network(address), now, limits.new_connections(), 1).is_ok()
    }

    /// `max` is for one address.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr, max: u32) -> Option<AddressPlace> {
        let address = network(address);
        let max = if is_exempt(address) { u32::MAX } else { max };
        let mut state = self.state();
        let open = state.open.entry(address).or_default();
        if *open >= max {
            return None;
        }
        *open += 1;
        Some(AddressPlace { addresses: self.clone(), address })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Each change is one step: a panic elsewhere cannot leave half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut state = self.addresses.state();
        if let Some(open) = state.open.get_mut(&self.address) {
            *open -= 1;
            if *open == 0 {
                state.open.remove(&self.address);
            }
        }
    }
}

/// Programs on the relay's own machine, and a proxy that was not declared: they would all share one allowance.
pub(crate) fn is_exempt(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// One customer of a provider: an IPv4 address, or the /64 that each IPv6 customer has at least.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Some 48 bytes each: 3 MiB under a flood from everywhere.
const ADDRESSES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_end_at_the_limit_and_come_back() {
        let places = Arc::new(Places::default());
        let first = places.take(1).unwrap();
        assert!(places.take(1).is_none());
        assert!(places.take(2).is_some(), "the limit can be raised meanwhile");
        drop(first);
        assert!(places.take(1).is_some());
    }

    #[tokio::test]
    async fn waiting_ends_when_one_is_free() {
        let places = Arc::new(Places::default());
        let first = places.take(1).unwrap();
        let (_place, ()) = tokio::join!(places.wait(|| 1), async { drop(first) });
        assert_eq!(places.taken(), 1);
    }

    #[tokio::test]
    async fn addresses_have_their_own_limit() {
        let addresses = Arc::new(Addresses::new());
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let same: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        let place = addresses.take(one, 1).unwrap();
        assert!(addresses.take(same, 1).is_none(), "the same /64");
        assert!(addresses.take(other, 1).is_some());
        let local: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let held: Vec<_> = (0..3).map(|_| addresses.take(local, 1).unwrap()).collect();
        drop((place, held));
        assert!(addresses.state().open.is_empty(), "nothing stays behind");
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_paced() {
        let addresses = Addresses::new();
        let limits = Limits { new_connections_per_address_burst: 2, ..Limits::default() };
        let address = "192.0.2.1".parse().unwrap();
        let now = Instant::now();
        assert!(addresses.paced(address, now, &limits) && addresses.paced(address, now, &limits));
        assert!(!addresses.paced(address, now, &limits));
        assert!(addresses.paced("192.0.2.2".parse().unwrap(), now, &limits));
    }
}
