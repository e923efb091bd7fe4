//! Who people are.

use super::Client;
use crate::core::{Person, ReadFailed, Reply, RequestError};
use kith_protocol::event::Target;
use kith_protocol::ids::AccountId;
use std::collections::BTreeMap;

impl Client {
    /// Whoever has this handle, with or without `@`.
    pub async fn lookup(&self, handle: &str) -> Result<Person, RequestError> {
        let wanted = handle.to_owned();
        match self.request(move |engine, _| engine.lookup(&wanted)).await? {
            Reply::People(people) => {
                people.into_iter().next().ok_or_else(|| RequestError::NoSuchHandle(handle.to_owned()))
            }
            _ => Err(RequestError::Lost),
        }
    }

    /// People whose handle or name begins with this.
    pub async fn people(&self, prefix: &str) -> Result<Vec<Person>, RequestError> {
        let prefix = prefix.to_owned();
        match self.request(move |engine, _| engine.people(&prefix)).await? {
            Reply::People(people) => Ok(people),
            _ => Err(RequestError::Lost),
        }
    }

    /// A handle may mean another account from now on; see [`RequestError::HandleMoved`].
    pub async fn accept_handle(&self, handle: &str) {
        let handle = handle.to_owned();
        self.ask(move |engine, now| engine.accept_handle(now, &handle)).await;
    }

    /// A person, as far as is known here.
    pub async fn person(&self, account: AccountId) -> Result<Person, ReadFailed> {
        self.read(move |engine| Ok(engine.person(&account))).await
    }

    /// Everybody of whom this device knows a name.
    pub async fn known_people(&self) -> Result<BTreeMap<AccountId, Person>, ReadFailed> {
        self.read(|engine| Ok(engine.known_people())).await
    }

    /// What the device is called on which somebody wrote a message.
    pub async fn device_name(
        &self,
        sender: AccountId,
        message: Target,
    ) -> Result<Option<String>, ReadFailed> {
        self.read(move |engine| Ok(engine.device_name(&sender, &message)?)).await
    }

    /// Whoever invited this account.
    pub async fn inviter(&self) -> Result<Option<Person>, ReadFailed> {
        self.read(|engine| Ok(engine.inviter())).await
    }
}
