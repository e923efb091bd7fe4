//! An app that runs without a driver, as it does at people's.

use crate::time::Watch;
use crate::{Outcome, process};
use kith_virtual_desktop::desktop::Desktop;
use kith_virtual_desktop::wait::until_now;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tokio::runtime::Runtime;

/// It ends with this.
pub(crate) struct Running<'a> {
    desktop: &'a Desktop,
    runtime: &'a Runtime,
    child: Child,
    watch: Watch,
    drawn: Receiver<f64>,
}

impl<'a> Running<'a> {
    pub(crate) fn start(desktop: &'a Desktop, runtime: &'a Runtime, arguments: &[&str]) -> Outcome<Self> {
        let mut command = desktop.command(desktop.app());
        command.args(arguments).env("KITH_LOG", "warn,kith=info").env("NO_COLOR", "1");
        let watch = Watch::start();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stderr.take().ok_or("an app without words")?);
        let (tell, drawn) = channel();
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                // Nobody may listen any more.
                let now = watch.seconds();
                if line.split(' ').any(|word| word == DRAWN) && tell.send(now).is_err() {
                    return;
                }
            }
        });
        Ok(Self { desktop, runtime, child, watch, drawn })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until there is something to see in the window; seconds since the start.
    pub(crate) fn drawn(&self) -> Outcome<f64> {
        self.drawn.recv_timeout(PATIENCE).map_err(|_| "nothing is drawn".into())
    }

    /// Closes the window; the app goes on in the tray.
    pub(crate) fn hide(&self) {
        self.desktop.close_window();
        self.runtime.block_on(until_now("no window", || match self.desktop.windows() {
            windows if windows.is_empty() => Ok(()),
            windows => Err(windows),
        }));
    }

    /// Clicks on the icon in the tray; seconds until there is something to see.
    pub(crate) fn reopen(&self) -> Outcome<f64> {
        let begun = self.watch.seconds();
        self.desktop.tray().click();
        Ok(self.drawn()? - begun)
    }
}

impl Drop for Running<'_> {
    /// As the system ends it; waits until its web view is gone, too.
    fn drop(&mut self) {
        let tree = process::tree(self.id());
        let id = self.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        self.runtime.block_on(until_now("the end of the app", || {
            let left: Vec<_> = tree.iter().filter(|id| process::proportional_bytes(**id).is_some()).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        }));
    }
}

/// What both apps say when there is something to see.
const DRAWN: &str = "drawn";
const PATIENCE: Duration = Duration::from_mins(1);
