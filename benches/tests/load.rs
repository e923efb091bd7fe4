//! The load in small: the programs as they are, a few hundred connections, some of which go and come.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::process::Command;

#[test]
fn a_few_hundred_connections_are_held_without_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let load = ["load", "--devices", "300", "--seconds", "8", "--churn", "200", "--say-every", "3"];
    let output = Command::new(env!("CARGO_BIN_EXE_kith-bench"))
        .args(load)
        .arg("--json")
        .arg(file.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    let figures: Vec<serde_json::Value> =
        serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    let value = |work: &str| {
        let figure = figures.iter().find(|figure| figure["work"] == work);
        figure.and_then(|figure| figure["value"].as_f64()).unwrap_or_else(|| panic!("no {work}: {said}"))
    };
    assert!(value("went and came again") > 10.0, "{said}");
    assert!(value("messages stored") > 100.0, "{said}");
    assert!(value("messages delivered") > value("messages stored"), "{said}");
}

#[test]
fn a_relay_that_is_not_there_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_kith-bench"))
        .args(["load", "--devices", "4", "--relay", "/nowhere/kith-relay"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("/nowhere/kith-relay cannot be started"), "{said}");
}
