//! The relay's end.

use std::{io, path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{AdminRequest, AdminResponse, transport::Listener};

/// Does what an administrator asks.
pub trait AdminHandler: Send + Sync + 'static {
    fn handle(&self, request: AdminRequest) -> BoxFuture<'_, AdminResponse>;
}

#[derive(Debug)]
pub struct AdminDoor(Listener);

#[derive(Debug, thiserror::Error)]
#[error(
    "the admin socket cannot be made in {}: {source} (its path may be too long: about 100 characters are allowed)", folder.display()
)]
pub struct BindError {
    folder: std::path::PathBuf,
    source: io::Error,
}

impl AdminDoor {
    /// Within a tokio runtime, by whoever holds the lock of the data folder.
    pub fn bind(data: &Path) -> Result<Self, BindError> {
        Listener::bind(data).map(Self).map_err(|source| BindError { folder: data.to_owned(), source })
    }

    /// Serves until `shutdown`. A command that is under way then is finished by the runtime, or cut with it.
    pub async fn run(mut self, handler: Arc<dyn AdminHandler>, shutdown: CancellationToken) {
        let free = Arc::new(Semaphore::new(AT_ONCE_MAX));
        loop {
            let next = async {
                let permit = free.clone().acquire_owned().await.expect("the semaphore is never closed");
                (permit, self.0.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                next = next => next,
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    warn!(%error, "the admin socket cannot take a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let handler = handler.clone();
            tokio::spawn(async move {
                let _permit = permit;
                if let Err(error) = serve(stream, handler.as_ref()).await {
                    debug!(%error, "an admin connection ended early");
                }
            });
        }
    }
}

/// Requests on one connection, one after the other.
async fn serve(stream: impl AsyncRead + AsyncWrite, handler: &dyn AdminHandler) -> io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        timeout(PATIENCE, (&mut reader).take(LINE_LEN_MAX).read_until(b'\n', &mut line)).await??;
        if line.is_empty() {
            return Ok(());
        }
        let response = match serde_json::from_slice(&line) {
            Ok(request) => handler.handle(request).await,
            Err(error) => {
                AdminResponse::error("bad-request", format!("the relay does not know this request: {error}"))
            }
        };
        let mut answer = serde_json::to_vec(&response)?;
        answer.push(b'\n');
        timeout(PATIENCE, writer.write_all(&answer)).await??;
        timeout(PATIENCE, writer.flush()).await??;
    }
}

/// An administrator types one command at a time; scripts may run a few.
const AT_ONCE_MAX: usize = 16;
/// No request comes near this.
const LINE_LEN_MAX: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(30);
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{AskError, ask};

    struct Echo;

    impl AdminHandler for Echo {
        fn handle(&self, request: AdminRequest) -> BoxFuture<'_, AdminResponse> {
            Box::pin(async move { AdminResponse::Done { message: format!("{request:?}") } })
        }
    }

    #[tokio::test]
    async fn a_round_trip_and_the_end_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let door = AdminDoor::bind(folder.path()).unwrap();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(door.run(Arc::new(Echo), shutdown.clone()));
        let request = AdminRequest::UserDisable { user: "@bob".into() };
        let response = ask(folder.path(), &request).await.unwrap();
        assert_eq!(response, AdminResponse::Done { message: format!("{request:?}") });
        shutdown.cancel();
        running.await.unwrap();
        let error = ask(folder.path(), &request).await.unwrap_err();
        assert!(matches!(error, AskError::NotRunning { .. }), "{error}");
    }

    #[tokio::test]
    async fn nonsense_gets_an_answer() {
        let (near, far) = tokio::io::duplex(1024);
        let serving = tokio::spawn(async move { serve(far, &Echo).await });
        let (reader, mut writer) = tokio::io::split(near);
        writer.write_all(b"{\"do\":\"dance\"}\n").await.unwrap();
        writer.shutdown().await.unwrap();
        let mut answer = String::new();
        BufReader::new(reader).read_line(&mut answer).await.unwrap();
        assert!(answer.contains("\"code\":\"bad-request\""), "{answer}");
        serving.await.unwrap().unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_socket_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        std::fs::write(&path, "left behind").unwrap();
        let door = AdminDoor::bind(folder.path()).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(door);
        assert!(!path.exists());
    }
}
