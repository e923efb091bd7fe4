//! A certificate that an authority issues to the relay, and the answers to the authority's challenges.

use std::{io, path::Path, sync::Arc};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    ServerConnection,
    client::verify_server_name,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{Identity, Life, TlsError, certified, chain, given::private_key, no_certificate, server_config};
use crate::platform;

/// Certificate and key, as they are kept in the data folder.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    key: Arc<CertifiedKey>,
    pub(crate) life: Life,
}

impl Issued {
    pub(crate) fn load(data: &Path) -> Result<Option<Self>, TlsError> {
        let path = data.join(ISSUED_FILE);
        match std::fs::read(&path) {
            Ok(pem) => Self::parse(&pem, &path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(TlsError::Read { path, source }),
        }
    }

    /// Keeps key and chain (both PEM) in one file, so that they always fit together; not if they cannot be used.
    pub(crate) fn keep(data: &Path, key: &str, chain: &str) -> Result<Self, TlsError> {
        let path = data.join(ISSUED_FILE);
        let pem = format!("{key}\n{chain}");
        let issued = Self::parse(pem.as_bytes(), &path)?;
        platform::create_private_dir(path.parent().unwrap_or(data))
            .and_then(|()| platform::write_private(&path, pem.as_bytes()))
            .map_err(|source| TlsError::Write { path, source })?;
        Ok(issued)
    }

    fn parse(pem: &[u8], path: &Path) -> Result<Self, TlsError> {
        let chain = chain(pem, path)?;
        let life = chain.first().and_then(|leaf| Life::of(leaf)).ok_or_else(|| no_certificate(path))?;
        Ok(Self { key: certified(chain, private_key(pem, path)?)?, life })
    }

    /// Whether a device that dials this host takes it.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        let Some(Ok(parsed)) = self.key.cert.first().map(ParsedCertificate::try_from) else { return false };
        ServerName::try_from(host).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    }
}

/// What proves to an authority that the relay answers for a name (RFC 8737).
#[derive(Clone, Debug)]
pub(crate) struct Challenge(Arc<CertifiedKey>);

impl Challenge {
    /// `digest` is the SHA-256 of the key authorization.
    pub(crate) fn new(host: &str, digest: &[u8]) -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&key)?.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = any_supported_type(&key)?;
        // Not looked at: what checks a pair takes no certificate with the extension of a challenge.
        Ok(Self(Arc::new(CertifiedKey::new(vec![certificate], key))))
    }
}

/// While there is no certificate, no handshake succeeds but that of an authority.
pub(super) fn identity(
    issued: Option<Issued>,
    challenge: Option<Challenge>,
) -> Result<Identity, rustls::Error> {
    let answers = Answers {
        certificate: issued.as_ref().map(|issued| issued.key.clone()),
        challenge: challenge.clone(),
    };
    let mut alpn = vec![b"http/1.1".to_vec()];
    alpn.extend(challenge.map(|_| ALPN.to_vec()));
    let config = server_config(Arc::new(answers), alpn)?;
    Ok(Identity { life: issued.as_ref().map(|issued| issued.life), issued, ..Identity::of(config) })
}

/// Whether this handshake was an authority's look at a challenge: nothing follows it.
pub(crate) fn was_challenge(connection: &ServerConnection) -> bool {
    connection.alpn_protocol() == Some(ALPN)
}

#[derive(Debug)]
struct Answers {
    certificate: Option<Arc<CertifiedKey>>,
    challenge: Option<Challenge>,
}

impl ResolvesServerCert for Answers {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let only_challenge = hello.alpn().is_some_and(|mut offered| offered.all(|name| name == ALPN));
        match &self.challenge {
            Some(Challenge(key)) if only_challenge => Some(key.clone()),
            _ => self.certificate.clone(),
        }
    }
}

/// Of TLS-ALPN-01.
const ALPN: &[u8] = b"acme-tls/1";
/// Within the data folder.
pub(crate) const ISSUED_FILE: &str = "tls/acme.pem";
