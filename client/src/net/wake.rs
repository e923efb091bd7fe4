//! Notices that waiting makes no sense any more: another network, or a computer that slept.
//!
//! Both are hints. A link that seems alive may be dead after either, so its owner probes it; one that waits to dial, dials.

mod network;
mod sleep;

use std::{
    io,
    time::{Duration, Instant, SystemTime},
};

use futures_util::{Stream, StreamExt};
use if_watch::IfEvent;
use tokio::{sync::broadcast, task::JoinHandle, time};

use self::{
    network::Addresses,
    sleep::{Moment, SleepCheck},
};
use super::limits::WAKES_MAX;

/// Why not to wait any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// The addresses of this computer have changed, and it has some.
    Network,
    /// The computer, or this process, had stopped for a while.
    Resumed,
}

/// A task that watches. One serves any number of links.
#[derive(Debug)]
pub struct WakeWatch {
    wakes: broadcast::Sender<Wake>,
    task: JoinHandle<()>,
}

impl WakeWatch {
    /// Starts to watch; must be called within a tokio runtime. Needs no rights. Where the system does not tell of network
    /// changes, a log line says so and sleep alone is noticed.
    pub fn start() -> Self {
        let (wakes, _) = broadcast::channel(WAKES_MAX);
        let task = tokio::spawn(watch(wakes.clone(), now, if_watch::tokio::IfWatcher::new));
        Self { wakes, task }
    }

    /// Wakes from now on.
    pub fn subscribe(&self) -> WakeReceiver {
        WakeReceiver { wakes: Some(self.wakes.subscribe()) }
    }

    /// Ends the task and waits for its end.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for WakeWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One listener.
#[derive(Debug)]
pub struct WakeReceiver {
    wakes: Option<broadcast::Receiver<Wake>>,
}

impl WakeReceiver {
    /// A listener to nothing.
    pub fn never() -> Self {
        Self { wakes: None }
    }

    /// Waits for the next wake; for ever, once nobody watches. Cancel-safe.
    pub async fn next(&mut self) -> Wake {
        let Some(wakes) = &mut self.wakes else { return std::future::pending().await };
        match wakes.recv().await {
            Ok(wake) => wake,
            // Those missed said nothing that one does not.
            Err(broadcast::error::RecvError::Lagged(_)) => Wake::Network,
            Err(broadcast::error::RecvError::Closed) => {
                self.wakes = None;
                std::future::pending().await
            }
        }
    }
}

async fn watch<S>(wakes: broadcast::Sender<Wake>, now: impl Fn() -> Moment, open: impl Fn() -> io::Result<S>)
where
    S: Stream<Item = io::Result<IfEvent>> + Unpin,
{
    let mut addresses = Addresses::new();
    let mut events = open_or_log(&open);
    // What is there at the start arrives as events too: the first settling only learns it.
    let mut settle_at = Some(time::Instant::now() + SETTLE);
    let mut reopen_at = time::Instant::now() + REOPEN;
    let mut sleep_check = SleepCheck::new(now(), TICK);
    let mut tick_at = time::Instant::now() + TICK;
    loop {
        let wake = tokio::select! {
            event = next_event(&mut events) => {
                match event {
                    Ok(event) => if addresses.note(event) && settle_at.is_none() {
                        settle_at = Some(time::Instant::now() + SETTLE);
                    },
                    Err(error) => {
                        tracing::warn!(%error, "network changes go unnoticed for now");
                        events = None;
                        reopen_at = time::Instant::now() + REOPEN;
                    }
                }
                None
            }
            () = time::sleep_until(settle_at.unwrap_or(tick_at)), if settle_at.is_some() => {
                settle_at = None;
                addresses.settle().then_some(Wake::Network)
            }
            () = time::sleep_until(reopen_at), if events.is_none() => {
                addresses = Addresses::new();
                events = open().ok();
                settle_at = Some(time::Instant::now() + SETTLE);
                reopen_at = time::Instant::now() + REOPEN;
                None
            }
            () = time::sleep_until(tick_at) => {
                tick_at = time::Instant::now() + TICK;
                sleep_check.tick(now()).then_some(Wake::Resumed)
            }
        };
        if let Some(wake) = wake {
            tracing::debug!(?wake, "woke");
            // Nobody listening is no fault.
            let _ = wakes.send(wake);
        }
    }
}

fn open_or_log<S>(open: impl Fn() -> io::Result<S>) -> Option<S> {
    open()
        .inspect_err(
            |error| tracing::warn!(%error, "network changes go unnoticed on this system; sleep does not"),
        )
        .ok()
}

async fn next_event<S>(events: &mut Option<S>) -> io::Result<IfEvent>
where
    S: Stream<Item = io::Result<IfEvent>> + Unpin,
{
    match events {
        Some(events) => events.next().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into())),
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge where sleep is noticed: two clocks are compared")]
fn now() -> Moment {
    Moment { monotonic: Instant::now(), wall: SystemTime::now() }
}

/// A new network brings several addresses one after the other.
const SETTLE: Duration = Duration::from_millis(750);

/// How soon sleep is noticed after it; each tick wakes the processor for some microseconds.
const TICK: Duration = Duration::from_secs(5);

/// How long to leave the system alone after it refused to tell of changes.
const REOPEN: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::stream;
    use tokio::sync::mpsc;

    use super::*;

    fn net(text: &str) -> if_watch::IpNet {
        text.parse().unwrap()
    }

    fn events_of(
        mut events: mpsc::Receiver<io::Result<IfEvent>>,
    ) -> impl Stream<Item = io::Result<IfEvent>> + Unpin {
        stream::poll_fn(move |cx| events.poll_recv(cx))
    }

    struct Watched {
        network: mpsc::Sender<io::Result<IfEvent>>,
        clock: Arc<Mutex<Moment>>,
        wakes: broadcast::Receiver<Wake>,
    }

    /// A watch in virtual time, with a clock and a network of the test's.
    fn watched() -> Watched {
        let (network, events) = mpsc::channel(8);
        let (sender, wakes) = broadcast::channel(WAKES_MAX);
        let clock = Arc::new(Mutex::new(now()));
        let events = Mutex::new(Some(events_of(events)));
        let open = move || events.lock().unwrap().take().ok_or_else(|| io::ErrorKind::Unsupported.into());
        let now = {
            let clock = clock.clone();
            move || *clock.lock().unwrap()
        };
        tokio::spawn(watch(sender, now, open));
        Watched { network, clock, wakes }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_network_wakes_once_and_the_first_one_does_not() {
        let mut w = watched();
        w.network.send(Ok(IfEvent::Up(net("192.168.1.5/24")))).await.unwrap();
        time::sleep(SETTLE * 2).await;
        assert!(w.wakes.try_recv().is_err(), "the network that was there is no news");
        w.network.send(Ok(IfEvent::Down(net("192.168.1.5/24")))).await.unwrap();
        w.network.send(Ok(IfEvent::Up(net("10.0.0.7/8")))).await.unwrap();
        w.network.send(Ok(IfEvent::Up(net("2001:db8::7/64")))).await.unwrap();
        time::sleep(SETTLE * 2).await;
        assert_eq!(w.wakes.try_recv().unwrap(), Wake::Network);
        assert!(w.wakes.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn sleep_is_noticed_at_the_next_tick_even_without_a_network_watch() {
        let mut w = watched();
        w.network.send(Err(io::ErrorKind::PermissionDenied.into())).await.unwrap();
        time::sleep(TICK * 2).await;
        assert!(w.wakes.try_recv().is_err());
        w.clock.lock().unwrap().wall += Duration::from_hours(1);
        time::sleep(TICK * 2).await;
        assert_eq!(w.wakes.try_recv().unwrap(), Wake::Resumed);
        assert!(w.wakes.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_lags_still_wakes() {
        let (sender, wakes) = broadcast::channel(2);
        let mut listener = WakeReceiver { wakes: Some(wakes) };
        (0..5).for_each(|_| drop(sender.send(Wake::Resumed)));
        assert_eq!(listener.next().await, Wake::Network);
        drop(sender);
        listener.next().await;
        listener.next().await;
        assert!(
            time::timeout(Duration::from_secs(1), listener.next()).await.is_err(),
            "nobody watches any more"
        );
    }

    #[tokio::test]
    async fn the_systems_own_watch_opens_without_rights() {
        let watch = WakeWatch::start();
        let mut events =
            open_or_log(if_watch::tokio::IfWatcher::new).expect("this system tells of network changes");
        // Loopback at least is there.
        events.next().await.unwrap().unwrap();
        watch.stop().await;
    }
}
