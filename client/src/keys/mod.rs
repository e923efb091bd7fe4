//! The one secret of a profile on this device, and where it is kept.
//!
//! Everything that a device keeps is sealed under keys derived from a [`MasterKey`] of 32 random bytes. It is kept, in this
//! order: in the system's key store; else in a file sealed with a passphrase (`master.key`); in a plain file only if the
//! person chooses that. `master.json` in the home remembers which, so that a key store that cannot be reached is an error
//! that says so, and never a second key.
//!
//! All calls block: a key store may ask the person to unlock it, and a passphrase takes a tenth of a second to try. Never
//! call them from an async thread.

mod data;
mod kept;
mod master;
mod passphrase;
mod record;
mod sealed_file;
mod secret_store;
mod system;

pub use data::DataKey;
pub use kept::{Choice, Kept, KeyError, open_or_create};
pub use master::{MasterKey, Purpose};
pub use passphrase::{Ask, NoUnlock, Passphrase, Unlock};
pub use secret_store::{MemorySecrets, SecretError, SecretStore};
pub use system::SystemSecrets;
