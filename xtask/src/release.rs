//! `cargo xtask release`: one version for all parts, a heading for what has changed, a commit and a tag.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::program::{capture, run};
use crate::tools::cargo;
use crate::versions::one_version;

/// Releases what is committed here; a dry run does the same in a clone that is gone afterwards.
///
/// # Errors
/// One sentence on what stands in the way; then nothing was changed, or what was changed is not committed.
pub(crate) fn release(version: &str, dry_run: bool) -> Result<(), Failure> {
    let metadata = Metadata::read()?;
    let before = one_version(&metadata)?;
    let root = metadata.workspace_root();
    // Before a copy is made, which would lack them.
    if !capture(Command::new("git").current_dir(root).args(["status", "--porcelain"]))?.is_empty() {
        return Err(Failure::new("There are changes that are not committed: commit them, or put them away."));
    }
    if !dry_run {
        release_in(root, &before, version)?;
        anstream::println!(
            "\nNothing is published yet, and no check or test was run here: `cargo xtask ci` runs them.\n`git push origin HEAD v{version}` lets the release be checked on three systems, built, and put into a draft."
        );
        return Ok(());
    }
    let folder =
        tempfile::tempdir().map_err(|error| Failure::new(format!("There is no room in /tmp: {error}.")))?;
    let clone = folder.path().join("kith");
    run(Command::new("git").args(["clone", "--quiet", "--local"]).arg(root).arg(&clone))?;
    release_in(&clone, &before, version)?;
    anstream::println!(
        "\nThis was a copy: nothing has changed here. No check or test was run: `cargo xtask ci` runs them."
    );
    Ok(())
}

fn release_in(root: &Path, before: &str, version: &str) -> Result<(), Failure> {
    if numbers(version)? < numbers(before)? {
        return Err(Failure::new(format!("{version} is older than {before}, which this is already.")));
    }
    let git = |arguments: &[&str]| capture(Command::new("git").current_dir(root).args(arguments));
    let tag = format!("v{version}");
    if !git(&["tag", "--list", &tag])?.is_empty() {
        return Err(Failure::new(format!("There is a tag {tag} already.")));
    }
    let today = capture(Command::new("date").args(["-u", "+%F"]))?;
    edit(root, "CHANGELOG.md", |text| headed(text, version, today.trim()))?;
    let (old, new) = (format!("version = \"{before}\""), format!("version = \"{version}\""));
    edit(root, "Cargo.toml", |text| text.contains(&old).then(|| text.replacen(&old, &new, 1)))?;
    let (old, new) = (format!("\"version\": \"{before}\""), format!("\"version\": \"{version}\""));
    edit(root, "ui/package.json", |text| text.contains(&old).then(|| text.replacen(&old, &new, 1)))?;
    // Once for the file, once for the package at its root.
    edit(root, "ui/package-lock.json", |text| text.contains(&old).then(|| text.replacen(&old, &new, 2)))?;
    let (old, new) = (format!("Kith_{before}_"), format!("Kith_{version}_"));
    edit(root, "packaging/app/flatpak/chat.kith.app.yaml", |text| {
        text.contains(&old).then(|| text.replacen(&old, &new, 1))
    })?;
    run(cargo().current_dir(root).args(["update", "--workspace", "--offline", "--quiet"]))?;
    run(Command::new("git").current_dir(root).args([
        "commit",
        "--quiet",
        "--all",
        "--message",
        &format!("Release {version}"),
    ]))?;
    let message = format!("Kith {version}");
    run(Command::new("git").current_dir(root).args(["tag", "--annotate", &tag, "--message", &message]))?;
    run(Command::new("git").current_dir(root).args(["--no-pager", "show", "--stat", &tag]))
}

fn edit(root: &Path, file: &str, change: impl FnOnce(&str) -> Option<String>) -> Result<(), Failure> {
    let path = root.join(file);
    let text = fs::read_to_string(&path).map_err(|error| Failure::at(&path, "read", &error))?;
    let changed =
        change(&text).ok_or_else(|| Failure::new(format!("{file} is not as a release expects it.")))?;
    fs::write(&path, changed).map_err(|error| Failure::at(&path, "written", &error))
}

/// What was unreleased gets the version and the day; `None` if nothing was.
fn headed(changes: &str, version: &str, day: &str) -> Option<String> {
    let (before, after) = changes.split_once("## Unreleased\n")?;
    let unreleased = after.split("\n## ").next()?;
    (!unreleased.trim().is_empty()).then(|| format!("{before}## Unreleased\n\n## {version} ({day})\n{after}"))
}

fn numbers(version: &str) -> Result<[u32; 3], Failure> {
    let parts: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    let spelt = parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    <[u32; 3]>::try_from(parts)
        .ok()
        .filter(|_| spelt == version)
        .ok_or_else(|| Failure::new(format!("`{version}` is no version: three numbers are, such as 0.2.0.")))
}

#[cfg(test)]
mod tests {
    use super::{headed, numbers};

    #[test]
    fn what_was_unreleased_gets_a_heading() {
        let changes = "# Changes\n\n## Unreleased\n\n- Something.\n\n## 0.1.0 (2026-01-01)\n\n- More.\n";
        assert_eq!(
            headed(changes, "0.2.0", "2026-02-01").unwrap(),
            "# Changes\n\n## Unreleased\n\n## 0.2.0 (2026-02-01)\n\n- Something.\n\n## 0.1.0 (2026-01-01)\n\n- More.\n"
        );
    }

    #[test]
    fn a_release_without_changes_is_none() {
        assert_eq!(
            headed("# Changes\n\n## Unreleased\n\n## 0.1.0 (2026-01-01)\n\n- More.\n", "0.2.0", "2026-02-01"),
            None
        );
    }

    #[test]
    fn versions_are_three_numbers() {
        assert!(numbers("0.10.0").unwrap() > numbers("0.9.1").unwrap());
        for text in ["0.2", "0.2.0.1", "0.2.x", "v0.2.0", "0.02.0", "0.2.0-rc.1", ""] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
