//! The notification center of macOS: replaced and withdrawn by id, with a button and an answer in place. It takes a bundle;
//! a program without one shows through the plugin.

use super::Notifier;
use super::plugin::Plugin;
use crate::desk::{Deed, Key, Notice, Urgency};
use crate::ipc::{NotificationAccess, OpenTarget};
use crate::tray::Doing;
use mac_usernotifications::blocking::{close_delivered, get_notification_settings, request_auth};
use mac_usernotifications::{
    Action, AuthorizationStatus, InterruptionLevel, Notification, NotificationResponse, check_bundle,
};
use tauri::AppHandle;

/// What this system has.
pub(crate) enum Native {
    Center(Center),
    Plugin(Plugin),
}

impl Native {
    pub(crate) fn new(app: &AppHandle, doing: Doing) -> Result<Self, String> {
        match check_bundle() {
            Ok(()) => Ok(Self::Center(Center { doing })),
            Err(_) => Plugin::new(app, doing).map(Self::Plugin),
        }
    }
}

impl Notifier for Native {
    fn show(&mut self, notice: &Notice) -> Result<(), String> {
        match self {
            Self::Center(center) => center.show(notice),
            Self::Plugin(plugin) => plugin.show(notice),
        }
    }

    fn withdraw(&mut self, key: &Key) -> Result<(), String> {
        match self {
            Self::Center(_) => close_delivered(&id(key)),
            Self::Plugin(plugin) => return plugin.withdraw(key),
        }
        Ok(())
    }

    fn access(&mut self, ask: bool) -> NotificationAccess {
        match self {
            Self::Center(_) => access(ask),
            Self::Plugin(plugin) => plugin.access(ask),
        }
    }
}

/// Shows in the center. The run loop of the window tells what the person does there.
pub(crate) struct Center {
    doing: Doing,
}

impl Center {
    fn show(&self, notice: &Notice) -> Result<(), String> {
        let mut notification =
            Notification::new().id(&id(&notice.key)).title(&notice.title).message(&notice.body);
        if notice.sound {
            notification = notification.default_sound();
        }
        if notice.urgency == Urgency::Critical {
            // Stays until it is dealt with; what is called critical there takes leave from Apple.
            notification = notification.interruption_level(InterruptionLevel::TimeSensitive);
        }
        if notice.answers {
            let labels = &notice.labels;
            notification = notification
                .action(Action::reply(REPLY, &labels.reply, &labels.reply, ""))
                .action(Action::button(MARK_READ, &labels.mark_read));
        }
        let shown = notification.send_blocking().map_err(|error| error.to_string())?;
        let (doing, target) = (self.doing.clone(), notice.target.clone());
        tauri::async_runtime::spawn(async move {
            if let Ok(response) = shown.response().await
                && let Some(deed) = deed(&response, target)
            {
                doing(deed);
            }
        });
        Ok(())
    }
}

fn deed(response: &NotificationResponse, target: Option<OpenTarget>) -> Option<Deed> {
    if response.is_default_action() {
        return Some(Deed::Open(target, None));
    }
    match (response.action_identifier.as_str(), response.reply_text.as_deref().map(str::trim)) {
        (MARK_READ, _) => target.map(Deed::MarkRead),
        (REPLY, Some(text)) if !text.is_empty() => Some(Deed::Reply(target?, text.to_owned())),
        _ => None,
    }
}

fn access(ask: bool) -> NotificationAccess {
    let status = get_notification_settings().map(|settings| settings.authorization_status);
    match status {
        Ok(AuthorizationStatus::NotDetermined) if ask => match request_auth() {
            Ok(true) => NotificationAccess::Granted,
            Ok(false) => NotificationAccess::Denied,
            Err(_) => NotificationAccess::Missing,
        },
        Ok(AuthorizationStatus::NotDetermined) => NotificationAccess::Unasked,
        Ok(AuthorizationStatus::Denied) => NotificationAccess::Denied,
        Ok(_) => NotificationAccess::Granted,
        Err(_) => NotificationAccess::Missing,
    }
}

/// The same after a restart: what is shown once more takes the place of itself.
fn id(key: &Key) -> String {
    match key {
        Key::Chat(profile, room) => format!("chat {} {}", profile.0, room.0),
        Key::Summary(profile) => format!("summary {}", profile.0),
        Key::Alert(profile) => format!("alert {}", profile.0),
        Key::Test => "test".to_owned(),
    }
}

const MARK_READ: &str = "mark-read";
const REPLY: &str = "reply";
