use super::worker::Input;
use super::{ANSWER_MAX, Answer, Client, wait};
use crate::core::{Answered, Reply, RequestError};
use kith_protocol::limits::SLOT_LIFETIME_S;
use kith_protocol::link::DeviceLink;
use kith_protocol::rendezvous::LinkCode;
use std::time::Duration;
use tokio::sync::oneshot;

/// A place that is offered to a new device: good for ten minutes and one use. Ends when it is dropped.
pub struct LinkOffer {
    client: Client,
    link: DeviceLink,
    answered: Option<Answer>,
}

impl Client {
    /// Offers a place to a new device.
    pub async fn link_offer(&self) -> Result<LinkOffer, RequestError> {
        let (started, start) = oneshot::channel();
        let (offered_to, offered) = oneshot::channel();
        let (answered_to, answered) = oneshot::channel();
        let command = Input::Command(Box::new(move |worker, now| {
            let outcome = worker.engine.link_offer(now).map(|(code, offered, answered)| {
                worker.wait_for(offered, offered_to);
                worker.wait_for(answered, answered_to);
                (code, worker.engine.relay().clone())
            });
            let _ = started.send(outcome);
        }));
        self.shared.input.send(command).await.map_err(|_| RequestError::Stopped)?;
        let (code, relay) = start.await.map_err(|_| RequestError::Stopped)??;
        wait(offered, ANSWER_MAX).await?;
        let link = DeviceLink { relay: relay.address, code, pin: relay.pin };
        Ok(LinkOffer { client: self.clone(), link, answered: Some(answered) })
    }
}

impl LinkOffer {
    /// The code, to be typed.
    pub fn code(&self) -> &LinkCode {
        &self.link.code
    }

    /// The link, to be pasted or shown as a QR code: `kith://link?...`.
    pub fn link(&self) -> &DeviceLink {
        &self.link
    }

    /// Waits until a device has answered. The person compares its six digits with those that it shows.
    pub async fn answered(&mut self) -> Result<Answered, RequestError> {
        let answered = self.answered.take().ok_or(RequestError::Expired)?;
        match wait(answered, Duration::from_secs(SLOT_LIFETIME_S)).await {
            Ok(Reply::Answered(answered)) => Ok(answered),
            Ok(_) => Err(RequestError::Lost),
            Err(RequestError::TimedOut) => Err(RequestError::Expired),
            Err(error) => Err(error),
        }
    }

    /// The digits are the same: the device is added to the account.
    pub async fn confirm(self) -> Result<(), RequestError> {
        self.client.request(|engine, now| engine.link_confirm(now, true)).await.map(drop)
    }

    /// The digits differ: nothing is added.
    pub async fn refuse(self) -> Result<(), RequestError> {
        self.client.request(|engine, now| engine.link_confirm(now, false)).await.map(drop)
    }
}

impl std::fmt::Debug for LinkOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkOffer(..)")
    }
}
