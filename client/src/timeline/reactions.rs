use super::Reactions;
use kith_protocol::event::{Reaction, Target};
use kith_protocol::ids::{AccountId, Rev};
use std::collections::BTreeMap;

/// What people chose under messages, those not yet loaded included.
#[derive(Debug, Default)]
pub(super) struct ReactionTable {
    held: BTreeMap<Target, BTreeMap<(AccountId, String), Held>>,
    /// Chosen here, and not yet stored by the relay.
    pending: BTreeMap<Target, BTreeMap<(AccountId, String), bool>>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    rev: Rev,
    on: bool,
}

impl ReactionTable {
    /// Takes a value in. Whether it is news.
    pub(super) fn apply(&mut self, account: AccountId, rev: Rev, reaction: &Reaction) -> bool {
        let held = self.held.entry(reaction.target).or_default();
        let key = (account, reaction.emoji.clone());
        if held.get(&key).is_some_and(|held| held.rev >= rev) {
            return false;
        }
        held.insert(key, Held { rev, on: reaction.on });
        true
    }

    /// Shows a choice at once.
    pub(super) fn choose(&mut self, account: AccountId, reaction: &Reaction) {
        let pending = self.pending.entry(reaction.target).or_default();
        pending.insert((account, reaction.emoji.clone()), reaction.on);
    }

    /// The choice was stored, or given up: what the relay says counts.
    pub(super) fn settle(&mut self, account: AccountId, target: &Target, emoji: &str) {
        if let Some(pending) = self.pending.get_mut(target) {
            pending.remove(&(account, emoji.to_owned()));
            if pending.is_empty() {
                self.pending.remove(target);
            }
        }
    }

    pub(super) fn forget(&mut self, target: &Target) {
        self.held.remove(target);
    }

    pub(super) fn pending_alone(self) -> Self {
        Self { held: BTreeMap::new(), pending: self.pending }
    }

    /// What stands under a message: the emoji that came first is the first.
    pub(super) fn of(&self, target: &Target) -> Vec<Reactions> {
        let pending = self.pending.get(target);
        let mut standing: Vec<(Rev, &AccountId, &str)> = Vec::new();
        for (key, held) in self.held.get(target).into_iter().flatten() {
            let chosen = pending.and_then(|pending| pending.get(key)).copied();
            if chosen.unwrap_or(held.on) {
                // What is chosen again gets a new rev, later than all others.
                let rev = if held.on { held.rev } else { Rev(u64::MAX) };
                standing.push((rev, &key.0, &key.1));
            }
        }
        let held = self.held.get(target);
        for (key, on) in pending.into_iter().flatten() {
            if *on && !held.is_some_and(|held| held.contains_key(key)) {
                standing.push((Rev(u64::MAX), &key.0, &key.1));
            }
        }
        standing.sort_unstable();
        let mut reactions: Vec<Reactions> = Vec::new();
        for (_, account, emoji) in standing {
            match reactions.iter_mut().find(|shown| shown.emoji == emoji) {
                Some(shown) => shown.accounts.push(*account),
                None => {
                    reactions.push(Reactions { emoji: emoji.to_owned(), accounts: vec![*account] });
                }
            }
        }
        reactions
    }
}
