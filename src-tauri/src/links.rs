//! Links of Kith's own: invites, link codes, rooms.

use crate::failure::Outcome;
use crate::ipc::{AppError, ErrorCode, LinkLook, ProfileId, Qr, RoomId, Seq};
use kith_client::Relay;
use kith_client::net::RelayAddress;
use kith_protocol::ids;
use kith_protocol::link::{DeviceLink, InviteLink, Link, LinkError};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// What a text that was pasted, scanned or opened means. `has_room` finds the profile that has a room.
pub(crate) fn look(text: &str, has_room: impl Fn(ids::RoomId) -> Option<ProfileId>) -> Outcome<LinkLook> {
    let link = find(text).ok_or_else(|| not_a_link(&LinkError::NotALink))?;
    if let Some(rest) = link.strip_prefix("kith://room/") {
        let (room, seq) = room(rest).ok_or_else(|| {
            AppError::new(ErrorCode::DamagedLink, "the link is damaged: copy it once more, to its end")
        })?;
        return Ok(LinkLook::Room { profile: has_room(room), room: RoomId(room), seq });
    }
    match link.parse() {
        Ok(Link::Join(invite)) => Ok(LinkLook::Join {
            link: invite.to_string(),
            pinned: invite.pin.is_some(),
            from: invite.from.map(Into::into),
            to_room: invite.room.is_some(),
            relay: invite.relay,
        }),
        Ok(Link::Device(device)) => Ok(LinkLook::Device { link: device.to_string(), relay: device.relay }),
        Err(error) => Err(not_a_link(&error)),
    }
}

/// An invite.
pub(crate) fn invite(text: &str) -> Outcome<InviteLink> {
    match find(text).unwrap_or(text).parse() {
        Ok(Link::Join(invite)) => Ok(invite),
        Ok(Link::Device(_)) => Err(not_a_link(&LinkError::NotALink)),
        Err(error) => Err(not_a_link(&error)),
    }
}

/// A place for this computer: a link, or a code and where its relay is.
pub(crate) fn device(text: &str, at: Option<&str>) -> Outcome<DeviceLink> {
    if let Some(link) = find(text) {
        return match link.parse() {
            Ok(Link::Device(device)) => Ok(device),
            Ok(Link::Join(_)) => Err(not_a_link(&LinkError::NotALink)),
            Err(error) => Err(not_a_link(&error)),
        };
    }
    let code = text.parse().map_err(|_| {
        AppError::new(ErrorCode::DamagedLink, "the code has 26 letters and digits: look at it once more")
    })?;
    let Relay { address, pin } = relay(at.unwrap_or_default())?;
    Ok(DeviceLink { relay: address, code, pin })
}

/// Where a relay is: its address, or any link of it.
pub(crate) fn relay(text: &str) -> Outcome<Relay> {
    if let Some(link) = find(text) {
        return match link.parse() {
            Ok(Link::Join(invite)) => Ok(Relay { address: invite.relay, pin: invite.pin }),
            Ok(Link::Device(device)) => Ok(Relay { address: device.relay, pin: device.pin }),
            Err(error) => Err(not_a_link(&error)),
        };
    }
    let text = text.trim();
    let address = if text.contains("://") { text.to_owned() } else { format!("wss://{text}") };
    match RelayAddress::parse(&address) {
        Ok(_) => Ok(Relay { address, pin: None }),
        Err(error) => Err(AppError::new(ErrorCode::DamagedLink, error.to_string())),
    }
}

/// A link to a room, or to a message in it.
pub(crate) fn to_room(room: ids::RoomId, seq: Option<Seq>) -> String {
    match seq {
        Some(seq) => format!("kith://room/{room}/{}", seq.0),
        None => format!("kith://room/{room}"),
    }
}

/// A text as a QR code.
pub(crate) fn qr(text: &str) -> Outcome<Qr> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .map_err(|error| AppError::new(ErrorCode::TooLong, error.to_string()))?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row.iter().skip(x).take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    let size = u32::try_from(width + 2 * QUIET).unwrap_or(u32::MAX);
    Ok(Qr { size, path })
}

/// The first Kith link in a text, without what stands around it.
fn find(text: &str) -> Option<&str> {
    let start = text.find("kith://")?;
    let rest = text.get(start..)?;
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"'`".contains(c)).unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_end_matches(['.', ',', ')', ';']))
}

fn room(rest: &str) -> Option<(ids::RoomId, Option<Seq>)> {
    let rest = rest.trim_end_matches('/');
    match rest.split_once('/') {
        None => Some((rest.parse().ok()?, None)),
        Some((room, seq)) => Some((room.parse().ok()?, Some(Seq(seq.parse().ok()?)))),
    }
}

fn not_a_link(error: &LinkError) -> AppError {
    let code = match error {
        LinkError::NotALink => ErrorCode::NotALink,
        LinkError::Missing(_) | LinkError::Damaged(_) => ErrorCode::DamagedLink,
    };
    AppError::new(code, error.to_string())
}

/// Light modules around a code, as its standard asks for.
const QUIET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Outcome<LinkLook> {
        super::look(text, |_| None)
    }

    #[test]
    fn links_are_found_in_what_people_paste() {
        let link = "kith://join?relay=wss%3A%2F%2Frelay.example&token=AAAAAAAAAAAAAAAAAAAAAA";
        let Ok(LinkLook::Join { relay, pinned, .. }) = look(&format!("Come here: <{link}>, bye")) else {
            panic!()
        };
        assert_eq!((relay.as_str(), pinned), ("wss://relay.example", false));
        assert_eq!(look("https://example.org").unwrap_err().code, ErrorCode::NotALink);
        assert_eq!(look("kith://join?relay=wss://a").unwrap_err().code, ErrorCode::DamagedLink);
        assert_eq!(look("kith://room/zz").unwrap_err().code, ErrorCode::DamagedLink);
    }

    #[test]
    fn links_to_messages_round_trip() {
        let room = ids::RoomId([5; 16]);
        for seq in [None, Some(Seq(42))] {
            let expected = LinkLook::Room { profile: None, room: RoomId(room), seq };
            assert_eq!(look(&to_room(room, seq)).unwrap(), expected);
        }
    }

    #[test]
    fn a_relay_is_named_by_address_or_link() {
        assert_eq!(relay("relay.example").unwrap().address, "wss://relay.example");
        assert_eq!(
            relay("kith://link?relay=wss%3A%2F%2Fr.example&code=x").unwrap_err().code,
            ErrorCode::DamagedLink
        );
        assert!(relay("ws://relay.example").is_err());
        assert!(device("no code", Some("relay.example")).is_err());
    }

    #[test]
    fn a_code_has_its_quiet_zone() {
        let qr = qr("kith://join").unwrap();
        assert_eq!(qr.size, 21 + 8);
        assert!(qr.path.starts_with("M4 4h7v1h-7z"));
    }
}
