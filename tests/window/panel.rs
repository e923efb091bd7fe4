//! A panel that people use: Xfce's, with its tray.

use crate::app::App;
use crate::desktop::Desktop;
use crate::people::Terminal;
use crate::real::Relay;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_panel_shows_the_icon_and_brings_the_window_back() {
    let relay = Relay::start().await;
    let mut desktop = Desktop::without_tray("alice").await;
    show_panel(&mut desktop).await;
    let bob = Terminal::apart(&desktop, "bob");
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    bob.join(&relay, "Bob", "bob");
    let app = App::start(&desktop).await;
    app.open_chat("Notes to self").await;
    desktop.picture("panel-idle");
    desktop.close_window();
    app.hides().await;
    bob.dm("alice", "Hello.");
    desktop.picture("panel-hidden");
    desktop.xdotool(&["mousemove", ICON_X, ICON_Y, "click", "1"]).unwrap();
    app.appears().await;
    app.sees("the same place", |view| view.title == "Notes to self").await;
    app.sees("what came meanwhile", |view| view.unread("Bob") == Some(1)).await;
    desktop.picture("panel-unread");
}

async fn show_panel(desktop: &mut Desktop) {
    let folder = desktop.config().join("xfce4/xfconf/xfce-perchannel-xml");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("xfce4-panel.xml"), PANEL).unwrap();
    desktop.run(&settings_daemon(), &[]);
    desktop.owned("org.xfce.Xfconf").await;
    desktop.run("xfce4-panel", &[]);
    desktop.owned("org.kde.StatusNotifierWatcher").await;
}

/// Where this system has the daemon that the panel reads its settings from.
fn settings_daemon() -> String {
    let service = std::fs::read_to_string("/usr/share/dbus-1/services/org.xfce.Xfconf.service").unwrap();
    service.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap().to_owned()
}

/// The only icon stands in the corner.
const ICON_X: &str = "1267";
const ICON_Y: &str = "787";

const PANEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=8;x=640;y=786"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="28"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
        <value type="int" value="3"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist"/>
    <property name="plugin-2" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="systray"/>
  </property>
</channel>
"#;
