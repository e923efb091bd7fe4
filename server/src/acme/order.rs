//! One order at an authority: account, challenge, certificate.

use std::{future::Future, path::Path, pin::Pin, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, HttpClient, Identifier,
    NewOrder, OrderStatus, Problem, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::account;
use crate::{
    config::TlsSection,
    https::{Https, HttpsError},
    tls::{Challenge, Issued, Tls, TlsError},
};

/// For which name, at whom, and where it is kept.
pub(super) struct Order<'a> {
    pub(super) name: &'a str,
    pub(super) tls: &'a TlsSection,
    pub(super) data: &'a Path,
    /// What answers the challenge.
    pub(super) serving: &'a Tls,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error(
        "{directory} cannot be reached: {why}; look at this machine's name server, firewall and clock, and at tls.acme_directory and tls.acme_ca"
    )]
    Unreachable { directory: String, why: String },
    #[error(
        "the authority could not see that {name} leads to this relay: {why}; let the name (DNS) and its port 443 (router, firewall) lead to where the relay listens"
    )]
    Refused { name: String, why: String },
    #[error("the authority has had too many orders: {why}")]
    TooMany { why: String },
    #[error("the authority says no: {why}")]
    No { why: String },
    #[error("the authority offers no TLS-ALPN-01 for {name}; choose another one in tls.acme_directory")]
    NoWay { name: String },
    #[error("the authority knows this relay's account no longer; a new one is made")]
    Forgotten,
    #[error("the authority did not come to an end in time")]
    Late,
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Order<'_> {
    pub(super) async fn run(&self) -> Result<Issued, OrderError> {
        match self.attempt().await {
            Err(OrderError::Forgotten) => {
                account::forget(self.data)?;
                self.attempt().await
            }
            result => result,
        }
    }

    async fn attempt(&self) -> Result<Issued, OrderError> {
        let account = account::open(self.client().await?, self.data, &self.tls.acme_directory).await?;
        let mut order = account
            .new_order(&NewOrder::new(&[Identifier::Dns(self.name.to_owned())]))
            .await
            .map_err(|error| self.failed(error))?;
        self.prove(&mut order).await?;
        let key = KeyPair::generate().map_err(TlsError::from)?;
        let mut wanted = CertificateParams::new(vec![self.name.to_owned()]).map_err(TlsError::from)?;
        wanted.distinguished_name = DistinguishedName::new();
        let request = wanted.serialize_request(&key).map_err(TlsError::from)?;
        order.finalize_csr(request.der()).await.map_err(|error| self.failed(error))?;
        let chain = order.poll_certificate(&POLLS).await.map_err(|error| self.failed(error))?;
        Ok(Issued::keep(self.data, &key.serialize_pem(), &chain)?)
    }

    /// Shows that the name is ours; an authority that saw it lately may not ask again.
    async fn prove(&self, order: &mut instant_acme::Order) -> Result<(), OrderError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(|error| self.failed(error))?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
                return Err(OrderError::NoWay { name: self.name.to_owned() });
            };
            let digest = challenge.key_authorization().digest();
            self.serving.answer(Some(Challenge::new(self.name, digest.as_ref())?))?;
            challenge.set_ready().await.map_err(|error| self.failed(error))?;
        }
        match order.poll_ready(&POLLS).await {
            Ok(OrderStatus::Invalid) | Err(instant_acme::Error::Api(_)) => Err(self.refused(order).await),
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Why an order has become invalid stands in its challenges.
    async fn refused(&self, order: &mut instant_acme::Order) -> OrderError {
        let mut why = order.state().error.as_ref().map(said);
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            if let Ok(seen) = authorization.refresh().await {
                let error = seen.challenges.iter().find_map(|challenge| challenge.error.as_ref());
                why = error.map(said).or(why);
            }
        }
        OrderError::Refused {
            name: self.name.to_owned(),
            why: why.unwrap_or_else(|| "it does not say why".to_owned()),
        }
    }

    async fn client(&self) -> Result<instant_acme::AccountBuilder, OrderError> {
        let ca = Some(self.tls.acme_ca.clone()).filter(|path| !path.as_os_str().is_empty());
        let https = tokio::task::spawn_blocking(move || Https::new(ca.as_deref()))
            .await
            .map_err(|_| OrderError::Late)?
            .map_err(|error| self.unreachable(&error))?;
        Ok(Account::builder_with_http(Box::new(Way(https))))
    }

    fn unreachable(&self, why: &dyn std::error::Error) -> OrderError {
        OrderError::Unreachable { directory: self.tls.acme_directory.clone(), why: why.to_string() }
    }

    fn failed(&self, error: instant_acme::Error) -> OrderError {
        OrderError::at(&self.tls.acme_directory, error)
    }
}

impl OrderError {
    pub(super) fn at(directory: &str, error: instant_acme::Error) -> Self {
        let instant_acme::Error::Api(problem) = error else {
            let why = match error {
                instant_acme::Error::Json(_) => "what answers there does not speak ACME".to_owned(),
                error => error.to_string(),
            };
            return Self::Unreachable { directory: directory.to_owned(), why };
        };
        match problem.r#type.as_deref().and_then(|name| name.strip_prefix("urn:ietf:params:acme:error:")) {
            Some("rateLimited") => Self::TooMany { why: said(&problem) },
            Some("accountDoesNotExist") => Self::Forgotten,
            _ => Self::No { why: said(&problem) },
        }
    }
}

/// In the authority's words, which may quote whoever it has asked: on one line, and not for ever.
fn said(problem: &Problem) -> String {
    let parts = problem.subproblems.iter().filter_map(|part| part.detail.as_deref());
    let text = problem.detail.as_deref().into_iter().chain(parts).collect::<Vec<_>>().join("; ");
    let text = if text.is_empty() { problem.r#type.clone().unwrap_or_default() } else { text };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_CHARS_MAX).collect()
}

/// How the library reaches an authority.
struct Way(Https);

impl HttpClient for Way {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let https = self.0.clone();
        Box::pin(async move {
            let failed = |error: HttpsError| instant_acme::Error::Other(Box::new(error));
            Ok(BytesResponse::from(https.send(request).await.map_err(failed)?.map(Full::new)))
        })
    }
}

const POLLS: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(Duration::from_mins(2));
const SAID_CHARS_MAX: usize = 400;
