//! A named pipe. The system's default lets only its creator and administrators write to it, and nobody from afar.

use std::{io, path::Path};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

/// What the client gets; the server's end has a type of its own.
pub(super) type Stream = NamedPipeClient;

#[derive(Debug)]
pub(super) struct Listener {
    name: String,
    next: NamedPipeServer,
}

impl Listener {
    pub(super) fn bind(data: &Path) -> io::Result<Self> {
        let name = name(data)?;
        let next =
            ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
        Ok(Self { name, next })
    }

    pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        let another = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
        Ok(std::mem::replace(&mut self.next, another))
    }
}

#[expect(clippy::unused_async, reason = "the same shape on every system")]
pub(super) async fn connect(data: &Path) -> io::Result<Stream> {
    ClientOptions::new().open(name(data)?)
}

/// One for each data folder.
fn name(data: &Path) -> io::Result<String> {
    let path = data.canonicalize()?;
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    Ok(format!(r"\\.\pipe\kith-relay-{}", HEXLOWER.encode(&digest)))
}
