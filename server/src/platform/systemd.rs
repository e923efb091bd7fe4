//! Linux: what systemd hears of a service of Type=notify, and the socket that it may hand over. Without systemd nobody listens, and nothing happens.

use std::{io, net::TcpListener, time::Duration};

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The relay serves.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It reads its configuration again, and will say that it is ready.
pub(crate) fn reloading() {
    // Newer ones want to know since when.
    let now = NotifyState::monotonic_usec_now();
    tell(&std::iter::once(NotifyState::Reloading).chain(now).collect::<Vec<_>>());
}

/// It ends.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// It does its work.
pub(crate) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often it has to be said that it does.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// The socket that a unit of its own listens on for the relay.
pub(crate) fn listener() -> io::Result<Option<TcpListener>> {
    ListenFd::from_env().take_tcp_listener(0)
}

/// Whether what is said on standard output stands in the journal, which others than the operator may read.
pub(crate) fn speaks_to_journal() -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(journal) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/1").is_ok_and(|it| journal == format!("{}:{}", it.dev(), it.ino()))
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
