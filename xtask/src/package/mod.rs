//! `cargo xtask package`: what people install, built from this folder into `target/packages`.

mod app;
mod deb;
mod origin;
mod relay;
mod rpm;
mod tree;
mod trial;

use clap::Subcommand;

use crate::failure::Failure;

pub(crate) use app::try_app;
pub(crate) use relay::try_relay;

#[derive(Subcommand)]
pub(crate) enum Package {
    /// The relay, as packages for Debian and for Fedora and its kin.
    Relay {
        /// Try them instead, as they are installed, used, brought up to date and removed; quickly built, in a copy of this system.
        #[arg(long = "try")]
        trial: bool,
    },
    /// The app, as packages for Debian and for Fedora and its kin.
    App {
        /// Try them instead, as they are installed, opened, brought up to date and removed; quickly built, in a copy of this system.
        #[arg(long = "try")]
        trial: bool,
    },
}

/// Builds what is asked for.
///
/// # Errors
/// One sentence on what is missing or did not work.
pub(crate) fn package(what: &Package) -> Result<(), Failure> {
    match what {
        Package::Relay { trial: false } => relay::package_relay(),
        Package::Relay { trial: true } => {
            relay::build_for_trial()?;
            try_relay()
        }
        Package::App { trial: false } => app::package_app(),
        Package::App { trial: true } => {
            app::build_for_trial()?;
            try_app()
        }
    }
}
