//! Logs: only where somebody asked for them, only on standard error.

use std::env;
use tracing_subscriber::EnvFilter;

/// Listens to `KITH_LOG`, else `RUST_LOG`; without either nothing is logged.
pub(crate) fn start() {
    let Some(wanted) = ["KITH_LOG", "RUST_LOG"].into_iter().find_map(|name| env::var(name).ok()) else {
        return;
    };
    let mut filter = EnvFilter::new(wanted);
    // Below info these write whole frames, and frames hold messages.
    for quiet in ["tungstenite=info", "tokio_tungstenite=info"] {
        filter = filter.add_directive(quiet.parse().expect("a constant directive"));
    }
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
