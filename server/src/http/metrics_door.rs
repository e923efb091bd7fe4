//! `GET /metrics` on a port of its own, which only this machine can reach.

use std::{convert::Infallible, future::ready, sync::Arc, time::Duration};

use hyper::{Method, Request, StatusCode, body::Incoming, service::service_fn};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Answer, answer, one_request, plain};
use crate::metrics::{CONTENT_TYPE, Metrics};

/// Serves until `shutdown`.
pub async fn serve_metrics(tcp: TcpListener, metrics: Arc<Metrics>, shutdown: CancellationToken) {
    let free = Arc::new(Semaphore::new(AT_ONCE_MAX));
    loop {
        let next = async {
            let permit = free.clone().acquire_owned().await.expect("the semaphore is never closed");
            (permit, tcp.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let metrics = metrics.clone();
                tokio::spawn(async move {
                    let _permit = permit;
                    // Whoever is too slow asks again later.
                    let _ = timeout(PATIENCE, serve_one(stream, &metrics)).await;
                });
            }
            Err(error) => {
                warn!(%error, "the metrics port cannot take a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_one(stream: TcpStream, metrics: &Metrics) {
    let route = |request: Request<Incoming>| ready(Ok::<_, Infallible>(route(metrics, &request)));
    if let Some((mut stream, _)) = one_request(stream, service_fn(route)).await {
        let _ = stream.shutdown().await;
    }
}

fn route(metrics: &Metrics, request: &Request<Incoming>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => answer(StatusCode::OK, CONTENT_TYPE, metrics.render()),
        _ => plain(StatusCode::NOT_FOUND, "only /metrics here\n"),
    }
}

const AT_ONCE_MAX: usize = 16;
const PATIENCE: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
