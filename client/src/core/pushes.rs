//! Where the relay tells this person of messages while none of their devices is connected.

use super::engine::Engine;
use super::error::RequestError;
use super::model::Millis;
use super::requests::{Purpose, Reply, Ticket};
use bytes::Bytes;
use kith_protocol::frame::{
    AddPush, ClientFrame, MutedRoom, PushOf, PushOption, PushSaid, Pushes, Request, SetPush,
};

/// A place where the relay is to tell a person. It holds secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum PushTo {
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
        /// The receiver's public key, in base64url.
        p256dh: String,
        /// The receiver's secret, in base64url.
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
        /// What its signatures are made with, as Standard Webhooks writes it; `None`: one is made.
        secret: Option<String>,
    },
}

impl PushTo {
    /// With a secret of its own, and that secret if it was made here.
    pub(crate) fn with_secret(mut self) -> (Self, Option<String>) {
        let made = match &mut self {
            Self::Webhook { secret: secret @ None, .. } => {
                *secret = Some(webhook_secret());
                secret.clone()
            }
            _ => None,
        };
        (self, made)
    }

    /// As frames have it: kind and options.
    fn into_options(self) -> (&'static str, Vec<PushOption>) {
        let (kind, options) = match self {
            Self::Ntfy { url, token } => ("ntfy", vec![("url", Some(url)), ("token", token)]),
            Self::WebPush { endpoint, p256dh, auth } => {
                let options = [("endpoint", endpoint), ("p256dh", p256dh), ("auth", auth)];
                ("webpush", options.map(|(name, value)| (name, Some(value))).to_vec())
            }
            Self::Pusher { url, app, key, secret, channel } => {
                let options =
                    [("url", url), ("app", app), ("key", key), ("secret", secret), ("channel", channel)];
                ("pusher", options.map(|(name, value)| (name, Some(value))).to_vec())
            }
            Self::Webhook { url, secret } => ("webhook", vec![("url", Some(url)), ("secret", secret)]),
        };
        let option = |(name, value): (&str, _)| Some(PushOption { name: name.to_owned(), value: value? });
        (kind, options.into_iter().filter_map(option).collect())
    }
}

impl std::fmt::Debug for PushTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushTo").field("kind", &self.clone().into_options().0).finish_non_exhaustive()
    }
}

/// What the relay knows of muted chats. It does not read what says so, and would tell of them.
#[derive(Debug, Default)]
pub(crate) struct MutedTold {
    /// There is a place where it tells of messages.
    pub(crate) wanted: bool,
    /// The last that it was told on this connection.
    told: Option<Vec<MutedRoom>>,
}

fn webhook_secret() -> String {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the system has random numbers");
    format!("whsec_{}", data_encoding::BASE64.encode(&secret))
}

impl Engine {
    /// Asks where this person is told. The reply is [`Reply::Pushes`].
    pub fn pushes(&mut self) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| (ClientFrame::ListPushes(Request { req }), Purpose::Pushes { ticket }))
    }

    /// One more place. The reply is [`Reply::Pushes`].
    pub fn add_push(&mut self, place: PushTo) -> Result<Ticket, RequestError> {
        let (kind, options) = place.into_options();
        self.ask(|req, ticket| {
            let add = AddPush { req, kind: kind.to_owned(), options };
            (ClientFrame::AddPush(add), Purpose::Pushes { ticket })
        })
    }

    /// A place less.
    pub fn remove_push(&mut self, target: Bytes) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| (ClientFrame::RemovePush(PushOf { req, target }), Purpose::Done { ticket }))
    }

    /// Has a push sent there now.
    pub fn test_push(&mut self, target: Bytes) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| (ClientFrame::TestPush(PushOf { req, target }), Purpose::Pushes { ticket }))
    }

    /// After how many seconds without a device, and whether a push says who wrote; what is `None` stays.
    pub fn set_push(
        &mut self,
        after_s: Option<u32>,
        show_sender: Option<bool>,
    ) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| {
            let set = SetPush { req, after_s, show_sender, muted: None };
            (ClientFrame::SetPush(set), Purpose::Done { ticket })
        })
    }

    pub(crate) fn on_pushes(&mut self, pushes: Pushes) {
        let Some(Purpose::Pushes { ticket }) = self.requests.take(pushes.req) else { return };
        self.muted_told.wanted = !pushes.targets.is_empty();
        self.reply(ticket, Ok(Reply::Pushes(pushes)));
    }

    pub(crate) fn on_push_said(&mut self, said: PushSaid) {
        let Some(Purpose::Pushes { ticket }) = self.requests.take(said.req) else { return };
        let answer = match said.failure {
            None => Ok(Reply::Done),
            Some(why) => Err(RequestError::PushFailed(why)),
        };
        self.reply(ticket, answer);
    }

    /// Tells the relay which chats are muted, if it wants to know and does not.
    pub(crate) fn tell_muted(&mut self, now: Millis) {
        if !self.muted_told.wanted {
            return;
        }
        let at = self.at(now);
        let muted = self.rooms.iter().filter(|(_, room)| room.row.muted_until > at);
        let muted: Vec<_> =
            muted.map(|(id, room)| MutedRoom { room: *id, until: room.row.muted_until }).collect();
        if self.muted_told.told.as_ref() == Some(&muted) {
            return;
        }
        self.muted_told.told = Some(muted.clone());
        let req = self.requests.open(Purpose::Muted);
        let set = SetPush { req, after_s: None, show_sender: None, muted: Some(muted) };
        self.transmit(ClientFrame::SetPush(set));
    }

    /// A new connection, and whether there is a place where the relay tells of messages.
    pub(crate) fn on_welcomed_with(&mut self, pushes: bool) {
        self.muted_told = MutedTold { wanted: pushes, told: None };
    }
}
