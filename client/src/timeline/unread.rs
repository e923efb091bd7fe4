use super::{Content, Redaction, Verified};
use kith_protocol::ids::{AccountId, Hash, Seq};
use serde::Serialize;
use std::collections::BTreeMap;

/// What waits to be read in one room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Texts by others behind the read mark. Edits, redactions and control entries are none.
    pub unread: u64,
    /// Those of them that name this account.
    pub mentions: u64,
}

/// Keeps the [`Counts`] of one room as entries come, in any order, and the read mark moves on.
///
/// Holds about fifty bytes for each unread text, and nothing for what was read.
#[derive(Debug, Clone)]
pub struct Unread {
    me: AccountId,
    mark: Seq,
    counts: Counts,
    texts: BTreeMap<Seq, Waiting>,
    /// Behind the mark: what was taken away before it came, and by whom.
    taken: BTreeMap<Seq, Vec<Taken>>,
}

/// An unread text. Account and digest are told by the first eight bytes: both are hashes.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    account: [u8; 8],
    digest: [u8; 8],
    mentions_me: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Its body was gone when it came.
    Gone,
    By {
        account: [u8; 8],
        digest: [u8; 8],
        moderates: bool,
    },
}

impl Unread {
    /// Nothing is known but who we are, and how far we have read.
    pub fn new(me: AccountId, mark: Seq) -> Self {
        Self { me, mark, counts: Counts::default(), texts: BTreeMap::new(), taken: BTreeMap::new() }
    }

    /// What waits.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Everything up to here was read.
    pub fn mark(&self) -> Seq {
        self.mark
    }

    /// The first unread text: where a person goes on reading.
    pub fn first(&self) -> Option<Seq> {
        self.texts.first_key_value().map(|(seq, _)| *seq)
    }

    /// Takes an entry in. It may have come before. Whether the counts changed.
    pub fn insert(&mut self, entry: &Verified) -> bool {
        let before = self.counts;
        match &entry.content {
            Content::Redaction(redaction) => self.redact(redaction, &entry.account),
            Content::Redacted => self.take(entry.seq, Taken::Gone),
            Content::Text(text) if entry.seq > self.mark && entry.account != self.me => {
                let waiting = Waiting {
                    account: first_eight(&entry.account.0),
                    digest: digest_of(&entry.digest),
                    mentions_me: text.means(&self.me),
                };
                let taken =
                    self.taken.get(&entry.seq).into_iter().flatten().any(|taken| taken.covers(&waiting));
                if !taken && self.texts.insert(entry.seq, waiting).is_none() {
                    self.counts.add(&waiting);
                }
            }
            _ => {}
        }
        before != self.counts
    }

    /// Everything up to `mark` was read, here or on another device. Never goes back. Whether the counts changed.
    pub fn read(&mut self, mark: Seq) -> bool {
        if mark <= self.mark {
            return false;
        }
        let before = self.counts;
        self.mark = mark;
        let behind = self.texts.split_off(&mark.next());
        let read = std::mem::replace(&mut self.texts, behind);
        for waiting in read.values() {
            self.counts.subtract(waiting);
        }
        self.taken = self.taken.split_off(&mark.next());
        before != self.counts
    }

    fn redact(&mut self, redaction: &Redaction, author: &AccountId) {
        let taken = Taken::By {
            account: first_eight(&author.0),
            digest: digest_of(&redaction.digest),
            moderates: redaction.moderates,
        };
        self.take(redaction.target, taken);
    }

    fn take(&mut self, seq: Seq, taken: Taken) {
        if seq <= self.mark {
            return;
        }
        let known = self.taken.entry(seq).or_default();
        if !known.contains(&taken) {
            known.push(taken);
        }
        if self.texts.get(&seq).is_some_and(|waiting| taken.covers(waiting))
            && let Some(waiting) = self.texts.remove(&seq)
        {
            self.counts.subtract(&waiting);
        }
    }
}

impl Counts {
    fn add(&mut self, waiting: &Waiting) {
        self.unread += 1;
        self.mentions += u64::from(waiting.mentions_me);
    }

    fn subtract(&mut self, waiting: &Waiting) {
        self.unread -= 1;
        self.mentions -= u64::from(waiting.mentions_me);
    }
}

impl Taken {
    fn covers(&self, waiting: &Waiting) -> bool {
        match self {
            Self::Gone => true,
            Self::By { account, digest, moderates } => {
                *digest == waiting.digest && (*moderates || *account == waiting.account)
            }
        }
    }
}

/// Counts anew. `entries` holds each entry behind the mark once, in any order.
pub fn recount<'a>(me: &AccountId, mark: Seq, entries: impl IntoIterator<Item = &'a Verified>) -> Counts {
    let mut texts = Vec::new();
    let mut redactions: BTreeMap<Seq, Vec<(&Redaction, &AccountId)>> = BTreeMap::new();
    for entry in entries {
        match &entry.content {
            Content::Text(text) if entry.seq > mark && entry.account != *me => {
                texts.push((entry, text.means(me)));
            }
            Content::Redaction(redaction) => {
                redactions.entry(redaction.target).or_default().push((redaction, &entry.account));
            }
            _ => {}
        }
    }
    let mut counts = Counts::default();
    for (text, mentions_me) in texts {
        let mut by = redactions.get(&text.seq).into_iter().flatten();
        if !by.any(|(redaction, author)| text.yields_to(redaction, author)) {
            counts.unread += 1;
            counts.mentions += u64::from(mentions_me);
        }
    }
    counts
}

fn digest_of(digest: &Hash) -> [u8; 8] {
    first_eight(&digest.0)
}

fn first_eight(bytes: &[u8; 32]) -> [u8; 8] {
    let (first, _) = bytes.split_first_chunk().expect("32 bytes hold eight");
    *first
}
