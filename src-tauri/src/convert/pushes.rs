//! Where the relay tells the person of messages while none of their devices is connected.

use crate::ipc::{Millis, NewPushPlace, PushKind, PushPlace, Pushes};
use crate::names::plain;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use kith_client::PushTo;
use kith_protocol::frame;

/// As long as host names may be, with a port.
const HOST_CHARS: usize = 260;
/// A sentence, with what a host may have answered in it.
const FAILURE_CHARS: usize = 300;

pub(crate) fn pushes(pushes: &frame::Pushes) -> Pushes {
    Pushes {
        after_s: pushes.after_s,
        show_sender: pushes.show_sender,
        vapid_key: (!pushes.vapid_key.is_empty()).then(|| BASE64URL_NOPAD.encode(&pushes.vapid_key)),
        places: pushes.targets.iter().map(place).collect(),
    }
}

fn place(place: &frame::PushPlace) -> PushPlace {
    PushPlace {
        id: HEXLOWER.encode(&place.id),
        kind: match place.kind.as_str() {
            "ntfy" => PushKind::Ntfy,
            "webpush" => PushKind::WebPush,
            "pusher" => PushKind::Pusher,
            "webhook" => PushKind::Webhook,
            _ => PushKind::Other,
        },
        host: plain(&place.host, HOST_CHARS),
        created_at: Millis(place.created_at),
        failure: place.failure.as_deref().map(failure),
    }
}

/// What the relay says of a place; hosts that others run may have a word in it.
pub(crate) fn failure(why: &str) -> String {
    plain(why, FAILURE_CHARS)
}

/// The name of a place; what is none is the name of none.
pub(crate) fn target(id: &str) -> Vec<u8> {
    HEXLOWER.decode(id.as_bytes()).unwrap_or_default()
}

impl From<NewPushPlace> for PushTo {
    fn from(place: NewPushPlace) -> Self {
        match place {
            NewPushPlace::Ntfy { url, token } => Self::Ntfy { url, token },
            NewPushPlace::WebPush { endpoint, p256dh, auth } => Self::WebPush { endpoint, p256dh, auth },
            NewPushPlace::Pusher { url, app, key, secret, channel } => {
                Self::Pusher { url, app, key, secret, channel }
            }
            NewPushPlace::Webhook { url, secret } => Self::Webhook { url, secret },
        }
    }
}
