//! TLS: a key of its own with a pin, or given files. ring throughout, never the process's default provider.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::{NoServerSessionStorage, ParsedCertificate},
};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::{
    config::{Config, Security},
    platform,
};

/// SHA-256 of a key's SubjectPublicKeyInfo in DER (as RFC 7469 pins it): the same for every certificate of that key.
pub type Pin = [u8; 32];

/// What new connections are secured with. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ArcSwap<Identity>>);

#[derive(Debug)]
struct Identity {
    config: Arc<ServerConfig>,
    pin: Pin,
    pinned: bool,
    /// Of given files, as they were read; none for a key of its own.
    files: Option<Given>,
}

/// Certificate and key, as they stand in their files.
#[derive(Debug, PartialEq, Eq)]
struct Given {
    cert: Vec<u8>,
    key: [u8; 32],
}

impl Tls {
    /// None if connections are plain. `data` is where a key of one's own lives; `host` goes into its certificate.
    pub fn open(config: &Config, data: &Path, host: &str) -> Result<Option<Self>, TlsError> {
        let identity = match config.security() {
            Security::Plain => return Ok(None),
            Security::SelfSigned => self_signed(&data.join(KEY_FILE), host)?,
            Security::Files => given(config)?,
        };
        Ok(Some(Self(Arc::new(ArcSwap::from_pointee(identity)))))
    }

    /// Reads given files again, for connections from now on. On an error the old certificate stays.
    pub fn reload(&self, config: &Config) -> Result<(), TlsError> {
        if config.security() == Security::Files {
            self.0.store(Arc::new(given(config)?));
        }
        Ok(())
    }

    /// The same if they are others than those in use, which is told.
    pub fn reload_if_changed(&self, config: &Config) -> Result<bool, TlsError> {
        if config.security() != Security::Files
            || self.0.load().files.as_ref() == Some(&Given::read(config)?.0)
        {
            return Ok(false);
        }
        self.reload(config).map(|()| true)
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load().config.clone())
    }

    /// What an invite link carries; none if the certificate is to be trusted in the usual way.
    pub fn pin(&self) -> Option<Pin> {
        let identity = self.0.load();
        identity.pinned.then_some(identity.pin)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the key {} cannot be written: {source}", path.display())]
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

/// The key is what lasts; the certificate around it is made anew at each start, so it always names the current host.
fn self_signed(path: &Path, host: &str) -> Result<Identity, TlsError> {
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
    Ok(Identity { config: server_config(vec![certificate], key)?, pin, pinned: true, files: None })
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

fn given(config: &Config) -> Result<Identity, TlsError> {
    let (files, key) = Given::read(config)?;
    let chain = chain(&files.cert, &config.tls.cert)?;
    let leaf = chain.first().ok_or_else(|| no_certificate(&config.tls.cert))?;
    let pin = Sha256::digest(ParsedCertificate::try_from(leaf)?.subject_public_key_info()).into();
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| TlsError::Pem { path: config.tls.key.clone(), wanted: "private key" })?;
    let pinned = config.tls.pin_invites;
    Ok(Identity { config: server_config(chain, key)?, pin, pinned, files: Some(files) })
}

impl Given {
    /// And the key itself, which is not kept.
    fn read(config: &Config) -> Result<(Self, Vec<u8>), TlsError> {
        let key = read(&config.tls.key)?;
        Ok((Self { cert: read(&config.tls.cert)?, key: Sha256::digest(&key).into() }, key))
    }
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

/// No session tickets and no session cache: a device reconnects rarely, a full handshake costs 0.1 ms, and a relay
/// with thousands of idle connections should hold nothing for those that are gone.
fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
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
        assert!(matches!(tls.reload(&config), Err(TlsError::Pem { wanted: "certificate", .. })));
        assert_eq!(tls.pin(), Some(new), "the old certificate stays");
        config.tls.pin_invites = false;
        make();
        tls.reload(&config).unwrap();
        assert_eq!(tls.pin(), None);
    }
}
