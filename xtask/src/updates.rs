//! `cargo xtask updates`: `latest.json`, by which apps and relays know what a release offers to which system.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::versions::one_version;

/// Writes it into a folder that holds the bundles of a release and their signatures. `base`: where those will lie.
///
/// # Errors
/// One sentence on what is missing or does not fit: an app would refuse it, or never be offered it.
pub(crate) fn updates(folder: &Path, base: &str) -> Result<(), Failure> {
    let metadata = Metadata::read()?;
    let version = one_version(&metadata)?;
    let changes = metadata.workspace_root().join("CHANGELOG.md");
    let changes = fs::read_to_string(&changes).map_err(|error| Failure::at(&changes, "read", &error))?;
    let notes = changes_of(&changes, &version).ok_or_else(|| {
        Failure::new(format!("CHANGELOG.md has no heading for {version}: `cargo xtask release` makes it."))
    })?;
    let list = list_of(folder, base, &version, &notes)?;
    let path = folder.join("latest.json");
    let text = serde_json::to_string_pretty(&list).expect("it is made of texts");
    fs::write(&path, text).map_err(|error| Failure::at(&path, "written", &error))?;
    anstream::println!("{}", path.display());
    Ok(())
}

fn list_of(folder: &Path, base: &str, version: &str, notes: &str) -> Result<Value, Failure> {
    let mut platforms = Map::new();
    for (platform, end) in BUNDLES {
        let name = the_one(folder, end)?;
        let path = folder.join(format!("{name}.sig"));
        let signature = fs::read_to_string(&path).map_err(|error| Failure::at(&path, "read", &error))?;
        check_signed_for(&name, signature.trim(), version)?;
        let url = format!("{}/{name}", base.trim_end_matches('/'));
        platforms.insert((*platform).to_owned(), json!({ "url": url, "signature": signature.trim() }));
    }
    Ok(json!({ "version": version, "notes": notes, "platforms": platforms }))
}

/// The only file of this end.
fn the_one(folder: &Path, end: &str) -> Result<String, Failure> {
    let files = fs::read_dir(folder).map_err(|error| Failure::at(folder, "read", &error))?;
    let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
    let fitting: Vec<String> = names.filter(|name| name.ends_with(end)).collect();
    match fitting.as_slice() {
        [name] => Ok(name.clone()),
        several => Err(Failure::new(format!(
            "{} has {} files that end in {end}; there must be one.",
            folder.display(),
            several.len()
        ))),
    }
}

/// An app takes a file only for the version that its signature names.
fn check_signed_for(name: &str, signature: &str, version: &str) -> Result<(), Failure> {
    let bytes = BASE64.decode(signature.as_bytes());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let wanted = format!("version:{version}");
    let comment = text.lines().find_map(|line| line.strip_prefix("trusted comment: "));
    if comment.is_some_and(|comment| comment.split('\t').any(|field| field == wanted)) {
        return Ok(());
    }
    Err(Failure::new(format!("{name}.sig is not for {version}: sign it with the version that it is.")))
}

/// What stands below the heading of a version.
fn changes_of(changes: &str, version: &str) -> Option<String> {
    let mut parts = changes.split("\n## ");
    let part = parts.find(|part| part.starts_with(&format!("{version} ")))?;
    Some(part.split_once('\n')?.1.trim().to_owned())
}

/// What each system installs that brings itself up to date, as the plugin of Tauri names systems. One bundle of macOS is for both
/// of its processors; of Windows each installer is brought up to date by its own kind.
const BUNDLES: &[(&str, &str)] = &[
    ("darwin-aarch64", ".app.tar.gz"),
    ("darwin-x86_64", ".app.tar.gz"),
    ("linux-x86_64", "_amd64.AppImage"),
    ("windows-x86_64-msi", "_x64_en-US.msi"),
    ("windows-x86_64-nsis", "_x64-setup.exe"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(comment: &str) -> String {
        BASE64.encode(format!("untrusted comment: x\nAAAA\ntrusted comment: {comment}\nBBBB\n").as_bytes())
    }

    /// A release as the three systems bring it together.
    fn release(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (_, end) in BUNDLES {
            let name = format!("Kith_1{end}");
            fs::write(folder.path().join(&name), "").unwrap();
            let signed = signature(&format!("timestamp:1\tfile:{name}\tversion:{version}"));
            fs::write(folder.path().join(format!("{name}.sig")), signed).unwrap();
        }
        folder
    }

    #[test]
    fn a_list_names_each_system_and_what_is_new() {
        let folder = release("0.2.0");
        let list = list_of(folder.path(), "https://kith.example/v0.2.0/", "0.2.0", "- Larger.").unwrap();
        assert_eq!((&list["version"], &list["notes"]), (&json!("0.2.0"), &json!("- Larger.")));
        let linux = &list["platforms"]["linux-x86_64"];
        assert_eq!(linux["url"], "https://kith.example/v0.2.0/Kith_1_amd64.AppImage");
        assert_eq!(list["platforms"].as_object().unwrap().len(), BUNDLES.len());
    }

    #[test]
    fn what_apps_would_refuse_is_not_published() {
        let list = |folder: &tempfile::TempDir| list_of(folder.path(), "https://x", "0.2.0", "");
        let other = release("0.1.0");
        assert!(list(&other).unwrap_err().to_string().contains("is not for 0.2.0"));
        let missing = release("0.2.0");
        fs::remove_file(missing.path().join("Kith_1_x64-setup.exe")).unwrap();
        assert!(list(&missing).unwrap_err().to_string().contains("_x64-setup.exe; there must be one"));
        let unsigned = release("0.2.0");
        fs::remove_file(unsigned.path().join("Kith_1.app.tar.gz.sig")).unwrap();
        assert!(list(&unsigned).is_err());
        fs::write(unsigned.path().join("Kith_1.app.tar.gz.sig"), "no base64!").unwrap();
        assert!(list(&unsigned).is_err());
    }

    #[test]
    fn what_is_new_stands_below_the_heading() {
        let changes = "# Changes\n\n## Unreleased\n\n## 0.2.0 (2026-02-01)\n\n- Larger.\n\n## 0.1.0 (2026-01-01)\n\n- First.\n";
        assert_eq!(changes_of(changes, "0.2.0").unwrap(), "- Larger.");
        assert_eq!(changes_of(changes, "0.1.0").unwrap(), "- First.");
        assert_eq!(changes_of(changes, "0.1"), None);
    }
}
