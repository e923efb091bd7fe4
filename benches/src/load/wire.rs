//! A client's end of a WebSocket over TCP, by hand: what is sent is made ahead of time, what comes is only counted.

use super::counter::{Dialect, Tally};
use super::scanner::{Scanner, header};
use crate::Outcome;
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpSocket, TcpStream};

/// A connection that has left HTTP behind.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Arc<TcpStream>,
    unread: Vec<u8>,
    scanner: Scanner,
}

/// The sending half of a [`Wire`].
#[derive(Debug, Clone)]
pub(crate) struct Pen(Arc<TcpStream>);

/// The bytes of one binary frame from a client. The mask is zero, which masks nothing and costs the server the same.
pub(crate) fn client_frame(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    out.push(0x82);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ 0..126), _) => out.push(0x80 | len),
        (_, Ok(len)) => {
            out.push(0x80 | 0x7e);
            out.extend(len.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 0x7f);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
    out
}

/// Connects. Where the system has more than one address of its own, they take turns: each has only so many ports, and a
/// port rests for a minute after its connection.
pub(super) async fn tcp(to: SocketAddr) -> Outcome<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    if cfg!(target_os = "linux") {
        let number = CONNECTED.fetch_add(1, Ordering::Relaxed) / PORTS_PER_ADDRESS;
        let source = [127, 0, u8::try_from(number / 250 % 250)?, u8::try_from(number % 250)? + 1];
        socket.bind(SocketAddr::from((source, 0)))?;
    }
    Ok(socket.connect(to).await?)
}

static CONNECTED: AtomicUsize = AtomicUsize::new(0);

impl Wire {
    /// Connects and leaves HTTP behind.
    pub(crate) async fn connect(to: SocketAddr) -> Outcome<Self> {
        let stream = Arc::new(tcp(to).await?);
        let mut wire = Self { stream, unread: Vec::new(), scanner: Scanner::default() };
        wire.pen().write(REQUEST).await?;
        let end = loop {
            if let Some(end) = wire.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            wire.read_some().await?;
        };
        if !wire.unread.starts_with(b"HTTP/1.1 101 ") {
            return Err(format!("no WebSocket: {}", String::from_utf8_lossy(&wire.unread)).into());
        }
        wire.unread.drain(..end);
        Ok(wire)
    }

    /// Writes to the same connection.
    pub(crate) fn pen(&self) -> Pen {
        Pen(Arc::clone(&self.stream))
    }

    /// The next binary frame, whole.
    pub(crate) async fn hear(&mut self) -> Outcome<Vec<u8>> {
        loop {
            if let Some((header, payload)) = header(&self.unread)
                && self.unread.len() >= header + payload
            {
                let opcode = self.unread[0] & 0x0f;
                let frame = self.unread[header..header + payload].to_vec();
                self.unread.drain(..header + payload);
                match opcode {
                    2 => return Ok(frame),
                    8 => {
                        let code = frame.first_chunk().map(|code| u16::from_be_bytes(*code));
                        return Err(format!("closed with {code:?}").into());
                    }
                    _ => {}
                }
            } else {
                self.read_some().await?;
            }
        }
    }

    /// Counts what comes next.
    pub(crate) async fn count(&mut self, dialect: Dialect) -> io::Result<Tally> {
        let mut tally = Tally::default();
        self.scan(|prefix| tally += dialect.count(prefix)).await?;
        Ok(tally)
    }

    /// Shows the frames that come next, by their first bytes.
    pub(crate) async fn scan(&mut self, mut frame: impl FnMut(&[u8])) -> io::Result<()> {
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            self.scanner.feed(&unread, frame);
            return Ok(());
        }
        loop {
            self.stream.readable().await?;
            let read = BUFFER.with_borrow_mut(|buffer| {
                let read = self.stream.try_read(buffer);
                if let Ok(len) = read {
                    self.scanner.feed(&buffer[..len], &mut frame);
                }
                read
            });
            match read {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The socket, for one who waits in the way of old, and what it has brought already.
    pub(crate) fn into_blocking(self) -> Outcome<(std::net::TcpStream, Vec<u8>)> {
        let stream = Arc::into_inner(self.stream).ok_or("somebody else still writes to this connection")?;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok((stream, self.unread))
    }

    async fn read_some(&mut self) -> Outcome<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.unread) {
                Ok(0) => return Err("the server hung up".into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Pen {
    /// Writes bytes that were made by [`client_frame`].
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.0.try_write(bytes) {
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.0.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

thread_local! {
    /// One for each thread of the load, not for each connection: large reads cost no memory.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1024]);
}

/// The request that asks for a WebSocket.
const REQUEST: &[u8] =
    b"GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Below what systems give out by default (28,231 on Linux).
const PORTS_PER_ADDRESS: usize = 5_000;
