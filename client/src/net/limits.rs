//! The bounds of the network side, each with its reason.

use std::time::Duration;

/// Largest message in either direction, in bytes: a full batch of entries fits several times, a hostile relay cannot fill memory.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What may wait to be written before [`Link::has_room`](super::Link::has_room) says no, in bytes. One message more may be on top.
pub const OUTGOING_BYTES_MAX: usize = 1024 * 1024;

/// What may be fed in all, in bytes, whether or not the caller asks for room first: beyond it, feeding is an error.
pub const OUTGOING_BYTES_REFUSED: usize = OUTGOING_BYTES_MAX + MESSAGE_BYTES_MAX;

/// What is read and kept while a flush waits, in bytes; then reading rests until someone takes it.
pub const INBOX_BYTES_MAX: usize = 1024 * 1024;

/// A read asks for this much: the library's 128 KiB would be most of a link's memory.
pub(crate) const READ_BUFFER_BYTES: usize = 8 * 1024;

/// Small frames are gathered up to this many bytes before a write.
pub(crate) const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// The library's write buffer: one largest message with its header on top of what was gathered.
pub(crate) const WRITE_BUFFER_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 64 * 1024;

/// The answer of a proxy to CONNECT: real ones are a few hundred bytes.
pub(crate) const PROXY_ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Headers in that answer.
pub(crate) const PROXY_ANSWER_HEADERS_MAX: usize = 64;

/// Addresses tried for one name: more than this is a broken or hostile resolver.
pub(crate) const ADDRESSES_TRIED_MAX: usize = 16;

/// The longest a relay may send us away: a wrong number must not silence a device for good.
pub(crate) const OBEYED_DELAY_MAX: Duration = Duration::from_hours(1);

/// Wakes that a listener may leave unread: they say the same thing, so a short queue is enough.
pub(crate) const WAKES_MAX: usize = 8;

/// Connections that wait for the in-memory listener.
pub(crate) const MEMORY_BACKLOG_MAX: usize = 64;

/// Bytes on their way in one direction of an in-memory connection: about a socket's buffer.
pub(crate) const MEMORY_PIPE_BYTES: usize = 64 * 1024;
