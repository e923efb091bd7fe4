//! Two who must not notice anything.

use super::device::Device;
use super::relay::Relay;
use kith_protocol::ids::Seq;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Two who talk while somebody else misbehaves.
pub struct Pair {
    stop: Arc<AtomicBool>,
    talk: tokio::task::JoinHandle<u64>,
}

impl Pair {
    /// They talk until they are told to stop, each message acknowledged, pushed and read; panics if one is not.
    pub async fn talking(relay: &Relay) -> Self {
        let mut alice = Device::join(relay, 201, "pair.alice").await;
        let mut bob = Device::join(relay, 202, "pair.bob").await;
        let room = alice.open_direct(&bob.account).await;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let talk = tokio::spawn(async move {
            let mut seq = 1;
            let mut last = false;
            // Once more after the end was called: they still can.
            while !last {
                last = stopped.load(Ordering::Relaxed);
                seq += 1;
                assert_eq!(alice.post(0, room, "still there?").await, Ok(Seq(seq)));
                while bob.pushed(room).await.0 != Seq(seq) {}
                tokio::task::yield_now().await;
            }
            seq - 1
        });
        Self { stop, talk }
    }

    /// How many messages they had for each other, unharmed.
    pub async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.talk.await.unwrap()
    }
}
