//! Programs for Windows on Linux, under Wine: a system of its own in a folder, with its registry and its credentials.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program::{answers, capture, run};
use crate::tools::cargo;

/// A Windows that is gone when it is dropped, and the programs that run on it.
pub(crate) struct Wine {
    prefix: PathBuf,
    programs: PathBuf,
}

impl Wine {
    /// Sets the system up; `programs` is the folder with the `.exe` files.
    pub(crate) fn set_up(prefix: PathBuf, programs: PathBuf) -> Result<Self, Failure> {
        build_randomness(&programs)?;
        let wine = Self { prefix, programs };
        capture(wine.command("kith-cli").arg("--version"))?;
        Ok(wine)
    }

    /// A program that runs on it.
    pub(crate) fn command(&self, name: &str) -> Command {
        // Wine itself, not the script in the path: so that the process that is killed is the program.
        let mut command = self.on_prefix(WINE);
        command.arg(self.programs.join(format!("{name}.exe")));
        command
    }

    fn on_prefix(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // There is a screen for nobody, and nothing that it would ask for.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=").env_remove("DISPLAY");
        command
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // It would end by itself a little later, when the folder is gone already.
        answers(self.on_prefix(WINE_SERVER).arg("--kill"));
        answers(self.on_prefix(WINE_SERVER).arg("--wait"));
    }
}

/// Builds relay and command line for Windows.
///
/// # Errors
/// What is missing or does not compile.
pub(crate) fn build_for_windows() -> Result<(), Failure> {
    let mut build = cargo();
    build.args(["build", "--target", TARGET, "-p", "kith-relay", "-p", "kith-cli", "--bins"]);
    // Nothing here is a matter of speed but the building itself.
    build.args(["--config", "profile.dev.package.'*'.opt-level=0", "--config", "profile.dev.debug=false"]);
    if !answers(Command::new("rustup").args(["target", "add", TARGET])) {
        // Without a way to the standard library as it is published, Debian has its source and a compiler that fits.
        Need::RustSource.ensure()?;
        build.args(["-Z", "build-std=std,panic_abort"]);
        build.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    }
    run(&mut build)
}

/// The folder that they are in.
pub(crate) fn programs(metadata: &Metadata) -> PathBuf {
    metadata.target_directory().join(TARGET).join("debug")
}

/// Wine before version 9 lacks the one function that Rust's standard library asks Windows for randomness with.
fn build_randomness(folder: &Path) -> Result<(), Failure> {
    let source = folder.join("bcryptprimitives.c");
    fs::write(&source, RANDOMNESS).map_err(|error| Failure::at(&source, "written", &error))?;
    let library = folder.join("bcryptprimitives.dll");
    let mut compile = Command::new("x86_64-w64-mingw32-gcc");
    capture(compile.args(["-shared", "-s", "-o"]).arg(&library).arg(&source).arg("-ladvapi32"))?;
    Ok(())
}

const RANDOMNESS: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
    return SystemFunction036(bytes, (ULONG)count);
}
";

const TARGET: &str = "x86_64-pc-windows-gnu";
const WINE: &str = "/usr/lib/wine/wine64";
const WINE_SERVER: &str = "/usr/lib/wine/wineserver64";
