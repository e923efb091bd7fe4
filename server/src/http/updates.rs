//! `/v1/updates/...`: a release of the app, from the operator's folder.

use std::{net::IpAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode, header};
use tokio::{io::AsyncWriteExt, task::spawn_blocking};
use tracing::debug;

use super::{
    Answer, answer,
    body::{Body, FileBody, Progress},
    later, plain,
};
use crate::{
    listen::{Accept, Shared},
    stream::Stream,
    updates::{MANIFEST, Release, UpdatesError},
};

/// A connection on which a file goes out: that takes longer than a handshake may.
pub(crate) struct Download {
    pub(super) connection: Connection,
    pub(super) progress: Arc<Progress>,
}

pub(super) type Connection = Pin<Box<dyn Future<Output = Option<(Stream, Bytes)>> + Send>>;

impl Download {
    /// Until it is out, or nothing of it moves for `patience`.
    pub(crate) async fn run(mut self, patience: Duration) {
        let all = async {
            loop {
                let before = self.progress.bytes();
                tokio::select! {
                    biased;
                    done = &mut self.connection => return done,
                    () = tokio::time::sleep(patience) => {}
                }
                if self.progress.bytes() == before {
                    debug!("a download stood still");
                    return None;
                }
            }
        };
        if let Ok(Some((mut stream, _))) = tokio::time::timeout(DOWNLOAD_TIME_MAX, all).await {
            let _ = stream.shutdown().await;
        }
    }
}

/// `name` is what stands behind `/v1/updates/`.
pub(super) async fn respond<A: Accept>(
    shared: &Arc<Shared<A>>,
    address: IpAddr,
    name: &str,
    headers: &HeaderMap,
    progress: &Arc<Progress>,
) -> Answer {
    let folder = shared.live.load().updates.folder.clone();
    let made = if name == MANIFEST {
        let Some(base) = base(shared, headers) else {
            return plain(StatusCode::BAD_REQUEST, "the request does not say which host it is for\n");
        };
        feed(folder, base).await
    } else {
        let Some(address_place) = shared.downloads_by.take(address, DOWNLOADS_PER_ADDRESS_MAX) else {
            shared.refused(address, "updates");
            return *later(StatusCode::TOO_MANY_REQUESTS, "too many downloads from your address\n");
        };
        let Some(place) = shared.downloads.take(DOWNLOADS_MAX) else {
            shared.refused(address, "updates");
            return *later(StatusCode::SERVICE_UNAVAILABLE, "too many downloads just now\n");
        };
        let file = |(file, length)| FileBody::new(file, length, Arc::clone(progress), (place, address_place));
        open(folder, name.to_owned()).await.map(file).map(|file| {
            let mut answer = answer(StatusCode::OK, "application/octet-stream", Bytes::new());
            *answer.body_mut() = Body::File(file);
            answer
        })
    };
    made.unwrap_or_else(|error| match error {
        UpdatesError::None => plain(StatusCode::NOT_FOUND, "there is no such update here\n"),
        UpdatesError::Read(_) | UpdatesError::Malformed(_) => {
            // The operator hears it from `doctor`; each who asks would be a line here.
            debug!(%error, "no update can be offered");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the updates on this relay cannot be read\n")
        }
    })
}

async fn feed(folder: PathBuf, base: String) -> Result<Answer, UpdatesError> {
    let read = move || Release::read(&folder).map(|release| release.served(&folder, &base));
    Ok(answer(StatusCode::OK, "application/json", off_the_tasks(read).await?))
}

async fn open(folder: PathBuf, name: String) -> Result<(std::fs::File, u64), UpdatesError> {
    off_the_tasks(move || Release::read(&folder)?.open(&folder, &name)).await
}

async fn off_the_tasks<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, UpdatesError> + Send + 'static,
) -> Result<T, UpdatesError> {
    spawn_blocking(read).await.map_err(|error| UpdatesError::Read(std::io::Error::other(error)))?
}

/// Where files are found for whoever asks by these headers: under the name by which he came.
fn base<A: Accept>(shared: &Arc<Shared<A>>, headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if host.is_empty() || host.len() > HOST_LEN_MAX || !host.chars().all(fits) {
        return None;
    }
    let scheme = if shared.is_encrypted() { "https" } else { "http" };
    Some(format!("{scheme}://{host}/v1/updates"))
}

/// Each takes 64 KiB and a file: together as much as a few hundred devices.
pub(crate) const DOWNLOADS_MAX: u32 = 64;

/// An office behind one address updates in a few rounds; one machine cannot take them all.
const DOWNLOADS_PER_ADDRESS_MAX: u32 = 16;

/// For 100 MiB, some 30 KiB a second.
const DOWNLOAD_TIME_MAX: Duration = Duration::from_secs(3600);

/// A DNS name has at most 253 characters.
const HOST_LEN_MAX: usize = 260;
