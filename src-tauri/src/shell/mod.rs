//! All that the app is beside its window: profiles, settings, what is unread. Goes on when there is no window.

mod alerts;
mod attention;
mod notices;
mod releases;
mod roster;
mod settings;
mod unread;

use crate::desk::{Desk, Key};
use crate::dirs::Dirs;
use crate::failure::{self, Outcome};
use crate::feed::Feed;
use crate::ipc::{DoNotDisturb, LocalSettings, OpenTarget, ProfileId, Update};
use crate::kept;
use crate::profile::Profile;
use crate::words::Words;
use kith_client::Access;
use kith_client::keys::Choice;
use kith_protocol::ids::{RoomId, Seq};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::Instant;

/// Cheap to clone; all clones are the same shell.
#[derive(Clone)]
pub(crate) struct Shell {
    inner: Arc<Inner>,
}

/// How the engine reaches keys and relays.
pub(crate) type MakeAccess = Box<dyn Fn(Choice) -> Access + Send + Sync>;

struct Inner {
    dirs: Dirs,
    access: MakeAccess,
    feed: Feed,
    desk: OnceLock<Box<dyn Desk>>,
    profiles: Mutex<BTreeMap<ProfileId, Arc<Profile>>>,
    state: Mutex<State>,
    releases: Mutex<releases::State>,
    /// Raised to end the linking that is under way.
    link_cancelled: watch::Sender<u64>,
    /// Grows with each place that comes.
    placed: watch::Sender<u64>,
    /// Whether something shows tray icons.
    tray_host: watch::Sender<bool>,
    clipboard: Mutex<Option<arboard::Clipboard>>,
    started: Instant,
    /// Grows with every answer to "do not disturb": an older alarm clock does nothing.
    alarm: Mutex<u64>,
}

struct State {
    settings: LocalSettings,
    words: Words,
    do_not_disturb: DoNotDisturb,
    /// The room that is open in the window.
    looked_at: Option<(ProfileId, RoomId)>,
    focused: bool,
    away: bool,
    place: Option<String>,
    open: Option<OpenTarget>,
    link: Option<String>,
    window_begun: Instant,
    /// The newest message that each notification tells of.
    shown: BTreeMap<Key, Seq>,
}

impl Shell {
    pub(crate) fn new(dirs: Dirs, access: MakeAccess) -> Self {
        let settings = kept::read(&dirs.config.join(SETTINGS), LocalSettings::default());
        let do_not_disturb = kept::read(&dirs.config.join(QUIET), KeptQuiet::default()).quiet;
        let place = kept::read(&dirs.config.join(PLACE), KeptPlace::default()).place;
        let words = Words::of(settings.language.as_deref());
        let state = State {
            settings,
            words,
            do_not_disturb,
            looked_at: None,
            focused: false,
            away: false,
            place,
            open: None,
            link: None,
            window_begun: Instant::now(),
            shown: BTreeMap::new(),
        };
        let inner = Inner {
            dirs,
            access,
            feed: Feed::default(),
            desk: OnceLock::new(),
            profiles: Mutex::default(),
            state: Mutex::new(state),
            releases: Mutex::new(releases::State::new()),
            link_cancelled: watch::Sender::new(0),
            alarm: Mutex::new(0),
            placed: watch::Sender::new(0),
            tray_host: watch::Sender::new(false),
            clipboard: Mutex::new(None),
            started: Instant::now(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The system around the app is there. Counts once.
    pub(crate) fn seated(&self, desk: Box<dyn Desk>) {
        let _ = self.inner.desk.set(desk);
    }

    /// The system around the app.
    pub(crate) fn desk(&self) -> Outcome<&dyn Desk> {
        self.inner.desk.get().map(|desk| &**desk).ok_or_else(|| failure::internal("the app is only starting"))
    }

    /// A window is being made.
    pub(crate) fn window_begun(&self) {
        self.state().window_begun = Instant::now();
    }

    /// The first picture of a window is drawn.
    pub(crate) fn drawn(&self) {
        let ms = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let window_begun = self.state().window_begun;
        tracing::info!(since_start_ms = ms(self.inner.started), window_ms = ms(window_begun), "drawn");
    }

    /// Puts a text on the clipboard, for as long as the app runs.
    pub(crate) async fn copy(&self, text: String) -> Outcome {
        let inner = Arc::clone(&self.inner);
        let copied = tokio::task::spawn_blocking(move || {
            let mut board = inner.clipboard.lock().unwrap_or_else(PoisonError::into_inner);
            if board.is_none() {
                *board = Some(arboard::Clipboard::new()?);
            }
            // On X11 the text is ours to give: whoever drops the board takes it back.
            board.as_mut().map_or(Ok(()), |board| board.set_text(text))
        });
        let copied = copied.await.map_err(|_| failure::internal("nothing was copied"))?;
        copied.map_err(|error| failure::internal(error.to_string()))
    }

    pub(crate) fn dirs(&self) -> &Dirs {
        &self.inner.dirs
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    pub(crate) fn access(&self, choice: Choice) -> Access {
        (self.inner.access)(choice)
    }

    pub(crate) fn place(&self) -> Option<String> {
        self.state().place.clone()
    }

    pub(crate) fn set_place(&self, place: String) {
        self.state().place = Some(place);
        self.inner.placed.send_modify(|count| *count += 1);
    }

    /// Tells the window that it closes, and waits until it has handed its place over; not longer than `within`.
    pub(crate) async fn say_goodbye(&self, within: Duration) {
        if self.inner.feed.is_attached() {
            let mut placed = self.inner.placed.subscribe();
            self.inner.feed.push(Update::Closing);
            // Too late is fine: an older place counts then.
            let _ = tokio::time::timeout(within, placed.changed()).await;
        }
    }

    /// Tells a window that stays where to go. One that is only being made takes it along when it asks for everything.
    pub(crate) fn tell_ways(&self) {
        // Before the look at the feed: whoever attaches after it finds the ways still here.
        let mut state = self.state();
        if !self.inner.feed.is_attached() {
            return;
        }
        if let Some(target) = state.open.take() {
            self.inner.feed.push(Update::Open { target });
        }
        if let Some(text) = state.link.take() {
            self.inner.feed.push(Update::Link { text });
        }
    }

    /// Where a window that is being made has to go.
    pub(crate) fn take_ways(&self) -> (Option<OpenTarget>, Option<String>) {
        let mut state = self.state();
        (state.open.take(), state.link.take())
    }

    pub(crate) fn link_cancelled(&self) -> watch::Receiver<u64> {
        self.inner.link_cancelled.subscribe()
    }

    pub(crate) fn cancel_link(&self) {
        self.inner.link_cancelled.send_modify(|count| *count += 1);
    }

    /// Writes everything down, and lets go of all profiles.
    pub(crate) async fn shut_down(&self) {
        self.inner.feed.detach();
        self.keep_place();
        let profiles = std::mem::take(&mut *self.profiles());
        let ends =
            profiles.into_values().map(|profile| tokio::spawn(async move { profile.shut_down().await }));
        for end in ends.collect::<Vec<_>>() {
            let _ = end.await;
        }
    }

    /// Keeps the place of the window over the end of the process.
    pub(crate) fn keep_place(&self) {
        let place = self.place();
        if place.is_some()
            && let Err(error) = kept::write(&self.inner.dirs.config.join(PLACE), &KeptPlace { place })
        {
            tracing::warn!(%error, "the place of the window cannot be kept");
        }
    }

    fn profiles(&self) -> MutexGuard<'_, BTreeMap<ProfileId, Arc<Profile>>> {
        self.inner.profiles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct KeptQuiet {
    quiet: DoNotDisturb,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct KeptPlace {
    place: Option<String>,
}

/// This moment, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters the shell")]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

const SETTINGS: &str = "settings.json";
const QUIET: &str = "quiet.json";
const PLACE: &str = "place.json";
