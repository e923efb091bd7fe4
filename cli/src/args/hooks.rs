use clap::{ArgGroup, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum HooksCommand {
    /// Make an integration, and print the address that its program posts to; it is shown this once
    #[command(group = ArgGroup::new("place").required(true))]
    Create {
        /// What people see it called
        name: String,
        /// A group that it writes into
        #[arg(long, value_name = "ROOM", group = "place")]
        room: Option<String>,
        /// A person that it writes to, by handle, in a chat of its own
        #[arg(long, value_name = "WHO", group = "place")]
        user: Option<String>,
    },
    /// List all integrations
    List,
    /// Make an address good for nothing, and have the integration leave its group; what it wrote stays
    Revoke {
        /// Its handle
        hook: String,
    },
}
