//! A backup becomes a relay again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{BackupError, CONFIG, GIVEN_CERT, GIVEN_KEY, OWN_FILES, open, unusable};
use crate::{
    clock::Clock,
    copied,
    data::{DATABASE, DataDir, NOTE},
    platform,
    store::{
        Engine, fresh_incarnation,
        inspection::{Inspection, inspect},
        sqlite::{
            SqliteEngine,
            copies::{self, Draft, beside},
        },
    },
    tls::KEY_FILE,
};

/// A relay that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub data: PathBuf,
    /// When the backup was made, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// The files beside the database, by path within the data folder.
    pub files: Vec<String>,
    /// Where that is that was there before.
    pub put_aside: Option<PathBuf>,
    pub inspection: Inspection,
}

/// Checks a backup and puts it into the data folder, under a new identity of the logs, so that devices offer again what it
/// lacks. What is there already stays where it is, or is put aside with `yes`; nothing is removed.
pub fn restore(data: &Path, file: &Path, yes: bool) -> Result<Restored, BackupError> {
    let copy = open(file)?;
    let enclosed = copy.enclosed.clone();
    drop(copy);
    let data = DataDir::open(data)?;
    let occupied = [DATABASE, KEY_FILE].iter().any(|name| data.path().join(name).exists());
    if occupied && !yes {
        return Err(BackupError::Occupied { data: data.path().to_owned() });
    }
    let write = |source| BackupError::Write { path: data.path().to_owned(), source };
    let database = data.path().join(DATABASE);
    let draft = Draft::beside(&database, ".restoring").map_err(BackupError::Copy)?;
    let mut from =
        fs::File::open(file).map_err(|source| BackupError::Read { path: file.to_owned(), source })?;
    let mut to = fs::OpenOptions::new().write(true).open(draft.path()).map_err(write)?;
    io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(write)?;
    drop(to);
    let inspection = make_ready(draft.path(), file)?;

    let put_aside = if occupied { Some(put_aside(data.path()).map_err(write)?) } else { None };
    for (name, content) in &enclosed.files {
        // A name is only taken if a backup has put it there: nothing is written outside of the folder.
        if !OWN_FILES.iter().chain(&RESTORED).any(|known| known == name) {
            continue;
        }
        let path = data.path().join(name);
        let folder = path.parent().unwrap_or(data.path());
        platform::create_private_dir(folder)
            .and_then(|()| platform::write_private(&path, content))
            .map_err(|source| BackupError::Write { path: path.clone(), source })?;
    }
    // The database last: until it is there, the folder holds no relay.
    fs::rename(draft.path(), &database).map_err(write)?;
    copied::note(&database, &data.path().join(NOTE)).map_err(write)?;
    Ok(Restored {
        data: data.path().to_owned(),
        made_at_ms: enclosed.made_at,
        files: enclosed.files.into_keys().collect(),
        put_aside,
        inspection,
    })
}

/// Makes the copy a database of the newest schema with an identity of its own.
fn make_ready(draft: &Path, file: &Path) -> Result<Inspection, BackupError> {
    let failed = |error: crate::store::StoreError| unusable(file, error.to_string());
    let fresh = fresh_incarnation().map_err(failed)?;
    copies::strip(draft).map_err(failed)?;
    let mut engine = SqliteEngine::open(draft, fresh).map_err(failed)?;
    let inspection = inspect(engine.read()).map_err(failed)?;
    if let Some(problem) = inspection.problems.first() {
        return Err(unusable(file, problem.clone()));
    }
    engine.renew(fresh).map_err(failed)?;
    engine.into_one_file().map_err(failed)?;
    Ok(inspection)
}

/// Moves what is there into a folder beside it.
fn put_aside(data: &Path) -> io::Result<PathBuf> {
    let aside = data.join(format!("before-{}", Clock::system().unix_ms()));
    platform::create_private_dir(&aside)?;
    let database = Path::new(DATABASE);
    let names = ["-shm", "-wal", ""].map(|suffix| beside(database, suffix));
    for name in names.iter().map(PathBuf::as_path).chain([NOTE, CONFIG, "tls"].map(Path::new)) {
        match fs::rename(data.join(name), aside.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    platform::sync_dir(data)?;
    Ok(aside)
}

/// Beside [`OWN_FILES`].
const RESTORED: [&str; 3] = [GIVEN_CERT, GIVEN_KEY, CONFIG];
