use keyring_core::{CredentialStore, Result};
use std::sync::Arc;

pub(super) fn connect() -> Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}
