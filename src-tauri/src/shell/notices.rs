//! Notifications: shown, withdrawn, clicked.

use super::Shell;
use super::unread::{counted, title};
use crate::desk::{Deed, Key, Labels, Notice, Urgency};
use crate::failure::Outcome;
use crate::ipc::{self, OpenTarget, Privacy, RoomItem, RoomKind};
use crate::markdown;
use crate::profile::Profile;
use kith_client::{Outgoing, notify};

impl Shell {
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
            Privacy::NameAndText => (title, markdown::preview(&notice.body, BODY_CHARS_MAX)),
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
            urgency: Urgency::Normal,
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
            urgency: Urgency::Normal,
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
        if target.is_some() {
            self.state().open = target;
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
        self.state().link = Some(text.to_owned());
        self.lead_to(None, None);
    }
}

/// What the systems show at most is less.
const BODY_CHARS_MAX: usize = 240;
const SUMMARY_NAMES_MAX: usize = 3;
