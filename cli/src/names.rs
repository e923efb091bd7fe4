//! From what a person types to what is meant: rooms, messages, devices.

use crate::exit::{Exit, Failure, Outcome};
use crate::text;
use kith_client::timeline::Message;
use kith_client::{Client, DeviceOf, Queued, RequestError, RoomSummary};
use kith_protocol::ids::{RoomId, Seq, TxnId};
use kith_protocol::room::RoomKind;

/// Characters that the beginning of an id must have: fewer are rather a typing error.
const PREFIX_MIN: usize = 4;
/// Lines among which a message is looked for by its transaction id.
const SEARCH_MAX: usize = 20_000;
/// Lines read at once for that.
const PAGE: usize = 500;

/// The room of this name.
pub(crate) async fn room(client: &Client, name: &str) -> Outcome<RoomSummary> {
    let rooms = client.rooms().await?;
    pick_room(&rooms, name).cloned()
}

/// The room that `name` means among these: a partner's handle, a title, "self", an id or its beginning.
pub(crate) fn pick_room<'a>(rooms: &'a [RoomSummary], name: &str) -> Outcome<&'a RoomSummary> {
    let wanted = name.trim();
    if let Ok(id) = wanted.parse::<RoomId>()
        && let Some(room) = rooms.iter().find(|room| room.id == id)
    {
        return Ok(room);
    }
    let handle = wanted.strip_prefix('@').unwrap_or(wanted).to_lowercase();
    let with = |room: &&RoomSummary| {
        room.kind == RoomKind::Direct && room.partner.as_ref().is_some_and(|partner| partner.handle == handle)
    };
    if let Some(room) = rooms.iter().find(with) {
        return Ok(room);
    }
    if wanted.starts_with('@') {
        return Err(Failure::not_found(format!(
            "there is no chat with {} yet: dm writes the first message, rooms lists what there is",
            text::line(wanted)
        )));
    }
    if wanted == "self"
        && let Some(room) = rooms.iter().find(|room| room.kind == RoomKind::Own)
    {
        return Ok(room);
    }
    let named = rooms.iter().filter(|room| room.title.to_lowercase() == wanted.to_lowercase());
    if let Some(room) = only(named, name, "room")? {
        return Ok(room);
    }
    let prefix = wanted.to_lowercase();
    let begun = rooms.iter().filter(|room| is_beginning(&prefix, &room.id.to_string()));
    only(begun, name, "room")?.ok_or_else(|| {
        Failure::not_found(format!(
            "there is no room \"{}\" on this device: rooms lists them, sync fetches new ones",
            text::line(name)
        ))
    })
}

/// The message that is meant: by its number, or by the beginning of its transaction id.
pub(crate) async fn message(client: &Client, room: RoomId, name: &str) -> Outcome<Message> {
    match parse_seq(name) {
        Some(seq) => by_seq(client, room, seq).await,
        None => by_txn(client, room, &name.to_lowercase()).await,
    }
    .and_then(|found| {
        found.ok_or_else(|| {
            Failure::not_found(format!(
                "there is no message \"{}\" in this room on this device: history shows seq and txn",
                text::line(name)
            ))
        })
    })
}

/// Transaction ids begin with a zero for some thousand years to come, and numbers never do.
fn parse_seq(name: &str) -> Option<Seq> {
    let digits = !name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit());
    name.parse().ok().filter(|_| digits).map(Seq)
}

async fn by_seq(client: &Client, room: RoomId, seq: Seq) -> Outcome<Option<Message>> {
    let before = Some(seq.next());
    let is_it = |line: &Message| line.seq == Some(seq);
    if let Some(found) = client.history(room, before, 1).await?.into_iter().find(is_it) {
        return Ok(Some(found));
    }
    match client.fill(room, before, 1).await {
        Ok(lines) => Ok(lines.into_iter().find(is_it)),
        Err(RequestError::Offline) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn by_txn(client: &Client, room: RoomId, prefix: &str) -> Outcome<Option<Message>> {
    let mut found: Option<Message> = None;
    let mut before = None;
    let mut looked = 0;
    while looked < SEARCH_MAX {
        let lines = client.history(room, before, PAGE).await?;
        looked += lines.len();
        let oldest = lines.iter().find_map(|line| line.seq);
        for line in lines.into_iter().filter(|line| is_beginning(prefix, &line.id.txn.to_string())) {
            if found.as_ref().is_some_and(|other| other.id != line.id) {
                return Err(ambiguous(prefix, "message"));
            }
            found = Some(line);
        }
        if oldest.is_none() || found.is_some() {
            break;
        }
        before = oldest;
    }
    Ok(found)
}

/// What waits in the outbox under the beginning of this transaction id.
pub(crate) fn pick_queued(outbox: &[Queued], name: &str) -> Outcome<TxnId> {
    let prefix = name.to_lowercase();
    let begun = outbox.iter().filter(|item| is_beginning(&prefix, &item.txn.to_string()));
    let found = only(begun, name, "message")?;
    found.map(|item| item.txn).ok_or_else(|| {
        Failure::not_found(format!(
            "nothing in the outbox has a txn that begins with \"{}\"",
            text::line(name)
        ))
    })
}

/// The device that is meant: by its name, or by the beginning of its id.
pub(crate) fn pick_device<'a>(devices: &'a [DeviceOf], name: &str) -> Outcome<&'a DeviceOf> {
    let live: Vec<&DeviceOf> = devices.iter().filter(|device| !device.revoked).collect();
    let named = live.iter().copied().filter(|device| device.name == name);
    if let Some(device) = only(named, name, "device")? {
        return Ok(device);
    }
    let prefix = name.to_lowercase();
    let begun = live.into_iter().filter(|device| is_beginning(&prefix, &device.id.to_string()));
    only(begun, name, "device")?.ok_or_else(|| {
        Failure::not_found(format!(
            "the account has no device \"{}\" that is signed in: devices lists them",
            text::line(name)
        ))
    })
}

fn is_beginning(prefix: &str, id: &str) -> bool {
    prefix.len() >= PREFIX_MIN && id.starts_with(prefix)
}

/// The only one of these; several are an error.
fn only<'a, T>(mut found: impl Iterator<Item = &'a T>, name: &str, what: &str) -> Outcome<Option<&'a T>> {
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(ambiguous(name, what)),
        (first, _) => Ok(first),
    }
}

fn ambiguous(name: &str, what: &str) -> Failure {
    let name = text::line(name);
    Failure::new(Exit::NotFound, format!("\"{name}\" is more than one {what}: use more of its id"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kith_client::Person;
    use kith_protocol::ids::AccountId;

    pub(crate) fn a_room(id: u8, kind: RoomKind, title: &str, handle: &str) -> RoomSummary {
        let partner = (kind == RoomKind::Direct).then(|| Person {
            account: AccountId([id; 32]),
            handle: handle.into(),
            name: title.into(),
            integration: false,
        });
        RoomSummary {
            id: RoomId([id; 16]),
            kind,
            title: title.into(),
            topic: String::new(),
            partner,
            members: 2,
            role: None,
            writable: true,
            needs_update: false,
            unread: 0,
            mentions: 0,
            read_up_to: Seq::ZERO,
            newest: Seq::ZERO,
            complete: true,
            last: None,
            active_at: 0,
            draft: String::new(),
            muted_until: 0,
            mentions_anyway: false,
            pinned: false,
        }
    }

    fn rooms() -> Vec<RoomSummary> {
        vec![
            a_room(0x11, RoomKind::Direct, "Bob Builder", "bob"),
            a_room(0x22, RoomKind::Group, "bob", ""),
            a_room(0x33, RoomKind::Group, "Team", ""),
            a_room(0x44, RoomKind::Group, "Twins", ""),
            a_room(0x45, RoomKind::Group, "twins", ""),
            a_room(0x55, RoomKind::Own, "Notes to self", ""),
        ]
    }

    #[test]
    fn a_room_has_several_names() {
        let rooms = rooms();
        for (name, id) in [
            ("bob", 0x11),
            ("@bob", 0x11),
            ("@BOB", 0x11),
            ("bob builder", 0x11),
            ("team", 0x33),
            (" Team ", 0x33),
            ("self", 0x55),
            ("2222", 0x22),
            ("22222222222222222222222222222222", 0x22),
        ] {
            assert_eq!(pick_room(&rooms, name).unwrap().id, RoomId([id; 16]), "{name}");
        }
    }

    #[test]
    fn what_means_none_or_several_is_said() {
        let rooms = rooms();
        for (name, says) in [
            ("@carol", "no chat with @carol"),
            ("carol", "no room \"carol\""),
            ("twins", "more than one room"),
            ("222", "no room"),
            ("\u{1b}[2J", "no room \"␛[2J\""),
        ] {
            let failure = pick_room(&rooms, name).unwrap_err();
            assert_eq!(failure.exit, Exit::NotFound);
            assert!(failure.sentence.contains(says), "{}", failure.sentence);
        }
    }

    #[test]
    fn numbers_and_transaction_ids_are_told_apart() {
        assert_eq!(parse_seq("12"), Some(Seq(12)));
        assert_eq!(parse_seq("0199"), None);
        assert_eq!(parse_seq("12ab"), None);
        assert_eq!(parse_seq("+1"), None);
        assert_eq!(parse_seq(""), None);
    }
}
