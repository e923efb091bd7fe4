//! A key of the relay's own, whose pin stands in invite links.

use std::{fs, io, net::IpAddr, path::Path};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use super::{Identity, TlsError, certified, serving};
use crate::platform;

/// The key is what lasts; the certificate around it is made anew at each start, so it always names the current host.
pub(super) fn identity(path: &Path, host: &str) -> Result<Identity, TlsError> {
    let key = match fs::read_to_string(path) {
        Ok(pem) => {
            KeyPair::from_pem(&pem).map_err(|source| TlsError::Damaged { path: path.to_owned(), source })?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(path)?,
        Err(source) => return Err(TlsError::Read { path: path.to_owned(), source }),
    };
    let mut params = CertificateParams::new(subject_names(host))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Kith relay");
    let certificate = params.self_signed(&key)?.der().clone();
    let pin = Sha256::digest(key.subject_public_key_info()).into();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = serving(certified(vec![certificate], key)?)?;
    // No life: whoever pins the key does not look at dates.
    Ok(Identity { pin: Some(pin), ..Identity::of(config) })
}

fn make_key(path: &Path) -> Result<KeyPair, TlsError> {
    let key = KeyPair::generate()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    platform::create_private_dir(folder)
        .and_then(|()| platform::write_private(path, key.serialize_pem().as_bytes()))
        .map_err(|source| TlsError::Write { path: path.to_owned(), source })?;
    Ok(key)
}

fn subject_names(host: &str) -> Vec<String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut names = vec!["kith-relay".to_owned(), "localhost".to_owned()];
    // A host that a certificate cannot name (an underscore, an umlaut) is no reason not to start: the pin decides.
    let nameable =
        bare.is_ascii() && !bare.is_empty() && bare.parse::<IpAddr>().map_or(true, |ip| !ip.is_unspecified());
    if nameable && !names.iter().any(|name| name == bare) {
        names.push(bare.to_owned());
    }
    names
}
