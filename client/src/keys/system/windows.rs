use keyring_core::{CredentialStore, Result};
use std::sync::Arc;

pub(super) fn connect() -> Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}
