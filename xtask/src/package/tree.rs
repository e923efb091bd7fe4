//! The files of a package, laid out as they will be on the machine that it is installed on.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::Failure;
use crate::program::capture;

use super::origin::Origin;

pub(crate) struct Tree {
    folder: TempDir,
    /// Without a leading slash, in the order of the alphabet.
    files: Vec<String>,
}

impl Tree {
    pub(crate) fn new(origin: &Origin) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(&origin.packages)
            .map_err(|error| Failure::at(&origin.packages, "written into", &error))?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
            .map_err(|error| Failure::at(folder.path(), "opened to all", &error))?;
        Ok(Self { folder, files: Vec::new() })
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn files(&self) -> &[String] {
        &self.files
    }

    /// A file that all may read.
    pub(crate) fn put(&mut self, path: &str, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let target = self.place(path)?;
        fs::write(&target, content).map_err(|error| Failure::at(&target, "written", &error))?;
        mode(&target, 0o644)
    }

    /// Like [`Self::put`], packed by gzip; the path gets its `.gz`.
    pub(crate) fn put_packed(&mut self, origin: &Origin, path: &str, content: &str) -> Result<(), Failure> {
        self.put(path, content)?;
        capture(origin.dated("gzip").args(["--no-name", "--best"]).arg(self.root().join(path)))?;
        let index = self.files.binary_search(&path.to_owned()).expect("it was just put there");
        self.files.remove(index);
        self.note(format!("{path}.gz"));
        Ok(())
    }

    /// A program without what only its debugger would ask for.
    pub(crate) fn put_program(&mut self, path: &str, program: &Path) -> Result<(), Failure> {
        let target = self.place(path)?;
        let mut strip = std::process::Command::new("strip");
        strip.args(["--strip-unneeded", "--remove-section=.comment", "-o"]);
        capture(strip.arg(&target).arg(program))?;
        mode(&target, 0o755)
    }

    /// All files together, in units of 1024 bytes.
    pub(crate) fn size_kib(&self) -> Result<u64, Failure> {
        self.files.iter().try_fold(0, |sum, path| {
            let path = self.root().join(path);
            let size = fs::metadata(&path).map_err(|error| Failure::at(&path, "read", &error))?.len();
            Ok(sum + size.div_ceil(1024))
        })
    }

    fn place(&mut self, path: &str) -> Result<PathBuf, Failure> {
        let target = self.root().join(path);
        let folder = target.parent().expect("a path within the tree");
        fs::create_dir_all(folder).map_err(|error| Failure::at(folder, "created", &error))?;
        // Whatever the umask of whoever builds it says.
        let within = folder.ancestors().take_while(|ancestor| *ancestor != self.root());
        within.into_iter().try_for_each(|folder| mode(folder, 0o755))?;
        self.note(path.to_owned());
        Ok(target)
    }

    fn note(&mut self, path: String) {
        if let Err(index) = self.files.binary_search(&path) {
            self.files.insert(index, path);
        }
    }
}

pub(crate) fn mode(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| Failure::at(path, "given its permissions", &error))
}

/// Puts values into a text in the places of `{name}`.
pub(crate) fn filled(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn values_take_the_places_of_their_names() {
        assert_eq!(filled("{a} and {b}: {a}", &[("a", "1"), ("b", "2")]), "1 and 2: 1");
    }
}
