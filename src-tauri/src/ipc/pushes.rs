use super::Millis;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Where the relay tells the person of messages while none of their devices is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Pushes {
    /// So long no device has to be connected, in seconds.
    pub after_s: u32,
    /// Whether a push says who wrote.
    pub show_sender: bool,
    /// What a Web Push subscription has to be made with, in base64url; none while the relay sends nothing.
    pub vapid_key: Option<String>,
    /// The oldest first.
    pub places: Vec<PushPlace>,
}

/// A place where the person is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PushPlace {
    /// Its name.
    pub id: String,
    /// What it is.
    pub kind: PushKind,
    /// Where it is; the rest of the address may be a secret.
    pub host: String,
    /// When it was added.
    pub created_at: Millis,
    /// Why the last push was not taken, in an English sentence.
    pub failure: Option<String>,
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PushKind {
    /// A topic on an ntfy server.
    Ntfy,
    /// A subscription: of a browser, or of UnifiedPush.
    WebPush,
    /// A channel of Pusher's protocol.
    Pusher,
    /// A program of one's own.
    Webhook,
    /// Something that only a newer Kith knows.
    Other,
}

/// A place to be added.
#[derive(Clone, PartialEq, Eq, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum NewPushPlace {
    /// A topic on an ntfy server.
    Ntfy {
        /// The topic's address.
        url: String,
        /// If the server asks for one.
        token: Option<String>,
    },
    /// A subscription: of a browser, or of UnifiedPush.
    WebPush {
        /// Its address.
        endpoint: String,
        /// The receiver's public key.
        p256dh: String,
        /// The receiver's secret.
        auth: String,
    },
    /// A channel of Pusher's protocol.
    Pusher {
        /// The server's address without a path.
        url: String,
        /// The app's id.
        app: String,
        /// The app's key.
        key: String,
        /// The app's secret.
        secret: String,
        /// The channel.
        channel: String,
    },
    /// A program of one's own.
    Webhook {
        /// Where it listens.
        url: String,
        /// None: one is made.
        secret: Option<String>,
    },
}

/// A place that was just added.
#[derive(Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NewPush {
    /// All of them; the new one is the last.
    pub pushes: Pushes,
    /// What the receiver checks signatures with, if it was made here: show it once.
    pub secret: Option<String>,
}
