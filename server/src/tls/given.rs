//! A certificate in files that somebody else keeps up to date.

use std::path::Path;

use rustls::{
    pki_types::{PrivateKeyDer, pem::PemObject},
    server::ParsedCertificate,
};
use sha2::{Digest, Sha256};

use super::{Identity, Life, Pin, TlsError, certified, chain, no_certificate, read, serving};
use crate::config::Config;

/// Certificate and key, as they stand in their files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    cert: Vec<u8>,
    key: [u8; 32],
}

impl Given {
    /// And the key itself, which is not kept.
    pub(super) fn read(config: &Config) -> Result<(Self, Vec<u8>), TlsError> {
        let key = read(&config.tls.key)?;
        Ok((Self { cert: read(&config.tls.cert)?, key: Sha256::digest(&key).into() }, key))
    }
}

pub(super) fn identity(config: &Config) -> Result<Identity, TlsError> {
    let (files, key) = Given::read(config)?;
    let chain = chain(&files.cert, &config.tls.cert)?;
    let leaf = chain.first().ok_or_else(|| no_certificate(&config.tls.cert))?;
    let pin: Pin = Sha256::digest(ParsedCertificate::try_from(leaf)?.subject_public_key_info()).into();
    let life = Life::of(leaf);
    let key = private_key(&key, &config.tls.key)?;
    Ok(Identity {
        pin: config.tls.pin_invites.then_some(pin),
        files: Some(files),
        life,
        ..Identity::of(serving(certified(chain, key)?)?)
    })
}

pub(super) fn private_key(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| TlsError::Pem { path: path.to_owned(), wanted: "private key" })
}
