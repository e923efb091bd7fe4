//! Every bound of the protocol, with its reason. A relay may set lower ones in its configuration, never higher.

/// Bytes in an entry's body: a long text with room to spare; files travel as blobs.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Bytes in a register's body: a draft of a long text.
pub const REGISTER_BYTES_MAX: usize = 64 * 1024;

/// Bytes in a chain entry: 64 operations that add a device.
pub const CHAIN_ENTRY_BYTES_MAX: usize = 32 * 1024;

/// Bytes in one frame: the largest body, or a page of [`PAGE_BYTES`], with its envelope.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of entries in a page, beyond which the relay ends it: some hundreds of messages, a fraction of a second on a slow line.
pub const PAGE_BYTES: usize = 256 * 1024;

/// Entries in a page: bounds the work of one request.
pub const PAGE_ENTRIES_MAX: u32 = 1000;

/// Operations in one signed entry: the count is one byte.
pub const OPS_MAX: usize = 255;

/// Devices in a chain, revoked ones included: each costs every reader of the chain a signature check.
pub const DEVICES_MAX: usize = 128;

/// Bytes of a device's name.
pub const DEVICE_NAME_BYTES_MAX: usize = 64;

/// Bytes of a handle: fits a line beside a message.
pub const HANDLE_BYTES_MAX: usize = 32;

/// Bytes of a display name: four bytes each for 32 characters.
pub const DISPLAY_NAME_BYTES_MAX: usize = 128;

/// Bytes in a rendezvous slot: an offer or an answer with room for the keys that come.
pub const SLOT_BYTES_MAX: usize = 8 * 1024;

/// How long a rendezvous slot lives, in seconds: time to walk to the other computer.
pub const SLOT_LIFETIME_S: u64 = 600;

/// Entries that one connection may have sent and not yet seen acknowledged. Beyond it the relay stops reading from the
/// connection, which costs nobody anything.
pub const IN_FLIGHT_MAX: usize = 256;

/// Heads in one frame: about 100 bytes each.
pub const HEADS_PER_FRAME: usize = 512;

/// Accounts in one lookup or answer.
pub const LOOKUP_MAX: usize = 256;

/// Bytes of what an admin asks: a few names and a text.
pub const ADMIN_REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an announcement: a few sentences.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 2048;

/// Bytes of an answer to an admin, all parts together: a hundred thousand accounts with room to spare.
pub const ADMIN_RESPONSE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Items in one list of a client's frame: far more than a request may ask for, and few enough that a frame of tiny ones
/// costs the relay no multiple of its size.
pub const LIST_MAX: usize = 8192;
