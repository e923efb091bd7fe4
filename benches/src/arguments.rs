//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
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

/// How much load, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Connections, each of a device of its own; two devices are one person's, and two persons have a chat.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(4..))]
    pub(crate) devices: u32,
    /// For so long, once all are there.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) seconds: u32,
    /// So many in a hundred go each minute, and come again.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) churn: u32,
    /// Each says something once in so many seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) say_every: u32,
    /// The relay's program; the one beside this one unless told otherwise.
    #[arg(long, value_name = "FILE")]
    pub(crate) relay: Option<PathBuf>,
    /// Also writes the figures as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where the relay's data is put.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) scratch: Option<PathBuf>,
}

/// What a child process of the measurement does; and the load, which has a child of another kind.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Holds many connections to a relay that runs as it is shipped, over TLS, with some coming and going all the time.
    Load(Load),
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
