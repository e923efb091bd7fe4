//! A live connection that carries binary messages both ways.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    Retry, Timeouts,
    error::UNLIKELY_TO_PASS,
    limits::{
        INBOX_BYTES_MAX, MESSAGE_BYTES_MAX, OUTGOING_BYTES_MAX, OUTGOING_BYTES_REFUSED, READ_BUFFER_BYTES,
        WRITE_BUFFER_BYTES, WRITE_BUFFER_BYTES_MAX,
    },
};

/// One connection to a relay. One task owns it: [`next`](Self::next) also writes what was fed, and [`flush`](Self::flush) also
/// reads, so neither direction ever waits for the other.
///
/// ```text
/// select! {
///     incoming = link.next() => ...,                                   // cancel-safe
///     Some(frame) = outbox.recv(), if link.has_room() => link.feed(frame)?,
/// }
/// ```
///
/// Pings of the relay are answered while `next` or `flush` runs. A write of which no byte is accepted for the time limit, a text
/// message and an oversized message end the link with an error; after an error or [`Incoming::Closed`], `next` yields `None`.
pub struct Link {
    socket: WebSocketStream<Metered>,
    outgoing: VecDeque<Message>,
    outgoing_bytes: usize,
    inbox: VecDeque<Incoming>,
    inbox_bytes: usize,
    unflushed: bool,
    stalled: Option<Stalled>,
    write_limit: Duration,
    close_limit: Duration,
    ended: bool,
}

/// What arrives on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A message.
    Binary(Bytes),
    /// The relay closed the link.
    Closed {
        /// Its close code (RFC 6455, 7.4); 1005 if it gave none.
        code: u16,
        /// Its reason, at most 123 bytes.
        reason: String,
    },
}

/// Bytes that went over a link since it opened, inside of TLS. That they grow is how a silent link is told from a dead one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the relay, pings included.
    pub received: u64,
    /// To the relay.
    pub sent: u64,
}

impl Link {
    /// A link over a stream that has already been upgraded, or needs no upgrade; we are the client.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        timeouts: &Timeouts,
    ) -> Self {
        let stream = Metered::new(Box::new(stream));
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(websocket_config())).await;
        Self::new(socket, timeouts)
    }

    pub(crate) fn new(socket: WebSocketStream<Metered>, timeouts: &Timeouts) -> Self {
        Self {
            socket,
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            unflushed: false,
            stalled: None,
            write_limit: timeouts.write,
            close_limit: timeouts.close,
            ended: false,
        }
    }

    /// Whether it is time to feed more. Feeding without room works too, up to a hard limit.
    pub fn has_room(&self) -> bool {
        !self.ended && self.outgoing_bytes < OUTGOING_BYTES_MAX
    }

    /// Queues a message; `next` and `flush` write it.
    pub fn feed(&mut self, message: Bytes) -> Result<(), LinkError> {
        if self.ended {
            return Err(LinkError::Ended);
        }
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(LinkError::TooBig);
        }
        if self.outgoing_bytes + message.len() > OUTGOING_BYTES_REFUSED {
            return Err(LinkError::Full);
        }
        self.outgoing_bytes += message.len();
        self.outgoing.push_back(Message::Binary(message));
        Ok(())
    }

    /// Queues a ping, to find out sooner whether the link still lives: the pong shows in [`traffic`](Self::traffic).
    pub fn ping(&mut self) -> Result<(), LinkError> {
        if self.ended {
            return Err(LinkError::Ended);
        }
        if !matches!(self.outgoing.back(), Some(Message::Ping(_))) {
            self.outgoing.push_back(Message::Ping(Bytes::new()));
        }
        Ok(())
    }

    /// Feeds a message and flushes.
    pub async fn send(&mut self, message: Bytes) -> Result<(), LinkError> {
        self.feed(message)?;
        self.flush().await
    }

    /// Waits until all that was fed is with the system. What arrives meanwhile is kept for `next`. Cancel-safe.
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Waits for what arrives next, writing what was fed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Incoming, LinkError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Says goodbye and waits a moment for the relay to say it too. What was fed before is still sent, if there is time.
    pub async fn close(&mut self, code: u16, reason: &str) {
        if self.ended {
            return;
        }
        let mut cut = reason.len().min(CLOSE_REASON_BYTES_MAX);
        while !reason.is_char_boundary(cut) {
            cut -= 1;
        }
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason[..cut].into() };
        self.outgoing.push_back(Message::Close(Some(frame)));
        let limit = self.close_limit;
        let goodbye = async {
            self.flush().await?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<_, LinkError>(())
        };
        // Whether the relay heard it makes no difference to us.
        let _ = timeout(limit, goodbye).await;
        self.ended = true;
    }

    /// What went over it so far.
    pub fn traffic(&self) -> Traffic {
        self.socket.get_ref().traffic
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Incoming, LinkError>>> {
        if let Some(incoming) = self.inbox.pop_front() {
            self.inbox_bytes -= incoming.len();
            return Poll::Ready(Some(Ok(incoming)));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let written = self.poll_write(cx);
        if let Poll::Ready(Err(stalled @ LinkError::Stalled { .. })) = written {
            self.ended = true;
            return Poll::Ready(Some(Err(stalled)));
        }
        // Reading comes before a failed write: the relay's close frame says why it failed.
        match (self.poll_read(cx), written) {
            (Poll::Pending, Poll::Ready(Err(error))) => {
                self.ended = true;
                Poll::Ready(Some(Err(error)))
            }
            (read, _) => read,
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        if self.ended {
            return Poll::Ready(Err(LinkError::Ended));
        }
        if let Poll::Ready(written) = self.poll_write(cx) {
            return Poll::Ready(written);
        }
        // Two peers that only write would wait for each other for ever once both pipes are full.
        while self.inbox_bytes < INBOX_BYTES_MAX {
            match self.poll_read(cx) {
                Poll::Ready(Some(Ok(incoming))) => {
                    self.inbox_bytes += incoming.len();
                    self.inbox.push_back(incoming);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Err(LinkError::Ended)),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// Ready when everything is written, or nothing can be.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        if let Poll::Ready(drained) = self.poll_drain(cx) {
            self.stalled = None;
            return Poll::Ready(drained);
        }
        let sent = self.traffic().sent;
        let limit = self.write_limit;
        let stalled = self.stalled.get_or_insert_with(|| Stalled { sent, until: Box::pin(sleep(limit)) });
        if stalled.sent != sent {
            stalled.sent = sent;
            stalled.until.as_mut().reset(Instant::now() + limit);
        }
        ready!(stalled.until.as_mut().poll(cx));
        Poll::Ready(Err(LinkError::Stalled { after: limit }))
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        while !self.outgoing.is_empty() {
            ready!(self.socket.poll_ready_unpin(cx)).map_err(link_error)?;
            let Some(message) = self.outgoing.pop_front() else { break };
            self.outgoing_bytes -= if message.is_binary() { message.len() } else { 0 };
            self.unflushed = true;
            self.socket.start_send_unpin(message).map_err(link_error)?;
        }
        if self.unflushed {
            ready!(self.socket.poll_flush_unpin(cx)).map_err(link_error)?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Incoming, LinkError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let read = loop {
            match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Binary(message))) => {
                    return Poll::Ready(Some(Ok(Incoming::Binary(message))));
                }
                // The library answers at its next read; that the answer gets out is watched like any other write.
                Some(Ok(Message::Ping(_))) => self.unflushed = true,
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(frame))) => break Some(Ok(closed(frame))),
                Some(Ok(Message::Text(_))) => break Some(Err(LinkError::Text)),
                Some(Err(error)) => break Some(Err(link_error(error))),
                None => break None,
            }
        };
        self.ended = true;
        if let Some(Err(LinkError::Text | LinkError::TooBig)) = read {
            let code = if matches!(read, Some(Err(LinkError::Text))) {
                CloseCode::Unsupported
            } else {
                CloseCode::Size
            };
            let _ =
                self.socket.start_send_unpin(Message::Close(Some(CloseFrame { code, reason: "".into() })));
        }
        // One try to get the answer out; the link is over either way.
        let _ = self.socket.poll_flush_unpin(cx);
        Poll::Ready(read)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("traffic", &self.traffic())
            .field("outgoing", &self.outgoing.len())
            .field("inbox", &self.inbox.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Incoming {
    fn len(&self) -> usize {
        match self {
            Self::Binary(message) => message.len(),
            Self::Closed { reason, .. } => reason.len(),
        }
    }
}

/// Why a link ended, or would not take a message.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The connection broke.
    #[error("the connection to the relay broke: {0}")]
    Lost(io::Error),
    /// Nothing could be written for the time limit.
    #[error("the relay accepts no data since {after:?}")]
    Stalled {
        /// The limit.
        after: Duration,
    },
    /// A text message: the protocol is binary.
    #[error("the relay sent text where only binary messages belong")]
    Text,
    /// A message over [`MESSAGE_BYTES_MAX`], in either direction.
    #[error("a message is larger than a link carries")]
    TooBig,
    /// The bytes are not WebSocket.
    #[error("what the relay sent is not WebSocket: {0}")]
    Garbage(String),
    /// More was fed than the hard limit holds.
    #[error("too much is waiting to be sent")]
    Full,
    /// The link is over.
    #[error("the link has ended")]
    Ended,
}

impl LinkError {
    /// Whether and when to dial again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Lost(_) | Self::Stalled { .. } | Self::Full | Self::Ended => Retry::Now,
            Self::Text | Self::TooBig | Self::Garbage(_) => Retry::After(UNLIKELY_TO_PASS),
        }
    }
}

/// The bounds that the library leaves wide open.
pub(crate) fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
}

/// What a link runs over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Counts what passes.
pub(crate) struct Metered {
    stream: Box<dyn Io>,
    traffic: Traffic,
}

impl Metered {
    pub(crate) fn new(stream: Box<dyn Io>) -> Self {
        Self { stream, traffic: Traffic::default() }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.traffic.received += (buf.filled().len() - before) as u64;
        read
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.traffic.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A write that waits, how far it had come, and until when it may.
struct Stalled {
    sent: u64,
    until: Pin<Box<Sleep>>,
}

fn closed(frame: Option<CloseFrame>) -> Incoming {
    match frame {
        Some(frame) => Incoming::Closed { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
        None => Incoming::Closed { code: CloseCode::Status.into(), reason: String::new() },
    }
}

fn link_error(error: tungstenite::Error) -> LinkError {
    match error {
        tungstenite::Error::Io(source) => LinkError::Lost(source),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            LinkError::Lost(io::ErrorKind::UnexpectedEof.into())
        }
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(ProtocolError::SendAfterClosing) => LinkError::Ended,
        tungstenite::Error::Capacity(_) => LinkError::TooBig,
        tungstenite::Error::WriteBufferFull(_) => LinkError::Full,
        other => LinkError::Garbage(other.to_string()),
    }
}

/// What a close frame has room for beside its code.
const CLOSE_REASON_BYTES_MAX: usize = 123;
