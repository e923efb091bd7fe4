//! The release of the app that is handed on.

use super::{Finding, bad, good, warning};
use crate::{
    config::Config,
    updates::{MANIFEST, Release, UpdatesError, is_there},
};

/// Nothing to say where none is handed on.
pub(super) fn examine(config: &Config) -> Option<Finding> {
    let folder = &config.updates.folder;
    if folder.as_os_str().is_empty() {
        return None;
    }
    let release = match Release::read(folder) {
        Ok(release) => release,
        Err(UpdatesError::None) => {
            let says = format!("there is no {MANIFEST} in {}", folder.display());
            return Some(warning(
                "updates",
                says,
                "put the files of a release there; until then none is offered",
            ));
        }
        Err(error) => {
            let todo = "put the file there again as it was published, readable for the relay";
            return Some(bad("updates", format!("{}: {error}", folder.display()), todo));
        }
    };
    let is_missing = |file: Option<&str>| file.is_none_or(|name| !is_there(folder, name));
    let missing: Vec<_> =
        release.files().filter(|(_, file)| is_missing(*file)).map(|(platform, _)| platform).collect();
    let says = format!("version {} of the app is offered to devices", release.version());
    Some(if missing.is_empty() {
        good("updates", says)
    } else {
        let says = format!("{says}, but not to {}: its file is not in the folder", missing.join(", "));
        warning("updates", says, "add the files of those systems, if somebody has them")
    })
}
