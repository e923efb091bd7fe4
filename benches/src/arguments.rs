//! The command line.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Measures Kith, each figure against what this machine can do.
#[derive(Debug, Parser)]
#[command(name = "kith-bench", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// What to measure; all of it unless told otherwise.
    #[arg(value_enum)]
    pub(crate) part: Option<Part>,
    /// Only works whose name contains this.
    pub(crate) filter: Option<String>,
    /// Also writes the figures as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Smaller works, once each: to see that they run.
    #[arg(long)]
    pub(crate) quick: bool,
    /// How often each work is measured; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Where the stores are put: a folder on the disk that is to be measured.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) scratch: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// A part of Kith.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The relay: fan-out, pairs, latency, idle connections, backlog.
    Relay,
    /// The engine: catch-up, opening a store.
    Client,
    /// The app in its window, on Linux: start, memory, reopening, from window to window, frames, size of the script.
    Desktop,
}

/// What a child process of the measurement does.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// The bare server.
    #[command(hide = true, name = "child-bare")]
    Bare {
        /// Connections that may be named.
        places: usize,
    },
    /// The relay.
    #[command(hide = true, name = "child-relay")]
    Relay {
        /// Its data.
        folder: PathBuf,
        /// With a key of its own.
        #[arg(long)]
        tls: bool,
    },
    /// A client that opens its store and shows a room.
    #[command(hide = true, name = "child-client")]
    Client {
        /// Its home.
        home: PathBuf,
        /// The room, in hexadecimal digits.
        room: String,
    },
    /// Rows of a store, written to whoever connects.
    #[command(hide = true, name = "child-rows")]
    Rows {
        /// The relay's data.
        folder: PathBuf,
    },
}
