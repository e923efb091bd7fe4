//! The account itself: devices, recovery, profile, invites, settings.

use super::Client;
use crate::core::{Attention, DeviceOf, Engine, ReadFailed, Reply, RequestError, SendError};
use kith_protocol::frame::Invite;
use kith_protocol::ids::{DeviceId, RoomId};
use kith_protocol::link::InviteLink;
use kith_protocol::recovery::RecoveryKey;
use std::time::Duration;

impl Client {
    /// The devices of this account, revoked ones too.
    pub async fn devices(&self) -> Result<Vec<DeviceOf>, ReadFailed> {
        self.read(|engine| Ok(engine.devices()?)).await
    }

    /// Signs a device out, for good.
    pub async fn revoke(&self, device: DeviceId) -> Result<(), RequestError> {
        self.request(move |engine, now| engine.revoke(now, device)).await.map(drop)
    }

    /// A new recovery key, in force; an older one is not any more. Show it once, and keep it nowhere.
    pub async fn recovery_new(&self) -> Result<RecoveryKey, RequestError> {
        match self.request(Engine::recovery_new).await? {
            Reply::RecoveryKey(key) => Ok(key),
            _ => Err(RequestError::Lost),
        }
    }

    /// Changes the account's name or handle; what is `None` stays.
    pub async fn set_profile(
        &self,
        name: Option<String>,
        handle: Option<String>,
    ) -> Result<(), RequestError> {
        self.request(move |engine, _| engine.set_profile(name, handle)).await.map(drop)
    }

    /// Makes an invite for so many accounts, and perhaps leads them to a room. Takes an admin of the relay.
    pub async fn invite(
        &self,
        uses: u32,
        expires_in: Duration,
        room: Option<RoomId>,
    ) -> Result<InviteLink, RequestError> {
        let seconds = expires_in.as_secs();
        let Reply::Invites(invites) =
            self.request(move |engine, _| engine.invite(uses, seconds, room)).await?
        else {
            return Err(RequestError::Lost);
        };
        let invite = invites.into_iter().next().ok_or(RequestError::Lost)?;
        let link =
            self.ask(move |engine, _| engine.invite_link(&invite)).await.ok_or(RequestError::Stopped)?;
        link.ok_or(RequestError::Lost)
    }

    /// The open invites that this account made.
    pub async fn invites(&self) -> Result<Vec<Invite>, RequestError> {
        match self.request(|engine, _| engine.invites()).await? {
            Reply::Invites(invites) => Ok(invites),
            _ => Err(RequestError::Lost),
        }
    }

    /// Takes an invite back.
    pub async fn revoke_invite(&self, invite: &Invite) -> Result<(), RequestError> {
        let token = invite.token.clone();
        self.request(move |engine, _| engine.revoke_invite(token)).await.map(drop)
    }

    /// A setting of the app, the same on all devices of this person.
    pub async fn set_setting(
        &self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), SendError> {
        let (name, value) = (name.into(), value.into());
        self.write(move |engine, now| engine.set_setting(now, &name, &value)).await
    }

    /// A setting of the app, as it was set last on any device.
    pub async fn setting(&self, name: impl Into<String>) -> Result<Option<String>, ReadFailed> {
        let name = name.into();
        self.read(move |engine| Ok(engine.setting(&name)?)).await
    }

    /// Where the person's attention is: what notifications depend on.
    pub async fn set_attention(&self, attention: Attention) {
        self.ask(move |engine, _| engine.set_attention(attention)).await;
    }

    /// Whether somebody is at the keyboard. Does nothing without a connection.
    pub async fn presence(&self, away: bool) {
        self.ask(move |engine, _| engine.presence(away)).await;
    }
}
