//! Toasts of Windows: replaced and withdrawn by tag and group, with buttons and an answer in place.

use super::Notifier;
use crate::desk::{Deed, Key, Notice, Urgency};
use crate::ipc::NotificationAccess;
use crate::tray::Doing;
use std::fmt::Write as _;
use windows::Data::Xml::Dom::XmlDocument;
use windows::Foundation::{IPropertyValue, TypedEventHandler};
use windows::UI::Notifications::{
    NotificationSetting, ToastActivatedEventArgs, ToastNotification, ToastNotificationManager, ToastNotifier,
};
use windows::core::{HSTRING, IInspectable, Interface as _, Ref};

/// Shows toasts in the name of the app id that the installer gave to the shortcut in the Start menu: without it Windows
/// shows nothing.
pub(crate) struct Toasts {
    app_id: HSTRING,
    notifier: ToastNotifier,
    doing: Doing,
}

impl Toasts {
    pub(crate) fn new(app_id: &str, doing: Doing) -> Result<Self, String> {
        let app_id = HSTRING::from(app_id);
        let notifier = ToastNotificationManager::CreateToastNotifierWithId(&app_id);
        Ok(Self { notifier: notifier.map_err(|error| error.to_string())?, app_id, doing })
    }

    fn toast(&self, notice: &Notice) -> windows::core::Result<()> {
        let xml = XmlDocument::new()?;
        xml.LoadXml(&HSTRING::from(content(notice)))?;
        let toast = ToastNotification::CreateToastNotification(&xml)?;
        let (tag, group) = names(&notice.key);
        toast.SetTag(&tag)?;
        toast.SetGroup(&group)?;
        let (doing, target) = (self.doing.clone(), notice.target.clone());
        toast.Activated(&TypedEventHandler::new(
            move |_: Ref<'_, ToastNotification>, event: Ref<'_, IInspectable>| {
                let Some(event) = event.as_ref() else { return Ok(()) };
                let event: ToastActivatedEventArgs = event.cast()?;
                let action = event.Arguments()?.to_string_lossy();
                match (action.as_str(), target.clone()) {
                    (MARK_READ, Some(target)) => doing(Deed::MarkRead(target)),
                    (REPLY, Some(target)) => {
                        let typed = event.UserInput()?.Lookup(&HSTRING::from(REPLY))?;
                        let text = typed.cast::<IPropertyValue>()?.GetString()?.to_string_lossy();
                        if !text.trim().is_empty() {
                            doing(Deed::Reply(target, text));
                        }
                    }
                    (_, target) => doing(Deed::Open(target, None)),
                }
                Ok(())
            },
        ))?;
        self.notifier.Show(&toast)
    }
}

impl Notifier for Toasts {
    fn show(&mut self, notice: &Notice) -> Result<(), String> {
        self.toast(notice).map_err(|error| error.to_string())
    }

    fn withdraw(&mut self, key: &Key) -> Result<(), String> {
        let (tag, group) = names(key);
        // One that is gone already is no failure, and Windows says it is one.
        let _ = ToastNotificationManager::History()
            .and_then(|history| history.RemoveGroupedTagWithId(&tag, &group, &self.app_id));
        Ok(())
    }

    /// Programs need not ask here; the person can forbid it in the settings of the system.
    fn access(&mut self, _ask: bool) -> NotificationAccess {
        match self.notifier.Setting() {
            Ok(NotificationSetting::Enabled) => NotificationAccess::Granted,
            Ok(_) => NotificationAccess::Denied,
            // So it is without a shortcut in the Start menu that carries the app id.
            Err(_) => NotificationAccess::Missing,
        }
    }
}

/// Tag and group: the same after a restart, and at most 64 characters.
fn names(key: &Key) -> (HSTRING, HSTRING) {
    let (tag, group) = match key {
        Key::Chat(profile, room) => (room.0.to_string(), profile.0.as_str()),
        Key::Summary(profile) => ("summary".to_owned(), profile.0.as_str()),
        Key::Alert(profile) => ("alert".to_owned(), profile.0.as_str()),
        Key::Test => ("test".to_owned(), "kith"),
    };
    (HSTRING::from(tag), HSTRING::from(group))
}

fn content(notice: &Notice) -> String {
    // Windows 11 lets what is urgent through its "do not disturb"; older ones do not know the word.
    let scenario = if notice.urgency == Urgency::Critical { " scenario=\"urgent\"" } else { "" };
    let mut xml = format!("<toast launch=\"open\"{scenario}><visual><binding template=\"ToastGeneric\">");
    for text in [&notice.title, &notice.body] {
        if !text.is_empty() {
            let _ = write!(xml, "<text>{}</text>", escaped(text));
        }
    }
    xml.push_str("</binding></visual>");
    if !notice.sound {
        xml.push_str("<audio silent=\"true\"/>");
    }
    if notice.answers {
        let (reply, mark_read) = (escaped(&notice.labels.reply), escaped(&notice.labels.mark_read));
        let _ = write!(
            xml,
            "<actions><input id=\"{REPLY}\" type=\"text\" placeHolderContent=\"{reply}\"/>\
             <action content=\"{reply}\" arguments=\"{REPLY}\" hint-inputId=\"{REPLY}\"/>\
             <action content=\"{mark_read}\" arguments=\"{MARK_READ}\"/></actions>"
        );
    }
    xml.push_str("</toast>");
    xml
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // No XML holds these, not even escaped.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

const MARK_READ: &str = "mark-read";
const REPLY: &str = "reply";
