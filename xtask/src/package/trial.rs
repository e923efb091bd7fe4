//! Packages are tried in a copy of this system that is gone afterwards.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::packages::as_root;
use crate::program::run;

use super::origin::Origin;

/// Runs a script of `packaging/` as root in the copy, with the names of the given files, which lie in its folder, as
/// further arguments.
pub(crate) fn in_a_copy(
    origin: &Origin,
    script: &Path,
    arguments: &[&str],
    files: &[&Path],
) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(&origin.packages)
        .map_err(|error| Failure::at(&origin.packages, "written into", &error))?;
    let mut command = as_root(&origin.root.join("packaging/in-a-copy").to_string_lossy());
    command.arg(folder.path());
    let mut names = Vec::new();
    let handling = origin.root.join("packaging/handling.sh");
    for file in [script].iter().chain(files).chain([&handling.as_path()]) {
        let name = file.file_name().expect("a file has a name");
        fs::copy(file, folder.path().join(name)).map_err(|error| Failure::at(file, "copied", &error))?;
        names.push(Path::new(".").join(name));
    }
    let (script, names) = names.split_first().expect("the script is the first of them");
    run(command.arg(script).args(arguments).args(&names[..files.len()]))
}
