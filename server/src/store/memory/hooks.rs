//! Integrations, in maps.

use super::Shared;
use crate::store::StoreError;
use crate::store::hooks::{HookKey, HookRow, HookWrite, Hooks};
use kith_protocol::ids::AccountId;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(super) struct HookState {
    hooks: BTreeMap<AccountId, HookRow>,
    keys: BTreeMap<(AccountId, [u8; 32]), HookKey>,
}

impl HookState {
    pub(super) fn apply(&mut self, write: &HookWrite) {
        match write.clone() {
            HookWrite::Hook(hook) => drop(self.hooks.insert(hook.account, hook)),
            HookWrite::Key { key, forget_before } => {
                self.keys.retain(|_, old| old.hook != key.hook || old.at >= forget_before);
                self.keys.insert((key.hook, key.key), key);
            }
        }
    }

    pub(super) fn is_hook(&self, account: &AccountId) -> bool {
        self.hooks.contains_key(account)
    }
}

impl Hooks for Shared {
    fn hook(&self, account: &AccountId) -> Result<Option<HookRow>, StoreError> {
        Ok(self.lock().hooks.hooks.get(account).cloned())
    }

    fn hook_by_token(&self, token: &[u8; 32]) -> Result<Option<HookRow>, StoreError> {
        Ok(self.lock().hooks.hooks.values().find(|hook| hook.token.as_ref() == Some(token)).cloned())
    }

    fn hooks(&self) -> Result<Vec<HookRow>, StoreError> {
        let mut hooks: Vec<_> = self.lock().hooks.hooks.values().cloned().collect();
        hooks.sort_by_key(|hook| (hook.created_at, hook.account));
        Ok(hooks)
    }

    fn hook_key(&self, hook: &AccountId, key: &[u8; 32]) -> Result<Option<HookKey>, StoreError> {
        Ok(self.lock().hooks.keys.get(&(*hook, *key)).copied())
    }
}
