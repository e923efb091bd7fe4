//! One connection of the bare server.

use super::{Table, pass_on};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use futures_util::{Sink, Stream};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What others see of a connection: its queue.
#[derive(Debug, Default)]
pub(super) struct Conn {
    queue: Mutex<VecDeque<Bytes>>,
    waker: AtomicWaker,
}

impl Conn {
    pub(super) fn push(&self, message: Bytes) {
        let mut queue = self.lock();
        queue.push_back(message);
        self.wake(queue, 1);
    }

    pub(super) fn push_all(&self, messages: &[Bytes]) {
        let mut queue = self.lock();
        queue.extend(messages.iter().cloned());
        self.wake(queue, messages.len());
    }

    /// Whoever finds the queue empty wakes; the others know that it was done.
    fn wake(&self, queue: MutexGuard<'_, VecDeque<Bytes>>, pushed: usize) {
        let was_empty = queue.len() == pushed;
        drop(queue);
        if was_empty {
            self.waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a connection to its end.
pub(super) async fn run(socket: WebSocketStream<TcpStream>, table: Table) {
    let mut task = Task {
        socket,
        conn: Arc::default(),
        table,
        writing: VecDeque::new(),
        batch: Vec::new(),
        unflushed: false,
    };
    poll_fn(|cx| task.poll(cx)).await;
}

struct Task {
    socket: WebSocketStream<TcpStream>,
    conn: Arc<Conn>,
    table: Table,
    writing: VecDeque<Bytes>,
    batch: Vec<Bytes>,
    unflushed: bool,
}

impl Task {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.conn.waker.register(cx.waker());
        loop {
            let Ok(wrote) = self.poll_write(cx) else { return Poll::Ready(()) };
            let Ok(read) = self.poll_read(cx) else { return Poll::Ready(()) };
            if !wrote && !read {
                return Poll::Pending;
            }
        }
    }

    /// Whether there may be more to write.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, ()> {
        if self.writing.is_empty() {
            let mut queue = self.conn.lock();
            if queue.is_empty() {
                queue.shrink_to(IDLE_CAPACITY);
                self.writing.shrink_to(IDLE_CAPACITY);
            }
            mem::swap(&mut *queue, &mut self.writing);
        }
        let mut fed = 0;
        while fed < WRITE_CHUNK && !self.writing.is_empty() {
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(()),
                Poll::Pending => return Ok(false),
            }
            if let Some(message) = self.writing.pop_front() {
                fed += message.len();
                self.unflushed = true;
                Pin::new(&mut self.socket).start_send(Message::Binary(message)).map_err(drop)?;
            }
        }
        if self.unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(done) => done.map_err(drop)?,
                Poll::Pending => return Ok(false),
            }
            self.unflushed = false;
        }
        Ok(fed > 0)
    }

    /// Whether there may be more to read.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, ()> {
        while self.batch.len() < BATCH {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(Message::Binary(message)))) => self.batch.push(message),
                Poll::Ready(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Err(()),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Pending => break,
            }
        }
        if self.batch.is_empty() {
            self.batch = Vec::new();
            return Ok(false);
        }
        pass_on(&self.table, &self.conn, &mut self.batch);
        Ok(true)
    }
}

/// Bytes for one write.
const WRITE_CHUNK: usize = 32 * 1024;
/// Messages that are passed on together.
const BATCH: usize = 64;
/// What an empty queue keeps.
const IDLE_CAPACITY: usize = 16;
