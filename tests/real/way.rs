//! The way to the relay: an address that stays the same while relays come and go behind it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Carries bytes both ways. Its tasks end with it.
pub(crate) struct Way {
    address: SocketAddr,
    to: Arc<watch::Sender<Option<SocketAddr>>>,
    deaf: Arc<watch::Sender<bool>>,
    cut_after: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Way {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (to, deaf) = (Arc::new(watch::Sender::new(None)), Arc::new(watch::Sender::new(false)));
        let cut_after = Arc::new(AtomicU64::new(u64::MAX));
        let (leads, hears, cut) = (Arc::clone(&to), Arc::clone(&deaf), Arc::clone(&cut_after));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, leads.subscribe(), hears.subscribe(), Arc::clone(&cut)));
            }
        });
        Self { address, to, deaf, cut_after, task }
    }

    /// The address for clients.
    pub(crate) fn address(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Leads to this relay from now on; what led to another ends.
    pub(crate) fn lead_to(&self, relay: Option<SocketAddr>) {
        self.to.send_replace(relay);
    }

    /// Whether what the relay says is held back: it hears, and nobody hears it.
    pub(crate) fn set_deaf(&self, deaf: bool) {
        self.deaf.send_replace(deaf);
    }

    /// How much the relay may say on one connection before that breaks.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.cut_after.store(bytes, Ordering::Relaxed);
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    client: TcpStream,
    mut to: watch::Receiver<Option<SocketAddr>>,
    mut deaf: watch::Receiver<bool>,
    cut_after: Arc<AtomicU64>,
) {
    let Some(relay) = *to.borrow_and_update() else { return };
    let Ok(relay) = TcpStream::connect(relay).await else { return };
    let _ = (client.set_nodelay(true), relay.set_nodelay(true));
    let ((mut from_client, mut to_client), (mut from_relay, mut to_relay)) =
        (client.into_split(), relay.into_split());
    let up = async { tokio::io::copy(&mut from_client, &mut to_relay).await };
    let down = async {
        let (mut bytes, mut said) = (vec![0; 16 * 1024], 0);
        loop {
            let read = from_relay.read(&mut bytes).await.unwrap_or(0);
            said += read as u64;
            // Ends when nobody can change it any more.
            if read == 0
                || said > cut_after.load(Ordering::Relaxed)
                || deaf.wait_for(|deaf| !deaf).await.is_err()
                || to_client.write_all(&bytes[..read]).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        _ = up => {}
        () = down => {}
        _ = to.changed() => {}
    }
}
