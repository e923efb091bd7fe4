//! What is said, as it is said.
//!
//! Updates are a hint here, too: each makes us look for lines behind the last one printed, so that none is missed or
//! printed twice, however the updates came. Lines that change later are printed again.

use crate::exit::Outcome;
use crate::lines::Line;
use crate::render;
use crate::session::Session;
use kith_client::timeline::{Diff, Message, Reactions};
use kith_client::{Connection, Next, RoomSummary, RoomsDiff, Update, Updates};
use kith_protocol::event::Target;
use kith_protocol::ids::{RoomId, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// Lines read from the store at once.
const PAGE: usize = 200;
/// Rooms whose older lines are watched for changes: as many as the engine keeps at hand.
const WATCHED_MAX: usize = 16;
/// Lines of each of them.
const WATCHED_LINES: usize = 50;
/// Lines whose looks are remembered: a change of an older one is printed even if it changes nothing to see.
const REMEMBERED_MAX: usize = 10_000;

/// Prints lines until Ctrl-C.
pub(crate) async fn tail(session: &mut Session, room: Option<&str>, lines: usize) -> Outcome {
    let only = match room {
        Some(name) => Some(session.room(name).await?),
        None => None,
    };
    let mut updates = session.client.updates();
    let mut tail = Tail { only: only.as_ref().map(|room| room.id), ..Tail::default() };
    tail.start(session, only.as_ref(), lines).await?;
    session.client.connect();
    tokio::select! {
        outcome = tail.follow(session, &mut updates) => outcome,
        () = interrupted() => Ok(()),
    }
}

/// How a line looked when it was printed.
type Looks = (String, bool, Vec<Reactions>);

#[derive(Default)]
struct Tail {
    only: Option<RoomId>,
    /// The last line printed of each room.
    printed: BTreeMap<RoomId, Seq>,
    /// Rooms whose changes the engine tells.
    watched: BTreeSet<RoomId>,
    looks: BTreeMap<Target, Looks>,
    offline: bool,
}

impl Tail {
    /// What this device holds now was there before.
    async fn start(&mut self, session: &mut Session, only: Option<&RoomSummary>, lines: usize) -> Outcome {
        let rooms = session.client.rooms().await?;
        for room in &rooms {
            if self.wants(&room.id) {
                self.printed.insert(room.id, room.newest);
                self.watch(session, &room.id, lines).await?;
            }
        }
        if let (Some(room), 1..) = (only, lines) {
            let newest = session.client.history(room.id, None, lines).await?;
            for message in newest.iter().filter(|message| message.seq.is_some()) {
                self.print(session, room, message, "message").await?;
            }
        }
        Ok(())
    }

    /// Has the changes of a room's newest lines told, too.
    async fn watch(&mut self, session: &Session, id: &RoomId, lines: usize) -> Outcome {
        if self.watched.len() < WATCHED_MAX && self.watched.insert(*id) {
            for message in session.client.history(*id, None, WATCHED_LINES.max(lines)).await? {
                self.remember(&message);
            }
        }
        Ok(())
    }

    async fn follow(&mut self, session: &mut Session, updates: &mut Updates) -> Outcome {
        while let Some(next) = updates.next().await {
            match next {
                Next::Update(Update::Timeline { room, diff }) if self.wants(&room) => {
                    if let Diff::Set { message, .. } = diff {
                        self.changed(session, &room, &message).await?;
                    }
                    self.catch_up(session, &room).await?;
                }
                Next::Update(Update::Behind { room } | Update::Acked { room, .. }) => {
                    self.catch_up(session, &room).await?;
                }
                Next::Update(Update::Rooms(RoomsDiff::Set(room))) => self.catch_up(session, &room.id).await?,
                Next::Update(Update::Rooms(RoomsDiff::Reset)) | Next::Lagged(_) => {
                    let rooms = session.client.rooms().await?;
                    for room in rooms {
                        self.catch_up(session, &room.id).await?;
                    }
                }
                Next::Update(Update::Connection(connection)) => self.tell(session, connection)?,
                Next::Update(Update::Announcement) => session.tell_announcement().await?,
                Next::Update(Update::Trouble(trouble)) => session.out.note(&trouble.to_string()),
                Next::Update(_) => {}
            }
        }
        Ok(())
    }

    /// Prints all lines behind the last one printed.
    async fn catch_up(&mut self, session: &mut Session, id: &RoomId) -> Outcome {
        if !self.wants(id) {
            return Ok(());
        }
        let Some(room) = session.client.room(*id).await? else { return Ok(()) };
        self.watch(session, id, 0).await?;
        loop {
            let after = self.printed.get(id).copied().unwrap_or(Seq::ZERO);
            let lines = session.client.history_after(*id, after, PAGE).await?;
            let mut newest = after;
            for message in &lines {
                if let Some(seq) = message.seq.filter(|seq| *seq > newest) {
                    self.print(session, &room, message, "message").await?;
                    newest = seq;
                }
            }
            if newest == after {
                return Ok(());
            }
            self.printed.insert(*id, newest);
        }
    }

    /// Prints a line again that looks different now.
    async fn changed(&mut self, session: &mut Session, id: &RoomId, message: &Message) -> Outcome {
        let printed = self.printed.get(id).copied().unwrap_or(Seq::ZERO);
        let known = message.seq.is_some_and(|seq| seq <= printed);
        // Read marks, and what is only on its way, change nothing that is printed.
        if !known || message.pending.is_some() || self.looks.get(&message.id) == Some(&looks(message)) {
            return Ok(());
        }
        match session.client.room(*id).await? {
            Some(room) => self.print(session, &room, message, "changed").await,
            None => Ok(()),
        }
    }

    async fn print(
        &mut self,
        session: &mut Session,
        room: &RoomSummary,
        message: &Message,
        event: &'static str,
    ) -> Outcome {
        self.remember(message);
        let line = Line { event: Some(event), ..session.line_of(room, message).await? };
        let with_room = self.only.is_none();
        session.out.either(&line, || render::line(&line, with_room))
    }

    fn remember(&mut self, message: &Message) {
        if self.looks.len() >= REMEMBERED_MAX {
            let oldest: BTreeSet<Target> = self.looks.keys().take(REMEMBERED_MAX / 2).copied().collect();
            self.looks.retain(|id, _| !oldest.contains(id));
        }
        self.looks.insert(message.id, looks(message));
    }

    fn wants(&self, room: &RoomId) -> bool {
        self.only.is_none_or(|only| only == *room)
    }

    /// Says once that the connection is gone, and once that it is back.
    fn tell(&mut self, session: &Session, connection: Connection) -> Outcome {
        match connection {
            Connection::Stopped(why) => return Err(why.into()),
            Connection::Offline { why: Some(why), .. } if !self.offline => {
                self.offline = true;
                session.out.note(&format!("offline: {why}"));
            }
            Connection::Online if self.offline => {
                self.offline = false;
                session.out.note("online again");
            }
            _ => {}
        }
        Ok(())
    }
}

fn looks(message: &Message) -> Looks {
    (message.text.clone(), message.redacted, message.reactions.clone())
}

/// Waits for Ctrl-C, or for the system to end us.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
