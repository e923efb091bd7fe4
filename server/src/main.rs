//! The relay's command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use kith_relay::{
    admin::{AdminRequest, AskError},
    args::{Backup, BackupCommand, Cli, Command, ConfigCommand, Json, Place, Restore},
    backup::{self, BackupError},
    commands::{self, CommandError, print},
    config::{ConfigError, EXAMPLE},
    doctor,
    init::{InitError, init},
    migrate::{MigrateError, migrate},
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
            Ok(serve(layers, flags.restored)?)
        }
        Command::Invite(invite) => ask(&invite.request(), invite.json),
        Command::Invites(invites) => {
            let (request, json) = invites.request();
            ask(&request, json)
        }
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
        Command::Sessions(json) => ask(&AdminRequest::Sessions, json),
        Command::Refusals(json) => ask(&AdminRequest::Refusals, json),
        Command::Hooks(hooks) => {
            let (request, json) = hooks.request();
            ask(&request, json)
        }
        Command::Announce(announce) => {
            let (request, json) = announce.request();
            ask(&request, json)
        }
        Command::Audit(audit) => ask(&AdminRequest::Audit { limit: audit.limit }, audit.json),
        Command::Stats(json) => ask(&AdminRequest::Stats, json),
        Command::Health(json) => Ok(commands::health(&place.layers().load()?.data, json)?),
        Command::Reload(json) => ask(&AdminRequest::Reload, json),
        Command::Backup(args) => back_up(&place, args),
        Command::Restore(args) => restore(&place, &args),
        Command::Migrate(args) => {
            let config = place.layers().load()?;
            show(&migrate(&config.data, args.dry_run)?, args.json)
        }
        Command::Doctor(json) => {
            let report = doctor::examine(&place.layers());
            show(&report, json)?;
            if report.is_well() { Ok(()) } else { Err(Failed::Unwell) }
        }
        Command::Init(args) => show(&init(&place, &args)?, args.json),
        Command::Config(command) => config(&place, &command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "kith-relay", &mut script);
            Ok(print(&String::from_utf8_lossy(&script)).map_err(CommandError::Output)?)
        }
    }
}

fn back_up(place: &Place, args: Backup) -> Result<(), Failed> {
    match (args.command, args.file) {
        (Some(BackupCommand::Verify { file, json }), _) => {
            let verified = backup::verify(&file)?;
            show(&verified, json)?;
            if verified.is_sound() { Ok(()) } else { Err(Failed::NotSound(file)) }
        }
        (None, Some(file)) => {
            let layers = place.layers();
            let made = backup::back_up(&layers.load()?, layers.file.as_deref(), &file)?;
            show(&made, args.json)
        }
        (None, None) => unreachable!("the command line asks for one of them"),
    }
}

fn restore(place: &Place, args: &Restore) -> Result<(), Failed> {
    let restored = backup::restore(&place.layers().load()?.data, &args.file, args.yes)?;
    show(&restored, args.json)
}

fn show<T: std::fmt::Display + serde::Serialize>(what: &T, json: Json) -> Result<(), Failed> {
    Ok(commands::show(what, json).map_err(CommandError::Output)?)
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
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error("not all is well; what to do stands above")]
    Unwell,
    #[error("the backup {} is damaged; take another one", .0.display())]
    NotSound(std::path::PathBuf),
}

impl Failed {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Serve(ServeError::Config(_)) | Self::Init(InitError::Config(_)) => {
                ExitCode::from(2)
            }
            Self::Command(CommandError::Ask(AskError::NotRunning { .. })) => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }
}
