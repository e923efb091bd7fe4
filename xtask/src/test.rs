//! `cargo xtask test`: everything that can fail, run.

use std::env;

use crate::failure::Failure;
#[cfg(target_os = "linux")]
use crate::package;
use crate::packages::Need;
use crate::program;
use crate::step::step;
use crate::tools::{Tool, cargo};
use crate::ui;

/// Runs the tests whose name contains `filter`, or all of them and the examples in the documentation.
///
/// # Errors
/// One sentence on the first part that did not pass.
pub(crate) fn test(filter: Option<&str>, seeds: Option<u64>) -> Result<(), Failure> {
    step("What the tests need", || {
        Need::CCompiler.ensure()?;
        Need::WebView.ensure()?;
        Need::SecretService.ensure()?;
        if cfg!(target_os = "linux") {
            Need::Desktop.ensure()?;
            Need::Way.ensure()?;
            Tool::TauriDriver.ensure()?;
        }
        Ok(())
    })?;
    step("The window's content is built", ui::build)?;
    let nextest = has_nextest();
    step("Programs and tests are built", build)?;
    if filter.is_none() {
        step("Tests of the window's content", ui::test)?;
        step("Examples in the documentation", || {
            program::run(cargo().args(["test", "--quiet", "--doc", "--workspace"]))
        })?;
    }
    #[cfg(target_os = "linux")]
    if filter.is_none() && Need::can_try_packages() {
        step("Packages of the relay: installed, used, brought up to date, removed", package::try_relay)?;
        step("Packages of the app: installed, opened, brought up to date, removed", package::try_app)?;
    }
    step("Tests", || if nextest { run_nextest(filter, seeds) } else { run_plain(filter, seeds) })
}

/// The tests of the whole system start `kith-relay` and `kith-cli` as programs, which building the tests alone would
/// not bring up to date. Both in one go, so that each dependency is compiled with one set of features, once.
fn build() -> Result<(), Failure> {
    // Windows cannot replace the program that is running: this one.
    program::run(cargo().args(["build", "--workspace", "--exclude", "xtask", "--bins", "--tests"]))
}

fn run_nextest(filter: Option<&str>, seeds: Option<u64>) -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["nextest", "run", "--workspace"]);
    if env::var_os("CI").is_some() {
        command.args(["--profile", "ci"]);
    }
    seeded(&mut command, seeds);
    program::run(command.args(filter))
}

fn run_plain(filter: Option<&str>, seeds: Option<u64>) -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
    seeded(&mut command, seeds);
    program::run(command.args(filter))
}

fn seeded(command: &mut std::process::Command, seeds: Option<u64>) {
    if let Some(seeds) = seeds {
        command.env("KITH_SIM_SEEDS", seeds.to_string());
    }
}

/// Nextest runs tests as processes of their own and is three times as fast, but nothing depends on it.
fn has_nextest() -> bool {
    match Tool::Nextest.ensure() {
        Ok(()) => true,
        Err(failure) => {
            anstream::println!("{failure} The tests run without cargo-nextest, more slowly.");
            false
        }
    }
}
