//! Rooms: made, changed, left.

use super::Client;
use crate::core::{MemberOf, ReadFailed, Reply, RequestError, RoomWish, SendError};
use kith_protocol::ids::{AccountId, RoomId};
use kith_protocol::room::Role;

impl Client {
    /// The direct chat with whoever has this handle. It is made on the relay with the first message.
    ///
    /// Asks the relay whom the handle means; without a connection, what was known last counts.
    pub async fn dm(&self, handle: &str) -> Result<RoomId, RequestError> {
        let person = match self.lookup(handle).await {
            Err(error @ (RequestError::Offline | RequestError::Lost | RequestError::TimedOut)) => {
                let handle = handle.to_owned();
                let known = self.ask(move |engine, _| engine.known_handle(&handle)).await;
                known.ok_or(RequestError::Stopped)?.ok_or(error)?
            }
            found => found?,
        };
        self.dm_with(person.account).await
    }

    /// The direct chat with an account.
    pub async fn dm_with(&self, account: AccountId) -> Result<RoomId, RequestError> {
        self.ask(move |engine, now| engine.open_direct(now, account))
            .await
            .unwrap_or(Err(RequestError::Stopped))
    }

    /// Makes a group with these others in it.
    pub async fn create_room(
        &self,
        name: impl Into<String>,
        others: Vec<AccountId>,
    ) -> Result<RoomId, RequestError> {
        let name = name.into();
        match self.request(move |engine, now| engine.create_room(now, &name, &others)).await? {
            Reply::Room(room) => Ok(room),
            _ => Err(RequestError::Lost),
        }
    }

    /// Adds somebody to a group.
    pub async fn add_member(&self, room: RoomId, who: AccountId, role: Role) -> Result<(), RequestError> {
        self.request(move |engine, now| engine.add_member(now, &room, who, role)).await.map(drop)
    }

    /// Sends somebody away from a group.
    pub async fn remove_member(&self, room: RoomId, who: AccountId) -> Result<(), RequestError> {
        self.request(move |engine, now| engine.remove_member(now, &room, who)).await.map(drop)
    }

    /// Changes somebody's rights in a group.
    pub async fn set_role(&self, room: RoomId, who: AccountId, role: Role) -> Result<(), RequestError> {
        self.request(move |engine, now| engine.set_role(now, &room, who, role)).await.map(drop)
    }

    /// Leaves a group. What was read there stays readable.
    pub async fn leave(&self, room: RoomId) -> Result<(), RequestError> {
        self.request(move |engine, now| engine.leave(now, &room)).await.map(drop)
    }

    /// Gives a group another name.
    pub async fn rename(&self, room: RoomId, name: impl Into<String>) -> Result<(), SendError> {
        let name = name.into();
        self.write(move |engine, now| engine.rename(now, &room, &name)).await
    }

    /// Gives a group another topic.
    pub async fn set_topic(&self, room: RoomId, topic: impl Into<String>) -> Result<(), SendError> {
        let topic = topic.into();
        self.write(move |engine, now| engine.set_topic(now, &room, &topic)).await
    }

    /// Who is in a room.
    pub async fn members(&self, room: RoomId) -> Result<Vec<MemberOf>, ReadFailed> {
        self.read(move |engine| engine.members(&room)).await
    }

    /// How this person wants a room to be, on all devices.
    pub async fn set_room_wish(&self, room: RoomId, wish: RoomWish) -> Result<(), SendError> {
        self.write(move |engine, now| engine.set_room_wish(now, &room, wish)).await
    }
}
