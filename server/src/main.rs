//! The relay's command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use kith_relay::{
    admin::{AdminRequest, AskError},
    args::{Cli, Command, ConfigCommand, Json, Place},
    commands::{self, CommandError, print},
    config::{ConfigError, EXAMPLE},
    serve::{ServeError, serve},
};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kith-relay: {error}");
            error.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failed> {
    let Cli { place, command } = cli;
    let ask = |request: &AdminRequest, json: Json| -> Result<(), Failed> {
        let data = place.layers().load()?.data;
        Ok(commands::run(&data, request, json)?)
    };
    match command {
        Command::Serve(flags) => {
            let mut layers = place.layers();
            layers.flags.extend(flags.flags());
            Ok(serve(&layers, flags.restored)?)
        }
        Command::Invite(invite) => ask(&invite.request(), invite.json),
        Command::Users(users) => {
            let (request, json) = users.request();
            ask(&request, json)
        }
        Command::Devices(devices) => {
            let (request, json) = devices.request();
            ask(&request, json)
        }
        Command::Rooms(rooms) => {
            let (request, json) = rooms.request();
            ask(&request, json)
        }
        Command::Stats(json) => ask(&AdminRequest::Stats, json),
        Command::Reload(json) => ask(&AdminRequest::Reload, json),
        Command::Config(command) => config(&place, &command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "kith-relay", &mut script);
            Ok(print(&String::from_utf8_lossy(&script)).map_err(CommandError::Output)?)
        }
    }
}

fn config(place: &Place, command: &ConfigCommand) -> Result<(), Failed> {
    let text = match command {
        ConfigCommand::Check => {
            place.layers().load()?;
            "the configuration is good\n".to_owned()
        }
        ConfigCommand::Print { effective: false } => EXAMPLE.to_owned(),
        ConfigCommand::Print { effective: true } => place.layers().load()?.to_toml(),
    };
    Ok(print(&text).map_err(CommandError::Output)?)
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl Failed {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Serve(ServeError::Config(_)) => ExitCode::from(2),
            Self::Command(CommandError::Ask(AskError::NotRunning { .. })) => ExitCode::from(3),
            Self::Serve(_) | Self::Command(_) => ExitCode::FAILURE,
        }
    }
}
