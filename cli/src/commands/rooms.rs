//! Rooms: listed, made, changed.

use crate::args::RoomCommand;
use crate::exit::{Exit, Failure, Outcome};
use crate::lines::{Room, Somebody, kind_word, role_word};
use crate::session::Session;
use crate::text;
use kith_client::{RoomSummary, RoomWish};
use kith_protocol::ids::RoomId;
use owo_colors::OwoColorize as _;
use std::time::{Duration, SystemTime};

/// Prints the rooms, the liveliest first.
pub(crate) async fn list(session: &mut Session, sync: bool) -> Outcome {
    if sync {
        session.try_sync().await?;
    }
    for room in session.client.rooms().await? {
        session.out.either(&Room::from(&room), || shown(&room))?;
    }
    Ok(())
}

fn shown(room: &RoomSummary) -> String {
    let id = &room.id.to_string()[..8];
    let unread = match (room.unread, room.mentions) {
        (0, _) => String::new(),
        (unread, 0) => format!("{unread} new"),
        (unread, mentions) => format!("{unread} new, {mentions} for you"),
    };
    let partner = room.partner.as_ref().map(|partner| format!(" @{}", text::line(&partner.handle)));
    let last = room.last.as_ref().map(|line| text::line(&line.text).chars().take(60).collect::<String>());
    let mut line = format!(
        "{}  {:6}  {}{}",
        id.dimmed(),
        kind_word(room.kind),
        text::line(&room.title).bold(),
        partner.unwrap_or_default(),
    );
    let marks = [
        room.pinned.then(|| "pinned".to_owned()),
        (room.muted_until > 0).then(|| "muted".to_owned()),
        (!room.draft.is_empty()).then(|| "draft".to_owned()),
        room.role.is_none().then(|| "left".to_owned()),
        (!unread.is_empty()).then_some(unread),
    ];
    for mark in marks.into_iter().flatten() {
        line.push_str(&format!("  ({})", mark.yellow()));
    }
    if let Some(last) = last.filter(|last| !last.is_empty()) {
        line.push_str(&format!("  {}", last.dimmed()));
    }
    line
}

/// Makes or changes a room.
pub(crate) async fn change(session: &mut Session, command: RoomCommand) -> Outcome {
    match command {
        RoomCommand::Create { name, others } => create(session, &name, &others).await,
        RoomCommand::Members { room } => members(session, &room).await,
        RoomCommand::Add { room, who, role } => {
            let room = in_step(session, &room).await?;
            for account in session.accounts(&who).await? {
                session.client.add_member(room, account, role.into()).await?;
            }
            Ok(())
        }
        RoomCommand::Remove { room, who } => {
            let room = in_step(session, &room).await?;
            let who = session.person(&who).await?.account;
            Ok(session.client.remove_member(room, who).await?)
        }
        RoomCommand::Role { room, who, role } => {
            let room = in_step(session, &room).await?;
            let who = session.person(&who).await?.account;
            Ok(session.client.set_role(room, who, role.into()).await?)
        }
        RoomCommand::Leave { room } => {
            let room = in_step(session, &room).await?;
            if !session.asking.confirm("Leave this room? Only its members can bring you back.") {
                return Err(Failure::new(Exit::Failed, "nothing was changed"));
            }
            Ok(session.client.leave(room).await?)
        }
        RoomCommand::Rename { room, name } => {
            let room = session.room(&room).await?.id;
            session.client.rename(room, name).await?;
            session.publish().await
        }
        RoomCommand::Topic { room, topic } => {
            let room = session.room(&room).await?.id;
            session.client.set_topic(room, topic).await?;
            session.publish().await
        }
        RoomCommand::Mute { room, duration, except_mentions } => {
            let until = duration.map_or(u64::MAX, from_now);
            wish(session, &room, |wish| RoomWish {
                muted_until: until,
                mentions_anyway: except_mentions,
                ..wish
            })
            .await
        }
        RoomCommand::Unmute { room } => {
            wish(session, &room, |wish| RoomWish { muted_until: 0, mentions_anyway: false, ..wish }).await
        }
        RoomCommand::Pin { room } => wish(session, &room, |wish| RoomWish { pinned: true, ..wish }).await,
        RoomCommand::Unpin { room } => wish(session, &room, |wish| RoomWish { pinned: false, ..wish }).await,
    }
}

async fn create(session: &mut Session, name: &str, others: &[String]) -> Outcome {
    session.sync().await?;
    let others = session.accounts(others).await?;
    let id = session.client.create_room(name, others).await?;
    // The name is a register of its own, and goes out behind the room.
    session.publish().await?;
    let room = session.client.room(id).await?;
    let room = room.ok_or_else(|| Failure::not_found("the room was made, and is not there"))?;
    session.out.either(&Room::from(&room), || format!("room {id}"))
}

async fn members(session: &mut Session, room: &str) -> Outcome {
    let room = session.room(room).await?.id;
    for member in session.client.members(room).await? {
        session.out.either(&Somebody::from(&member), || {
            let (handle, name) = (text::line(&member.person.handle), text::line(&member.person.name));
            format!("@{handle}  {name}  ({}, read up to {})", role_word(member.role), member.read_up_to)
        })?;
    }
    Ok(())
}

/// A room whose members are about to change: everything that others changed has to be here first.
async fn in_step(session: &Session, room: &str) -> Outcome<RoomId> {
    session.sync().await?;
    Ok(session.room(room).await?.id)
}

async fn wish(session: &mut Session, room: &str, change: impl FnOnce(RoomWish) -> RoomWish) -> Outcome {
    let RoomSummary { id, muted_until, mentions_anyway, pinned, .. } = session.room(room).await?;
    session.client.set_room_wish(id, change(RoomWish { muted_until, mentions_anyway, pinned })).await?;
    session.publish().await
}

#[expect(clippy::disallowed_methods, reason = "the edge: a person says \"for an hour\"")]
fn from_now(duration: Duration) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.saturating_add(duration).as_millis()).unwrap_or(u64::MAX)
}
