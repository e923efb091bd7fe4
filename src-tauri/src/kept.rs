//! Small files of the app: settings and the place of the last window. What cannot be read counts as absent.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;

/// Reads what was kept, laid over `default`: what a newer version added has its default, what an older one left is ignored.
pub(crate) fn read<T: Serialize + DeserializeOwned>(path: &Path, default: T) -> T {
    let Some(Value::Object(kept)) = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    else {
        return default;
    };
    let Ok(Value::Object(mut merged)) = serde_json::to_value(&default) else { return default };
    for (name, value) in kept {
        let Some(before) = merged.insert(name.clone(), value) else {
            merged.remove(&name);
            continue;
        };
        // A value of another form than it had is dropped alone.
        if serde_json::from_value::<T>(Value::Object(merged.clone())).is_err() {
            merged.insert(name, before);
        }
    }
    serde_json::from_value(Value::Object(merged)).unwrap_or(default)
}

/// Keeps a value, in the place of another: a crash leaves the old one or the new one.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    fs::write(&new, serde_json::to_vec_pretty(value)?)?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{LocalSettings, Theme};

    #[test]
    fn what_is_missing_or_odd_has_its_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/settings.json");
        assert_eq!(read(&path, LocalSettings::default()), LocalSettings::default());
        let mine = LocalSettings { theme: Theme::Dark, text_size: 150, ..LocalSettings::default() };
        write(&path, &mine).unwrap();
        assert_eq!(read(&path, LocalSettings::default()), mine);
        fs::write(&path, r#"{"theme":"dark","density":"sideways","unheardOf":1}"#).unwrap();
        let read = read(&path, LocalSettings::default());
        assert_eq!((read.theme, read.density), (Theme::Dark, LocalSettings::default().density));
    }
}
