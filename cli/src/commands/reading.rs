//! What was said.

use crate::exit::Outcome;
use crate::session::Session;
use kith_client::RoomSummary;
use kith_client::timeline::Message;
use kith_protocol::ids::Seq;

/// Lines read from the store at once.
const PAGE: usize = 500;

/// Prints the newest lines of a room, or those before a place.
pub(crate) async fn history(
    session: &mut Session,
    room: &str,
    before: Option<u64>,
    limit: usize,
    sync: bool,
) -> Outcome {
    if sync {
        session.try_sync().await?;
    }
    let room = session.room(room).await?;
    let lines = lines_before(session, &room, before.map(Seq), limit, sync).await?;
    for line in &lines {
        session.print(&room, line).await?;
    }
    let first = lines.iter().find_map(|line| line.seq);
    if lines.len() < limit && first.is_some_and(|seq| seq > Seq(1)) && !room.complete {
        session.out.note("older messages are not on this device yet: sync fetches them");
    }
    Ok(())
}

/// At most `limit` lines, the oldest first; page by page, so that no page is large.
async fn lines_before(
    session: &Session,
    room: &RoomSummary,
    mut before: Option<Seq>,
    limit: usize,
    fetch: bool,
) -> Outcome<Vec<Message>> {
    let mut pages: Vec<Vec<Message>> = Vec::new();
    let mut count = 0;
    while count < limit {
        let wanted = PAGE.min(limit - count);
        let page = if fetch {
            session.client.fill(room.id, before, wanted).await?
        } else {
            session.client.history(room.id, before, wanted).await?
        };
        let Some(oldest) = page.iter().find_map(|line| line.seq) else {
            pages.push(page);
            break;
        };
        count += page.len();
        before = Some(oldest);
        pages.push(page);
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// Prints what is unread, and marks it as read on all devices.
pub(crate) async fn read(session: &mut Session, room: &str) -> Outcome {
    session.try_sync().await?;
    let room = session.room(room).await?;
    let mut after = room.read_up_to;
    loop {
        let page = session.client.history_after(room.id, after, PAGE).await?;
        let Some(newest) = page.iter().filter_map(|line| line.seq).max() else { break };
        for line in page.iter().filter(|line| line.seq > Some(after)) {
            session.print(&room, line).await?;
        }
        after = newest;
    }
    if room.newest > room.read_up_to {
        session.client.mark_read(room.id, room.newest).await?;
        session.publish().await?;
    }
    Ok(())
}
