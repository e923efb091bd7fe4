//! What the owner of a link asks for one: the real way, or a way without sockets.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    sync::{mpsc, watch},
};

use super::{
    Dial, DialError, Link, Timeouts, dial,
    limits::{MEMORY_BACKLOG_MAX, MEMORY_PIPE_BYTES},
};

/// Opens links to one relay.
pub trait Connect: Send + Sync {
    /// Opens a link. Dropping the future gives up.
    fn connect(&self) -> BoxFuture<'_, Result<Link, DialError>>;
}

impl Connect for Dial {
    fn connect(&self) -> BoxFuture<'_, Result<Link, DialError>> {
        dial(self).boxed()
    }
}

/// A relay's door without a network, for tests and simulations in virtual time: real WebSocket frames over a pipe, without TLS
/// and without an upgrade. The listener's end is a plain stream on which the relay is already past the upgrade.
pub fn memory(timeouts: Timeouts) -> (MemoryDialer, MemoryListener) {
    let (arrivals, accepted) = mpsc::channel(MEMORY_BACKLOG_MAX);
    let (cut, cuts) = watch::channel(());
    let online = Arc::new(AtomicBool::new(true));
    (
        MemoryDialer { arrivals, cuts, online: online.clone(), timeouts },
        MemoryListener { accepted, cut, online },
    )
}

/// The client's side of [`memory`].
#[derive(Clone, Debug)]
pub struct MemoryDialer {
    arrivals: mpsc::Sender<DuplexStream>,
    cuts: watch::Receiver<()>,
    online: Arc<AtomicBool>,
    timeouts: Timeouts,
}

impl Connect for MemoryDialer {
    fn connect(&self) -> BoxFuture<'_, Result<Link, DialError>> {
        async {
            if !self.online.load(Ordering::Relaxed) {
                return Err(unreachable(io::ErrorKind::NetworkUnreachable));
            }
            let (near, far) = duplex(MEMORY_PIPE_BYTES);
            let near = Cuttable::new(near, self.cuts.clone());
            self.arrivals.send(far).await.map_err(|_| unreachable(io::ErrorKind::ConnectionRefused))?;
            Ok(Link::over(near, &self.timeouts).await)
        }
        .boxed()
    }
}

/// The relay's side of [`memory`], and the switch of the network between them.
#[derive(Debug)]
pub struct MemoryListener {
    accepted: mpsc::Receiver<DuplexStream>,
    cut: watch::Sender<()>,
    online: Arc<AtomicBool>,
}

impl MemoryListener {
    /// The next connection; `None` when all dialers are gone.
    pub async fn accept(&mut self) -> Option<DuplexStream> {
        self.accepted.recv().await
    }

    /// Takes the network away or gives it back. Going offline breaks all links; what was on its way is lost, as on a real cut.
    pub fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
        if !online {
            self.cut();
        }
    }

    /// Breaks all links, and leaves the network as it is.
    pub fn cut(&self) {
        self.cut.send_replace(());
    }
}

fn unreachable(kind: io::ErrorKind) -> DialError {
    DialError::Unreachable { host: "memory".to_owned(), source: kind.into() }
}

/// A pipe that can be cut from afar.
struct Cuttable {
    pipe: DuplexStream,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_cut: bool,
}

impl Cuttable {
    fn new(pipe: DuplexStream, mut cuts: watch::Receiver<()>) -> Self {
        cuts.mark_unchanged();
        // A listener that is gone cuts nothing more: the pipe's own end tells.
        let cut = async move {
            if cuts.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        Self { pipe, cut: Box::pin(cut), is_cut: false }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.is_cut = self.is_cut || self.cut.as_mut().poll(cx).is_ready();
        if self.is_cut { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}
