use kith_protocol::ids::{AccountId, Rev, Seq};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

/// How far each person has read.
#[derive(Debug, Default)]
pub(super) struct ReceiptTable {
    by_account: BTreeMap<AccountId, (Rev, Seq)>,
    by_seq: BTreeMap<Seq, BTreeSet<AccountId>>,
}

impl ReceiptTable {
    /// Takes a value in. Where the person stood before and stands now, if it is news.
    pub(super) fn apply(&mut self, account: AccountId, rev: Rev, seq: Seq) -> Option<(Option<Seq>, Seq)> {
        let before = self.by_account.get(&account).copied();
        if before.is_some_and(|(held, _)| held >= rev) {
            return None;
        }
        self.by_account.insert(account, (rev, seq));
        let before = before.map(|(_, seq)| seq);
        if let Some(seq) = before
            && let Some(accounts) = self.by_seq.get_mut(&seq)
        {
            accounts.remove(&account);
            if accounts.is_empty() {
                self.by_seq.remove(&seq);
            }
        }
        self.by_seq.entry(seq).or_default().insert(account);
        Some((before, seq))
    }

    /// Who has read up to which entry of `span`.
    pub(super) fn within(
        &self,
        span: impl RangeBounds<Seq>,
    ) -> impl Iterator<Item = (Seq, &BTreeSet<AccountId>)> {
        self.by_seq.range(span).map(|(seq, accounts)| (*seq, accounts))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_seq.is_empty()
    }
}
