//! Systems whose service manager asks for nothing.

use std::{io, net::TcpListener, time::Duration};

pub(crate) fn ready() {}

pub(crate) fn reloading() {}

pub(crate) fn stopping() {}

pub(crate) fn alive() {}

pub(crate) fn listener() -> io::Result<Option<TcpListener>> {
    Ok(None)
}

pub(crate) fn watchdog() -> Option<Duration> {
    None
}

pub(crate) fn speaks_to_journal() -> bool {
    false
}
