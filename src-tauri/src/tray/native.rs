//! The tray of Windows and macOS, through Tauri.

use super::{Doing, Entry, menu, picture};
use crate::desk::{Deed, Tray};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};

/// The icon.
pub(crate) struct Icon {
    app: AppHandle,
    icon: TrayIcon,
    deeds: Deeds,
}

/// What each line of the menu does.
type Deeds = Arc<Mutex<BTreeMap<String, Deed>>>;

impl Icon {
    /// Puts the icon there. On the main thread.
    pub(crate) fn new(app: &AppHandle, tray: Tray, doing: Doing) -> tauri::Result<Self> {
        let deeds = Deeds::default();
        let (chosen, clicked) = (Arc::clone(&deeds), Arc::clone(&doing));
        let icon = TrayIconBuilder::with_id("kith")
            .icon(picture(tray.state, panel_is_dark()))
            .icon_as_template(cfg!(target_os = "macos"))
            .tooltip(&tray.words.tooltip)
            .menu(&made(app, &tray, &deeds)?)
            .show_menu_on_left_click(cfg!(target_os = "macos"))
            .on_menu_event(move |_, event| {
                let deed =
                    chosen.lock().unwrap_or_else(PoisonError::into_inner).get(event.id().as_ref()).cloned();
                if let Some(deed) = deed {
                    doing(deed);
                }
            })
            .on_tray_icon_event(move |_, event| {
                let TrayIconEvent::Click {
                    button: MouseButton::Left,
                    button_state: MouseButtonState::Up,
                    ..
                } = event
                else {
                    return;
                };
                if cfg!(windows) {
                    clicked(Deed::Toggle(None));
                }
            })
            .build(app)?;
        Ok(Self { app: app.clone(), icon, deeds })
    }

    /// Shows something else. On the main thread.
    pub(crate) fn set(&self, tray: &Tray) -> tauri::Result<()> {
        self.icon.set_menu(Some(made(&self.app, tray, &self.deeds)?))?;
        self.icon.set_tooltip(Some(&tray.words.tooltip))?;
        self.icon.set_icon(Some(picture(tray.state, panel_is_dark())))
    }
}

fn made(app: &AppHandle, tray: &Tray, deeds: &Deeds) -> tauri::Result<Menu<Wry>> {
    let mut deeds = deeds.lock().unwrap_or_else(PoisonError::into_inner);
    deeds.clear();
    let menu_made = Menu::new(app)?;
    for (at, entry) in menu(tray).into_iter().enumerate() {
        let made: Box<dyn IsMenuItem<Wry>> = match entry {
            Entry::Separator => Box::new(PredefinedMenuItem::separator(app)?),
            Entry::Line { label, deed } => {
                let id = format!("{at}");
                let item = MenuItem::with_id(app, &id, escaped(&label), true, None::<&str>)?;
                deeds.insert(id, deed);
                Box::new(item)
            }
            Entry::Choice { label, of, chosen } => {
                let below = Submenu::new(app, escaped(&label), true)?;
                for (choice, (label, quiet)) in of.into_iter().enumerate() {
                    let id = format!("{at}:{choice}");
                    let item = CheckMenuItem::with_id(
                        app,
                        &id,
                        escaped(&label),
                        true,
                        choice == chosen,
                        None::<&str>,
                    )?;
                    below.append(&item)?;
                    deeds.insert(id, Deed::Quiet(quiet));
                }
                Box::new(below)
            }
        };
        menu_made.append(&*made)?;
    }
    Ok(menu_made)
}

/// In labels, one ampersand marks the key of the next letter.
fn escaped(label: &str) -> String {
    label.replace('&', "&&")
}

/// The taskbar of Windows is dark unless the person says otherwise; macOS paints the picture itself.
fn panel_is_dark() -> bool {
    cfg!(windows)
}
