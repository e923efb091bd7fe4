use keyring_core::{CredentialStore, Result};
use std::sync::Arc;

pub(super) fn connect() -> Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}
