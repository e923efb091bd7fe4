//! What is fast in Kith, measured against what the same machine can do in the same minutes.
//!
//! Every figure stands beside a limit that was measured in the same run: a bare WebSocket server without store or
//! accounts, the same rows in the same SQLite table, one fsync. Servers run as processes of their own, so that their
//! processor time and memory can be told from the load's; the load stays in this process.

mod arguments;
mod bare;
mod child;
mod disk;
mod hold;
mod load;
mod opened;
mod process;
mod relay;
mod report;
mod rows;
mod time;
mod works;
mod world;

use arguments::{Arguments, Role};
use clap::Parser;
use std::process::ExitCode;

/// What ends a measurement; the text is for whoever started it.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Load(load)) => hold::run(&load),
        Some(Role::Bare { places }) => bare::serve(places),
        Some(Role::Relay { folder, tls }) => relay::serve(&folder, tls),
        Some(Role::Rows { folder }) => rows::serve(&folder),
        Some(Role::Client { home, room }) => opened::serve(&home, &room),
        None => works::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kith-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
