//! Whom to trust: the relay's own key, or whatever this computer trusts.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use rustls_platform_verifier::BuilderVerifierExt;
use sha2::{Digest, Sha256};

/// How the relay proves that it is the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Its key has this pin ([`pin_of`]). The name and the dates in the certificate do not count: the invite that carried
    /// the pin said more than they can.
    Pin([u8; 32]),
    /// This computer's own store of authorities vouches for its name.
    Platform,
}

/// The pin of a certificate: SHA-256 of its SubjectPublicKeyInfo in DER, which stays when the certificate is renewed with
/// the same key. `None` if `der` is no X.509 certificate.
pub fn pin_of(der: &[u8]) -> Option<[u8; 32]> {
    let certificate = CertificateDer::from(der);
    ParsedCertificate::try_from(&certificate).ok().map(|parsed| pin(&parsed))
}

/// The TLS side of a dial, or of another request over HTTP/1.1 to whom one trusts so. Reads the platform's authorities
/// from disk where it keeps them there: not for async threads.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let mut config = match trust {
        Trust::Pin(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinVerifier { pin: *pin, provider }))
            .with_no_client_auth(),
        Trust::Platform => builder.with_platform_verifier()?.with_no_client_auth(),
    };
    // A front that also speaks HTTP/2 must not choose it: the upgrade to WebSocket is HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The pin that a failed handshake saw, if a wrong pin is why it failed.
pub(crate) fn wrong_pin(error: &rustls::Error) -> Option<[u8; 32]> {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error else {
        return None;
    };
    cause.downcast_ref::<WrongPin>().map(|wrong| wrong.seen)
}

/// Accepts one key, whatever the certificate around it says; the handshake's signature is checked as ever.
#[derive(Debug)]
struct PinVerifier {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = pin(&ParsedCertificate::try_from(end_entity)?);
        if seen == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let cause = OtherError(Arc::new(WrongPin { seen }));
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(cause)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[derive(Debug)]
struct WrongPin {
    seen: [u8; 32],
}

impl fmt::Display for WrongPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate's key is not the pinned one")
    }
}

impl std::error::Error for WrongPin {}

fn pin(certificate: &ParsedCertificate<'_>) -> [u8; 32] {
    Sha256::digest(certificate.subject_public_key_info()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_hash_of_the_public_key_alone() {
        let key = rcgen::KeyPair::generate().unwrap();
        let pins = ["one.example", "two.example"].map(|name| {
            let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            pin_of(params.self_signed(&key).unwrap().der()).unwrap()
        });
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert_eq!(pins, [<[u8; 32]>::from(Sha256::digest(spki)); 2]);
        assert_eq!(pin_of(b"no certificate"), None);
    }
}
