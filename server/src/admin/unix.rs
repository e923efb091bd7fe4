//! A socket in the data folder.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

pub(super) type Stream = UnixStream;

/// Removes its socket when dropped.
#[derive(Debug)]
pub(super) struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// The caller holds the lock of the folder: a socket that is there was left behind.
    pub(super) fn bind(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self { socket, path })
    }

    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        Ok(self.socket.accept().await?.0)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

pub(super) async fn connect(data: &Path) -> io::Result<Stream> {
    UnixStream::connect(data.join(SOCKET)).await
}

const SOCKET: &str = "admin.sock";
