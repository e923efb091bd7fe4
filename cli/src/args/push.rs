//! `kith-cli push`.

use clap::Subcommand;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum PushCommand {
    /// List where you are told
    List,
    /// Be told in one more place
    #[command(subcommand)]
    Add(PushPlace),
    /// Be told in a place no longer
    Remove {
        /// The beginning of its id
        place: String,
    },
    /// Send a push there now
    Test {
        /// The beginning of its id [default: all]
        place: Option<String>,
    },
    /// Be told once no device was connected for so long
    After {
        #[arg(value_parser = humantime::parse_duration, value_name = "TIME")]
        time: Duration,
    },
    /// Whether a push says who wrote; what they wrote it never says
    Sender {
        #[arg(value_parser = ["show", "hide"])]
        what: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PushPlace {
    /// A topic on an ntfy server
    Ntfy {
        /// The topic's address, as `https://ntfy.example/topic`
        url: String,
        /// An access token, if the server asks for one; "-" reads it from standard input
        #[arg(long)]
        token: Option<String>,
    },
    /// A program of your own, told with a signed POST
    Webhook {
        url: String,
        /// whsec_ and 24 to 64 bytes in base64; "-" reads it from standard input [default: made, and printed once]
        #[arg(long)]
        secret: Option<String>,
    },
    /// A Web Push subscription: of a browser, or of UnifiedPush
    Webpush {
        endpoint: String,
        /// The receiver's public key
        #[arg(long)]
        p256dh: String,
        /// The receiver's secret; "-" reads it from standard input
        #[arg(long)]
        auth: String,
    },
    /// A channel of Pusher's protocol
    Pusher {
        /// The server's address without a path, as `https://api-eu.pusher.com`
        url: String,
        /// The app's id
        #[arg(long)]
        app: String,
        #[arg(long)]
        key: String,
        /// "-" reads it from standard input
        #[arg(long)]
        secret: String,
        #[arg(long)]
        channel: String,
    },
}
