//! Notices that the database was put back from a copy.
//!
//! A copy is older than what devices have seen, so its logs must get a new identity. Nobody should have to remember that
//! after a bad night: beside the database lies a note of which file it is (number and time of birth, which no copy
//! keeps). Moving the folder to another disk looks the same and costs the devices one comparison of heads.

use std::{fs, io, path::Path, time::UNIX_EPOCH};

use crate::platform;

/// Whether `database` is another file than the one noted. False if there was no note yet: then it is new.
pub(crate) fn is_copy(database: &Path, note: &Path) -> io::Result<bool> {
    match fs::read_to_string(note) {
        Ok(noted) => Ok(noted != name(database)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Notes that `database` is the one that is in use. Only once a copy has its new identity.
pub(crate) fn note(database: &Path, note: &Path) -> io::Result<()> {
    platform::write_private(note, name(database)?.as_bytes())
}

fn name(database: &Path) -> io::Result<String> {
    let metadata = fs::metadata(database)?;
    let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} {}\n", platform::file_number(&metadata), born.map_or(0, |born| born.as_nanos())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_noticed_and_writing_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (database, noted) = (folder.path().join("a.db"), folder.path().join("a.here"));
        fs::write(&database, "one").unwrap();
        assert!(!is_copy(&database, &noted).unwrap());
        note(&database, &noted).unwrap();
        fs::write(&database, "two").unwrap();
        assert!(!is_copy(&database, &noted).unwrap());
        fs::copy(&database, folder.path().join("b.db")).unwrap();
        fs::rename(folder.path().join("b.db"), &database).unwrap();
        assert!(is_copy(&database, &noted).unwrap());
        note(&database, &noted).unwrap();
        assert!(!is_copy(&database, &noted).unwrap());
    }
}
