//! HTTP on the relay's port: one request a connection, within one deadline.
//!
//! `/v1/ws` becomes a WebSocket and leaves HTTP behind; `/v1/hooks/` is for programs, `/v1/updates/` for apps, `/health` for
//! monitors, `/i/<token>` for people.

mod body;
pub(crate) mod forwarded;
mod hooks;
mod metrics_door;
mod page;
mod updates;
mod upgrade;

use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use self::body::{Body, Progress};
pub(crate) use self::updates::{DOWNLOADS_MAX, Download};
pub use self::{metrics_door::serve_metrics, upgrade::websocket_config};
use crate::{
    hooks::HookError,
    listen::{Accept, Shared},
    places::{AddressPlace, Place},
    stream::Stream,
};

pub(crate) type Answer = Response<Body>;

/// A connection that lives on after its request was read.
pub(crate) enum Served {
    Upgraded(Box<Upgraded>),
    Download(Download),
}

/// A connection that has left HTTP, with the places that it holds.
pub(crate) struct Upgraded {
    pub(crate) socket: WebSocketStream<Stream>,
    pub(crate) address: IpAddr,
    pub(crate) place: Place,
    pub(crate) address_place: AddressPlace,
}

/// Serves one request, or leads it to where it is no longer held to the deadline, which the caller sets.
pub(crate) async fn serve<A: Accept>(
    shared: Arc<Shared<A>>,
    stream: Stream,
    address: IpAddr,
) -> Option<Served> {
    let config = websocket_config(&shared.live.load().limits);
    let front = Front { shared, address, admitted: Arc::default(), progress: Arc::default() };
    let (admitted, progress) = (front.admitted.clone(), front.progress.clone());
    let mut connection: updates::Connection = Box::pin(one_request(stream, front));
    let (mut stream, early) = tokio::select! {
        biased;
        done = &mut connection => done?,
        () = progress.begun() => return Some(Served::Download(Download { connection, progress })),
    };
    let admission = admitted.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Admission { address, place, address_place }) = admission else {
        let _ = stream.shutdown().await;
        return None;
    };
    // A copy: as it is, the WebSocket would keep hyper's larger buffer for as long as it lives.
    let early = early.to_vec();
    let socket = WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
    Some(Served::Upgraded(Box::new(Upgraded { socket, address, place, address_place })))
}

/// Answers one request on `stream`, and gives it back with what was read beyond the request. Every [`answer`] closes;
/// hyper's own switch for that would spoil the headers of an upgrade.
/// None if it broke, or was no HTTP: then hyper has answered as far as one can.
pub(crate) async fn one_request<I, S>(stream: I, service: S) -> Option<(I, Bytes)>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
    S::Future: Unpin,
{
    let connection = http1::Builder::new()
        .max_headers(64)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    let parts = connection.without_shutdown().await.ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
}

/// A short text for whoever looks with a browser or curl.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Answer {
    answer(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

pub(crate) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Body::from(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

struct Front<A> {
    shared: Arc<Shared<A>>,
    address: IpAddr,
    admitted: Arc<Mutex<Option<Admission>>>,
    progress: Arc<Progress>,
}

struct Admission {
    address: IpAddr,
    place: Place,
    address_place: AddressPlace,
}

impl<A: Accept> Service<Request<Incoming>> for Front<A> {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (shared, address) = (self.shared.clone(), self.address);
        let (admitted, progress) = (self.admitted.clone(), self.progress.clone());
        Box::pin(async move { Ok(route(&shared, address, &admitted, &progress, request).await) })
    }
}

async fn route<A: Accept>(
    shared: &Arc<Shared<A>>,
    address: IpAddr,
    admitted: &Mutex<Option<Admission>>,
    progress: &Arc<Progress>,
    request: Request<Incoming>,
) -> Answer {
    let path = request.uri().path();
    if path == "/v1/ws" {
        return match admit(shared, address, &request) {
            Ok((answer, admission)) => {
                *admitted.lock().unwrap_or_else(PoisonError::into_inner) = Some(admission);
                answer
            }
            Err(answer) => *answer,
        };
    }
    if let Some(token) = path.strip_prefix("/v1/hooks/") {
        let token = token.to_owned();
        return match client_address(shared, address, &request) {
            Some(address) => hooks::answer(shared, address, &token, request).await,
            None => hooks::refusal(&HookError::Later),
        };
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET here\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    if let Some(name) = path.strip_prefix("/v1/updates/") {
        return match client_address(shared, address, &request) {
            Some(address) => updates::respond(shared, address, name, request.headers(), progress).await,
            None => *later(StatusCode::TOO_MANY_REQUESTS, "too many requests from your address\n"),
        };
    }
    match path {
        "/health" => health(&shared.accept).await,
        "/" => plain(StatusCode::OK, "This is a Kith relay. To join it, ask its owner for an invite link.\n"),
        _ => match path.strip_prefix("/i/") {
            Some(token) => invite(&shared.accept, token).await,
            None => plain(StatusCode::NOT_FOUND, "nothing here\n"),
        },
    }
}

/// Finds out whose connection it is, and whether there is room for it.
fn admit<A: Accept>(
    shared: &Arc<Shared<A>>,
    address: IpAddr,
    request: &Request<Incoming>,
) -> Result<(Answer, Admission), Box<Answer>> {
    let config = shared.live.load();
    let limits = &config.limits;
    let address = client_address(shared, address, request).ok_or_else(|| {
        later(StatusCode::TOO_MANY_REQUESTS, "too many new connections from your address\n")
    })?;
    let answer = upgrade::switch(request).inspect_err(|_| shared.refused(address, "http"))?;
    let Some(address_place) = shared.addresses.take(address, limits.connections_per_address) else {
        shared.refused(address, "address_connections");
        return Err(later(StatusCode::TOO_MANY_REQUESTS, "too many connections from your address\n"));
    };
    let Some(place) = shared.connections.take(limits.max_connections) else {
        shared.refused(address, "connections");
        return Err(later(StatusCode::SERVICE_UNAVAILABLE, "the relay is full; try again later\n"));
    };
    Ok((answer, Admission { address, place, address_place }))
}

/// Whose request it is; none if they come too fast. Where there is no proxy, that was found out before TLS.
fn client_address<A: Accept>(
    shared: &Arc<Shared<A>>,
    address: IpAddr,
    request: &Request<Incoming>,
) -> Option<IpAddr> {
    let config = shared.live.load();
    if !(config.behind_proxy && forwarded::is_trusted(address, &config.trusted_proxies)) {
        return Some(address);
    }
    let address = forwarded::client(request.headers(), &config.trusted_proxies).unwrap_or(address);
    let paced = shared.addresses.paced(address, shared.clock.now(), &config.limits);
    if !paced {
        shared.refused(address, "address_rate");
    }
    paced.then_some(address)
}

async fn health(accept: &impl Accept) -> Answer {
    let (status, body) = match accept.health().await {
        Ok(()) => {
            (StatusCode::OK, serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
        }
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({ "status": "unwell", "version": env!("CARGO_PKG_VERSION"), "reason": reason }),
        ),
    };
    answer(status, "application/json", body.to_string())
}

async fn invite(accept: &impl Accept, token: &str) -> Answer {
    let link = match token.len() {
        1..=TOKEN_LEN_MAX => accept.invite_link(token).await,
        _ => None,
    };
    let (status, html) = match link {
        Some(link) => (StatusCode::OK, page::invite(&link)),
        None => (StatusCode::NOT_FOUND, page::gone()),
    };
    let mut answer = answer(status, "text/html; charset=utf-8", html);
    let policy = HeaderValue::try_from(page::policy()).expect("a policy is ASCII");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer.headers_mut().insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    answer
}

fn later(status: StatusCode, text: &'static str) -> Box<Answer> {
    let mut answer = plain(status, text);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    Box::new(answer)
}

/// Longer than any token that was ever handed out.
const TOKEN_LEN_MAX: usize = 128;
