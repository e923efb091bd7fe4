//! The configuration while the relay runs.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::{
    Config,
    layers::{flat, parse},
};

/// A shared handle to the current configuration. A load costs a few nanoseconds and never waits: hold it briefly.
#[derive(Clone, Debug)]
pub struct Live(Arc<ArcSwap<Config>>);

/// What a reload did, by dotted keys in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub applied: Vec<String>,
    /// Changed in the file, but only a restart can take them up; until then the old values stay.
    pub needs_restart: Vec<String>,
}

impl Live {
    pub fn new(config: Config) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(config)))
    }

    /// The current values.
    pub fn load(&self) -> Guard<Arc<Config>> {
        self.0.load()
    }

    /// The current values, to keep.
    pub fn snapshot(&self) -> Arc<Config> {
        self.0.load_full()
    }

    /// What would be taken up of it while running, and the configuration then.
    pub fn merged(&self, next: &Config) -> (Config, Change) {
        let mut change = Change::default();
        let mut merged = flat(&self.load());
        for (key, value) in flat(next) {
            if merged.get(&key) == Some(&value) {
                continue;
            }
            if NEEDS_RESTART.contains(&key.as_str()) {
                change.needs_restart.push(key);
            } else {
                merged.insert(key.clone(), value);
                change.applied.push(key);
            }
        }
        let merged = parse(merged).unwrap_or_else(|_| {
            // Two good configurations can make a bad mixture (tls.mode stays, tls.cert moves): then nothing moves.
            change.needs_restart.append(&mut change.applied);
            Config::clone(&self.load())
        });
        (merged, change)
    }

    /// Takes it up. One caller at a time: the reload task.
    pub fn put(&self, merged: Config) {
        self.0.store(Arc::new(merged));
    }
}

/// Bound sockets and open files.
const NEEDS_RESTART: &[&str] = &["data", "listen", "log.format", "metrics.listen", "tls.mode"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsMode;

    #[test]
    fn what_cannot_change_stays_and_is_named() {
        let live = Live::new(Config::default());
        let mut next = Config { listen: "127.0.0.1:9".parse().unwrap(), ..Config::default() };
        next.limits.max_body_bytes = 1_000;
        let (merged, change) = live.merged(&next);
        live.put(merged);
        assert_eq!(change.applied, ["limits.max_body_bytes"]);
        assert_eq!(change.needs_restart, ["listen"]);
        assert_eq!(live.load().limits.max_body_bytes, 1_000);
        assert_eq!(live.load().listen, Config::default().listen);
        assert_eq!(live.merged(&next).1.needs_restart, ["listen"], "named again until it is so");
    }

    #[test]
    fn a_bad_mixture_changes_nothing() {
        let live = Live::new(Config::default());
        let mut next = Config::default();
        next.tls.mode = TlsMode::Files;
        next.tls.cert = "c.pem".into();
        next.tls.key = "k.pem".into();
        let (merged, change) = live.merged(&next);
        assert!(change.applied.is_empty());
        assert_eq!(change.needs_restart, ["tls.mode", "tls.cert", "tls.key"]);
        assert_eq!(merged, Config::default());
    }
}
