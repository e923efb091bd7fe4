//! What each command does.

mod account;
mod arrive;
mod drafts;
mod hooks;
mod link;
mod messages;
mod outbox;
mod push;
mod reading;
mod rooms;
mod tail;
mod verify;

use crate::args::{Cli, Command, RecoveryCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::profile;
use crate::session::Session;
use clap::CommandFactory as _;
use std::io::Write as _;

/// Runs a command until it is done, or the person presses Ctrl-C.
pub(crate) async fn run(cli: Cli) -> Outcome {
    let Cli { options, command } = cli;
    let streams = matches!(command, Command::Tail { .. });
    let work = async {
        match command {
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Cli::command(), "kith-cli", &mut script);
                Ok(std::io::stdout().write_all(&script)?)
            }
            Command::Join { link, name, handle, device, relay } => {
                arrive::join(&options, &link, arrive::Names { name, handle, device }, relay.as_deref()).await
            }
            Command::Recovery(RecoveryCommand::Use { key, relay, device }) => {
                arrive::recover(&options, &key, &relay, device).await
            }
            command => {
                let mut session = Session::new(profile::open(&options).await?, &options);
                let outcome = act(&mut session, command).await;
                session.client.shutdown().await;
                outcome
            }
        }
    };
    tokio::select! {
        outcome = work => outcome,
        // What was written is on disk already, and the engine ends with the process. `tail` ends by itself.
        _ = tokio::signal::ctrl_c(), if !streams => Err(Failure::new(Exit::Interrupted, "")),
    }
}

async fn act(session: &mut Session, command: Command) -> Outcome {
    match command {
        Command::Link => link::offer(session).await,
        Command::Dm { who, text } => messages::dm(session, &who, &text).await,
        Command::Send { room, text, reply_to, mention } => {
            messages::send(session, &room, &text, reply_to.as_deref(), &mention).await
        }
        Command::Edit { room, message, text } => messages::edit(session, &room, &message, &text).await,
        Command::Delete { room, message } => messages::delete(session, &room, &message).await,
        Command::React { room, message, emoji, remove } => {
            messages::react(session, &room, &message, &emoji, !remove).await
        }
        Command::Read { room } => reading::read(session, &room).await,
        Command::History { room, limit, before, all, sync } => {
            let limit = if all { usize::MAX } else { limit as usize };
            reading::history(session, &room, before, limit, sync).await
        }
        Command::Tail { room, lines } => tail::tail(session, room.as_deref(), lines as usize).await,
        Command::Rooms { sync } => rooms::list(session, sync).await,
        Command::Room(command) => rooms::change(session, command).await,
        Command::Devices { sync } => account::devices(session, sync).await,
        Command::Revoke { device } => account::revoke(session, &device).await,
        Command::Recovery(_) => account::recovery_new(session).await,
        Command::Invite { uses, expires, room } => {
            account::invite(session, uses, expires, room.as_deref()).await
        }
        Command::Hooks(command) => hooks::hooks(session, command).await,
        Command::People { prefix } => account::people(session, &prefix).await,
        Command::Push(command) => push::push(session, command).await,
        Command::Whoami => account::whoami(session).await,
        Command::Outbox { command, sync } => outbox::outbox(session, command, sync).await,
        Command::Sync => outbox::sync(session).await,
        Command::Verify { room } => verify::verify(session, room.as_deref()).await,
        Command::Draft { room, text, sync } => drafts::draft(session, &room, text.as_deref(), sync).await,
        Command::Join { .. } | Command::Completions { .. } => Ok(()),
    }
}
