//! The app on a desktop, and the driver that acts in its window.

use crate::desktop::Desktop;
use crate::process::{self, Process};
use crate::wait::{until, until_now};
use fantoccini::{Client, ClientBuilder};
use serde_json::json;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// The app, with a driver at its window. Both end with it.
pub struct App<'a> {
    desktop: &'a Desktop,
    pub window: Client,
    _driver: Process,
}

impl<'a> App<'a> {
    /// Starts the app, and waits for its window.
    pub async fn start(desktop: &'a Desktop) -> Self {
        let (driver, address) = drive(desktop).await;
        let mut capabilities = fantoccini::wd::Capabilities::new();
        let options = json!({ "application": desktop.app(), "args": [] });
        capabilities.insert("tauri:options".into(), options);
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let window = builder.capabilities(capabilities).connect(&address).await;
        let window = window.unwrap_or_else(|error| panic!("the app does not start: {error}"));
        let app = Self { desktop, window, _driver: driver };
        app.appears().await;
        app
    }

    pub fn desktop(&self) -> &'a Desktop {
        self.desktop
    }

    /// Waits until the window is there and has drawn something.
    pub async fn appears(&self) {
        until_now("a window", || match self.desktop.windows() {
            windows if windows.is_empty() => Err("none"),
            _ => Ok(()),
        })
        .await;
        self.follow().await;
        until("a page", async || {
            let drawn = self.window.execute(DRAWN, vec![]).await;
            if drawn.as_ref().is_ok_and(|drawn| drawn == true) { Ok(()) } else { Err(drawn) }
        })
        .await;
    }

    /// Waits until there is no window, while the app goes on.
    pub async fn hides(&self) {
        until_now("no window", || match self.desktop.windows() {
            windows if windows.is_empty() => Ok(()),
            windows => Err(windows),
        })
        .await;
        assert_eq!(self.desktop.app_processes().len(), 1, "the app goes on without a window");
    }

    /// Turns to the window that there is now.
    async fn follow(&self) {
        until("a window for the driver", async || {
            let windows = self.window.windows().await.map_err(|error| error.to_string())?;
            let newest = windows.into_iter().next_back().ok_or("none")?;
            self.window.switch_to_window(newest).await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// `kill -9`.
    pub async fn kill(self) {
        let processes = self.desktop.app_processes();
        process::kill(&processes);
        gone(self.desktop, processes).await;
    }

    /// A picture of the screen.
    pub fn picture(&self, name: &str) {
        self.desktop.picture(name);
    }
}

/// Starts the app without a driver, for as long as the handle lives.
pub fn start_undriven(desktop: &Desktop, arguments: &[&str]) -> Process {
    Process::start("kith", desktop.command(desktop.app()).args(arguments), &desktop.logs())
}

/// Starts the app once more, as a person or another program does while it runs; it ends by itself.
pub async fn start_again(desktop: &Desktop, arguments: &[&str]) {
    let mut second = start_undriven(desktop, arguments);
    until_now("the end of the second start", || if second.has_ended() { Ok(()) } else { Err("it runs") })
        .await;
}

/// Waits until the app does not run any more.
pub async fn ended(desktop: &Desktop) {
    gone(desktop, desktop.app_processes()).await;
}

/// Waits until these are gone, with all that they held, and no others have come.
async fn gone(desktop: &Desktop, processes: Vec<u32>) {
    until_now("the end of the app", || {
        let left: Vec<_> = processes.iter().copied().filter(|id| !process::is_gone(*id)).collect();
        match [left, desktop.app_processes()].concat() {
            ids if ids.is_empty() => Ok(()),
            ids => Err(ids),
        }
    })
    .await;
}

async fn drive(desktop: &Desktop) -> (Process, String) {
    let (port, native) = (free_port(), free_port());
    let mut command = desktop.driver();
    command.args(["--port", &port.to_string(), "--native-port", &native.to_string()]);
    let driver = Process::start("driver", &mut command, &desktop.logs());
    for port in [port, native] {
        until("a driver", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.map(drop)).await;
    }
    (driver, format!("http://127.0.0.1:{port}"))
}

/// A port that was free a moment ago: the driver takes no other way to choose one. It is none of those that systems give to
/// whoever connects: one of them would be gone again before the driver has it. Each process begins elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(PORTS_EACH) + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + (number % u32::from(PORTS.end - PORTS.start)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

const PORTS: Range<u16> = 16_000..32_000;
/// Two for each start of the app.
const PORTS_EACH: u32 = 16;
const DRAWN: &str = "return document.querySelector('main') !== null";
