//! What waits to be written to one connection.
//!
//! Two kinds of frames: answers, which the device has asked for and of which it can have only so many outstanding; and
//! pushes, which are hints. When the queue is full, pushes are dropped and the rooms remembered: once the queue is empty,
//! the device gets the heads of those rooms and reads the log. A slow device costs the relay this queue and nothing more.

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use kith_protocol::error::CloseCode;
use kith_protocol::ids::RoomId;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// Capacity that an empty queue keeps; what a burst needed beyond goes back.
const IDLE_CAPACITY: usize = 16;

/// The queue of one connection.
#[derive(Debug)]
pub struct Outbound {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    frames_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    lagging: BTreeSet<RoomId>,
    close: Option<CloseCode>,
}

/// What the writer of the connection does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Writes this frame.
    Frame(Bytes),
    /// Looks up where these rooms stand and writes that: their pushes were dropped.
    Heads(Vec<RoomId>),
    /// Ends the connection.
    Close(CloseCode),
}

impl Outbound {
    /// An empty queue that drops pushes beyond these bounds.
    pub fn new(frames_max: usize, bytes_max: usize) -> Self {
        Self { queue: Mutex::default(), waker: AtomicWaker::new(), frames_max, bytes_max }
    }

    /// Queues what the device has asked for.
    pub fn answer(&self, frame: Bytes) {
        self.lock().push(frame);
        self.waker.wake();
    }

    /// Queues a hint about a room, or drops it if the queue is full. Returns whether it was queued.
    pub fn push(&self, room: &RoomId, frame: &Bytes) -> bool {
        let mut queue = self.lock();
        if queue.close.is_some() {
            return false;
        }
        let full = queue.frames.len() >= self.frames_max || queue.bytes >= self.bytes_max;
        // Behind a dropped push of the same room another one would only be dropped by the device.
        let queued = !full && !queue.lagging.contains(room);
        if queued {
            queue.push(frame.clone());
        } else {
            queue.lagging.insert(*room);
        }
        drop(queue);
        self.waker.wake();
        queued
    }

    /// Queues something that nobody misses, unless the queue is full.
    pub fn mention(&self, frame: &Bytes) {
        let mut queue = self.lock();
        if queue.close.is_none() && queue.frames.len() < self.frames_max && queue.bytes < self.bytes_max {
            queue.push(frame.clone());
            drop(queue);
            self.waker.wake();
        }
    }

    /// Ends the connection once what is queued is written. No further hint is queued, and nothing more is read from it.
    pub fn close(&self, code: CloseCode) {
        self.lock().close.get_or_insert(code);
        self.waker.wake();
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Why the connection is about to end, if it is.
    pub fn closing(&self) -> Option<CloseCode> {
        self.lock().close
    }

    /// Whether the device may ask for more: the connection goes on, and less than `bytes_max` wait to be written.
    pub fn has_room(&self, bytes_max: usize) -> bool {
        let queue = self.lock();
        queue.close.is_none() && queue.bytes < bytes_max
    }

    /// The next thing to write. Only the connection's own task asks.
    pub fn poll_next(&self, cx: &Context<'_>) -> Poll<Next> {
        self.waker.register(cx.waker());
        self.next().map_or(Poll::Pending, Poll::Ready)
    }

    /// The same without waiting.
    pub fn next(&self) -> Option<Next> {
        let mut queue = self.lock();
        if let Some(frame) = queue.frames.pop_front() {
            queue.bytes -= frame.len();
            return Some(Next::Frame(frame));
        }
        if queue.frames.capacity() > IDLE_CAPACITY {
            queue.frames = VecDeque::new();
        }
        if !queue.lagging.is_empty() {
            return Some(Next::Heads(std::mem::take(&mut queue.lagging).into_iter().collect()));
        }
        queue.close.map(Next::Close)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([1; 16]);
    const OTHER: RoomId = RoomId([2; 16]);

    #[test]
    fn a_full_queue_drops_pushes_and_says_where_to_read() {
        let outbound = Outbound::new(2, 1000);
        let frame = Bytes::from_static(b"frame");
        assert!(outbound.push(&ROOM, &frame) && outbound.push(&OTHER, &frame));
        assert!(!outbound.push(&ROOM, &frame));
        outbound.answer(Bytes::from_static(b"answer"));

        assert_eq!(outbound.next(), Some(Next::Frame(frame.clone())));
        assert!(!outbound.push(&ROOM, &frame), "what is behind a gap is dropped too");
        assert_eq!(outbound.next(), Some(Next::Frame(frame.clone())));
        assert_eq!(outbound.next(), Some(Next::Frame(Bytes::from_static(b"answer"))));
        assert_eq!(outbound.next(), Some(Next::Heads(vec![ROOM])));
        assert_eq!(outbound.next(), None);
        assert!(outbound.push(&ROOM, &frame));
        assert_eq!(outbound.bytes(), 5);
    }

    #[test]
    fn what_is_queued_goes_out_before_the_end() {
        let outbound = Outbound::new(2, 1000);
        outbound.answer(Bytes::from_static(b"answer"));
        outbound.close(CloseCode::Revoked);
        outbound.close(CloseCode::Restarting);
        assert_eq!(outbound.next(), Some(Next::Frame(Bytes::from_static(b"answer"))));
        assert_eq!(outbound.next(), Some(Next::Close(CloseCode::Revoked)));
    }

    #[test]
    fn who_is_sent_away_hears_nothing_more_of_rooms() {
        let outbound = Outbound::new(2, 1000);
        assert!(outbound.has_room(1000));
        outbound.close(CloseCode::Revoked);
        assert!(!outbound.push(&ROOM, &Bytes::from_static(b"secret")));
        outbound.mention(&Bytes::from_static(b"who is there"));
        assert!(!outbound.has_room(1000));
        assert_eq!(outbound.next(), Some(Next::Close(CloseCode::Revoked)));
    }
}
