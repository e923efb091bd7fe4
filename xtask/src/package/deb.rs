//! A package for Debian and its kin, from a tree of files and the scripts around it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::program::capture;

use super::origin::Origin;
use super::tree::{Tree, filled, mode};

/// Packs the tree; `scripts` is the folder with `control` and what is run when the package comes and goes.
pub(crate) fn pack(origin: &Origin, name: &str, tree: &Tree, scripts: &Path) -> Result<PathBuf, Failure> {
    let architecture = capture(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
    let control = scripts.join("control");
    let control = fs::read_to_string(&control).map_err(|error| Failure::at(&control, "read", &error))?;
    let control = filled(
        &control,
        &[
            ("version", &origin.version),
            ("architecture", &architecture),
            ("installed_kib", &tree.size_kib()?.to_string()),
            ("libraries", &libraries(name, tree)?),
        ],
    );
    let about = tree.root().join("DEBIAN");
    let at = |error| Failure::at(&about, "written into", &error);
    fs::create_dir(&about).map_err(at)?;
    mode(&about, 0o755)?;
    let sums = capture(Command::new("md5sum").current_dir(tree.root()).args(tree.files()))?;
    for (file, text) in [("control", control), ("md5sums", sums)] {
        fs::write(about.join(file), text).map_err(at)?;
        mode(&about.join(file), 0o644)?;
    }
    for script in SCRIPTS {
        fs::copy(scripts.join(script), about.join(script)).map_err(at)?;
        mode(&about.join(script), 0o755)?;
    }
    let package = origin.packages.join(format!("{name}_{}_{architecture}.deb", origin.version));
    capture(origin.dated("dpkg-deb").args(["--root-owner-group", "--build"]).arg(tree.root()).arg(&package))?;
    fs::remove_dir_all(&about).map_err(at)?;
    Ok(package)
}

/// The packages that hold the libraries that the programs were linked with, in Debian's words.
fn libraries(name: &str, tree: &Tree) -> Result<String, Failure> {
    // dpkg-shlibdeps wants to stand where a package is made from source.
    let folder =
        tempfile::tempdir().map_err(|error| Failure::new(format!("There is no room in /tmp: {error}.")))?;
    let source = folder.path().join("debian");
    let written = fs::create_dir(&source).and_then(|()| {
        let control = format!("Source: {name}\n\nPackage: {name}\nArchitecture: any\n");
        fs::write(source.join("control"), control)
    });
    written.map_err(|error| Failure::at(&source, "written", &error))?;
    let mut ask = Command::new("dpkg-shlibdeps");
    ask.arg("-O").args(
        tree.files().iter().filter(|path| path.starts_with("usr/bin/")).map(|path| tree.root().join(path)),
    );
    let answer = capture(ask.current_dir(folder.path()))?;
    let libraries = answer.trim().strip_prefix("shlibs:Depends=").filter(|found| !found.is_empty());
    libraries.map(str::to_owned).ok_or_else(|| Failure::new("dpkg-shlibdeps found no library at all."))
}

const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];
