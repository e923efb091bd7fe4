//! A release of the app that the relay hands on: a folder with the release's `latest.json` and the files that it names.
//!
//! Whether a file is what it says, and newer than what runs, is for the app to decide: it knows the key of those who
//! make releases, and the relay does not. The folder is read anew for each request.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde_json::{Map, Value};

#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdatesError {
    /// No folder, no release in it, or no such file in the release: to whoever asks, these are one.
    #[error("there is no such update here")]
    None,
    #[error("{MANIFEST} cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("{MANIFEST} is not the list of a release: {0}")]
    Malformed(String),
}

/// The release's own list, as it stands in the folder.
#[derive(Debug)]
pub(crate) struct Release {
    list: Map<String, Value>,
}

impl Release {
    pub(crate) fn read(folder: &Path) -> Result<Self, UpdatesError> {
        if folder.as_os_str().is_empty() {
            return Err(UpdatesError::None);
        }
        let file = match File::open(folder.join(MANIFEST)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(UpdatesError::None),
            file => file?,
        };
        let mut text = String::new();
        if file.take(MANIFEST_BYTES_MAX + 1).read_to_string(&mut text)? as u64 > MANIFEST_BYTES_MAX {
            return Err(UpdatesError::Malformed(format!("it is larger than {MANIFEST_BYTES_MAX} bytes")));
        }
        let list: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| UpdatesError::Malformed(error.to_string()))?;
        let has = |key: &str, is: fn(&Value) -> bool| list.get(key).is_some_and(is);
        if !has("version", Value::is_string) || !has("platforms", Value::is_object) {
            return Err(UpdatesError::Malformed("it has no version, or no platforms".to_owned()));
        }
        Ok(Self { list })
    }

    pub(crate) fn version(&self) -> &str {
        self.list.get("version").and_then(Value::as_str).unwrap_or_default()
    }

    /// The files that it names, in order; none for an address that ends in no plain name.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let platforms = self.list.get("platforms").and_then(Value::as_object);
        platforms.into_iter().flatten().map(|(platform, entry)| (platform.as_str(), file_of(entry)))
    }

    /// The list with addresses below `base`. What is not in the folder is not in it: nobody is sent elsewhere from here.
    pub(crate) fn served(mut self, folder: &Path, base: &str) -> String {
        if let Some(platforms) = self.list.get_mut("platforms").and_then(Value::as_object_mut) {
            platforms.retain(|_, entry| {
                let Some(name) = file_of(entry).filter(|name| is_there(folder, name)) else { return false };
                let url = format!("{base}/{name}");
                entry
                    .as_object_mut()
                    .is_some_and(|entry| entry.insert("url".to_owned(), url.into()).is_some())
            });
        }
        Value::Object(self.list).to_string()
    }

    /// A file that it names, and how long it is.
    pub(crate) fn open(&self, folder: &Path, name: &str) -> Result<(File, u64), UpdatesError> {
        if !self.files().any(|(_, named)| named == Some(name)) || !is_there(folder, name) {
            return Err(UpdatesError::None);
        }
        let file = File::open(folder.join(name))?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }
}

/// Asked before it is opened: to open a pipe would wait for whoever writes into it.
pub(crate) fn is_there(folder: &Path, name: &str) -> bool {
    folder.join(name).metadata().is_ok_and(|metadata| metadata.is_file())
}

fn file_of(entry: &Value) -> Option<&str> {
    let name = entry.get("url")?.as_str()?.rsplit('/').next()?;
    is_name(name).then_some(name)
}

/// A name that is one in every file system and address, and leads nowhere else.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    (1..=NAME_LEN_MAX).contains(&name.len()) && !name.starts_with('.') && name.chars().all(fits)
}

pub(crate) const MANIFEST: &str = "latest.json";

/// Notes of a release are a few KiB, a platform some 500 bytes.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

const NAME_LEN_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(list: &str, files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST), list).unwrap();
        for file in files {
            std::fs::write(folder.path().join(file), file).unwrap();
        }
        folder
    }

    #[test]
    fn only_what_is_there_is_offered_and_only_from_here() {
        let list = r#"{"version":"2.0.0","notes":"n","platforms":{
            "linux-x86_64":{"url":"https://far.example/v2/Kith.AppImage?x=../y","signature":"s"},
            "windows-x86_64":{"url":"https://far.example/v2/Kith-setup.exe","signature":"t"},
            "darwin-aarch64":{"url":"https://far.example/v2/Kith.app.tar.gz","signature":"u"}}}"#;
        let folder = folder(list, &["Kith-setup.exe"]);
        let release = Release::read(folder.path()).unwrap();
        assert_eq!(release.version(), "2.0.0");
        let served: Value =
            serde_json::from_str(&release.served(folder.path(), "https://relay.example/u")).unwrap();
        assert_eq!(
            served,
            serde_json::json!({"version": "2.0.0", "notes": "n", "platforms": {
                "windows-x86_64": {"url": "https://relay.example/u/Kith-setup.exe", "signature": "t"}}})
        );
    }

    #[test]
    fn nothing_is_opened_that_the_release_does_not_name() {
        let list = r#"{"version":"2.0.0","platforms":{"a":{"url":"https://x/named","signature":""},
            "b":{"url":"https://x/..","signature":""}, "c":{"url":"https://x/folder","signature":""}}}"#;
        let folder = folder(list, &["named", "other"]);
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        let release = Release::read(folder.path()).unwrap();
        assert_eq!(release.open(folder.path(), "named").unwrap().1, 5);
        for name in ["other", "..", "folder", "", "latest.json", "../named", "./named"] {
            assert!(matches!(release.open(folder.path(), name), Err(UpdatesError::None)), "{name}");
        }
    }

    #[test]
    fn what_is_no_release_is_told_apart_from_none() {
        assert!(matches!(Release::read(Path::new("")), Err(UpdatesError::None)));
        assert!(matches!(Release::read(tempfile::tempdir().unwrap().path()), Err(UpdatesError::None)));
        for list in ["", "[]", "{}", r#"{"version":1,"platforms":{}}"#, r#"{"version":"1.0.0"}"#] {
            let folder = folder(list, &[]);
            assert!(matches!(Release::read(folder.path()), Err(UpdatesError::Malformed(_))), "{list}");
        }
        let long = folder(&" ".repeat(MANIFEST_BYTES_MAX as usize + 1), &[]);
        assert!(matches!(Release::read(long.path()), Err(UpdatesError::Malformed(_))));
    }
}
