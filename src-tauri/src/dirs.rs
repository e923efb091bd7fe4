use std::env;
use std::path::{Path, PathBuf};

/// Where Kith keeps its files. `KITH_HOME` puts all of them below one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dirs {
    /// One folder for each profile.
    pub(crate) profiles: PathBuf,
    /// `settings.json` and `place.json`.
    pub(crate) config: PathBuf,
    /// The log.
    pub(crate) logs: PathBuf,
    /// What the web view keeps.
    pub(crate) web: PathBuf,
    /// The folder of `KITH_HOME`, if that is set: two of them run beside each other.
    pub(crate) apart: Option<PathBuf>,
}

impl Dirs {
    /// As the system wants it, or as `KITH_HOME` says; `None` if the system names no home.
    pub(crate) fn of_system() -> Option<Self> {
        match env::var_os("KITH_HOME").filter(|home| !home.is_empty()) {
            Some(home) => Some(Self::below(Path::new(&home))),
            None => Some(Self {
                profiles: dirs::data_dir()?.join(NAME).join("profiles"),
                config: dirs::config_dir()?.join(NAME),
                logs: dirs::data_local_dir()?.join(NAME).join("logs"),
                web: dirs::data_local_dir()?.join(NAME).join("web"),
                apart: None,
            }),
        }
    }

    /// All below one folder.
    pub(crate) fn below(home: &Path) -> Self {
        let home = std::path::absolute(home).unwrap_or_else(|_| home.to_owned());
        Self {
            profiles: home.join("profiles"),
            config: home.join("config"),
            logs: home.join("logs"),
            web: home.join("web"),
            apart: Some(home),
        }
    }

    /// A name that differs between homes, for what the system knows one of: the bus name of the running app.
    pub(crate) fn suffix(&self) -> Option<String> {
        let home = self.apart.as_ref()?;
        // FNV-1a: the same in each process, which std's hasher does not promise.
        let hash = home.to_string_lossy().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Some(format!("h{hash:016x}"))
    }
}

/// Whether this runs in the sandbox of Flatpak, which puts this file there.
#[cfg(target_os = "linux")]
pub(crate) fn is_flatpak() -> bool {
    Path::new("/.flatpak-info").exists()
}

const NAME: &str = "kith";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_kept_apart() {
        let (a, b) = (Dirs::below(Path::new("/tmp/a")), Dirs::below(Path::new("/tmp/b")));
        assert_ne!(a.suffix(), b.suffix());
        assert_eq!(a.suffix(), Dirs::below(Path::new("/tmp/a")).suffix());
        assert!(a.profiles.starts_with("/tmp/a"));
    }
}
