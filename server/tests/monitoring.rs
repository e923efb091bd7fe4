//! What is offered for monitoring asks only for what the relay exports.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

use kith_relay::metrics::Metrics;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../../packaging/monitoring/kith-relay.rules.yml");
const DASHBOARD: &str = include_str!("../../packaging/monitoring/grafana.json");

/// The series of a scrape: without labels and values.
fn exported() -> BTreeSet<String> {
    let metrics = Metrics::new();
    metrics.refused("http");
    metrics.certificate_ends("acme", 1);
    let text = metrics.render();
    let series = text.lines().filter(|line| !line.starts_with('#'));
    series.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// All words that begin as our metrics do.
fn asked_for(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("kith_")).map(str::to_owned).collect()
}

#[test]
fn alerts_and_dashboard_ask_for_what_is_exported() {
    let exported = exported();
    for (name, text) in [("rules", RULES), ("dashboard", DASHBOARD)] {
        let unknown: Vec<_> = asked_for(text).difference(&exported).cloned().collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?} is exported by nobody; there are {exported:?}");
    }
}

#[test]
fn the_dashboard_is_json() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    assert!(dashboard["panels"].as_array().is_some_and(|panels| !panels.is_empty()));
}
