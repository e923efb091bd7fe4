//! What is read and written in rooms.

use super::worker::Input;
use super::{AckError, Client};
use crate::core::{Outgoing, Queued, ReadFailed, Reply, RequestError, RoomSummary, SendError, Verified};
use crate::timeline::{Message, State};
use kith_protocol::event::Target;
use kith_protocol::ids::{RoomId, Seq, TxnId};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

impl Client {
    /// All rooms, sorted for a list.
    pub async fn rooms(&self) -> Result<Vec<RoomSummary>, ReadFailed> {
        self.read(|engine| engine.rooms()).await
    }

    /// One room; `None` if this device knows no such room.
    pub async fn room(&self, room: RoomId) -> Result<Option<RoomSummary>, ReadFailed> {
        self.read(move |engine| engine.room(&room)).await
    }

    /// The newest lines of a room, or those before `before`; at most `limit`, from the oldest to the newest. Local echoes
    /// stand at the end of the newest.
    ///
    /// Ends early where this device does not hold what comes before: see [`Self::fill`].
    pub async fn history(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Message>, ReadFailed> {
        self.read(move |engine| engine.history(&room, before, limit)).await
    }

    /// The lines behind `after`, from the oldest to the newest, as far as this device holds them.
    pub async fn history_after(
        &self,
        room: RoomId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Message>, ReadFailed> {
        self.read(move |engine| engine.history_after(&room, after, limit)).await
    }

    /// The same as [`Self::history`], after fetching what is missing of it from the relay.
    pub async fn fill(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Message>, RequestError> {
        loop {
            let here = self.history(room, before, limit).await.map_err(not_read)?;
            if here.len() >= limit || !self.fetch_older(room).await? {
                return Ok(here);
            }
        }
    }

    /// Waits for older entries of a room, if some are missing here; whether there were any.
    async fn fetch_older(&self, room: RoomId) -> Result<bool, RequestError> {
        let (answer, answered) = oneshot::channel();
        let command =
            Input::Command(Box::new(move |worker, now| match worker.engine.fetch_older(now, &room) {
                Some(ticket) => worker.wait_for(ticket, answer),
                None => drop(answer.send(Ok(Reply::Done))),
            }));
        self.shared.input.send(command).await.map_err(|_| RequestError::Stopped)?;
        Ok(matches!(super::wait(answered, super::ANSWER_MAX).await?, Reply::Filled))
    }

    /// Writes a text. It is on this device's disk when this returns, and goes out as soon as there is a connection.
    pub async fn send(&self, room: RoomId, text: Outgoing) -> Result<TxnId, SendError> {
        self.write(move |engine, now| engine.send(now, &room, text)).await
    }

    /// Waits until a message is on the relay's disk: its place.
    pub async fn acked(&self, txn: TxnId, within: Duration) -> Result<Seq, AckError> {
        let (answer, answered) = oneshot::channel();
        let command = Input::Command(Box::new(move |worker, _| match worker.engine.delivery(&txn) {
            Some(Ok(seq)) => drop(answer.send(Ok(seq))),
            Some(Err(state @ State::Failed { .. })) => drop(answer.send(Err(Some(state)))),
            None => drop(answer.send(Err(None))),
            Some(Err(_)) => worker.wait_for_ack(txn, answer),
        }));
        self.shared.input.send(command).await.map_err(|_| AckError::Stopped)?;
        match timeout(within, answered).await {
            Ok(Ok(Ok(seq))) => Ok(seq),
            Ok(Ok(Err(Some(State::Failed { code })))) => Err(AckError::Failed(code)),
            Ok(Ok(Err(None))) => Err(AckError::Unknown),
            Ok(Err(_)) => Err(AckError::Stopped),
            Ok(Ok(Err(Some(_)))) | Err(_) => Err(AckError::Queued),
        }
    }

    /// Puts another text in the place of an earlier one of one's own.
    pub async fn edit(
        &self,
        room: RoomId,
        target: Target,
        text: impl Into<String>,
    ) -> Result<TxnId, SendError> {
        let text = text.into();
        self.write(move |engine, now| engine.edit(now, &room, target, &text)).await
    }

    /// Takes a message away.
    pub async fn redact(&self, room: RoomId, target: Target) -> Result<TxnId, SendError> {
        self.write(move |engine, now| engine.redact(now, &room, target)).await
    }

    /// Chooses an emoji for a message, or takes it back.
    pub async fn react(
        &self,
        room: RoomId,
        target: Target,
        emoji: impl Into<String>,
        on: bool,
    ) -> Result<(), SendError> {
        let emoji = emoji.into();
        self.write(move |engine, now| engine.react(now, &room, target, &emoji, on)).await
    }

    /// Everything up to `seq` was read, on all devices; the others in the room are told.
    pub async fn mark_read(&self, room: RoomId, seq: Seq) -> Result<(), SendError> {
        self.write(move |engine, now| engine.mark_read(now, &room, seq)).await
    }

    /// What is being written and was not sent, on all devices; empty: nothing.
    pub async fn set_draft(&self, room: RoomId, text: impl Into<String>) -> Result<(), SendError> {
        let text = text.into();
        self.write(move |engine, now| engine.set_draft(now, &room, &text)).await
    }

    /// Lets the others know that something is being written. Does nothing without a connection.
    pub async fn typing(&self, room: RoomId) {
        self.ask(move |engine, _| engine.typing(room)).await;
    }

    /// What waits to be sent, in the order written.
    pub async fn outbox(&self) -> Result<Vec<Queued>, ReadFailed> {
        self.read(|engine| Ok(engine.outbox())).await
    }

    /// Sends a message once more that was refused for good; `false` if there is none.
    pub async fn retry(&self, txn: TxnId) -> Result<bool, SendError> {
        self.write(move |engine, now| engine.retry(now, &txn)).await
    }

    /// Gives a message up that was refused, or never left this device; `false` if that is not so.
    pub async fn discard(&self, txn: TxnId) -> Result<bool, SendError> {
        self.write(move |engine, now| engine.discard(now, &txn)).await
    }

    /// Proves what this device holds of a room, and compares with the relay if there is a connection. Reads all of it.
    pub async fn verify(&self, room: RoomId) -> Result<Verified, ReadFailed> {
        // Without a connection, what the relay said last counts.
        let _ = self.request(|engine, _| engine.ask_heads()).await;
        self.read(move |engine| engine.verify(&room)).await
    }
}

fn not_read(error: ReadFailed) -> RequestError {
    match error {
        ReadFailed::NoRoom => RequestError::NoRoom,
        ReadFailed::Store(error) => RequestError::Read(error),
        ReadFailed::Stopped => RequestError::Stopped,
    }
}
