//! One version for all parts: the crates, the app as Tauri packs it, and the window's content.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::metadata::Metadata;

/// The version that all parts have.
///
/// # Errors
/// One sentence that names each part and its version, if they differ.
pub(crate) fn one_version(metadata: &Metadata) -> Result<String, Failure> {
    let mut versions = metadata.versions();
    // Without a version of its own, Tauri takes that of the crate.
    for file in ["tauri.conf.json", "ui/package.json", "ui/package-lock.json"] {
        if let Some(version) = version_in(&metadata.workspace_root().join(file))? {
            versions.push((file.to_owned(), version));
        }
    }
    agreed(&versions)
}

fn agreed(versions: &[(String, String)]) -> Result<String, Failure> {
    let Some((_, first)) = versions.first() else {
        return Err(Failure::new("There is nothing here that has a version."));
    };
    if versions.iter().all(|(_, version)| version == first) {
        return Ok(first.clone());
    }
    let list: Vec<String> = versions.iter().map(|(part, version)| format!("{part} {version}")).collect();
    Err(Failure::new(format!("The parts have different versions: {}. Give them one.", list.join(", "))))
}

fn version_in(path: &Path) -> Result<Option<String>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::at(path, "read", &error))?;
    let json: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("{} is not understood: {error}.", path.display())))?;
    Ok(json["version"].as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::agreed;

    fn parts(versions: [&str; 2]) -> Vec<(String, String)> {
        ["kith-relay", "ui/package.json"]
            .map(str::to_owned)
            .into_iter()
            .zip(versions.map(str::to_owned))
            .collect()
    }

    #[test]
    fn one_version_is_the_version() {
        assert_eq!(agreed(&parts(["0.2.0", "0.2.0"])).unwrap(), "0.2.0");
    }

    #[test]
    fn each_part_is_named_when_they_differ() {
        let failure = agreed(&parts(["0.2.0", "0.1.0"])).unwrap_err().to_string();
        assert!(failure.contains("kith-relay 0.2.0, ui/package.json 0.1.0"), "{failure}");
    }
}
