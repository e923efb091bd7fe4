//! `cargo xtask bench`: builds what is measured as it is shipped, and measures it.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program::run;
use crate::step::step;
use crate::tools::{Tool, cargo};
use crate::ui;

/// Hands `arguments` to `kith-bench`, built in release; it is its own relay, and everything else that it compares, but for
/// the app in its window and the trivial one beside it.
///
/// # Errors
/// One sentence, if something does not build or the measurement fails.
pub(crate) fn bench(arguments: &[OsString]) -> Result<(), Failure> {
    Need::CCompiler.ensure()?;
    let mut packages = vec!["-p", "kith-bench"];
    if is_load(arguments) {
        packages.extend(["-p", "kith-relay"]);
    }
    if cfg!(target_os = "linux") && shows_windows(arguments) {
        step("What the app is measured with", || {
            Need::WebView.ensure()?;
            Need::SecretService.ensure()?;
            Need::Desktop.ensure()?;
            Tool::TauriDriver.ensure()
        })?;
        step("The window's content is built", ui::build)?;
        packages.extend(["-p", "kith", "-p", "kith-trivial"]);
    }
    // In one go, so that both apps are made of the same parts.
    run(cargo().args(["build", "--release", "--bins"]).args(packages))?;
    run(Command::new(Metadata::read()?.program("release", "kith-bench")).args(arguments))
}

/// Whether the app itself is measured: by its name, or because no part is named.
fn shows_windows(arguments: &[OsString]) -> bool {
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    named("desktop") || !(named("relay") || named("client") || named("--help") || is_load(arguments))
}

/// Whether the relay is measured as it is shipped, in a program of its own.
fn is_load(arguments: &[OsString]) -> bool {
    arguments.first().is_some_and(|argument| argument == "load")
}

#[cfg(test)]
mod tests {
    use super::shows_windows;

    #[test]
    fn the_app_is_built_only_where_it_is_measured() {
        let shows = |arguments: &[&str]| shows_windows(&arguments.iter().map(Into::into).collect::<Vec<_>>());
        assert!(shows(&[]) && shows(&["desktop", "--quick"]) && shows(&["--json", "out"]));
        assert!(!shows(&["load", "--seconds", "60"]));
        assert!(!shows(&["relay"]) && !shows(&["--rounds", "5", "client"]));
    }
}
