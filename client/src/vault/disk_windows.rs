//! Windows keeps what is in a user's profile to that user, and NTFS journals the names in a directory by itself.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

pub(super) fn private_dir(_builder: &mut DirBuilder) {}

pub(super) fn private_file(_options: &mut OpenOptions) {}

#[expect(clippy::unnecessary_wraps, reason = "the other platforms can fail")]
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the other platforms can fail")]
pub(super) fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}
