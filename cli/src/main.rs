//! Kith in a terminal: the engine, driven by a command line.
//!
//! ```text
//!  args -> profile (home, key) -> commands::* on a Session -> Out (text or JSON lines)
//!                                       `-> Failure (exit code, one sentence)
//! ```

mod args;
mod commands;
mod exit;
mod lines;
mod logging;
mod names;
mod out;
mod people;
mod profile;
mod render;
mod session;
mod text;

use clap::Parser as _;
use exit::{Exit, Failure, Outcome};
use owo_colors::OwoColorize as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    logging::start();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.sentence.is_empty() {
                // The sentence may hold what others wrote: names of rooms, reasons of a relay.
                let sentence = text::block(&failure.sentence, 2);
                let _ = writeln!(anstream::stderr(), "{} {sentence}", "kith-cli:".red().bold());
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(cli: args::Cli) -> Outcome {
    // Without a provider TLS would fail at run time; a second installation is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("the program cannot be started: {error}")))?;
    let outcome = runtime.block_on(commands::run(cli));
    // A thread that reads standard input cannot be ended.
    runtime.shutdown_background();
    outcome
}
