//! The packages of the app for Linux, made by Tauri's bundler; `tauri.conf.json` says what is in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::{Need, npm};
use crate::program::{capture, run};
use crate::step::step;
use crate::tools::cargo;
use crate::ui;

use super::origin::Origin;
use super::trial;

/// Builds the app as it is shipped, and packs it.
pub(crate) fn package_app() -> Result<(), Failure> {
    step("What the packages need", || {
        Need::CCompiler.ensure()?;
        Need::WebView.ensure()?;
        Need::Node.ensure()
    })?;
    let metadata = Metadata::read()?;
    let origin = Origin::read(&metadata)?;
    step("The app is built and packed", || run(tauri(&origin).args(["build", "--bundles", BUNDLES])))?;
    for package in packages_in(&metadata.target_directory().join("release"))? {
        let place = origin.packages.join(package.file_name().expect("a package is a file"));
        fs::copy(&package, &place).map_err(|error| Failure::at(&place, "written", &error))?;
        anstream::println!("{}", place.display());
    }
    Ok(())
}

/// What [`try_app`] packs and uses.
pub(crate) fn build_for_trial() -> Result<(), Failure> {
    Need::CCompiler.ensure()?;
    Need::WebView.ensure()?;
    step("The window's content is built", ui::build)?;
    step("App, relay and command line are built", || {
        run(cargo().args(["build", "-p", "kith", "-p", "kith-relay", "-p", "kith-cli", "--bins"]))
    })
}

/// Packs the app as it was built last, checks the package, and lets a copy of this system take it in, open it, bring it up
/// to date, and remove it.
pub(crate) fn try_app() -> Result<(), Failure> {
    Need::Packaging.ensure()?;
    Need::Desktop.ensure()?;
    Need::SecretService.ensure()?;
    Need::Node.ensure()?;
    let metadata = Metadata::read()?;
    let origin = Origin::read(&metadata)?;
    let old = pack(&origin, &metadata, &origin.version)?;
    let new = pack(&origin, &metadata, &format!("{}+1", origin.version))?;
    run(Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error,warning", "--info", "--suppress-tags", EXPECTED])
        .arg(&old.packages[0]))?;
    let [relay, cli] = ["kith-relay", "kith-cli"].map(|name| metadata.program("debug", name));
    let script = origin.root.join("packaging/app/trial");
    for (kind, (old, new)) in ["deb", "rpm"].iter().zip(old.packages.iter().zip(&new.packages)) {
        trial::in_a_copy(&origin, &script, &[kind], &[old, new, &relay, &cli])?;
    }
    try_flatpak(&origin, &old.packages[0])
}

/// Takes the steps of the Flatpak's manifest from the package for Debian.
fn try_flatpak(origin: &Origin, deb: &Path) -> Result<(), Failure> {
    let folder = origin.root.join("packaging/app/flatpak");
    let place = tempfile::tempdir_in(&origin.packages)
        .map_err(|error| Failure::at(&origin.packages, "written into", &error))?;
    let mut builder = Command::new("flatpak-builder");
    // Even to show something it keeps something where it is.
    builder.current_dir(place.path()).arg("--show-manifest").arg(folder.join("chat.kith.app.yaml"));
    let shown = capture(&mut builder)?;
    let odd = || Failure::new("The manifest of the Flatpak is not as this expects it.");
    let manifest: Value = serde_json::from_str(&shown).map_err(|_| odd())?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(odd);
    let (id, command) = (text(&manifest["id"])?, text(&manifest["command"])?);
    let module = &manifest["modules"][0];
    let source = text(&module["sources"][0]["path"])?;
    let expected = format!("Kith_{}_amd64.deb", origin.version);
    if !source.ends_with(&expected) {
        return Err(Failure::new(format!(
            "The Flatpak is made from {source}, and the package is {expected}."
        )));
    }
    let steps = module["build-commands"].as_array().ok_or_else(odd)?;
    let steps: Vec<String> = steps.iter().map(text).collect::<Result<_, _>>()?;
    let file = place.path().join("steps");
    fs::write(&file, steps.join("\n")).map_err(|error| Failure::at(&file, "written", &error))?;
    trial::in_a_copy(origin, &folder.join("trial"), &[&id, &command], &[deb, &file])
}

/// Packages in a folder that is gone with it.
struct Packed {
    packages: Vec<PathBuf>,
    _folder: tempfile::TempDir,
}

fn pack(origin: &Origin, metadata: &Metadata, version: &str) -> Result<Packed, Failure> {
    let folder = tempfile::tempdir_in(&origin.packages)
        .map_err(|error| Failure::at(&origin.packages, "written into", &error))?;
    // The bundler writes into the program: not into the one that others start.
    let profile = folder.path().join("debug");
    let program = profile.join("kith");
    fs::create_dir(&profile)
        .and_then(|()| fs::copy(metadata.program("debug", "kith"), &program))
        .map_err(|error| Failure::at(&program, "written", &error))?;
    let version = serde_json::json!({ "version": version }).to_string();
    let mut bundle = tauri(origin);
    bundle.args(["bundle", "--debug", "--bundles", BUNDLES, "--config", &version]);
    capture(bundle.env("CARGO_TARGET_DIR", folder.path()))?;
    Ok(Packed { packages: packages_in(&profile)?, _folder: folder })
}

/// That for Debian, and that for Fedora.
fn packages_in(profile: &Path) -> Result<Vec<PathBuf>, Failure> {
    BUNDLES
        .split(',')
        .map(|kind| {
            let folder = profile.join("bundle").join(kind);
            let files = fs::read_dir(&folder).map_err(|error| Failure::at(&folder, "read", &error))?;
            let newest = files
                .flatten()
                .filter(|file| file.path().extension().is_some_and(|end| end == kind))
                .max_by_key(|file| file.metadata().and_then(|about| about.modified()).ok());
            newest
                .map(|file| file.path())
                .ok_or_else(|| Failure::new(format!("There is no package in {}.", folder.display())))
        })
        .collect()
}

fn tauri(origin: &Origin) -> Command {
    let mut command = npm();
    command.current_dir(&origin.root).args(["exec", "--yes", "--package", TAURI_CLI, "--", "tauri"]);
    command
}

const TAURI_CLI: &str = "@tauri-apps/cli@2.12.5";
const BUNDLES: &str = "deb,rpm";
/// What changed stands in CHANGELOG.md; a program with a window has no manual page; what its debugger would ask for is left
/// out only of what is shipped.
const EXPECTED: &str = "no-changelog,no-manual-page,unstripped-binary-or-object";
