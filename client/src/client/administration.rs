//! What an admin of the relay does.

use super::Client;
use crate::core::{Engine, ReadFailed, Reply, RequestError, SendError};
use kith_protocol::admin::{AdminRequest, AdminResponse};
use kith_protocol::frame::Announcement;

impl Client {
    /// What an admin has to say to everybody, if the person has not put it away on any of their devices.
    pub async fn announcement(&self) -> Result<Option<Announcement>, ReadFailed> {
        let asked = self.ask(|engine, now| engine.announcement(now)).await;
        Ok(asked.ok_or(ReadFailed::Stopped)??)
    }

    /// The person has read it.
    pub async fn put_announcement_away(&self) -> Result<(), SendError> {
        self.write(Engine::put_announcement_away).await
    }

    /// Asks the relay for what its admins may ask. What it answers fits the request; that it will not is an error.
    pub async fn administer(&self, request: AdminRequest) -> Result<AdminResponse, RequestError> {
        match self.request(move |engine, _| engine.administer(&request)).await? {
            Reply::Administered(response) => Ok(*response),
            _ => Err(RequestError::Lost),
        }
    }
}
