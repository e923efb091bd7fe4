//! What shows tray icons: watcher and host of StatusNotifierItems in one, which looks at icons, opens menus and clicks.

use crate::wait::until_now;
use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};
use zbus::blocking::{Connection, Proxy, connection};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};

/// A place for icons. Gone when it is dropped.
pub struct TrayHost {
    bus: Connection,
    items: Items,
}

type Items = Arc<Mutex<Vec<String>>>;

/// What the icon of the app looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// `idle`, `unread` or `mention`; what is no picture of ours has no name.
    pub state: Option<&'static str>,
    /// Whether it is made to stand on a dark panel.
    pub on_dark: bool,
    pub status: String,
    pub tooltip: String,
}

/// One line of the menu; `choices` stand below it.
#[derive(Debug, Clone)]
pub struct Line {
    id: i32,
    pub label: String,
    pub checked: bool,
    pub choices: Vec<Line>,
}

impl TrayHost {
    pub fn start(address: &str) -> Self {
        let items = Items::default();
        let watcher = Watcher { items: Arc::clone(&items) };
        let builder = connection::Builder::address(address).unwrap().name(WATCHER).unwrap();
        let bus = builder.serve_at("/StatusNotifierWatcher", watcher).unwrap().build().unwrap();
        Self { bus, items }
    }

    /// Waits until the app shows its icon like this.
    pub async fn shows(&self, state: &str) -> Icon {
        until_now(&format!("a tray icon: {state}"), || match self.icon() {
            Some(icon) if icon.state == Some(state) => Ok(icon),
            other => Err(other),
        })
        .await
    }

    /// Waits until there is an icon.
    pub async fn appears(&self) {
        until_now("an icon in the tray", || self.item().map(drop).ok_or("none")).await;
    }

    /// Waits until there is no icon any more.
    pub async fn is_empty(&self) {
        until_now("an empty tray", || self.icon().map_or(Ok(()), Err)).await;
    }

    /// The icon of the app, if it is there.
    pub fn icon(&self) -> Option<Icon> {
        let item = self.item()?;
        let status: String = item.get_property("Status").ok()?;
        let pixmaps: Vec<Pixmap> = item.get_property("IconPixmap").ok()?;
        let (_, _, tooltip, _): (String, Vec<Pixmap>, String, String) = item.get_property("ToolTip").ok()?;
        let shown = pixmaps.first().and_then(shown_by);
        let state = shown.map(|(state, _)| state);
        Some(Icon { state, on_dark: shown.is_some_and(|(_, on_dark)| on_dark), status, tooltip })
    }

    /// A left click on the icon.
    pub fn click(&self) {
        self.item().expect("an icon").call::<_, _, ()>("Activate", &(0, 0)).unwrap();
    }

    /// The menu, as it is now.
    pub fn menu(&self) -> Vec<Line> {
        let menu = self.menu_of_item();
        let _: bool = menu.call("AboutToShow", &(0_i32,)).unwrap();
        let (_, root): (u32, Node) = menu.call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new())).unwrap();
        lines(root.2)
    }

    /// Waits until a line of the menu fits.
    pub async fn line(&self, what: &str, fits: impl Fn(&Line) -> bool) -> Line {
        until_now(&format!("a line of the menu: {what}"), || {
            let menu = self.menu();
            let below = menu.iter().flat_map(|line| line.choices.iter());
            let found = menu.iter().chain(below).find(|line| fits(line)).cloned();
            found.ok_or(menu)
        })
        .await
    }

    /// Chooses a line of the menu.
    pub async fn choose(&self, label: &str) {
        let line = self.line(label, |line| line.label == label).await;
        self.choose_line(&line);
    }

    pub fn choose_line(&self, line: &Line) {
        let event = (line.id, "clicked", Value::from(0_i32), 0_u32);
        self.menu_of_item().call::<_, _, ()>("Event", &event).unwrap();
    }

    fn item(&self) -> Option<Proxy<'static>> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner).clone();
        items.into_iter().rev().find_map(|service| {
            let item = Proxy::new(&self.bus, service, ITEM_PATH, ITEM).ok()?;
            (item.get_property::<String>("Id").ok()? == "kith").then_some(item)
        })
    }

    fn menu_of_item(&self) -> Proxy<'static> {
        let item = self.item().expect("an icon");
        let path: OwnedObjectPath = item.get_property("Menu").unwrap();
        Proxy::new(&self.bus, item.destination().to_owned(), path, MENU).unwrap()
    }
}

struct Watcher {
    items: Items,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        // A path alone stands for whoever says it.
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let service = if service.starts_with('/') { sender } else { service };
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push(service.clone());
        Self::status_notifier_item_registered(&emitter, &service).await?;
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "the shape of an interface")]
    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// Width, height and bytes: alpha, red, green, blue.
type Pixmap = (i32, i32, Vec<u8>);
type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

fn lines(children: Vec<OwnedValue>) -> Vec<Line> {
    children
        .into_iter()
        .map(|child| {
            let (id, properties, below): Node = Structure::try_from(child).unwrap().try_into().unwrap();
            let label = properties.get("label").map(|label| String::try_from(label.clone()).unwrap());
            let state = properties.get("toggle-state").and_then(|state| i32::try_from(state.clone()).ok());
            Line {
                id,
                // One underscore marks a key.
                label: label.unwrap_or_default().replace("__", "_"),
                checked: state == Some(1),
                choices: lines(below),
            }
        })
        .collect()
}

/// Which of our pictures it is: the state, and whether it is made for a dark panel.
fn shown_by((width, height, data): &Pixmap) -> Option<(&'static str, bool)> {
    let same = |picture: &[u8]| {
        let (ours_width, ours_height, rgba) = decoded(picture);
        let ours = rgba.chunks_exact(4).map(|p| [p[3], p[0], p[1], p[2]]);
        (i32::try_from(ours_width), i32::try_from(ours_height)) == (Ok(*width), Ok(*height))
            && data.chunks_exact(4).eq(ours)
    };
    PICTURES.iter().find_map(|(name, [on_dark, on_light])| {
        if same(on_dark) { Some((*name, true)) } else { same(on_light).then_some((*name, false)) }
    })
}

/// Width, height and bytes of a PNG: red, green, blue, alpha.
fn decoded(picture: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(picture)).read_info().unwrap();
    let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut rgba).unwrap();
    assert_eq!((frame.color_type, frame.bit_depth), (png::ColorType::Rgba, png::BitDepth::Eight));
    (frame.width, frame.height, rgba)
}

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// The app's pictures for each state, to stand on dark and light panels.
const PICTURES: [(&str, [&[u8]; 2]); 3] = [
    (
        "idle",
        [
            include_bytes!("../../../src-tauri/icons/tray/idle-dark.png"),
            include_bytes!("../../../src-tauri/icons/tray/idle-light.png"),
        ],
    ),
    (
        "unread",
        [
            include_bytes!("../../../src-tauri/icons/tray/unread-dark.png"),
            include_bytes!("../../../src-tauri/icons/tray/unread-light.png"),
        ],
    ),
    (
        "mention",
        [
            include_bytes!("../../../src-tauri/icons/tray/mention-dark.png"),
            include_bytes!("../../../src-tauri/icons/tray/mention-light.png"),
        ],
    ),
];
