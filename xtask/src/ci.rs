//! `cargo xtask ci`: what a change has to pass, in the order in which it fails fastest.

use std::time::Duration;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program::{Program, run, typed};
use crate::step::step;
use crate::test;
use crate::tools::{Tool, cargo, ensure_component};
use crate::ui;
use crate::versions::one_version;

/// Runs every check, and the tests unless they are left to `cargo xtask test`.
///
/// # Errors
/// One sentence on the first check that did not pass.
pub(crate) fn ci(no_tests: bool) -> Result<(), Failure> {
    step("What the checks need", || {
        Need::CCompiler.ensure()?;
        Need::WebView.ensure()?;
        ensure_component("fmt", "rustfmt")?;
        ensure_component("clippy", "clippy")?;
        Tool::Deny.ensure()
    })?;
    step("Format", || run(cargo().args(["fmt", "--all", "--check"])))?;
    step("Dependency rules of ARCHITECTURE.md", dependency_rules)?;
    step("One version for all parts", || one_version(&Metadata::read()?).map(drop))?;
    step("The window's content: types, lints, format", ui::check)?;
    // The app takes it in when it is compiled.
    step("The window's content is built", ui::build)?;
    step("Clippy", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    step("Documentation", || {
        run(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
    })?;
    step("Licences, sources and banned crates", deny)?;
    step("Known vulnerabilities", advisories)?;
    if no_tests { Ok(()) } else { test::test(None, None) }
}

fn dependency_rules() -> Result<(), Failure> {
    let violations = Metadata::read()?.graph().violations();
    for sentence in &violations {
        anstream::println!("{sentence}");
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Failure::new("Crates depend on each other in a direction that ARCHITECTURE.md forbids."))
    }
}

fn deny() -> Result<(), Failure> {
    run(cargo().args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))
}

/// The list of vulnerabilities is fetched anew; a machine without a way to it says so and passes.
fn advisories() -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["deny", "--all-features", "check", "advisories"]);
    let mut check = Program::start(&mut command, FETCH_PATIENCE)?;
    let mut judged = false;
    loop {
        match check.next_line() {
            Ok(Some(line)) => {
                // The verdict is printed only when there was a list to judge by.
                judged |= line.starts_with("advisories ");
                anstream::println!("{line}");
            }
            Ok(None) => break,
            Err(failure) => return unreachable_list(&failure),
        }
    }
    match check.succeed() {
        Err(failure) if !judged => unreachable_list(&failure),
        verdict => verdict.map_err(|_| Failure::new(format!("`{}` has findings.", typed(&command)))),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the outcome of a check that could not be made")]
fn unreachable_list(failure: &Failure) -> Result<(), Failure> {
    anstream::println!("{failure} The list of vulnerabilities is out of reach: not checked.");
    Ok(())
}

/// A blocked network often answers nothing at all.
const FETCH_PATIENCE: Duration = Duration::from_mins(3);
