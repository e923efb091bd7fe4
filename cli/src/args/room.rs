use clap::{Subcommand, ValueEnum};
use kith_protocol::room::Role;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum RoomCommand {
    /// Make a group
    Create {
        name: String,
        /// Who is in it, by handle; more than one: again, or with commas
        #[arg(long = "with", value_name = "WHO", value_delimiter = ',')]
        others: Vec<String>,
    },
    /// Add people to a group
    Add {
        room: String,
        /// Their handles
        #[arg(required = true)]
        who: Vec<String>,
        /// What they may do
        #[arg(long, value_enum, default_value = "member")]
        role: RoleName,
    },
    /// Send somebody away from a group
    Remove { room: String, who: String },
    /// Change what somebody may do
    Role {
        room: String,
        who: String,
        #[arg(value_enum)]
        role: RoleName,
    },
    /// Give a group another name
    Rename { room: String, name: String },
    /// Give a group another topic
    Topic { room: String, topic: String },
    /// Leave a group; what was read there stays readable
    Leave { room: String },
    /// List who is in a room; works without a network
    Members { room: String },
    /// No notifications from a room, on all devices
    Mute {
        room: String,
        /// For so long [default: for ever]
        #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
        duration: Option<Duration>,
        /// Except where I am mentioned
        #[arg(long)]
        except_mentions: bool,
    },
    /// Notifications again
    Unmute { room: String },
    /// Keep a room at the top of the list, on all devices
    Pin { room: String },
    /// No longer at the top of the list
    Unpin { room: String },
}

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    Member,
    Admin,
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}
