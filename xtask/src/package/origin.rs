//! What a package is made from: this folder, at one version and one moment. The same origin yields the same bytes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::program::capture;
use crate::versions::one_version;

#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) version: String,
    /// Seconds since 1970 of the last commit: the date of every file in a package.
    pub(crate) epoch_s: u64,
    pub(crate) root: PathBuf,
    /// Where packages are put.
    pub(crate) packages: PathBuf,
}

impl Origin {
    pub(crate) fn read(metadata: &Metadata) -> Result<Self, Failure> {
        let root = metadata.workspace_root().to_owned();
        let packages = metadata.target_directory().join("packages");
        fs::create_dir_all(&packages).map_err(|error| Failure::at(&packages, "created", &error))?;
        Ok(Self { version: one_version(metadata)?, epoch_s: epoch_s(&root)?, root, packages })
    }

    /// The next one, as far as packages go: it says another version, and is the same otherwise.
    pub(crate) fn followed_by(&self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self.clone() }
    }

    /// A program that dates what it makes by the origin, not by the clock.
    pub(crate) fn dated(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SOURCE_DATE_EPOCH", self.epoch_s.to_string()).env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        command
    }

    /// The date in the manner of mail and Debian's changelogs.
    pub(crate) fn date(&self) -> Result<String, Failure> {
        let date = capture(self.dated("date").args(["-R", "-d", &format!("@{}", self.epoch_s)]))?;
        Ok(date.trim().to_owned())
    }

    /// The text of a file in this folder.
    pub(crate) fn text(&self, path: &str) -> Result<String, Failure> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(|error| Failure::at(&path, "read", &error))
    }
}

/// Outside of a clone, the day of CHANGELOG.md has to do.
fn epoch_s(root: &Path) -> Result<u64, Failure> {
    let given = env::var("SOURCE_DATE_EPOCH").ok();
    let committed =
        || capture(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root)).ok();
    if let Some(seconds) = given.or_else(committed).and_then(|text| text.trim().parse().ok()) {
        return Ok(seconds);
    }
    let path = root.join("CHANGELOG.md");
    let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
    let modified = modified.map_err(|error| Failure::at(&path, "read", &error))?;
    Ok(modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
