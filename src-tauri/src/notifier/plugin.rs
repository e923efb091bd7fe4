//! The official plugin: shows, and hears of clicks and buttons. It cannot replace, withdraw or take answers on macOS, where
//! it stands in for the notification center if the program has no bundle.

use super::Notifier;
use crate::desk::{Deed, Key, Notice};
use crate::ipc::{NotificationAccess, OpenTarget};
use crate::tray::Doing;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tauri::AppHandle;
use tauri_plugin_notification::{Action, ActionType, NotificationExt as _};

/// Shows through the plugin.
pub(crate) struct Plugin {
    app: AppHandle,
    shown: Arc<Mutex<BTreeMap<i32, OpenTarget>>>,
    next: i32,
}

impl Plugin {
    pub(crate) fn new(app: &AppHandle, doing: Doing) -> Result<Self, String> {
        let shown: Arc<Mutex<BTreeMap<i32, OpenTarget>>> = Arc::default();
        let targets = Arc::clone(&shown);
        app.notification()
            .on_action(move |performed| {
                let id = performed.notification().map(|notification| notification.id());
                let target =
                    id.and_then(|id| targets.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
                match (performed.action_id(), target) {
                    (MARK_READ, Some(target)) => doing(Deed::MarkRead(target)),
                    (_, target) => doing(Deed::Open(target, None)),
                }
            })
            .map_err(|error| error.to_string())?;
        Ok(Self { app: app.clone(), shown, next: 1 })
    }
}

impl Notifier for Plugin {
    fn show(&mut self, notice: &Notice) -> Result<(), String> {
        let id = self.next;
        self.next = self.next.checked_add(1).unwrap_or(1);
        if let Some(target) = &notice.target {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.insert(id, target.clone());
            if shown.len() > SHOWN_MAX {
                shown.pop_first();
            }
        }
        let notification = self.app.notification();
        let mut builder = notification.builder().id(id).title(&notice.title).body(&notice.body);
        if notice.answers {
            let mark_read = Action::builder(MARK_READ, &notice.labels.mark_read).build();
            let kind = ActionType::builder(MESSAGE).actions(vec![mark_read]).build();
            notification.register_action_types(vec![kind]).map_err(|error| error.to_string())?;
            builder = builder.action_type_id(MESSAGE);
        }
        if notice.sound {
            builder = builder.sound("Default");
        } else {
            builder = builder.silent();
        }
        builder.show().map_err(|error| error.to_string())
    }

    fn withdraw(&mut self, _key: &Key) -> Result<(), String> {
        Ok(())
    }

    /// What has no bundle is not asked about.
    fn access(&mut self, _ask: bool) -> NotificationAccess {
        NotificationAccess::Granted
    }
}

const MARK_READ: &str = "mark-read";
const MESSAGE: &str = "message";
/// Notifications whose clicks are understood: more than the systems keep.
const SHOWN_MAX: usize = 256;
