//! Where the relay tells this person of messages while none of their devices is connected.

use super::Client;
use crate::core::{PushTo, Reply, RequestError};
use bytes::Bytes;
use kith_protocol::frame::Pushes;
use std::time::Duration;

impl Client {
    /// Where this person is told, and what they want of it.
    pub async fn pushes(&self) -> Result<Pushes, RequestError> {
        match self.request(|engine, _| engine.pushes()).await? {
            Reply::Pushes(pushes) => Ok(pushes),
            _ => Err(RequestError::Lost),
        }
    }

    /// One more place. Returns all; the new one is the last. And its secret, if it was made here.
    pub async fn add_push(&self, place: PushTo) -> Result<(Pushes, Option<String>), RequestError> {
        let (place, secret) = place.with_secret();
        match self.request(move |engine, _| engine.add_push(place)).await? {
            Reply::Pushes(pushes) => Ok((pushes, secret)),
            _ => Err(RequestError::Lost),
        }
    }

    /// A place less.
    pub async fn remove_push(&self, target: Bytes) -> Result<(), RequestError> {
        self.request(move |engine, _| engine.remove_push(target)).await.map(drop)
    }

    /// Has a push sent there now, and waits for whether it was taken.
    pub async fn test_push(&self, target: Bytes) -> Result<(), RequestError> {
        self.request(move |engine, _| engine.test_push(target)).await.map(drop)
    }

    /// How long no device has to be connected, and whether a push says who wrote; what is `None` stays.
    pub async fn set_push(
        &self,
        after: Option<Duration>,
        show_sender: Option<bool>,
    ) -> Result<(), RequestError> {
        let after_s = after.map(|after| u32::try_from(after.as_secs()).unwrap_or(u32::MAX));
        self.request(move |engine, _| engine.set_push(after_s, show_sender)).await.map(drop)
    }
}
