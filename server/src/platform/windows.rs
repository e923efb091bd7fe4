//! Windows. What a folder in the user's profile holds is private by the access list that it inherits.

use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    path::Path,
};

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

use super::Signal;

/// Made if it is not there; what it holds stays.
pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// NTFS journals its folders; there is no handle to sync.
#[expect(clippy::unnecessary_wraps, reason = "the same shape on every system")]
pub(crate) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Not to be had without opening the file; the time of birth is fine enough there.
pub(crate) fn file_number(_metadata: &Metadata) -> u64 {
    0
}

/// Access lists say more than one number.
pub(crate) fn owner(_metadata: &Metadata) -> Option<u32> {
    None
}

/// What the folder's access list allows is not looked into.
pub(crate) fn is_private(_metadata: &Metadata) -> bool {
    true
}

/// Sockets are not counted there.
#[expect(clippy::unnecessary_wraps, reason = "the same shape on every system")]
pub(crate) fn raise_open_files_limit(wanted: u64) -> io::Result<u64> {
    Ok(wanted)
}

#[derive(Debug)]
pub struct Signals {
    c: CtrlC,
    pause: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// From here on the signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { c: ctrl_c()?, pause: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.c.recv() => Signal::Stop,
            _ = self.pause.recv() => Signal::Stop,
            _ = self.close.recv() => Signal::Stop,
            _ = self.shutdown.recv() => Signal::Stop,
        }
    }
}
