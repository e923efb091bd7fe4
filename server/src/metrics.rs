//! What the relay counts, for Prometheus.
//!
//! | name | kind | what |
//! | --- | --- | --- |
//! | `kith_connections` | gauge | upgraded connections now |
//! | `kith_handshakes` | gauge | connections still in TLS or HTTP now |
//! | `kith_identified` | gauge | connections that have proved their device now |
//! | `kith_frames_total` | counter | frames received |
//! | `kith_appends_total` | counter | entries stored in timelines and chains |
//! | `kith_register_writes_total` | counter | register values stored |
//! | `kith_acks_total` | counter | acknowledgements sent, repeated ones included |
//! | `kith_pushes_total` | counter | entries and registers queued for a device |
//! | `kith_pushes_dropped_total` | counter | pushes dropped because a device's queue was full |
//! | `kith_fetches_total` | counter | ranges read for devices |
//! | `kith_fetched_entries_total` | counter | entries in them |
//! | `kith_refusals_total{code}` | counter | refusals by error code; before the protocol: `address_rate`, `address_connections`, `connections`, `http` |
//! | `kith_commit_seconds` | histogram | one commit, fsync included |
//! | `kith_commit_writes` | histogram | appends and register writes in one commit |
//! | `kith_disk_free_bytes` | gauge | bytes free on the disk under the data |
//! | `kith_database_bytes` | gauge | bytes of the database |
//! | `kith_nearly_full_accounts` | gauge | accounts that have used up more than nine tenths of their quota |
//! | `kith_refusing_writes` | gauge | 1 while the disk is too full to write |
//! | `kith_certificate_end_timestamp_seconds{from}` | gauge | when the certificate ends, in seconds since 1970; from `files` or `acme` |
//! | `kith_acme_failures_total` | counter | orders for a certificate that failed |
//! | `kith_push_tries_total{kind,outcome}` | counter | pushes to people who were away, by kind of place; outcome `taken` or `failed` |
//! | `kith_build_info{version}` | info | the version that runs |
//!
//! Counters are atomics behind an `Arc`: an increment is one relaxed add. Each relay has its own set, no global one.

use crate::refusals::{Refusals, Whom};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

#[derive(Debug)]
pub struct Metrics {
    pub connections: Gauge,
    pub handshakes: Gauge,
    pub identified: Gauge,
    pub frames: Counter,
    pub appends: Counter,
    pub register_writes: Counter,
    pub acks: Counter,
    pub pushes: Counter,
    pub pushes_dropped: Counter,
    pub fetches: Counter,
    pub fetched_entries: Counter,
    pub commit_seconds: Histogram,
    pub commit_writes: Histogram,
    pub disk_free_bytes: Gauge,
    pub database_bytes: Gauge,
    pub nearly_full_accounts: Gauge,
    pub refusing_writes: Gauge,
    /// The same as the counters of refusals, each with whom it met.
    pub recent_refusals: Refusals,
    pub acme_failures: Counter,
    certificate: Family<Certificate, Gauge>,
    push_tries: Family<PushTry, Counter>,
    refusals: Family<Refusal, Counter>,
    registry: Registry,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PushTry {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Certificate {
    from: &'static str,
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Self {
            connections: Gauge::default(),
            handshakes: Gauge::default(),
            identified: Gauge::default(),
            frames: Counter::default(),
            appends: Counter::default(),
            register_writes: Counter::default(),
            acks: Counter::default(),
            pushes: Counter::default(),
            pushes_dropped: Counter::default(),
            fetches: Counter::default(),
            fetched_entries: Counter::default(),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            commit_writes: Histogram::new(COMMIT_WRITES),
            disk_free_bytes: Gauge::default(),
            database_bytes: Gauge::default(),
            nearly_full_accounts: Gauge::default(),
            refusing_writes: Gauge::default(),
            recent_refusals: Refusals::default(),
            acme_failures: Counter::default(),
            certificate: Family::default(),
            push_tries: Family::default(),
            refusals: Family::default(),
            registry: Registry::with_prefix("kith"),
        };
        metrics.register();
        metrics
    }

    /// Counts a refusal; `code` comes from a closed set, so the number of series is bounded.
    pub fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&Refusal { code }).inc();
    }

    /// Counts a refusal, and keeps whom it met; `at` in milliseconds since 1970.
    pub fn refused_to(&self, whom: Whom, code: &'static str, at: u64) {
        self.refused(code);
        self.recent_refusals.note(code, whom, at);
    }

    /// Counts a push to somebody who is away.
    pub fn push_sent(&self, kind: &'static str, taken: bool) {
        let outcome = if taken { "taken" } else { "failed" };
        self.push_tries.get_or_create(&PushTry { kind, outcome }).inc();
    }

    /// Tells when the certificate in use ends, in seconds since 1970.
    pub fn certificate_ends(&self, from: &'static str, at: i64) {
        self.certificate.get_or_create(&Certificate { from }).set(at);
    }

    /// OpenMetrics text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a String cannot fail");
        text
    }

    fn register(&mut self) {
        let Self { registry, .. } = self;
        registry.register("connections", "Upgraded connections now", self.connections.clone());
        registry.register("handshakes", "Connections still in TLS or HTTP now", self.handshakes.clone());
        registry.register(
            "identified",
            "Connections that have proved their device now",
            self.identified.clone(),
        );
        registry.register("frames", "Frames received", self.frames.clone());
        registry.register("appends", "Entries stored in timelines and chains", self.appends.clone());
        registry.register("register_writes", "Register values stored", self.register_writes.clone());
        registry.register("acks", "Acknowledgements sent", self.acks.clone());
        registry.register("pushes", "Entries and registers queued for a device", self.pushes.clone());
        registry.register("pushes_dropped", "Pushes dropped at a full queue", self.pushes_dropped.clone());
        registry.register("fetches", "Ranges read for devices", self.fetches.clone());
        registry.register("fetched_entries", "Entries in these ranges", self.fetched_entries.clone());
        registry.register("refusals", "Refusals by error code", self.refusals.clone());
        registry.register("commit_seconds", "One commit, fsync included", self.commit_seconds.clone());
        registry.register("commit_writes", "Writes in one commit", self.commit_writes.clone());
        registry.register("disk_free_bytes", "Bytes free under the data", self.disk_free_bytes.clone());
        registry.register("database_bytes", "Bytes of the database", self.database_bytes.clone());
        registry.register(
            "nearly_full_accounts",
            "Accounts that have used up more than nine tenths of their quota",
            self.nearly_full_accounts.clone(),
        );
        registry.register("refusing_writes", "1 while the disk is too full", self.refusing_writes.clone());
        registry.register(
            "certificate_end_timestamp_seconds",
            "When the certificate ends",
            self.certificate.clone(),
        );
        registry.register(
            "acme_failures",
            "Orders for a certificate that failed",
            self.acme_failures.clone(),
        );
        registry.register(
            "push_tries",
            "Pushes to people who were away, by kind of place",
            self.push_tries.clone(),
        );
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// What [`Metrics::render`] yields.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a fast NVMe disk to one that is about to fail.
const COMMIT_SECONDS: [f64; 12] =
    [0.0001, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// Powers of two, up to beyond the largest batch.
const COMMIT_WRITES: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_all_that_is_rendered() {
        let metrics = Metrics::new();
        metrics.refused("http");
        metrics.certificate_ends("files", 1);
        metrics.push_sent("ntfy", true);
        let text = metrics.render();
        let source = include_str!("metrics.rs");
        let mut families = 0;
        for family in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = family.split(' ').next().unwrap();
            assert!(source.contains(&format!("//! | `{name}")), "{name} is not in the table");
            families += 1;
        }
        assert_eq!(families, source.lines().filter(|line| line.starts_with("//! | `kith_")).count());
        assert!(text.contains("kith_refusals_total{code=\"http\"} 1"));
        assert!(text.ends_with("# EOF\n"));
    }
}
