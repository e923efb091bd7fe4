//! Where Kith is one file: puts a new version in the place of this one, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// The new file takes the name of the old one once all of it is on the disk. Whatever happens before that, were it the end of
/// this process or of the power, the old one stands there untouched.
pub(super) fn exchange(program: &Path, file: &[u8]) -> io::Result<()> {
    // What a link leads to is exchanged, not the link.
    let program = program.canonicalize()?;
    let mut name = program.file_name().unwrap_or_default().to_owned();
    name.push(NEXT);
    let next = program.with_file_name(name);
    let placed = written(&next, file, &program).and_then(|()| fs::rename(&next, &program));
    if placed.is_err() {
        // It may not have come to be.
        let _ = fs::remove_file(&next);
    }
    placed
}

fn written(next: &Path, file: &[u8], program: &Path) -> io::Result<()> {
    match fs::remove_file(next) {
        // Left by one that was ended in the midst of this.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut out: File = OpenOptions::new().write(true).create_new(true).open(next)?;
    out.write_all(file)?;
    out.set_permissions(fs::metadata(program)?.permissions())?;
    out.sync_all()
}

/// At the end of its name.
const NEXT: &str = ".next";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn the_new_one_has_the_rights_of_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (image, link) = (folder.path().join("Kith.AppImage"), folder.path().join("kith"));
        fs::write(&image, "old").unwrap();
        fs::set_permissions(&image, fs::Permissions::from_mode(0o751)).unwrap();
        symlink(&image, &link).unwrap();
        // As if the last update had been ended in its midst.
        fs::write(folder.path().join("Kith.AppImage.next"), "more than the new one").unwrap();
        exchange(&link, b"new").unwrap();
        assert_eq!(fs::read(&image).unwrap(), b"new");
        assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & 0o777, 0o751);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_placed_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("Kith.AppImage");
        fs::write(&image, "old").unwrap();
        fs::create_dir(folder.path().join("Kith.AppImage.next")).unwrap();
        exchange(&image, b"new").unwrap_err();
        assert_eq!(fs::read(&image).unwrap(), b"old");
    }
}
