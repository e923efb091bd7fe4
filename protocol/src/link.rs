//! Links: everything that a newcomer, or a new device, needs to know.
//!
//! ```text
//! kith://join?relay=wss%3A%2F%2Fchat.example&token=...&pin=...&from=...&room=...
//! kith://link?relay=wss%3A%2F%2Fchat.example&code=...&pin=...
//! ```
//!
//! `pin` is there only if the relay's certificate is self-signed: SHA-256 of its public key (SubjectPublicKeyInfo, DER).
//!
//! ```
//! use kith_protocol::link::Link;
//!
//! let pasted = "kith://join?relay=wss%3A%2F%2Fchat.example&token=AwMDAwMDAwMDAwMDAwMDAw";
//! let Link::Join(invite) = pasted.parse()? else { panic!("an invite") };
//! assert_eq!(invite.relay, "wss://chat.example");
//! # Ok::<(), kith_protocol::link::LinkError>(())
//! ```

use crate::ids::{AccountId, Hash, RoomId};
use crate::rendezvous::LinkCode;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;
use std::str::FromStr;

/// Bytes of an invite's token: nobody guesses 128 bits.
pub const TOKEN_LEN: usize = 16;

/// An invite.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// The relay's address, `wss://host[:port]` or, on loopback, `ws://host:port`.
    pub relay: String,
    /// Its secret.
    pub token: [u8; TOKEN_LEN],
    /// The pin of the relay's key.
    pub pin: Option<Hash>,
    /// Who invites.
    pub from: Option<AccountId>,
    /// Where the newcomer will be led to.
    pub room: Option<RoomId>,
}

/// A link code with the way to the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceLink {
    /// The relay's address.
    pub relay: String,
    /// The code.
    pub code: LinkCode,
    /// The pin of the relay's key.
    pub pin: Option<Hash>,
}

/// What a person pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// A new account.
    Join(InviteLink),
    /// A new device for an account.
    Device(DeviceLink),
}

/// Why a text is no link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It begins with something else.
    #[error("this is no Kith link: it should begin with kith://join or kith://link")]
    NotALink,
    /// A part is missing.
    #[error("the link is incomplete, its {0} is missing: copy it once more, to its end")]
    Missing(&'static str),
    /// A part cannot be read.
    #[error("the link is damaged, its {0} cannot be read: copy it once more")]
    Damaged(&'static str),
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let rest = text.strip_prefix("kith://").ok_or(LinkError::NotALink)?;
        let (what, query) = rest.split_once('?').ok_or(LinkError::NotALink)?;
        let query = Query::parse(query);
        let relay = query.text("relay").ok_or(LinkError::Missing("relay"))?;
        let pin = query.hash("pin")?;
        match what.trim_end_matches('/') {
            "join" => Ok(Self::Join(InviteLink {
                relay,
                token: query
                    .bytes("token")?
                    .ok_or(LinkError::Missing("token"))?
                    .try_into()
                    .map_err(|_| LinkError::Damaged("token"))?,
                pin,
                from: query.hash("from")?.map(|hash| AccountId(hash.0)),
                room: match query.bytes("room")? {
                    None => None,
                    Some(bytes) => {
                        Some(RoomId::try_from(bytes.as_slice()).map_err(|_| LinkError::Damaged("room"))?)
                    }
                },
            })),
            "link" => {
                let code = query.text("code").ok_or(LinkError::Missing("code"))?;
                let code = code.parse().map_err(|_| LinkError::Damaged("code"))?;
                Ok(Self::Device(DeviceLink { relay, code, pin }))
            }
            _ => Err(LinkError::NotALink),
        }
    }
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = BASE64URL_NOPAD.encode(&self.token);
        write!(f, "kith://join?relay={}&token={token}", Escaped(&self.relay))?;
        write_pin(f, self.pin.as_ref())?;
        if let Some(from) = &self.from {
            write!(f, "&from={}", BASE64URL_NOPAD.encode(&from.0))?;
        }
        if let Some(room) = &self.room {
            write!(f, "&room={}", BASE64URL_NOPAD.encode(&room.0))?;
        }
        Ok(())
    }
}

impl fmt::Display for DeviceLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kith://link?relay={}&code={}", Escaped(&self.relay), self.code)?;
        write_pin(f, self.pin.as_ref())
    }
}

impl fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteLink").field("relay", &self.relay).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLink").field("relay", &self.relay).finish_non_exhaustive()
    }
}

fn write_pin(f: &mut fmt::Formatter<'_>, pin: Option<&Hash>) -> fmt::Result {
    match pin {
        Some(pin) => write!(f, "&pin={}", BASE64URL_NOPAD.encode(&pin.0)),
        None => Ok(()),
    }
}

struct Query(Vec<(String, String)>);

impl Query {
    fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, value)| value.clone())
    }

    fn bytes(&self, name: &'static str) -> Result<Option<Vec<u8>>, LinkError> {
        let decode =
            |text: String| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| LinkError::Damaged(name));
        self.text(name).map(decode).transpose()
    }

    fn hash(&self, name: &'static str) -> Result<Option<Hash>, LinkError> {
        let hash = |bytes: Vec<u8>| Hash::try_from(bytes.as_slice()).map_err(|_| LinkError::Damaged(name));
        self.bytes(name)?.map(hash).transpose()
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        form_urlencoded::byte_serialize(self.0.as_bytes()).try_for_each(|part| f.write_str(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_round_trip() {
        let join = InviteLink {
            relay: "wss://[::1]:7443".into(),
            token: [7; TOKEN_LEN],
            pin: Some(Hash([1; 32])),
            from: Some(AccountId([2; 32])),
            room: Some(RoomId([3; 16])),
        };
        assert_eq!(join.to_string().parse(), Ok(Link::Join(join)));
        let device = DeviceLink {
            relay: "ws://127.0.0.1:7443".into(),
            code: LinkCode::from_secret([9; 16]),
            pin: None,
        };
        assert_eq!(format!(" {device}\n").parse(), Ok(Link::Device(device)));
    }

    #[test]
    fn what_is_no_link_says_what_is_wrong() {
        assert_eq!("https://example.org".parse::<Link>(), Err(LinkError::NotALink));
        assert_eq!("kith://join?relay=wss://a".parse::<Link>(), Err(LinkError::Missing("token")));
        assert_eq!("kith://join?relay=wss://a&token=AAAA".parse::<Link>(), Err(LinkError::Damaged("token")));
    }
}
