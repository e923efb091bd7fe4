//! Files of which the answer "written" means "on disk", and which nobody but their owner reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a directory, and those above it, for the owner alone.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    platform::private_dir(&mut builder);
    builder.create(path)
}

/// Makes or opens a file that its owner alone may read and write. What is in it stays.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    platform::private_file(&mut options);
    options.open(path)
}

/// Replaces the content of a file as one act: after a crash or a power cut the old or the new content is there, whole.
/// On disk when this returns.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = open_private(&new)?;
    file.set_len(0)?;
    file.write_all(content)?;
    file.sync_all()?;
    // Closed first: Windows does not rename everything that is open.
    drop(file);
    fs::rename(&new, path)?;
    sync_parent(path)
}

/// Makes the names in the directory that holds `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    platform::sync_dir(path)
}

/// Takes away what others may do with a file, if they may do anything.
pub(crate) fn make_private(file: &File) -> io::Result<()> {
    platform::make_private(file)
}

#[cfg(unix)]
#[path = "disk_unix.rs"]
mod platform;

#[cfg(not(unix))]
#[path = "disk_windows.rs"]
mod platform;
