//! All that the app is beside its window: profiles, settings, what is unread. Goes on when there is no window.

use crate::desk::{Deed, Desk, Key, Labels, Notice, Tray, TrayChat, TrayState, TrayWords};
use crate::dirs::Dirs;
use crate::failure::{self, Outcome};
use crate::feed::Feed;
use crate::ipc::{
    self, DoNotDisturb, LocalSettings, Millis, OpenTarget, Privacy, ProfileId, Quiet, RoomItem, RoomKind,
    TrayStatus, Update,
};
use crate::kept;
use crate::profile::{self, Profile};
use crate::pump;
use crate::words::Words;
use kith_client::keys::Choice;
use kith_client::{Access, Attention, Client, Outgoing, Profiles, notify};
use kith_protocol::ids::{RoomId, Seq};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, watch};
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
    /// Raised to end the linking that is under way.
    link_cancelled: watch::Sender<u64>,
    /// A place has come.
    placed: Notify,
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
    tray_host: bool,
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
            tray_host: false,
            shown: BTreeMap::new(),
        };
        let inner = Inner {
            dirs,
            access,
            feed: Feed::default(),
            desk: OnceLock::new(),
            profiles: Mutex::default(),
            state: Mutex::new(state),
            link_cancelled: watch::Sender::new(0),
            alarm: Mutex::new(0),
            placed: Notify::new(),
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

    /// The first picture of a window is drawn.
    pub(crate) fn drawn(&self) {
        let ms = u64::try_from(self.inner.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(ms, "drawn");
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

    // Profiles

    /// Opens all profiles of this computer, and goes on with them.
    pub(crate) async fn open_all(&self) {
        let names = match self.homes().names() {
            Ok(names) => names,
            Err(error) => {
                tracing::error!(%error, "the profiles cannot be listed");
                return;
            }
        };
        let ids: Vec<ProfileId> =
            names.into_iter().map(ProfileId).filter(|id| !self.is_arriving(id)).collect();
        let opened = ids.into_iter().map(|id| {
            let shell = self.clone();
            tokio::spawn(async move { shell.open(&id, Choice::of_environment()).await })
        });
        for task in opened.collect::<Vec<_>>() {
            let _ = task.await;
        }
        self.tray_changed();
    }

    /// Opens one profile; how that ended stands in it.
    pub(crate) async fn open(&self, id: &ProfileId, choice: Choice) -> Outcome {
        let profile = Arc::new(Profile::new(id.clone()));
        let before = self.profiles().insert(id.clone(), Arc::clone(&profile));
        if let Some(before) = before {
            before.shut_down().await;
        }
        self.tell_profile(&profile);
        let opened = async {
            let home =
                self.homes().home(&id.0).ok_or_else(|| failure::internal("no name of a profile"))??;
            let client = Client::open(home, self.access(choice)).await?;
            self.take_over(&profile, client).await
        };
        let outcome = opened.await;
        if let Err(error) = &outcome {
            tracing::warn!(code = ?error.code, "a profile cannot be opened");
            profile.closed(profile::stage_of(error.clone()));
        }
        self.tell_profile(&profile);
        outcome
    }

    /// A new profile has an engine already.
    pub(crate) async fn adopt(&self, id: &ProfileId, client: Client) -> Outcome {
        let profile = Arc::new(Profile::new(id.clone()));
        self.profiles().insert(id.clone(), Arc::clone(&profile));
        let outcome = self.take_over(&profile, client).await;
        self.tell_profile(&profile);
        self.inner.feed.push(Update::Rooms { profile: id.clone(), rooms: profile.rooms() });
        outcome
    }

    async fn take_over(&self, profile: &Arc<Profile>, client: Client) -> Outcome {
        // Listen first: nothing is missed in between.
        let updates = client.updates();
        profile.opened(client.clone()).await?;
        client.set_attention(self.attention(profile.id())).await;
        profile.pumped_by(tokio::spawn(pump::run(self.clone(), Arc::clone(profile), updates)));
        client.connect();
        self.tray_changed();
        Ok(())
    }

    /// Takes a profile away from this computer.
    pub(crate) async fn remove(&self, id: &ProfileId) -> Outcome {
        let Some(profile) = self.profiles().remove(id) else { return Err(failure::closed()) };
        profile.shut_down().await;
        let folder = self.inner.dirs.profiles.join(&id.0);
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
        removed.map_err(|_| failure::internal("the profile was not removed"))??;
        self.inner.feed.push(Update::ProfileRemoved { profile: id.clone() });
        self.tray_changed();
        Ok(())
    }

    pub(crate) fn profile(&self, id: &ProfileId) -> Outcome<Arc<Profile>> {
        self.profiles().get(id).cloned().ok_or_else(failure::closed)
    }

    /// The engine of a profile.
    pub(crate) fn client(&self, id: &ProfileId) -> Outcome<Client> {
        self.profile(id)?.client()
    }

    /// All profiles, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<Profile>> {
        self.profiles().values().cloned().collect()
    }

    pub(crate) fn homes(&self) -> Profiles {
        Profiles::at(&self.inner.dirs.profiles)
    }

    /// The profile that has a room.
    pub(crate) fn profile_with(&self, room: &RoomId) -> Option<ProfileId> {
        self.all().iter().find(|profile| profile.room(room).is_some()).map(|profile| profile.id().clone())
    }

    /// The folder of a profile that is on its way in, for another try; else a name that is free.
    pub(crate) fn newcomer(&self) -> Outcome<ProfileId> {
        let names = self.homes().names()?;
        if let Some(begun) = names.iter().find(|name| self.is_arriving(&ProfileId((*name).clone()))) {
            return Ok(ProfileId(begun.clone()));
        }
        let free =
            std::iter::once("default".to_owned()).chain((2..).map(|number| format!("profile {number}")));
        let profiles = self.profiles();
        let taken = |name: &String| names.contains(name) || profiles.contains_key(&ProfileId(name.clone()));
        let name = free.into_iter().find(|name| !taken(name)).unwrap_or_default();
        Ok(ProfileId(name))
    }

    /// Notes that a profile is on its way in, or has arrived.
    pub(crate) fn set_arriving(&self, id: &ProfileId, arriving: bool) -> Outcome {
        let folder = self.inner.dirs.profiles.join(&id.0);
        if arriving {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(ARRIVING), b"")?;
        } else if let Err(error) = std::fs::remove_file(folder.join(ARRIVING))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
        Ok(())
    }

    fn is_arriving(&self, id: &ProfileId) -> bool {
        self.inner.dirs.profiles.join(&id.0).join(ARRIVING).exists()
    }

    pub(crate) fn tell_profile(&self, profile: &Profile) {
        self.inner.feed.push(Update::Profile { profile: profile.view() });
    }

    // Settings

    pub(crate) fn settings(&self) -> LocalSettings {
        self.state().settings.clone()
    }

    pub(crate) fn words(&self) -> Words {
        self.state().words.clone()
    }

    /// Changes how the app is on this computer; what cannot be is put right.
    pub(crate) async fn set_settings(&self, mut settings: LocalSettings) -> Outcome<LocalSettings> {
        settings.text_size = settings.text_size.clamp(TEXT_SIZE_MIN, TEXT_SIZE_MAX);
        settings.dismissed.truncate(DISMISSED_MAX);
        let before = self.settings();
        if before.autostart != settings.autostart
            && let Ok(desk) = self.desk()
            && let Err(why) = desk.autostart(settings.autostart)
        {
            tracing::warn!(why, "start at login cannot be changed");
            settings.autostart = before.autostart;
        }
        kept::write(&self.inner.dirs.config.join(SETTINGS), &settings)?;
        {
            let mut state = self.state();
            state.settings = settings.clone();
            state.words = Words::of(settings.language.as_deref());
        }
        self.inner.feed.push(Update::Settings { settings: settings.clone() });
        self.inner.feed.push(Update::Tray { tray: self.tray_status() });
        self.apply_attention().await;
        self.tray_changed();
        Ok(settings)
    }

    /// What the system says of starting at login counts, whatever stands in our file.
    pub(crate) fn note_autostart(&self) {
        if let Some(on) = self.desk().ok().and_then(Desk::is_autostarted) {
            self.state().settings.autostart = on;
        }
    }

    pub(crate) fn do_not_disturb(&self) -> DoNotDisturb {
        let mut state = self.state();
        if matches!(state.do_not_disturb, DoNotDisturb::Until { at } if at.0 <= now()) {
            state.do_not_disturb = DoNotDisturb::Off;
        }
        state.do_not_disturb
    }

    /// Notifications rest, or not.
    pub(crate) async fn set_do_not_disturb(&self, quiet: Quiet) -> Outcome<DoNotDisturb> {
        let quiet = match quiet {
            Quiet::Off => DoNotDisturb::Off,
            Quiet::Hour => DoNotDisturb::Until { at: Millis(now() + HOUR_MS) },
            Quiet::Tomorrow => DoNotDisturb::Until { at: Millis(tomorrow()) },
            Quiet::On => DoNotDisturb::On,
        };
        kept::write(&self.inner.dirs.config.join(QUIET), &KeptQuiet { quiet })?;
        self.state().do_not_disturb = quiet;
        self.quiet_changed().await;
        self.set_alarm(quiet);
        Ok(quiet)
    }

    async fn quiet_changed(&self) {
        self.inner.feed.push(Update::DoNotDisturb { do_not_disturb: self.do_not_disturb() });
        self.apply_attention().await;
        self.tray_changed();
    }

    /// When the quiet ends, everybody is told.
    pub(crate) fn set_alarm(&self, quiet: DoNotDisturb) {
        let number = {
            let mut alarm = self.inner.alarm.lock().unwrap_or_else(PoisonError::into_inner);
            *alarm += 1;
            *alarm
        };
        let DoNotDisturb::Until { at } = quiet else { return };
        let shell = self.clone();
        tokio::spawn(async move {
            // In pieces: a computer that slept wakes late from a long sleep.
            while now() < at.0 {
                tokio::time::sleep(Duration::from_millis((at.0 - now()).min(ALARM_STEP_MS))).await;
                if *shell.inner.alarm.lock().unwrap_or_else(PoisonError::into_inner) != number {
                    return;
                }
            }
            shell.quiet_changed().await;
        });
    }

    // Attention

    /// What the window shows.
    pub(crate) async fn look_at(&self, room: Option<(ProfileId, RoomId)>, away: bool) {
        let away_changed = {
            let mut state = self.state();
            state.looked_at = room;
            std::mem::replace(&mut state.away, away) != away
        };
        self.apply_attention().await;
        if away_changed {
            for client in self.all().iter().filter_map(|profile| profile.client().ok()) {
                client.presence(away).await;
            }
        }
    }

    /// The window has the focus, or lost it.
    pub(crate) async fn focus(&self, focused: bool) {
        if std::mem::replace(&mut self.state().focused, focused) != focused {
            self.apply_attention().await;
        }
    }

    /// There is no window any more: nothing is looked at, nothing is told.
    pub(crate) async fn window_gone(&self) {
        self.inner.feed.detach();
        {
            let mut state = self.state();
            state.focused = false;
            state.looked_at = None;
        }
        self.all().iter().for_each(|profile| profile.close_rooms());
        self.apply_attention().await;
    }

    pub(crate) async fn apply_attention(&self) {
        for profile in self.all() {
            if let Ok(client) = profile.client() {
                client.set_attention(self.attention(profile.id())).await;
            }
        }
    }

    fn attention(&self, id: &ProfileId) -> Attention {
        let do_not_disturb = self.do_not_disturb();
        let system = self.desk().is_ok_and(Desk::is_quiet);
        let state = self.state();
        let looked_at =
            state.looked_at.as_ref().filter(|(profile, _)| state.focused && !state.away && profile == id);
        let until = match do_not_disturb {
            _ if !state.settings.notifications => u64::MAX,
            DoNotDisturb::Off => 0,
            DoNotDisturb::Until { at } => at.0,
            DoNotDisturb::On => u64::MAX,
        };
        Attention {
            focused: looked_at.map(|(_, room)| *room),
            do_not_disturb: notify::DoNotDisturb { until, system },
            privacy: match state.settings.privacy {
                Privacy::NameAndText => notify::Privacy::NameAndText,
                Privacy::NameOnly => notify::Privacy::NameOnly,
                Privacy::Nothing => notify::Privacy::Nothing,
            },
        }
    }

    // Notifications

    /// Shows a notification of one message.
    pub(crate) fn notify(&self, profile: &Profile, decision: &notify::Decision) {
        let (Ok(desk), Some(notice)) = (self.desk(), &decision.notice) else { return };
        let key = Key::Chat(profile.id().clone(), decision.room.into());
        let (words, settings) = {
            let mut state = self.state();
            state.shown.insert(key.clone(), decision.seq);
            (state.words.clone(), state.settings.clone())
        };
        let new_message = || words.text("notification_new_message");
        let own = profile.room(&decision.room).is_some_and(|room| room.kind == RoomKind::Own);
        let title = if own { words.text("tray_own_room") } else { notice.title.clone() };
        let (title, body) = match settings.privacy {
            Privacy::NameAndText => (title, notice.body.clone()),
            Privacy::NameOnly => (title, new_message()),
            Privacy::Nothing => (new_message(), String::new()),
        };
        desk.notify(Notice {
            key,
            target: Some(crate::desk::target(profile.id(), decision.room, Some(decision.seq.into()))),
            title,
            body,
            answers: settings.privacy == Privacy::NameAndText,
            sound: settings.sound,
            labels: Labels::of(&words),
        });
    }

    /// Shows one notification for all that came while this device was away.
    pub(crate) fn notify_summary(&self, profile: &Profile, messages: u64) {
        let Ok(desk) = self.desk() else { return };
        let (words, settings) = {
            let state = self.state();
            (state.words.clone(), state.settings.clone())
        };
        let mut unread: Vec<RoomItem> =
            profile.rooms().into_iter().filter(|room| counted(room) > 0).collect();
        unread.sort_by_key(|room| std::cmp::Reverse(room.unread));
        let names: Vec<String> =
            unread.iter().take(SUMMARY_NAMES_MAX).map(|room| title(room, &words)).collect();
        desk.notify(Notice {
            key: Key::Summary(profile.id().clone()),
            target: unread.first().map(|room| crate::desk::target(profile.id(), room.id.0, None)),
            title: words.with("notification_summary", &[("messages", &messages)]),
            body: if settings.privacy == Privacy::Nothing { String::new() } else { names.join(" · ") },
            answers: false,
            sound: settings.sound,
            labels: Labels::of(&words),
        });
    }

    /// Takes a notification away, if it tells of nothing newer.
    pub(crate) fn withdraw(&self, profile: &Profile, withdrawal: &notify::Withdrawal) {
        let key = match withdrawal {
            notify::Withdrawal::Summary => Key::Summary(profile.id().clone()),
            notify::Withdrawal::Message { room, seq } => {
                let key = Key::Chat(profile.id().clone(), (*room).into());
                let mut state = self.state();
                if state.shown.get(&key).is_some_and(|shown| shown > seq) {
                    return;
                }
                state.shown.remove(&key);
                key
            }
        };
        if let Ok(desk) = self.desk() {
            desk.withdraw(&key);
        }
    }

    /// The person did something with a notification, or in the tray.
    pub(crate) async fn done(&self, deed: Deed) {
        match deed {
            Deed::Open(target, token) => self.lead_to(target, token.as_deref()),
            Deed::Toggle(token) => {
                if let Ok(desk) = self.desk() {
                    desk.toggle(token.as_deref());
                }
            }
            Deed::Quit => {
                if let Ok(desk) = self.desk() {
                    desk.quit();
                }
            }
            Deed::Quiet(quiet) => {
                if let Err(error) = self.set_do_not_disturb(quiet).await {
                    tracing::warn!(code = ?error.code, "do not disturb cannot be kept");
                }
            }
            Deed::MarkRead(target) => {
                if let Err(error) = self.mark_read(&target).await {
                    tracing::warn!(code = ?error.code, "a chat cannot be marked as read");
                }
            }
            Deed::Reply(target, text) => {
                let sent = async {
                    let client = self.client(&target.profile)?;
                    client.send(target.room.0, Outgoing::text(text)).await?;
                    self.mark_read(&target).await
                };
                if let Err(error) = sent.await {
                    tracing::warn!(code = ?error.code, "an answer cannot be sent");
                    self.lead_to(Some(target), None);
                }
            }
        }
    }

    async fn mark_read(&self, target: &OpenTarget) -> Outcome {
        let profile = self.profile(&target.profile)?;
        let seq = target.seq.map_or_else(|| profile.newest(&target.room.0), Into::into);
        Ok(profile.client()?.mark_read(target.room.0, seq).await?)
    }

    /// Brings the window to the front, at a place.
    pub(crate) fn lead_to(&self, target: Option<OpenTarget>, token: Option<&str>) {
        if let Some(target) = target {
            if self.inner.feed.is_attached() {
                self.inner.feed.push(Update::Open { target });
            } else {
                self.state().open = Some(target);
            }
        }
        if let Ok(desk) = self.desk() {
            desk.present(token);
        }
    }

    /// A link was opened elsewhere.
    pub(crate) fn opened_link(&self, text: &str) {
        if let Ok(ipc::LinkLook::Room { profile: Some(profile), room, seq }) =
            crate::links::look(text, |room| self.profile_with(&room))
        {
            self.lead_to(Some(OpenTarget { profile, room, seq }), None);
            return;
        }
        if self.inner.feed.is_attached() {
            self.inner.feed.push(Update::Link { text: text.to_owned() });
        } else {
            self.state().link = Some(text.to_owned());
        }
        self.lead_to(None, None);
    }

    // Tray

    /// What is unread has changed.
    pub(crate) fn tray_changed(&self) {
        let Ok(desk) = self.desk() else { return };
        desk.tray(self.tray());
    }

    pub(crate) fn tray(&self) -> Tray {
        let words = self.words();
        let mut chats = Vec::new();
        for profile in self.all() {
            chats.extend(profile.rooms().into_iter().filter(|room| counted(room) > 0));
        }
        chats.sort_by_key(|room| (std::cmp::Reverse(is_for_me(room)), std::cmp::Reverse(room.active_at)));
        let count = chats.iter().map(counted).sum();
        let state = match chats.first() {
            None => TrayState::Idle,
            Some(room) if is_for_me(room) => TrayState::Mention,
            Some(_) => TrayState::Unread,
        };
        let hide_names = self.settings().privacy == Privacy::Nothing;
        let chats = chats.iter().take(TRAY_CHATS_MAX).map(|room| TrayChat {
            title: if hide_names { words.text("notification_new_message") } else { title(room, &words) },
            unread: counted(room),
            target: crate::desk::target(&room.profile, room.id.0, None),
        });
        Tray {
            state,
            count,
            chats: chats.collect(),
            do_not_disturb: self.do_not_disturb(),
            words: TrayWords::of(&words, count),
        }
    }

    /// Asks the system anew whether something shows tray icons.
    pub(crate) fn look_for_tray_host(&self) -> TrayStatus {
        let host = self.desk().is_ok_and(Desk::has_tray_host);
        self.tray_host_is(host);
        self.tray_status()
    }

    /// Something shows tray icons, or nothing does any more.
    pub(crate) fn tray_host_is(&self, host: bool) {
        if std::mem::replace(&mut self.state().tray_host, host) != host {
            self.inner.feed.push(Update::Tray { tray: self.tray_status() });
        }
    }

    pub(crate) fn tray_status(&self) -> TrayStatus {
        let state = self.state();
        TrayStatus { host: state.tray_host, close_hides: state.tray_host && state.settings.close_to_tray }
    }

    // Window

    pub(crate) fn place(&self) -> Option<String> {
        self.state().place.clone()
    }

    pub(crate) fn set_place(&self, place: String) {
        self.state().place = Some(place);
        self.inner.placed.notify_one();
    }

    /// Waits until a window that was told that it closes has handed its place over; not longer than `within`.
    pub(crate) async fn place_comes(&self, within: Duration) {
        if self.inner.feed.is_attached() {
            // Too late is fine: an older place counts then.
            let _ = tokio::time::timeout(within, self.inner.placed.notified()).await;
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

/// Messages of a room that the tray counts: all, or of a silent one those that break the silence.
fn counted(room: &RoomItem) -> u32 {
    let silent = match room.mute {
        ipc::Mute::Off => false,
        ipc::Mute::Until { at } => at.0 > now(),
        ipc::Mute::Forever => true,
    };
    match (silent, room.mentions_anyway) {
        (false, _) => room.unread,
        (true, true) => room.mentions,
        (true, false) => 0,
    }
}

fn is_for_me(room: &RoomItem) -> bool {
    room.kind == RoomKind::Direct || room.mentions > 0
}

fn title(room: &RoomItem, words: &Words) -> String {
    if room.kind == RoomKind::Own { words.text("tray_own_room") } else { room.title.clone() }
}

/// This moment, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters the shell")]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Eight in the morning, the next time that is more than an hour away.
fn tomorrow() -> u64 {
    let zoned = jiff::Zoned::now();
    let tomorrow = zoned
        .tomorrow()
        .ok()
        .and_then(|day| day.date().at(8, 0, 0, 0).to_zoned(zoned.time_zone().clone()).ok());
    let at = tomorrow.map_or(0, |at| at.timestamp().as_millisecond());
    u64::try_from(at).unwrap_or(0).max(now() + HOUR_MS)
}

const SETTINGS: &str = "settings.json";
const QUIET: &str = "quiet.json";
const PLACE: &str = "place.json";
/// Stands in the folder of a profile that is on its way in.
const ARRIVING: &str = "arriving";
const HOUR_MS: u64 = 60 * 60 * 1000;
const ALARM_STEP_MS: u64 = 60 * 1000;
const TEXT_SIZE_MIN: u16 = 80;
const TEXT_SIZE_MAX: u16 = 200;
const DISMISSED_MAX: usize = 64;
const TRAY_CHATS_MAX: usize = 7;
const SUMMARY_NAMES_MAX: usize = 3;
