//! A package for Fedora and its kin, from a tree of files and its spec.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::program::capture;

use super::origin::Origin;
use super::tree::Tree;

/// Packs the tree as the spec says.
pub(crate) fn pack(origin: &Origin, tree: &Tree, spec: &Path) -> Result<PathBuf, Failure> {
    let folder = tempfile::tempdir_in(&origin.packages)
        .map_err(|error| Failure::at(&origin.packages, "written into", &error))?;
    // A version of rpm knows no hyphen; a tilde sorts as one does in ours.
    let version = origin.version.replace('-', "~");
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    let mut build = origin.dated("rpmbuild");
    build
        .args(define("_topdir", &folder.path().to_string_lossy()))
        .args(define("kith_version", &version))
        .args(define("kith_tree", &tree.root().to_string_lossy()))
        .args(define("_buildhost", "localhost"))
        .args(define("use_source_date_epoch_as_buildtime", "1"))
        .args(define("clamp_mtime_to_source_date_epoch", "1"))
        .arg("-bb")
        .arg(spec);
    capture(&mut build)?;
    let made = folder.path().join("RPMS");
    let file = files_under(&made).into_iter().find(|file| file.extension().is_some_and(|end| end == "rpm"));
    let file = file.ok_or_else(|| Failure::new("rpmbuild made no package."))?;
    let package = origin.packages.join(file.file_name().expect("a file has a name"));
    fs::rename(&file, &package).map_err(|error| Failure::at(&package, "written", &error))?;
    Ok(package)
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| if entry.path().is_dir() { files_under(&entry.path()) } else { vec![entry.path()] })
        .collect()
}
