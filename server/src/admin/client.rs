//! The command line's end.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    time::timeout,
};

use super::{AdminRequest, AdminResponse, transport};

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(
        "no relay runs on {}; start it with `kith-relay serve`, or name its folder with --data", data.display()
    )]
    NotRunning { data: PathBuf },
    #[error("the relay on {} belongs to another user; ask as that user", data.display())]
    NotAllowed { data: PathBuf },
    #[error("the relay did not answer in time; see its log")]
    Silent,
    #[error("the connection to the relay broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the relay's answer is not understood ({0}); it may be of another version than this command")]
    NotUnderstood(#[from] serde_json::Error),
}

/// Asks the relay that runs on this data folder.
pub async fn ask(data: &Path, request: &AdminRequest) -> Result<AdminResponse, AskError> {
    timeout(PATIENCE, exchange(data, request)).await.map_err(|_| AskError::Silent)?
}

async fn exchange(data: &Path, request: &AdminRequest) -> Result<AdminResponse, AskError> {
    let mut stream = transport::connect(data).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            AskError::NotRunning { data: data.to_owned() }
        }
        io::ErrorKind::PermissionDenied => AskError::NotAllowed { data: data.to_owned() },
        _ => AskError::Broken(error),
    })?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    if answer.is_empty() {
        return Err(AskError::Broken(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(serde_json::from_str(&answer)?)
}

const PATIENCE: Duration = Duration::from_secs(30);
