use serde::Serialize;
use specta::Type;

/// What a profile takes on this disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Bytes of messages and all that the relay has as well.
    #[specta(type = u32)]
    pub store_bytes: u64,
    /// Bytes of what only this device has: its keys, unsent messages, drafts.
    #[specta(type = u32)]
    pub vault_bytes: u64,
    /// Entries of all rooms on this device.
    #[specta(type = u32)]
    pub entries: u64,
    /// Where they are.
    pub path: String,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Where it is.
    pub path: String,
    /// How many messages are in it.
    pub messages: u32,
}
