//! The account at an authority: a key, made at the first order.

use std::{fs, io, path::Path};

use instant_acme::{Account, AccountBuilder, AccountCredentials, NewAccount};
use serde::Deserialize;

use super::order::OrderError;
use crate::{platform, tls::TlsError};

/// Whether the account, and with it the certificate, is of this authority.
pub(super) fn is_of(data: &Path, directory: &str) -> bool {
    fs::read_to_string(data.join(ACCOUNT_FILE))
        .is_ok_and(|text| directory_of(&text).as_deref() == Some(directory))
}

/// The one in the data folder if it is of this authority, else a new one.
pub(super) async fn open(
    builder: AccountBuilder,
    data: &Path,
    directory: &str,
) -> Result<Account, OrderError> {
    let path = data.join(ACCOUNT_FILE);
    let kept = match fs::read_to_string(&path) {
        Ok(text) if directory_of(&text).as_deref() == Some(directory) => serde_json::from_str(&text).ok(),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(TlsError::Read { path, source }.into()),
    };
    let failed = |error| OrderError::at(directory, error);
    if let Some(credentials) = kept {
        let credentials: AccountCredentials = credentials;
        return builder.from_credentials(credentials).await.map_err(failed);
    }
    let new = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&new, directory.to_owned(), None).await.map_err(failed)?;
    let text = serde_json::to_string(&credentials).expect("credentials are texts");
    platform::create_private_dir(path.parent().unwrap_or(data))
        .and_then(|()| platform::write_private(&path, text.as_bytes()))
        .map_err(|source| TlsError::Write { path, source })?;
    Ok(account)
}

/// An authority that knows this account no longer gets a new one.
pub(super) fn forget(data: &Path) -> Result<(), OrderError> {
    let path = data.join(ACCOUNT_FILE);
    fs::remove_file(&path).map_err(|source| TlsError::Write { path, source }.into())
}

fn directory_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Of {
        directory: String,
    }
    serde_json::from_str(text).ok().map(|of: Of| of.directory)
}

/// Within the data folder.
pub(crate) const ACCOUNT_FILE: &str = "tls/acme-account.json";
