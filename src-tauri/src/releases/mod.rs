//! Newer versions of Kith: who is asked for them, what is believed of it, and who puts them in the place of this one.
//!
//! A list of a release says which version there is and where each system's file lies. Whoever hands it on is believed nothing:
//! the file must be signed with the key that was built in, for the very version that the list names, and that must be newer
//! than this one. Lists and files are fetched here, within bounds; the rest is the plugin's ([`plugin`]), except that
//! an AppImage is exchanged here: the plugin moves the old one away before it writes the new one.

mod keeper;
#[cfg(target_os = "linux")]
mod place;
mod plugin;
mod source;

pub(crate) use keeper::{Keeper, keeper};
pub(crate) use plugin::{configure, install, newer, plugin};
pub(crate) use source::{FetchError, Source};

/// What a list offers to this system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) version: String,
    /// What is new, as whoever hands it on says.
    pub(crate) notes: String,
    /// Where its file lies.
    pub(crate) url: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReleaseError {
    #[error("nobody who could know of a newer Kith answers: look again later")]
    Unanswered,
    #[error("there is nothing newer to install")]
    Nothing,
    #[error("the new version did not arrive: {0}; this one stays")]
    Fetch(#[from] FetchError),
    #[error("what arrived is not what the makers of Kith signed as version {version}: {why}; this one stays")]
    Untrusted { version: String, why: String },
    #[error("the new version cannot be put in the place of this one: {0}; this one stays")]
    NotPlaced(String),
    #[error("the list of the release cannot be used: {0}")]
    List(String),
}

/// The public key of those who make releases, in base64; none in a build of somebody else.
pub(crate) fn key() -> Option<String> {
    built_in("KITH_UPDATE_KEY", option_env!("KITH_UPDATE_KEY"))
}

/// Where releases are published; relays may hand them on besides.
pub(crate) fn feed() -> Option<String> {
    built_in("KITH_UPDATE_FEED", option_env!("KITH_UPDATE_FEED"))
}

/// Tests bring a key of their own to a build for developers. What is shipped believes no variable.
fn built_in(name: &str, value: Option<&str>) -> Option<String> {
    let given = if cfg!(debug_assertions) { std::env::var(name).ok() } else { None };
    given.or(value.map(str::to_owned)).filter(|value| !value.is_empty())
}
