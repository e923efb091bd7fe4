//! What is begun and not sent.

use crate::exit::Outcome;
use crate::session::Session;
use crate::text;
use kith_protocol::ids::RoomId;
use serde::Serialize;

/// Shows the draft of a room, or sets it.
pub(crate) async fn draft(session: &mut Session, room: &str, new: Option<&str>, sync: bool) -> Outcome {
    let room = session.room(room).await?.id;
    if let Some(new) = new {
        let new = super::messages::text_or_stdin(new)?;
        session.client.set_draft(room, new).await?;
        return if sync { session.publish().await } else { Ok(()) };
    }
    if sync {
        session.try_sync().await?;
    }
    let draft = session.client.room(room).await?.map(|room| room.draft).unwrap_or_default();
    session.out.either(&Draft { room, draft: &draft }, || text::block(&draft, 0))
}

#[derive(Serialize)]
struct Draft<'a> {
    room: RoomId,
    draft: &'a str,
}
