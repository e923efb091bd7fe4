//! Names of people and devices, asked for once.

use crate::exit::Outcome;
use kith_client::timeline::Message;
use kith_client::{Client, Person};
use kith_protocol::ids::{AccountId, DeviceId};
use std::collections::BTreeMap;

/// The names that a command has met.
#[derive(Debug, Default)]
pub(crate) struct People {
    people: BTreeMap<AccountId, Person>,
    devices: BTreeMap<DeviceId, Option<String>>,
}

impl People {
    /// Learns all names that are in a message.
    pub(crate) async fn meet(&mut self, client: &Client, message: &Message) -> Outcome {
        use kith_client::timeline::Change;
        let changed = message.changes.iter().filter_map(|change| match change {
            Change::Added { who } | Change::Removed { who } | Change::RoleChanged { who, .. } => Some(who),
            _ => None,
        });
        let reacted = message.reactions.iter().flat_map(|reaction| &reaction.accounts);
        let all = [&message.sender].into_iter().chain(&message.mentions).chain(reacted).chain(changed);
        for account in all {
            // A handle that was not known may be by now.
            if self.people.get(account).is_none_or(|person| person.handle.is_empty()) {
                self.people.insert(*account, client.person(*account).await?);
            }
        }
        let device = message.id.device;
        if !matches!(self.devices.get(&device), Some(Some(_))) {
            self.devices.insert(device, client.device_name(message.sender, message.id).await?);
        }
        Ok(())
    }

    /// The handle; of whom none is known, the id.
    pub(crate) fn handle(&self, account: &AccountId) -> String {
        match self.people.get(account) {
            Some(person) if !person.handle.is_empty() => person.handle.clone(),
            _ => account.to_string(),
        }
    }

    /// The name to show.
    pub(crate) fn shown(&self, account: &AccountId) -> String {
        self.people.get(account).map_or_else(|| account.to_string(), Person::shown)
    }

    /// All that is known of somebody.
    pub(crate) fn person(&self, account: &AccountId) -> Person {
        self.people.get(account).cloned().unwrap_or_else(|| Person { account: *account, ..Person::default() })
    }

    /// What the device is called.
    pub(crate) fn device(&self, device: &DeviceId) -> Option<String> {
        self.devices.get(device).cloned().flatten()
    }
}
