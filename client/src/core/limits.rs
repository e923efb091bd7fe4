//! The bounds of the engine, each with its reason.

/// Entries in the first screen of a room.
pub(crate) const SCREEN: u32 = 50;

/// A gap of at most this many entries is fetched from its beginning, so that nothing has to be stitched; a larger one
/// begins with the newest [`SCREEN`].
pub(crate) const GAP_SMALL: u64 = 300;

/// Entries asked for at once behind the first screen: what the protocol takes. The relay ends a page earlier by its bytes.
pub(crate) const PAGE: u32 = kith_protocol::limits::PAGE_ENTRIES_MAX;

/// Requests of the catch-up under way at once: hides the way there and back, and holds memory to some pages of
/// [`kith_protocol::limits::PAGE_BYTES`].
pub(crate) const FETCHES_MAX: usize = 8;

/// Messages sent and not yet acknowledged. Fills a fast link; a rejection throws no more than these back.
pub(crate) const WINDOW: usize = 32;

/// Messages in the outbox: a person does not write more without a connection; a script gets an error.
pub(crate) const OUTBOX_MAX: usize = 10_000;

/// Registers sent and not yet answered.
pub(crate) const REGISTERS_IN_FLIGHT_MAX: usize = 32;

/// How long the next value of a register waits after the one before, in milliseconds: a draft changes with every key.
pub(crate) const REGISTER_SPACE_MS: u64 = 700;

/// How often a device says that it is here, in milliseconds: what a person asks is which hour, or which month.
pub(crate) const LAST_SEEN_MS: u64 = 3_600_000;

/// A page with more new messages than this is told as "ask again".
pub(crate) const TOLD_MAX: usize = 100;

/// Rooms of which a timeline is kept in memory, so that changes can be told as steps.
pub(crate) const LIVE_ROOMS_MAX: usize = 16;

/// Lines that such a timeline holds before it starts anew.
pub(crate) const LIVE_LINES_MAX: usize = 2_000;

/// How often a change of members is tried again after somebody else's came first.
pub(crate) const CONTROL_TRIES_MAX: u32 = 8;

/// Acknowledgements kept for who asks late.
pub(crate) const ACKED_MAX: usize = 4_096;

/// Entries behind which the sender of a page stops looking for a message by its name.
pub(crate) const SEARCH_MAX: usize = 20_000;

/// How long after a passing refusal that names no time, in milliseconds.
pub(crate) const RETRY_MS: u64 = 2_000;

/// How often a rendezvous slot is looked into, in milliseconds.
pub(crate) const SLOT_POLL_MS: u64 = 700;

/// Clocks further apart than this are told of, in milliseconds.
pub(crate) const CLOCK_MS_MAX: u64 = 120_000;

/// How long removals from the outbox may wait for company, in milliseconds: each time costs two fsyncs, and a removal that
/// is lost costs one retry.
pub(crate) const TIDY_MS: u64 = 1_000;

/// How long after the disk could not be brought up to date, in milliseconds; what it has not got stays where it is.
pub(crate) const SYNC_RETRY_MS: u64 = 60_000;

/// Signatures from which on a page is checked on two threads.
pub(crate) const PARALLEL_MIN: usize = 32;

/// Events that wait for whoever drives the engine; beyond it the oldest are dropped and the reader is told to ask again.
pub(crate) const EVENTS_MAX: usize = 4_096;
