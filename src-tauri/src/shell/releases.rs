//! Newer versions of Kith: looked for once a day, fetched when the person says so.

use super::{Shell, now};
use crate::ipc::{Release, Update};
use crate::kept;
use crate::releases::{Keeper, Offer, ReleaseError, Source, feed, keeper};
use serde_json::Value;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

/// What is known of newer versions.
pub(super) struct State {
    shown: Release,
    offer: Option<Offered>,
    /// Handed on what nobody signed: not asked again while Kith runs.
    distrusted: Vec<Source>,
}

#[derive(Clone)]
struct Offered {
    source: Source,
    list: Value,
    offer: Offer,
}

impl State {
    pub(super) fn new() -> Self {
        let shown = match keeper() {
            Keeper::Itself => Release::Newest,
            Keeper::System => Release::KeptBySystem,
            Keeper::Nobody => Release::Fixed,
        };
        Self { shown, offer: None, distrusted: Vec::new() }
    }
}

impl Shell {
    pub(crate) fn release(&self) -> Release {
        self.releases().shown.clone()
    }

    /// Looks by itself, for as long as the app runs; at most once a day, however often it is started.
    pub(crate) async fn follow_releases(self) {
        if matches!(self.release(), Release::KeptBySystem | Release::Fixed) {
            return;
        }
        let file = self.inner.dirs.config.join(LOOKED);
        loop {
            // Steps: a computer that slept wakes late from a long sleep. Jitter: not everybody asks at once.
            tokio::time::sleep(STEP + up_to(STEP)).await;
            let looked = kept::read(&file, Looked::default());
            if !looked.is_due(now()) {
                continue;
            }
            if let Err(error) = kept::write(&file, &Looked { at: now(), wait_ms: wait_ms() }) {
                tracing::warn!(%error, "when releases were looked for cannot be kept");
            }
            if let Err(error) = self.look_for_release().await {
                tracing::info!(%error, "no release was found");
            }
        }
    }

    /// Asks relays, then the feed. What is offered already, or on its way, stays as it is.
    pub(crate) async fn look_for_release(&self) -> Result<Release, ReleaseError> {
        if !self.turn(|shown| matches!(shown, Release::Newest | Release::Offered { .. }), Release::Looking) {
            return Ok(self.release());
        }
        let looked = self.looked().await;
        let offered = looked.as_ref().ok().cloned().flatten();
        let shown = {
            let mut releases = self.releases();
            // An offer outlives a look that nobody answers.
            if looked.is_ok() {
                releases.offer = offered;
            }
            releases.offer.as_ref().map_or(Release::Newest, Offered::shown)
        };
        self.show(shown.clone());
        looked.map(|_| shown)
    }

    /// Fetches what is offered, has it checked and put in the place of this version, and starts anew.
    pub(crate) async fn install_release(&self) -> Result<(), ReleaseError> {
        let offered = self.releases().offer.clone().ok_or(ReleaseError::Nothing)?;
        let version = offered.offer.version.clone();
        let arriving = Release::Arriving { version, percent: 0 };
        if !self.turn(|shown| matches!(shown, Release::Offered { .. }), arriving) {
            return Err(ReleaseError::Nothing);
        }
        let installed = self.fetch_and_install(&offered).await;
        match &installed {
            Ok(()) => {
                tracing::info!(version = offered.offer.version, "a newer version is in place");
                self.show(Release::Arrived);
                if let Ok(desk) = self.desk() {
                    desk.start_anew();
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the newer version is not installed");
                if matches!(error, ReleaseError::Untrusted { .. }) {
                    let mut releases = self.releases();
                    releases.distrusted.push(offered.source);
                    releases.offer = None;
                }
                let shown = self.releases().offer.as_ref().map_or(Release::Newest, Offered::shown);
                self.show(shown);
            }
        }
        installed
    }

    async fn fetch_and_install(&self, offered: &Offered) -> Result<(), ReleaseError> {
        let Offered { source, list, offer } = offered;
        let (shell, version, mut told) = (self.clone(), offer.version.clone(), 0);
        let moved = move |got: u64, of: Option<u64>| {
            let percent = of.filter(|of| *of > 0).map_or(0, |of| u8::try_from(got * 100 / of).unwrap_or(100));
            if percent != told {
                told = percent;
                shell.show(Release::Arriving { version: version.clone(), percent });
            }
        };
        let file = source.file(&offer.url, moved).await?;
        let desk = self.desk().map_err(|error| ReleaseError::NotPlaced(error.message))?;
        desk.install(list.clone(), file).await
    }

    /// One list is enough to know. Without any, nothing is known unless all who were asked say that they have none.
    async fn looked(&self) -> Result<Option<Offered>, ReleaseError> {
        let sources = self.sources().await;
        let mut failed = sources.is_empty().then_some(ReleaseError::Unanswered);
        let mut answered = false;
        for source in sources {
            let found = match source.list().await {
                Ok(None) => continue,
                Ok(Some(list)) => self.newer(&list).map(|offer| (offer, list)),
                Err(error) => {
                    tracing::info!(%error, "a list of releases is not to be had");
                    Err(ReleaseError::Unanswered)
                }
            };
            match found {
                Ok((Some(offer), list)) => return Ok(Some(Offered { source, list, offer })),
                Ok((None, _)) => answered = true,
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => Ok(None),
        }
    }

    fn newer(&self, list: &Value) -> Result<Option<Offer>, ReleaseError> {
        let desk = self.desk().map_err(|error| ReleaseError::List(error.message))?;
        desk.newer(list)
    }

    /// The relays of all profiles, then the feed.
    async fn sources(&self) -> Vec<Source> {
        let mut sources = Vec::new();
        for profile in self.all() {
            let Ok(client) = profile.client() else { continue };
            if let Ok(relay) = client.relay().await {
                sources.extend(Source::relay(&relay));
            }
        }
        sources.extend(feed().as_deref().and_then(Source::feed));
        let distrusted = self.releases().distrusted.clone();
        let mut asked = Vec::new();
        for source in sources {
            if !asked.contains(&source) && !distrusted.contains(&source) {
                asked.push(source);
            }
        }
        asked
    }

    /// Goes from one stage to another, if it is at one of those; one caller at a time gets through.
    fn turn(&self, is: impl Fn(&Release) -> bool, to: Release) -> bool {
        let turned = {
            let mut releases = self.releases();
            let turned = is(&releases.shown);
            if turned {
                releases.shown = to.clone();
            }
            turned
        };
        if turned {
            self.inner.feed.push(Update::Release { release: to });
        }
        turned
    }

    fn show(&self, release: Release) {
        self.releases().shown = release.clone();
        self.inner.feed.push(Update::Release { release });
    }

    fn releases(&self) -> MutexGuard<'_, State> {
        self.inner.releases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Offered {
    fn shown(&self) -> Release {
        let notes: String = self.offer.notes.chars().take(NOTES_CHARS_MAX).collect();
        Release::Offered { version: self.offer.version.clone(), notes: notes.trim().to_owned() }
    }
}

/// When releases were looked for last, and how long that is good for.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Looked {
    at: u64,
    wait_ms: u64,
}

impl Looked {
    /// A clock that was set back is no reason to wait for it.
    fn is_due(&self, now: u64) -> bool {
        now < self.at || now - self.at >= self.wait_ms
    }
}

/// A day, and up to four hours.
fn wait_ms() -> u64 {
    DAY_MS + u64::try_from(up_to(SPREAD).as_millis()).unwrap_or(0)
}

/// By chance.
fn up_to(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

const LOOKED: &str = "releases.json";
const STEP: Duration = Duration::from_secs(5 * 60);
const SPREAD: Duration = Duration::from_secs(4 * 60 * 60);
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// More than that nobody reads.
const NOTES_CHARS_MAX: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_good_for_a_day() {
        assert!(Looked::default().is_due(now()));
        let looked = Looked { at: 1_000_000, wait_ms: wait_ms() };
        assert!(!looked.is_due(1_000_000 + DAY_MS - 1));
        assert!(looked.is_due(1_000_000 + DAY_MS * 7 / 6));
        assert!(looked.is_due(999_999));
    }
}
