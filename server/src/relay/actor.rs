//! One task for each connection: it owns the socket, and nothing else does.

use super::conn::Conn;
use super::handshake::{Ended, identified};
use super::hub::{Hub, Wait};
use super::outbound::Next;
use super::reads::Read;
use super::session::{Session, Step};
use crate::clock::Instant;
use crate::listen::Peer;
use crate::rate::Bucket;
use crate::refusals::{self, Whom};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use kith_protocol::error::CloseCode;
use kith_protocol::frame::ClientFrame;
use kith_protocol::ids::AccountId;
use kith_protocol::limits;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Bytes that are taken from the queue for one write to the socket.
const WRITE_CHUNK: usize = 32 * 1024;
/// While more than this waits to be written, nothing new is read from the connection.
const UNWRITTEN_MAX: usize = 1024 * 1024;
/// The type of a frame that offers lost entries again.
const REPUBLISH: u8 = 14;
/// Bytes of such a frame that count as one message: each entry in it costs the relay a signature to check.
const REPUBLISH_BYTES: u32 = 512;

/// Runs one connection to its end.
///
/// The future of an idle connection holds no more than what waits for a frame: beginning and end have a box of their own
/// for as long as they last.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin + Send>(
    hub: Arc<Hub>,
    mut socket: Box<WebSocketStream<S>>,
    peer: &Peer,
) {
    let identified = Box::pin(identified(&hub, &mut socket, peer)).await;
    let code = match identified {
        Ok(conn) => {
            let _registered = Registered { hub: &hub, conn: &conn };
            hub.metrics.identified.inc();
            let mut actor = Actor::new(&hub, &mut socket, Arc::clone(&conn));
            let code = actor.run().await;
            hub.metrics.identified.dec();
            Box::pin(close(&hub, &mut socket, code)).await;
            return;
        }
        Err(code) => code,
    };
    if let Some(label) = code.and_then(refusals::of_connection) {
        hub.metrics.refused_to(Whom::Address(peer.address), label, hub.clock.unix_ms());
    }
    Box::pin(close(&hub, &mut socket, code)).await;
}

/// Takes the connection out of the registry however its task ends.
struct Registered<'a> {
    hub: &'a Hub,
    conn: &'a Arc<Conn>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.hub.registry.remove(self.conn);
    }
}

/// Says goodbye, if the other side still listens.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    hub: &Hub,
    socket: &mut WebSocketStream<S>,
    code: Option<CloseCode>,
) {
    let Some(code) = code else { return };
    let frame = CloseFrame { code: u16::from(code).into(), reason: "".into() };
    let wait = hub.live.load().limits.write_timeout().min(Duration::from_secs(5));
    // What fails here would have ended the connection anyway.
    let _ = timeout(wait, async {
        socket.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(_)) = socket.next().await {}
        Ok::<_, tokio_tungstenite::tungstenite::Error>(())
    })
    .await;
}

/// The socket of an identified device.
struct Actor<'a, S> {
    hub: &'a Hub,
    socket: &'a mut WebSocketStream<S>,
    session: Session,
    /// Written into the socket's buffer and not yet to the network; since when the network takes none of it.
    unflushed: bool,
    stuck_since: Option<Instant>,
    /// A frame that came too fast, and when it may count.
    held: Option<(Bytes, Instant)>,
    frames: Bucket,
    messages: Bucket,
    heard_at: Instant,
    pinged_at: Instant,
    jitter: f64,
}

enum Event {
    /// A queue is full: nothing more comes from the connection, or goes to it, until there is room.
    Wait(Wait),
    End(Ended),
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin + Send> Actor<'a, S> {
    fn new(hub: &'a Hub, socket: &'a mut WebSocketStream<S>, conn: Arc<Conn>) -> Self {
        let now = hub.clock.now();
        conn.hear(now);
        // Between 0.8 and 1.2: connections that came at once do not ping at once.
        let jitter =
            0.8 + 0.4 * (conn.id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / f64::from(1 << 24);
        Self {
            hub,
            socket,
            session: Session::new(conn),
            unflushed: false,
            stuck_since: None,
            held: None,
            frames: Bucket::default(),
            messages: Bucket::default(),
            heard_at: now,
            pinged_at: now,
            jitter,
        }
    }

    async fn run(&mut self) -> Ended {
        let mut sleep = pin!(tokio::time::sleep_until(self.deadline()));
        loop {
            match poll_fn(|cx| self.poll_event(cx, sleep.as_mut())).await {
                Event::Wait(wait) => wait.await,
                Event::End(end) => return end,
            }
        }
    }

    /// Writing comes first: a device that is told nothing sends again. Then reading, as fast as the rest can follow; then
    /// time, which is patient. All that an idle connection waits for is waited for here.
    fn poll_event(&mut self, cx: &mut Context<'_>, mut sleep: Pin<&mut Sleep>) -> Poll<Event> {
        loop {
            match self.poll_write(cx) {
                Poll::Ready(Some(event)) => return Poll::Ready(event),
                Poll::Ready(None) => continue,
                Poll::Pending => {}
            }
            if self.may_read() {
                match Pin::new(&mut *self.socket).poll_next(cx) {
                    Poll::Ready(Some(Ok(message))) => {
                        self.heard_at = self.hub.clock.now();
                        self.session.conn().hear(self.heard_at);
                        match message {
                            Message::Binary(bytes) => {
                                if let Some(event) = self.take(bytes) {
                                    return Poll::Ready(event);
                                }
                            }
                            // The library has queued a pong for a ping.
                            Message::Ping(_) => self.unflushed = true,
                            Message::Pong(_) | Message::Frame(_) => {}
                            Message::Text(_) => {
                                return Poll::Ready(Event::End(Some(CloseCode::ProtocolError)));
                            }
                            Message::Close(_) => return Poll::Ready(Event::End(None)),
                        }
                        continue;
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Event::End(code_of(&error))),
                    Poll::Ready(None) => return Poll::Ready(Event::End(None)),
                    Poll::Pending => {}
                }
            }
            let deadline = self.deadline();
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(event) = self.tick() {
                return Poll::Ready(event);
            }
        }
    }

    /// Moves frames from the queue into the socket and on to the network. Ready with `None` after progress.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut fed = 0;
        let mut event = None;
        while fed < WRITE_CHUNK {
            match Pin::new(&mut *self.socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Event::End(code_of(&error)))),
                Poll::Pending => {
                    self.unflushed = true;
                    break;
                }
            }
            match self.session.conn().outbound.poll_next(cx) {
                Poll::Ready(Next::Frame(frame)) => {
                    fed += frame.len();
                    self.unflushed = true;
                    if let Err(error) = Pin::new(&mut *self.socket).start_send(Message::Binary(frame)) {
                        return Poll::Ready(Some(Event::End(code_of(&error))));
                    }
                }
                Poll::Ready(Next::Heads(rooms)) => {
                    event = self.hub.read(self.session.conn(), Read::Lagging(rooms)).map(Event::Wait);
                    if event.is_some() {
                        break;
                    }
                }
                Poll::Ready(Next::Close(code)) => {
                    event = Some(Event::End(Some(code)));
                    break;
                }
                Poll::Pending => break,
            }
        }
        if self.unflushed {
            match Pin::new(&mut *self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => {
                    self.unflushed = false;
                    self.stuck_since = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Event::End(code_of(&error)))),
                Poll::Pending => {
                    if self.stuck_since.is_none() || fed > 0 {
                        self.stuck_since = Some(self.hub.clock.now());
                    }
                }
            }
        }
        match event {
            Some(event) => Poll::Ready(Some(event)),
            None if fed >= WRITE_CHUNK && !self.unflushed => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// Whether another frame may come: the writer, the readers and the network keep up with what came before.
    fn may_read(&self) -> bool {
        let conn = self.session.conn();
        self.held.is_none()
            && (conn.in_flight() as usize) < limits::IN_FLIGHT_MAX
            && conn.reads() < self.hub.live.load().limits.fetches_in_flight
            && conn.outbound.has_room(UNWRITTEN_MAX)
    }

    fn take(&mut self, bytes: Bytes) -> Option<Event> {
        self.hub.metrics.frames.inc();
        let now = self.hub.clock.now();
        if let Err(wait) = self.charge(now, &bytes) {
            self.held = Some((bytes, now + wait));
            return None;
        }
        let step =
            self.session.handle_frame(self.hub.clock.unix_ms(), &bytes, &self.hub.registry, &self.hub.slots);
        match step {
            Step::Done => None,
            Step::Write(write) => self.hub.write(self.session.conn(), *write).map(Event::Wait),
            Step::Read(read) => self.hub.read(self.session.conn(), read).map(Event::Wait),
            Step::Administer(ask) => {
                self.hub.administer(self.session.conn(), ask);
                None
            }
            Step::TestPush(of) => {
                self.hub.push_letters.test(self.session.conn(), of);
                None
            }
            Step::Close(code) => Some(Event::End(Some(code))),
        }
    }

    /// Pays for a frame, or says how long to wait until it can be paid for. A wait costs the others nothing.
    fn charge(&mut self, now: Instant, frame: &[u8]) -> Result<(), Duration> {
        let config = self.hub.live.load();
        // All or nothing: what has to wait for one allowance is not charged to the others each time it is tried again.
        let (mut frames, mut messages) = (self.frames, self.messages);
        frames.take(now, config.limits.frames(), 1)?;
        if ClientFrame::is_costly(frame) {
            let count = messages_in(frame);
            messages.take(now, config.limits.messages(), count)?;
            let account: AccountId = self.session.conn().identity.account;
            let mut rates = self.hub.account_rates.lock().unwrap_or_else(PoisonError::into_inner);
            rates.take(account, now, config.limits.account_messages(), count)?;
        }
        (self.frames, self.messages) = (frames, messages);
        Ok(())
    }

    fn deadline(&self) -> Instant {
        let config = self.hub.live.load();
        let ping = self.heard_at.max(self.pinged_at) + config.limits.ping_interval().mul_f64(self.jitter);
        let idle = self.heard_at + config.limits.idle_timeout();
        let stuck = self.stuck_since.map(|since| since + config.limits.write_timeout());
        let held = self.held.as_ref().map(|(_, at)| *at);
        [Some(ping), Some(idle), stuck, held].into_iter().flatten().min().expect("two of them always are")
    }

    /// What is due: an end, a ping, a frame that was held back.
    fn tick(&mut self) -> Option<Event> {
        let now = self.hub.clock.now();
        let config = self.hub.live.load();
        if self.stuck_since.is_some_and(|since| now >= since + config.limits.write_timeout()) {
            return Some(Event::End(Some(CloseCode::TooSlow)));
        }
        if now >= self.heard_at + config.limits.idle_timeout() {
            // While frames are held back, nothing can be heard: that is the relay's doing.
            if self.held.is_none() && self.may_read() {
                return Some(Event::End(Some(CloseCode::TimedOut)));
            }
            self.heard_at = now;
        }
        let ping = self.heard_at.max(self.pinged_at) + config.limits.ping_interval().mul_f64(self.jitter);
        if now >= ping {
            self.pinged_at = now;
            if Pin::new(&mut *self.socket).start_send(Message::Ping(Bytes::new())).is_ok() {
                self.unflushed = true;
            }
        }
        let (bytes, _) = self.held.take_if(|(_, at)| *at <= now)?;
        self.take(bytes)
    }
}

fn messages_in(frame: &[u8]) -> u32 {
    match frame.first() {
        Some(&REPUBLISH) => 1 + u32::try_from(frame.len()).unwrap_or(u32::MAX) / REPUBLISH_BYTES,
        _ => 1,
    }
}

/// With which code a socket ends that has failed.
pub(super) fn code_of(error: &tokio_tungstenite::tungstenite::Error) -> Ended {
    use tokio_tungstenite::tungstenite::Error;
    match error {
        Error::Capacity(_) => Some(CloseCode::TooLarge),
        Error::Protocol(_) | Error::Utf8(_) => Some(CloseCode::ProtocolError),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Live};
    use crate::metrics::Metrics;
    use crate::store::memory::MemoryEngine;
    use kith_protocol::ids::Incarnation;
    use tokio_tungstenite::tungstenite::protocol::Role;

    /// Thousands of connections wait in this future: what it holds, each of them holds.
    #[tokio::test]
    async fn a_connection_that_waits_is_small() {
        let engine = Box::new(MemoryEngine::new(Incarnation([7; 16])));
        let (live, metrics) = (Live::new(Config::default()), Arc::new(Metrics::new()));
        let (hub, threads) = Hub::start(engine, live, metrics, crate::clock::Clock::system()).unwrap();
        let (_client, server) = tokio::io::duplex(64);
        let socket = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
        let peer = Peer::unplaced([127, 0, 0, 1].into());
        let serving = Arc::clone(&hub).serve(socket, peer);
        let bytes = std::mem::size_of_val(&serving);
        assert!(bytes <= 600, "{bytes} bytes");
        drop((serving, hub));
        threads.join();
    }
}
