//! Pushes, in maps.

use super::Shared;
use crate::store::StoreError;
use crate::store::pushes::{PushPerson, PushRow, PushTarget, Pushes, TargetId};
use kith_protocol::ids::AccountId;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(super) struct PushState {
    people: BTreeMap<AccountId, PushPerson>,
    targets: BTreeMap<TargetId, PushTarget>,
    vapid_key: Option<Vec<u8>>,
}

impl PushState {
    pub(super) fn apply(&mut self, write: &PushRow) {
        match write.clone() {
            PushRow::Person(person) => drop(self.people.insert(person.account, person)),
            PushRow::Waiting(account, waiting) => {
                self.people.entry(account).and_modify(|person| person.waiting = waiting);
            }
            PushRow::Target(target) => drop(self.targets.insert(target.id, target)),
            PushRow::TargetGone(target) => drop(self.targets.remove(&target)),
            PushRow::VapidKey(key) => self.vapid_key = Some(key),
        }
    }

    /// For a restored copy: what waited then was told since, or is no news any more.
    pub(super) fn forget_waiting(&mut self) {
        self.people.values_mut().for_each(|person| person.waiting = None);
        self.targets.values_mut().for_each(|target| target.out = None);
    }
}

impl Pushes for Shared {
    fn push_people(&self) -> Result<Vec<PushPerson>, StoreError> {
        Ok(self.lock().pushes.people.values().cloned().collect())
    }

    fn push_person(&self, account: &AccountId) -> Result<Option<PushPerson>, StoreError> {
        Ok(self.lock().pushes.people.get(account).cloned())
    }

    fn push_targets(&self, account: &AccountId) -> Result<Vec<PushTarget>, StoreError> {
        let state = self.lock();
        let mut targets: Vec<_> =
            state.pushes.targets.values().filter(|it| it.account == *account).cloned().collect();
        targets.sort_by_key(|target| (target.created_at, target.id));
        Ok(targets)
    }

    fn vapid_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().pushes.vapid_key.clone())
    }
}
