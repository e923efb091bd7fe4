//! `cargo xtask bench`: builds what is measured as it is shipped, and measures it.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program::run;
use crate::tools::cargo;

/// Hands `arguments` to `kith-bench`, built in release; it is its own relay, and everything else that it compares.
///
/// # Errors
/// One sentence, if something does not build or the measurement fails.
pub(crate) fn bench(arguments: &[OsString]) -> Result<(), Failure> {
    Need::CCompiler.ensure()?;
    run(cargo().args(["build", "--release", "-p", "kith-bench"]))?;
    run(Command::new(Metadata::read()?.program("release", "kith-bench")).args(arguments))
}
