//! One computer: a display that nobody sees, and all that a desktop has.

use crate::dunst::Dunst;
use crate::pictures;
use crate::process::{self, Process, program};
use crate::tray::TrayHost;
use crate::wait::until_now;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use zbus::blocking::{Connection, connection, fdo::DBusProxy};

/// A desktop. Everything that runs on it ends with it; if the test fails, a picture and the logs are left.
pub struct Desktop {
    name: &'static str,
    app: &'static str,
    image: Option<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
    launcher: &'static [&'static str],
    home: PathBuf,
    folder: TempDir,
    display: String,
    address: String,
    bus: Connection,
    tray: RefCell<Option<TrayHost>>,
    dunst: Option<Dunst>,
    /// Last come, first gone.
    processes: Vec<Process>,
}

impl Desktop {
    /// A desktop with everything on it.
    pub async fn start(name: &'static str) -> Self {
        let mut desktop = Self::without_tray(name).await;
        desktop.host_tray();
        desktop.dunst = Some(Dunst::start(&desktop).await);
        desktop
    }

    /// A desktop that shows no tray icons.
    pub async fn without_tray(name: &'static str) -> Self {
        let folder = TempDir::with_prefix("kith-desktop-").unwrap();
        for part in ["home", "run", "logs", "bin", "config/dunst", "kith"] {
            std::fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path().join("run"), private).unwrap();
        note_what_is_opened(folder.path());
        let logs = folder.path().join("logs");
        let screen = ["-displayfd", "1", "-screen", "0", "1280x800x24", "-noreset", "-nolisten", "tcp"];
        let mut command = cleared("Xvfb", folder.path());
        let (xvfb, number) = Process::start_and_hear("xvfb", command.args(screen), &logs);
        let address = format!("unix:path={}", folder.path().join("run/bus").display());
        let configuration = folder.path().join("bus.conf");
        std::fs::write(&configuration, BUS.replace("ADDRESS", &address)).unwrap();
        let mut command = cleared("dbus-daemon", folder.path());
        command
            .arg("--nofork")
            .arg("--print-address=1")
            .arg(format!("--config-file={}", configuration.display()));
        let (daemon, address) = Process::start_and_hear("dbus", &mut command, &logs);
        let bus = connection::Builder::address(address.as_str()).unwrap().build().unwrap();
        let mut desktop = Self {
            name,
            app: APP,
            image: None,
            variables: Vec::new(),
            launcher: &[],
            home: folder.path().join("kith"),
            folder,
            display: format!(":{number}"),
            address,
            bus,
            tray: RefCell::default(),
            dunst: None,
            processes: vec![xvfb, daemon],
        };
        until_now("a display", || desktop.xdotool(&["getdisplaygeometry"])).await;
        desktop.run("openbox", &["--sm-disable"]);
        desktop.open_key_store();
        until_now("a window manager", || desktop.xdotool(&["get_num_desktops"])).await;
        desktop.owned("org.freedesktop.secrets").await;
        desktop
    }

    /// From now on another program is the app, or it keeps its files elsewhere.
    pub fn turn_to(&mut self, app: &'static str, home: PathBuf) {
        self.app = app;
        self.home = home;
    }

    /// From now on the app is this file, as an AppImage is one, and has this in its environment.
    pub fn turn_to_image(&mut self, image: PathBuf, variables: &[(&'static str, &OsStr)]) {
        let own = ("APPIMAGE", image.clone().into_os_string());
        let given = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        self.variables = given.chain([own]).collect();
        self.image = Some(image);
    }

    /// From now on the driver, and so the app, is started by this, which may take rights away or set bounds.
    pub fn start_by(&mut self, launcher: &'static [&'static str]) {
        self.launcher = launcher;
    }

    /// The command that starts the app's driver.
    pub(crate) fn driver(&self) -> Command {
        let mut words = self.launcher.iter().chain(&["tauri-driver"]);
        let mut command = self.command(words.next().expect("the driver at least"));
        command.args(words);
        command
    }

    /// The program that is the app.
    pub fn app(&self) -> PathBuf {
        self.image.clone().unwrap_or_else(|| program(self.app))
    }

    /// A program on this desktop, with nothing of ours in its environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = cleared(program, self.folder.path());
        command.env("KITH_DEVICE_NAME", self.name).env("KITH_HOME", &self.home);
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Runs a program for as long as there is this desktop.
    pub fn run(&mut self, program: &str, arguments: &[&str]) {
        let process = Process::start(program, self.command(program).args(arguments), &self.logs());
        self.processes.push(process);
    }

    /// Shows tray icons from now on.
    pub fn host_tray(&self) {
        *self.tray.borrow_mut() = Some(TrayHost::start(&self.address));
    }

    /// Shows none any more.
    pub fn lose_tray(&self) {
        self.tray.borrow_mut().take();
    }

    /// What shows tray icons.
    pub fn tray(&self) -> std::cell::Ref<'_, TrayHost> {
        std::cell::Ref::map(self.tray.borrow(), |tray| tray.as_ref().expect("it has a tray"))
    }

    /// What shows notifications.
    pub fn dunst(&self) -> &Dunst {
        self.dunst.as_ref().expect("it shows notifications")
    }

    /// Waits until a name on the bus is taken.
    pub async fn owned(&self, name: &str) {
        let proxy = DBusProxy::new(&self.bus).unwrap();
        until_now(name, || match proxy.name_has_owner(name.try_into().unwrap()) {
            Ok(true) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Keyboard, mouse and windows of this display.
    pub fn xdotool(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command("xdotool").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() {
            Ok(said)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The windows of the app that can be seen.
    pub fn windows(&self) -> Vec<String> {
        let found = self.xdotool(&["search", "--onlyvisible", "--class", "kith"]).unwrap_or_default();
        found.lines().map(str::to_owned).collect()
    }

    /// Closes the app's window as a taskbar does, through the window manager: a key reaches only what has the focus by then.
    pub fn close_window(&self) {
        for window in self.windows() {
            let status = self.command("wmctrl").args(["-i", "-c", &window]).status().unwrap();
            assert!(status.success(), "the window {window} is not closed");
        }
    }

    /// What the system was asked to open.
    pub fn opened(&self) -> Vec<String> {
        let opened = std::fs::read_to_string(self.folder.path().join("opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// A picture of the whole screen.
    pub fn picture(&self, name: &str) {
        let path = pictures::folder().join(format!("{name}.png"));
        let status = self.command("import").args(["-window", "root"]).arg(&path).status().unwrap();
        assert!(status.success(), "no picture of {name}");
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The folder of the app.
    pub fn kith_home(&self) -> PathBuf {
        self.home.clone()
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the app's own log has this; if not, what it has.
    pub fn app_has_noted(&self, text: &str) -> Result<(), String> {
        let files = std::fs::read_dir(self.home.join("logs")).into_iter().flatten().flatten();
        let noted: String = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
        if noted.contains(text) { Ok(()) } else { Err(noted) }
    }

    /// The processes of the app itself.
    pub fn app_processes(&self) -> Vec<u32> {
        let app = self.app().canonicalize().unwrap();
        let mut ids = process::with_environment(&marker(self.folder.path()));
        ids.retain(|id| process::program_of(*id).as_ref() == Some(&app));
        ids
    }

    fn open_key_store(&mut self) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        let log = std::fs::File::create(self.logs().join("keyring.log")).unwrap();
        let mut child =
            command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.processes.push(child.into());
    }

    fn leave_traces(&self) {
        let name = format!("{}-{}", pictures::test_name(), self.name);
        let path = pictures::folder().join(format!("failed-{name}.png"));
        let _ = self.command("import").args(["-window", "root"]).arg(&path).status();
        let logs = pictures::folder().join(format!("failed-{name}"));
        let _ = std::fs::remove_dir_all(&logs);
        let _ = std::fs::create_dir_all(&logs);
        for folder in [self.logs(), self.kith_home().join("logs")] {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let _ = std::fs::copy(entry.path(), logs.join(entry.file_name()));
            }
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.leave_traces();
        }
        process::kill(&process::with_environment(&marker(self.folder.path())));
        while self.processes.pop().is_some() {}
    }
}

/// A program that knows of this desktop's folders, and of nothing else.
fn cleared(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    for (name, part) in [
        ("HOME", "home"),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "home/.local/share"),
        ("XDG_CACHE_HOME", "home/.cache"),
    ] {
        command.env(name, folder.join(part));
    }
    let marker = marker(folder);
    let (name, value) = marker.split_once('=').unwrap();
    command.env(name, value).env("LC_ALL", "C.UTF-8").env("NO_AT_BRIDGE", "1").env("GIO_USE_VFS", "local");
    for name in ["KITH_LOG", "RUST_BACKTRACE", "TZ"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// What all processes of one desktop have in their environment.
fn marker(folder: &Path) -> String {
    format!("KITH_TEST_DESKTOP={}", folder.display())
}

/// In the place of a browser: a program that notes down what it was to open.
fn note_what_is_opened(folder: &Path) {
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", folder.join("opened").display());
    let path = folder.join("bin/xdg-open");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The app itself.
pub const APP: &str = "kith";

/// A bus that starts nothing by itself.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>ADDRESS</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
