//! Systems whose service manager asks for nothing.

use std::time::Duration;

pub(crate) fn ready() {}

pub(crate) fn reloading() {}

pub(crate) fn stopping() {}

pub(crate) fn alive() {}

pub(crate) fn watchdog() -> Option<Duration> {
    None
}
