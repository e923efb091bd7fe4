//! A real notification daemon, and what went over the bus to it.

use crate::desktop::Desktop;
use crate::process::Process;
use crate::wait::until_now;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use zbus::MatchRule;
use zbus::blocking::{MessageIterator, connection, fdo::MonitoringProxy};
use zbus::message::Type;
use zbus::zvariant::OwnedValue;

/// Dunst. Its notifications stay until somebody does something about them.
pub struct Dunst {
    _process: Process,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What somebody asked the daemon for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    Show { replaces: u32, title: String, body: String, actions: Vec<String>, sound: bool },
    Close { id: u32 },
}

impl Dunst {
    pub async fn start(desktop: &Desktop) -> Self {
        std::fs::write(desktop.config().join("dunst/dunstrc"), CONFIGURATION).unwrap();
        let asked = Arc::default();
        listen(desktop.address(), Arc::clone(&asked));
        let mut command = desktop.command("dunst");
        let environment = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let process = Process::start("dunst", &mut command, &desktop.logs());
        desktop.owned("org.freedesktop.Notifications").await;
        Self { _process: process, environment, asked }
    }

    /// How many notifications can be seen.
    pub fn count(&self) -> usize {
        self.ctl(&["count", "displayed"]).parse().unwrap()
    }

    /// Waits until so many can be seen.
    pub async fn shows(&self, count: usize) {
        until_now(&format!("{count} notifications"), || match self.count() {
            shown if shown == count => Ok(()),
            shown => Err((shown, self.asked())),
        })
        .await;
    }

    /// Waits until one with this title and text was asked for, and shows.
    pub async fn tells(&self, title: &str, text: &str) {
        until_now(&format!("a notification: {title}: {text}"), || {
            let asked = self.asked();
            let told = asked
                .iter()
                .any(|one| matches!(one, Asked::Show { title: t, body, .. } if t == title && body == text));
            if told && self.count() > 0 { Ok(()) } else { Err(asked) }
        })
        .await;
    }

    /// All that was asked for.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The texts of all notifications that there have been.
    pub fn bodies(&self) -> Vec<String> {
        let shown = self.asked().into_iter().filter_map(|asked| match asked {
            Asked::Show { body, .. } => Some(body),
            Asked::Close { .. } => None,
        });
        shown.collect()
    }

    /// A click on the one on top.
    pub fn click(&self) {
        self.ctl(&["action", "0"]);
    }

    /// "Mark read" in the menu of the one on top.
    pub fn mark_read(&self) {
        self.ctl(&["context"]);
    }

    /// Puts all away, as a person does.
    pub fn close_all(&self) {
        self.ctl(&["close-all"]);
    }

    fn ctl(&self, arguments: &[&str]) -> String {
        let mut command = std::process::Command::new("dunstctl");
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).args(arguments);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "dunstctl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// Hears what is asked of the daemon. Ends with the bus.
fn listen(address: &str, asked: Arc<Mutex<Vec<Asked>>>) {
    let bus = connection::Builder::address(address).unwrap().build().unwrap();
    let rule = MatchRule::builder().msg_type(Type::MethodCall).interface(INTERFACE).unwrap().build();
    MonitoringProxy::new(&bus).unwrap().become_monitor(&[rule], 0).unwrap();
    thread::spawn(move || {
        for message in MessageIterator::from(bus).flatten() {
            let header = message.header();
            let body = message.body();
            let one = match header.member().map(zbus::names::MemberName::as_str) {
                Some("Notify") => body.deserialize::<Notify>().ok().map(
                    |(_, replaces, _, title, body, actions, hints, _)| Asked::Show {
                        replaces,
                        title,
                        body,
                        actions,
                        sound: !hints.contains_key("suppress-sound"),
                    },
                ),
                Some("CloseNotification") => body.deserialize::<u32>().ok().map(|id| Asked::Close { id }),
                _ => None,
            };
            asked.lock().unwrap_or_else(PoisonError::into_inner).extend(one);
        }
    });
}

type Notify = (String, u32, String, String, String, Vec<String>, HashMap<String, OwnedValue>, i32);

const INTERFACE: &str = "org.freedesktop.Notifications";
/// The menu of actions is a program that is given the lines: this one chooses.
const CONFIGURATION: &str = "[global]
    notification_limit = 0
    markup = full
    dmenu = grep -m 1 Mark
[urgency_low]
    timeout = 0
[urgency_normal]
    timeout = 0
[urgency_critical]
    timeout = 0
";
