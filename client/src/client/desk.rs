//! What a window shows beside chats: why there was a notification, how the connection is, what the store takes.

use super::Client;
use crate::core::{ReadFailed, Relay, RequestError};
use crate::notify::Record;
use crate::store::{CommitError, Compaction};
use kith_protocol::ids::{RoomId, Seq};
use std::io;
use std::time::Duration;
use tokio::time::Instant;

impl Client {
    /// Why there was a notification of an entry, or none; `None` where the reason would come out the same at any time.
    pub async fn why_notified(&self, room: RoomId, seq: Seq) -> Result<Option<Record>, ReadFailed> {
        self.read(move |engine| Ok(engine.why_notified(&room, seq)?)).await
    }

    /// The room that the invite of this account leads to, once it was admitted.
    pub async fn invited_to(&self) -> Result<Option<RoomId>, ReadFailed> {
        self.read(|engine| Ok(engine.invited_to())).await
    }

    /// The room whose members are just this account's devices.
    pub async fn own_room(&self) -> Result<RoomId, ReadFailed> {
        self.read(|engine| Ok(engine.own_room())).await
    }

    /// The relay's address and the pin of its key.
    pub async fn relay(&self) -> Result<Relay, ReadFailed> {
        self.read(|engine| Ok(engine.relay().clone())).await
    }

    /// How long the relay takes to answer.
    pub async fn latency(&self) -> Result<Duration, RequestError> {
        let asked = Instant::now();
        self.request(|engine, _| engine.ask_heads()).await?;
        Ok(asked.elapsed())
    }

    /// Gives space back, if the files of the store hold much more than what lives in them. Reads all of it, and the engine
    /// does nothing else meanwhile.
    pub async fn compact(&self) -> Result<Compaction, CommitError> {
        let stopped = || Err(CommitError::Io(io::Error::other("the engine of this profile has stopped")));
        self.ask(|engine, _| engine.store.compact()).await.unwrap_or_else(stopped)
    }
}
