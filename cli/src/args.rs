//! The command line.

mod hooks;
mod push;
mod room;

pub(crate) use hooks::HooksCommand;
pub(crate) use push::{PushCommand, PushPlace};
pub(crate) use room::RoomCommand;

use crate::exit::EXIT_CODES;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

/// Kith in a terminal: for people, scripts and tests.
///
/// A ROOM is the handle of whoever you chat with (bob or @bob), the name of a group, "self", or the beginning of a room's id.
/// A MESSAGE is its number (seq), or the beginning of its transaction id (txn).
#[derive(Debug, Parser)]
#[command(name = "kith-cli", version, after_help = EXIT_CODES, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// The profile's directory [default: the only profile in the platform's data directory]
    #[arg(long, global = true, value_name = "DIR", env = "KITH_HOME")]
    pub(crate) home: Option<PathBuf>,
    /// One JSON object a line instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer every question with yes
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// How long to wait for the relay [default: 30s; sync and link: 10m]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an account with an invite, or make this device one of an account's with a link code
    Join {
        /// kith://join?..., kith://link?..., or the 26 characters of a link code
        link: String,
        /// The name that others see
        #[arg(long)]
        name: Option<String>,
        /// The unique handle [default: made from the name]
        #[arg(long)]
        handle: Option<String>,
        /// What this device is called [default: this computer's name]
        #[arg(long)]
        device: Option<String>,
        /// For bare codes: the relay's address, or any Kith link of that relay
        #[arg(long, value_name = "ADDRESS")]
        relay: Option<String>,
    },
    /// Show a code for a new device, and wait for it: good for ten minutes and one use
    Link,
    /// Write to a person
    Dm {
        /// Their handle
        who: String,
        /// The message; "-" reads it from standard input
        text: String,
    },
    /// Write in a room
    Send {
        room: String,
        /// The message; "-" reads it from standard input
        text: String,
        /// The message that this one answers
        #[arg(long, value_name = "MESSAGE")]
        reply_to: Option<String>,
        /// Whom to mention by handle; more than one: again
        #[arg(long, value_name = "WHO")]
        mention: Vec<String>,
    },
    /// Show what is unread in a room, and mark it as read on all devices
    Read { room: String },
    /// Put another text in the place of a message of yours
    Edit { room: String, message: String, text: String },
    /// Take a message away
    Delete { room: String, message: String },
    /// Choose an emoji for a message
    React {
        room: String,
        message: String,
        emoji: String,
        /// Take it back
        #[arg(long)]
        remove: bool,
    },
    /// Make and change rooms
    #[command(subcommand)]
    Room(RoomCommand),
    /// List the rooms; works without a network
    Rooms {
        /// Ask the relay first
        #[arg(long)]
        sync: bool,
    },
    /// Show what was said in a room; works without a network
    History {
        room: String,
        /// At most so many lines, the newest
        #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only what was said before this number
        #[arg(long, value_name = "SEQ")]
        before: Option<u64>,
        /// Everything that this device holds
        #[arg(long, conflicts_with = "limit")]
        all: bool,
        /// Ask the relay first, and fetch what is missing
        #[arg(long)]
        sync: bool,
    },
    /// Show what is said, as it is said, until interrupted
    Tail {
        /// Only this room
        room: Option<String>,
        /// Begin with so many lines of the room
        #[arg(long, short = 'n', default_value_t = 0, requires = "room")]
        lines: u32,
    },
    /// List the devices of the account; works without a network
    Devices {
        /// Ask the relay first
        #[arg(long)]
        sync: bool,
    },
    /// Sign a device out, for good
    Revoke {
        /// Its name, or the beginning of its id
        device: String,
    },
    /// The recovery key: one more way into the account when all devices are lost
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// List what waits to be sent; works without a network
    Outbox {
        #[command(subcommand)]
        command: Option<OutboxCommand>,
        /// Ask the relay first
        #[arg(long, global = true)]
        sync: bool,
    },
    /// Send what waits, and fetch what is new
    Sync,
    /// Prove that this device holds what everybody else holds, in the same order
    Verify { room: Option<String> },
    /// Make an invite link; takes an admin of the relay
    Invite {
        /// How many accounts may be made with it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How long it is good
        #[arg(long, default_value = "7d", value_parser = humantime::parse_duration, value_name = "TIME")]
        expires: Duration,
        /// Lead newcomers to this room
        #[arg(long)]
        room: Option<String>,
    },
    /// Integrations, through which programs write; takes an admin of the relay
    #[command(subcommand)]
    Hooks(HooksCommand),
    /// List people on the relay whose handle or name begins with something
    People {
        /// The beginning [default: those whom this device knows, without a network]
        #[arg(default_value = "")]
        prefix: String,
    },
    /// Show or set what is begun in a room and not sent; works without a network
    Draft {
        room: String,
        /// The new draft; empty: none
        text: Option<String>,
        /// Share it with the other devices at once
        #[arg(long)]
        sync: bool,
    },
    /// Where you are told of messages while none of your devices is connected
    #[command(subcommand)]
    Push(PushCommand),
    /// Show who this is; works without a network
    Whoami,
    /// Print completions for a shell
    Completions { shell: Shell },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Make a new key, and print it: an older one ends
    New,
    /// Sign this computer in with a key, when no other device is left
    Use {
        /// The key; "-" reads it from standard input
        key: String,
        /// The relay's address, or any Kith link of that relay
        #[arg(long, value_name = "ADDRESS")]
        relay: String,
        /// What this device is called [default: this computer's name]
        #[arg(long)]
        device: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Send a message again that was refused
    Retry {
        /// The beginning of its transaction id
        txn: String,
    },
    /// Give a message up that was refused, or never left this device
    Discard {
        /// The beginning of its transaction id
        txn: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("kith-cli").chain(line.split(' ')))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_readme_shows_is_understood() {
        for line in [
            "--home a1 join kith://join?relay=x --name Alice --device laptop",
            "--home a1 link --yes",
            "--home a1 dm bob hello",
            "send team - --reply-to 12 --mention bob",
            "room create Team --with bob --with carol,dave",
            "room role team bob admin",
            "history bob --limit 5 --before 9 --json",
            "history bob --all",
            "tail --json",
            "tail bob -n 10",
            "react bob 3 👍 --remove",
            "recovery new",
            "recovery use ABCD --relay wss://chat.example.org --device new",
            "outbox",
            "outbox retry 0199 --json",
            "invite --uses 2 --expires 7d",
            "hooks create Backup --user @alice",
            "hooks create Backup --room servers --json",
            "hooks list",
            "hooks revoke @backup",
            "push add ntfy https://ntfy.example/alice --token -",
            "push add webhook https://example.org/in",
            "push add webpush https://push.example/1 --p256dh B --auth A",
            "push add pusher https://api-eu.pusher.com --app 3 --key k --secret - --channel alice",
            "push list --json",
            "push after 30s",
            "push sender show",
            "push test",
            "push test 0a1b",
            "push remove 0a1b",
            "verify",
            "sync --timeout 2m",
            "completions bash",
        ] {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "fly",
            "send team",
            "history bob --limit 0",
            "history bob --all --limit 3",
            "tail -n 3",
            "hooks create Backup",
            "hooks create Backup --room servers --user @alice",
            "sync --timeout soon",
            "push after soon",
            "push sender perhaps",
            "push add pigeon home",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
