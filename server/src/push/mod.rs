//! People who are not connected are told that something came, where they asked for it.
//!
//! The writer notes what waits for them, in the same group as the message (`relay/writes/pushes.rs`). [`rounds`] says who is
//! told when; the courier marks that on disk and has it sent. How one service wants to be told is a file each here: it
//! makes a request and knows no socket. `outside` sends it, and reaches nothing of the relay's own network.

pub mod courier;
mod ntfy;
pub(crate) mod outside;
mod pusher;
pub mod rounds;
mod webhook;
mod webpush;

pub use self::outside::is_public;
pub use self::webpush::{new_key, public_key};

use self::{ntfy::Ntfy, pusher::Pusher, webhook::Webhook, webpush::WebPush};
use hyper::{StatusCode, Uri};
use kith_protocol::frame::PushOption;
use serde::{Deserialize, Serialize};

/// Addresses and keys of one place: browsers hand out endpoints of some hundred.
const PLACE_BYTES_MAX: usize = 4096;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The same for every try.
    pub id: [u8; 16],
    /// One sentence, with nothing in it that the person wants hidden.
    pub text: String,
    /// How many messages it tells of; 0: it is a test.
    pub count: u32,
    /// The handle of who wrote the newest, if that may be told.
    pub sender: Option<String>,
}

/// What an adapter has to say to a service. It holds secrets.
pub struct Request {
    /// Where to.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The content.
    pub body: Vec<u8>,
}

/// What else goes into a request.
pub struct Context<'a> {
    /// Seconds since 1970.
    pub now_s: u64,
    /// The key by which push services know the relay.
    pub vapid_key: &'a [u8],
    /// How a push service can reach the operator: the relay's https address.
    pub subject: &'a str,
}

/// A service that tells people.
pub trait Adapter {
    /// The request that has it tell this. An error is a sentence, and trying again changes nothing.
    fn request(&self, push: &Push, context: &Context<'_>) -> Result<Request, String>;

    /// Whether the receiver knows a second copy for what it is: then it may be sent again though the first may have arrived.
    fn may_repeat(&self) -> bool {
        false
    }

    /// Whether this answer says that the place is gone for good.
    fn is_gone(&self, _status: StatusCode) -> bool {
        false
    }
}

/// A place that a person named, as it is stored. It holds secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Place {
    /// A topic on an ntfy server.
    Ntfy(Ntfy),
    /// A program of one's own.
    Webhook(Webhook),
    /// A browser, or UnifiedPush.
    WebPush(WebPush),
    /// A channel of Pusher's protocol.
    Pusher(Pusher),
}

impl Place {
    /// Reads what a person said, and asks the adapter whether it could work with it.
    pub fn parse(kind: &str, options: &[PushOption]) -> Result<Self, String> {
        if options.iter().map(|option| option.name.len() + option.value.len()).sum::<usize>()
            > PLACE_BYTES_MAX
        {
            return Err("this is longer than any such place".to_owned());
        }
        let mut object: serde_json::Map<_, _> =
            options.iter().map(|option| (option.name.clone(), option.value.clone().into())).collect();
        object.insert("kind".to_owned(), kind.into());
        let place: Self = serde_json::from_value(object.into()).map_err(|error| error.to_string())?;
        let trial = Push { id: [0; 16], text: String::new(), count: 0, sender: None };
        let (key, _) = new_key()?;
        let request = place.adapter().request(&trial, &Context { now_s: 0, vapid_key: &key, subject: "" })?;
        outside::Target::parse(&request.url).map_err(|error| error.to_string())?;
        Ok(place)
    }

    /// Who deals with it.
    pub fn adapter(&self) -> &dyn Adapter {
        match self {
            Self::Ntfy(it) => it,
            Self::Webhook(it) => it,
            Self::WebPush(it) => it,
            Self::Pusher(it) => it,
        }
    }

    /// Its kind and the host, for lists: the rest may be a secret.
    pub fn shown(&self) -> (&'static str, String) {
        let (kind, url) = match self {
            Self::Ntfy(it) => ("ntfy", &it.url),
            Self::Webhook(it) => ("webhook", &it.url),
            Self::WebPush(it) => ("webpush", &it.endpoint),
            Self::Pusher(it) => ("pusher", &it.url),
        };
        let host = url.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
        (kind, host.unwrap_or_default())
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, host) = self.shown();
        f.debug_struct("Place").field("kind", &kind).field("host", &host).finish_non_exhaustive()
    }
}
