//! TLS: a key of its own with a pin, given files, or what an authority issues. ring throughout, never the process's
//! default provider.

mod given;
mod issued;
mod own;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, ResolvesServerCert},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use self::given::Given;
pub(crate) use self::issued::{Challenge, ISSUED_FILE, Issued, was_challenge};
use crate::{
    acme::Failure,
    config::{Config, Security},
};

/// SHA-256 of a key's SubjectPublicKeyInfo in DER (as RFC 7469 pins it): the same for every certificate of that key.
pub type Pin = [u8; 32];

/// What new connections are secured with. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    identity: ArcSwap<Identity>,
    /// Why the last order at an authority failed; none once one succeeds.
    failure: ArcSwapOption<Failure>,
    asked: Notify,
}

#[derive(Debug)]
struct Identity {
    config: Arc<ServerConfig>,
    /// What invite links carry.
    pin: Option<Pin>,
    life: Option<Life>,
    /// Of given files, as they were read.
    files: Option<Given>,
    issued: Option<Issued>,
}

impl Identity {
    fn of(config: Arc<ServerConfig>) -> Self {
        Self { config, pin: None, life: None, files: None, issued: None }
    }
}

/// A certificate that was read and not taken up yet; none where it comes from elsewhere than given files.
#[derive(Debug)]
pub struct Secured(Option<Arc<Identity>>);

/// From when to when a certificate counts, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Life {
    pub(crate) fn of(leaf: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
        let validity = parsed.validity();
        Some(Self { from: validity.not_before.timestamp(), to: validity.not_after.timestamp() })
    }
}

impl Tls {
    /// None if connections are plain. `data` is where keys live; `host` goes into the certificate of a key of one's own.
    pub fn open(config: &Config, data: &Path, host: &str) -> Result<Option<Self>, TlsError> {
        let identity = match config.security() {
            Security::Plain => return Ok(None),
            Security::SelfSigned => own::identity(&data.join(KEY_FILE), host)?,
            Security::Files => given::identity(config)?,
            Security::Acme => {
                // What was issued once is issued again.
                let issued = Issued::load(data).unwrap_or_else(|error| {
                    warn!("a new certificate will be asked for: {error}");
                    None
                });
                issued::identity(issued, None)?
            }
        };
        Ok(Some(Self(Arc::new(Shared {
            identity: ArcSwap::from_pointee(identity),
            failure: ArcSwapOption::empty(),
            asked: Notify::new(),
        }))))
    }

    /// Reads given files again, and leaves the old certificate in use until [`Tls::put`].
    pub fn read(&self, config: &Config) -> Result<Secured, TlsError> {
        let given = config.security() == Security::Files;
        let identity = given.then(|| given::identity(config)).transpose()?;
        Ok(Secured(identity.map(Arc::new)))
    }

    /// Takes up what was read, for connections from now on. Where an authority issues the certificate, a failed order is tried
    /// again at once.
    pub fn put(&self, secured: Secured) {
        match secured.0 {
            Some(identity) => self.0.identity.store(identity),
            None => self.0.asked.notify_one(),
        }
    }

    /// Reads given files again if they are others than those in use, which is told.
    pub fn reload_if_changed(&self, config: &Config) -> Result<bool, TlsError> {
        if config.security() != Security::Files
            || self.0.identity.load().files.as_ref() == Some(&Given::read(config)?.0)
        {
            return Ok(false);
        }
        self.put(self.read(config)?);
        Ok(true)
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.identity.load().config.clone())
    }

    /// What an invite link carries; none if the certificate is to be trusted in the usual way.
    pub fn pin(&self) -> Option<Pin> {
        self.0.identity.load().pin
    }

    /// Of the certificate in use; none where its dates do not count, or there is none yet.
    pub(crate) fn life(&self) -> Option<Life> {
        self.0.identity.load().life
    }

    pub(crate) fn issued(&self) -> Option<Issued> {
        self.0.identity.load().issued.clone()
    }

    /// Serves this certificate from now on.
    pub(crate) fn take_up(&self, issued: Issued) -> Result<(), TlsError> {
        self.0.identity.store(Arc::new(issued::identity(Some(issued), None)?));
        Ok(())
    }

    /// Answers an authority, or no longer; for everybody else nothing changes.
    pub(crate) fn answer(&self, challenge: Option<Challenge>) -> Result<(), TlsError> {
        self.0.identity.store(Arc::new(issued::identity(self.issued(), challenge)?));
        Ok(())
    }

    pub(crate) fn failure(&self) -> Option<Arc<Failure>> {
        self.0.failure.load_full()
    }

    pub(crate) fn set_failure(&self, failure: Option<Failure>) {
        self.0.failure.store(failure.map(Arc::new));
    }

    /// Waits until somebody wants an order that failed to be tried again.
    pub(crate) async fn asked(&self) {
        self.0.asked.notified().await;
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} holds no {wanted} in PEM", path.display())]
    Pem { path: PathBuf, wanted: &'static str },
    #[error(
        "the key {} is damaged ({source}); restore it from a backup, or remove it: a new one is made, and every device must join again by a new link", path.display()
    )]
    Damaged { path: PathBuf, source: rcgen::Error },
    #[error("no key or certificate could be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificates of a PEM file, that of the relay first.
pub(crate) fn chain(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| no_certificate(path))
}

fn no_certificate(path: &Path) -> TlsError {
    TlsError::Pem { path: path.to_owned(), wanted: "certificate" }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

/// Refused if they do not fit together.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, rustls::Error> {
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).map(Arc::new)
}

fn serving(key: Arc<CertifiedKey>) -> Result<Arc<ServerConfig>, rustls::Error> {
    server_config(Arc::new(SingleCertAndKey::from(key)), vec![b"http/1.1".to_vec()])
}

/// No session tickets and no session cache: a device reconnects rarely, a full handshake costs 0.1 ms, and a relay
/// with thousands of idle connections should hold nothing for those that are gone.
fn server_config(
    resolver: Arc<dyn ResolvesServerCert>,
    alpn: Vec<Vec<u8>>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = alpn;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Within the data folder: the key that the pin in invite links is of.
pub(crate) const KEY_FILE: &str = "tls/key.pem";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsMode;
    use rcgen::PublicKeyData;
    use sha2::{Digest, Sha256};

    fn public() -> Config {
        Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() }
    }

    #[test]
    fn the_pin_outlives_a_restart_and_a_new_host() {
        let folder = tempfile::tempdir().unwrap();
        let first = Tls::open(&public(), folder.path(), "192.168.1.5").unwrap().unwrap();
        let again = Tls::open(&public(), folder.path(), "chat.example").unwrap().unwrap();
        assert!(first.pin().is_some());
        assert_eq!(first.pin(), again.pin());
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Tls::open(&public(), folder.path(), "localhost").unwrap();
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tls")).unwrap();
        fs::write(folder.path().join(KEY_FILE), "nonsense").unwrap();
        assert!(matches!(Tls::open(&public(), folder.path(), "x"), Err(TlsError::Damaged { .. })));
        assert_eq!(fs::read(folder.path().join(KEY_FILE)).unwrap(), b"nonsense");
    }

    #[test]
    fn odd_hosts_do_not_stop_it() {
        let folder = tempfile::tempdir().unwrap();
        for host in ["", "bücher.example", "my_host", "[::1]", "0.0.0.0"] {
            assert!(Tls::open(&public(), folder.path(), host).unwrap().is_some(), "{host}");
        }
    }

    #[test]
    fn given_files_are_read_again_on_reload() {
        let folder = tempfile::tempdir().unwrap();
        let make = || {
            let made = rcgen::generate_simple_self_signed(["chat.example".to_owned()]).unwrap();
            fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
            fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
            Pin::from(Sha256::digest(made.signing_key.subject_public_key_info()))
        };
        let mut config = public();
        config.tls.mode = TlsMode::Files;
        config.tls.cert = folder.path().join("cert.pem");
        config.tls.key = folder.path().join("key.pem");
        config.tls.pin_invites = true;
        let old = make();
        let tls = Tls::open(&config, folder.path(), "chat.example").unwrap().unwrap();
        assert_eq!(tls.pin(), Some(old));
        let new = make();
        assert!(tls.reload_if_changed(&config).unwrap());
        assert_eq!(tls.pin(), Some(new));
        assert!(!tls.reload_if_changed(&config).unwrap(), "only if they are others");
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let key = fs::read(folder.path().join("key.pem")).unwrap();
        fs::write(folder.path().join("key.pem"), other).unwrap();
        assert!(matches!(tls.reload_if_changed(&config), Err(TlsError::Unusable(_))), "half of a renewal");
        assert_eq!(tls.pin(), Some(new));
        fs::write(folder.path().join("key.pem"), key).unwrap();
        fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
        assert!(matches!(tls.read(&config), Err(TlsError::Pem { wanted: "certificate", .. })));
        assert_eq!(tls.pin(), Some(new), "the old certificate stays");
        config.tls.pin_invites = false;
        make();
        tls.put(tls.read(&config).unwrap());
        assert_eq!(tls.pin(), None);
    }
}
