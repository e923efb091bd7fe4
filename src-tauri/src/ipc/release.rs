use serde::Serialize;
use specta::Type;

/// What is known of newer versions of Kith.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Release {
    /// The system's package manager keeps Kith up to date.
    KeptBySystem,
    /// This build cannot bring itself up to date.
    Fixed,
    /// Nothing newer is known.
    Newest,
    /// Kith asks.
    Looking,
    /// There is one, and the person may have it.
    Offered {
        /// Its version.
        version: String,
        /// What is new, plain; may be empty.
        notes: String,
    },
    /// It is on its way, and takes the place of this one once it was checked.
    Arriving {
        /// Its version.
        version: String,
        /// Of a hundred.
        percent: u8,
    },
    /// It is in its place, and Kith starts anew.
    Arrived,
}
