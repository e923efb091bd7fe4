//! What differs between systems: private files, signals, the limit of open files. One file each, of the same shape.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    io::{self, Write},
    path::Path,
};

#[cfg(target_os = "linux")]
#[path = "systemd.rs"]
pub(crate) mod service;
#[cfg(not(target_os = "linux"))]
#[path = "no_service.rs"]
pub(crate) mod service;

#[cfg(unix)]
use unix as here;
#[cfg(windows)]
use windows as here;

pub use here::Signals;
pub(crate) use here::{
    create_private_dir, create_private_file, file_number, is_private, open_private_file, owner,
    raise_open_files_limit, sync_dir,
};

/// What the system asks of a running relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End gracefully: SIGTERM, SIGINT; on Windows Ctrl-C, Ctrl-Break, closing the console, shutdown.
    Stop,
    /// Read the configuration again: SIGHUP.
    Reload,
}

/// Writes a file that only its owner may read, whole or not at all, and on disk when this returns.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let draft = path.with_extension("new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private_file(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&draft, path)?;
    sync_dir(folder)
}
