//! The tray as StatusNotifierItem, without GTK: left click and tooltip.

use super::{Doing, Entry, menu, picture};
use crate::desk::{Deed, Tray, TrayState};
use crate::dirs::is_flatpak;
use ksni::blocking::{Handle, TrayMethods as _};
use ksni::menu::{RadioGroup, RadioItem, StandardItem, SubMenu};
use ksni::{Category, MenuItem, OfflineReason, Status, ToolTip};

/// The icon. Gone when it is dropped.
pub(crate) struct Icon {
    handle: Handle<Item>,
}

impl Icon {
    /// Puts the icon there, as soon as something shows it. Blocks for some milliseconds.
    pub(crate) fn new(tray: Tray, dark: bool, doing: Doing) -> Result<Self, String> {
        let item = Item { tray, dark, doing };
        // The name that others give an item is one that a Flatpak may not own; the item is found without it, too.
        let item = item.assume_sni_available(true).disable_dbus_name(is_flatpak());
        let handle = item.spawn().map_err(|error| error.to_string())?;
        Ok(Self { handle })
    }

    /// Shows something else, on a dark or light panel.
    pub(crate) fn set(&self, tray: Tray, dark: bool) {
        self.handle.update(|item| {
            item.tray = tray;
            item.dark = dark;
        });
    }
}

struct Item {
    tray: Tray,
    dark: bool,
    doing: Doing,
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "kith".into()
    }

    fn title(&self) -> String {
        "Kith".into()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn status(&self) -> Status {
        if self.tray.state == TrayState::Mention { Status::NeedsAttention } else { Status::Active }
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        vec![pixmap(self.tray.state, self.dark)]
    }

    fn attention_icon_pixmap(&self) -> Vec<ksni::Icon> {
        vec![pixmap(TrayState::Mention, self.dark)]
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip { title: self.tray.words.tooltip.clone(), ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        (self.doing)(Deed::Toggle(ksni::current_xdg_activation_token()));
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        menu(&self.tray).into_iter().map(item).collect()
    }

    fn watcher_offline(&self, _reason: OfflineReason) -> bool {
        // It may come back: a desktop that restarts its panel.
        true
    }
}

fn item(entry: Entry) -> MenuItem<Item> {
    match entry {
        Entry::Separator => MenuItem::Separator,
        Entry::Line { label, deed } => StandardItem {
            label: escaped(&label),
            activate: Box::new(move |item: &mut Item| {
                let deed = match deed.clone() {
                    Deed::Open(target, _) => Deed::Open(target, ksni::current_xdg_activation_token()),
                    deed => deed,
                };
                (item.doing)(deed);
            }),
            ..StandardItem::default()
        }
        .into(),
        Entry::Choice { label, of, chosen } => {
            let options =
                of.iter().map(|(label, _)| RadioItem { label: escaped(label), ..RadioItem::default() });
            let quiet: Vec<_> = of.iter().map(|(_, quiet)| *quiet).collect();
            let group = RadioGroup {
                selected: chosen,
                options: options.collect(),
                select: Box::new(move |item: &mut Item, at| {
                    if let Some(quiet) = quiet.get(at) {
                        (item.doing)(Deed::Quiet(*quiet));
                    }
                }),
            };
            SubMenu { label: escaped(&label), submenu: vec![group.into()], ..SubMenu::default() }.into()
        }
    }
}

/// In labels, one underscore marks the key of the next letter.
fn escaped(label: &str) -> String {
    label.replace('_', "__")
}

fn pixmap(state: TrayState, dark: bool) -> ksni::Icon {
    let picture = picture(state, dark);
    let data = picture.rgba().chunks_exact(4).flat_map(|pixel| match pixel {
        [r, g, b, a] => [*a, *r, *g, *b],
        _ => [0; 4],
    });
    ksni::Icon {
        width: i32::try_from(picture.width()).unwrap_or(0),
        height: i32::try_from(picture.height()).unwrap_or(0),
        data: data.collect(),
    }
}
