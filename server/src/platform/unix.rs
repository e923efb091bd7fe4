//! Linux, macOS and their kin.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::Signal;

/// Made if it is not there; what it holds stays.
pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the folder and its parents; a folder that is already there keeps its mode.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The file's own number on its disk.
pub(crate) fn file_number(metadata: &Metadata) -> u64 {
    metadata.ino()
}

/// Whose it is.
#[expect(clippy::unnecessary_wraps, reason = "the same shape on every system")]
pub(crate) fn owner(metadata: &Metadata) -> Option<u32> {
    Some(metadata.uid())
}

/// Whether its owner alone may do anything with it: the lower six bits are those of others.
pub(crate) fn is_private(metadata: &Metadata) -> bool {
    metadata.mode().trailing_zeros() >= 6
}

/// Each connection is an open file, and the usual soft limit is 1,024. Tells the limit that now holds.
pub(crate) fn raise_open_files_limit(wanted: u64) -> io::Result<u64> {
    rlimit::increase_nofile_limit(wanted)
}

#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
}

impl Signals {
    /// From here on the signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}
