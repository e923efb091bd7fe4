use super::diff::Diffs;
use super::echo::Echo;
use super::facts::{Facts, Place, Touched};
use super::verified::Content;
use super::{Diff, Message, RegisterValue, State, Verified};
use kith_protocol::event::{Reaction, Setting, Target};
use kith_protocol::ids::{AccountId, Hash, Seq, TxnId};
use std::collections::{BTreeSet, VecDeque};

/// What is loaded of one room's timeline, as a person sees it.
#[derive(Debug, Default)]
pub struct Timeline {
    facts: Facts,
    /// In the order of their places.
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    place: Place,
    message: Message,
}

/// An entry that has to be taken away, and what the redaction says. See [`Timeline::removal_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// The entry's place.
    pub seq: Seq,
    /// Its digest.
    pub digest: Hash,
    /// The text that it edits, if it is an edit: goes into [`Redaction::body`](super::Redaction::body).
    pub edit_of: Option<Target>,
}

impl Timeline {
    /// Nothing is loaded.
    pub fn new() -> Self {
        Self::default()
    }

    /// All lines, from the oldest to the newest.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> + ExactSizeIterator {
        self.lines.iter().map(|line| &line.message)
    }

    /// The line of this name.
    pub fn get(&self, id: &Target) -> Option<&Message> {
        let at = self.find(self.facts.place_of(id)?).ok()?;
        self.lines.get(at).map(|line| &line.message)
    }

    /// The oldest entry that is loaded.
    pub fn first_seq(&self) -> Option<Seq> {
        self.facts.entries.first_key_value().map(|(seq, _)| *seq)
    }

    /// Takes an entry in. It may have come before.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn insert(&mut self, entry: Verified) -> Vec<Diff> {
        self.insert_all([entry])
    }

    /// Takes entries in, in any order: a page in one go takes fewer steps to show.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn insert_all(&mut self, entries: impl IntoIterator<Item = Verified>) -> Vec<Diff> {
        let mut touched = Touched::new();
        for entry in entries {
            let seq = entry.seq;
            let (mut more, echo) = self.facts.insert(entry);
            touched.append(&mut more);
            if let Some(echo) = echo {
                self.rename(echo, Place::Sent(seq));
            }
        }
        self.refresh(touched)
    }

    /// Takes a register in: reactions and receipts show, all others are passed over.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn apply_register(&mut self, value: &RegisterValue) -> Vec<Diff> {
        let mut touched = Touched::new();
        match &value.setting {
            Setting::Reaction(reaction) if self.facts.reactions.apply(value.account, value.rev, reaction) => {
                touched.extend(self.facts.place_of(&reaction.target));
            }
            Setting::Receipt(receipt) => {
                if let Some((before, now)) = self.facts.receipts.apply(value.account, value.rev, receipt.seq)
                {
                    touched.extend(before.map(Place::Sent));
                    touched.insert(Place::Sent(now));
                }
            }
            _ => {}
        }
        self.refresh(touched)
    }

    /// Shows a reaction of this account before the relay has stored it.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn echo_reaction(&mut self, account: AccountId, reaction: &Reaction) -> Vec<Diff> {
        self.facts.reactions.choose(account, reaction);
        self.refresh(self.facts.place_of(&reaction.target).into_iter().collect())
    }

    /// A reaction of this account was stored ([`apply_register`](Self::apply_register) first) or given up.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn settle_reaction(&mut self, account: AccountId, target: &Target, emoji: &str) -> Vec<Diff> {
        self.facts.reactions.settle(account, target, emoji);
        self.refresh(self.facts.place_of(target).into_iter().collect())
    }

    /// Shows what was written here before the relay has stored it. One that comes again takes its own place.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn echo(&mut self, echo: Echo) -> Vec<Diff> {
        let touched = self.facts.echo(echo);
        self.refresh(touched)
    }

    /// An echo is on its way, waits, or failed.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn echo_state(&mut self, txn: &TxnId, state: State) -> Vec<Diff> {
        let touched = self.facts.echo_state(txn, state);
        self.refresh(touched)
    }

    /// The relay stored an echo at `seq`. Does nothing if the entry itself came before.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn acked(&mut self, txn: &TxnId, seq: Seq) -> Vec<Diff> {
        let (touched, before) = self.facts.acked(txn, seq);
        if let Some(before) = before {
            self.rename(before, Place::Sent(seq));
        }
        self.refresh(touched)
    }

    /// The person discarded an echo.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn discard(&mut self, txn: &TxnId) -> Vec<Diff> {
        let touched = self.facts.discard(txn);
        self.refresh(touched)
    }

    /// Forgets what stands before `seq`, to save memory. It may be loaded again.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn drop_before(&mut self, seq: Seq) -> Vec<Diff> {
        let touched = self.facts.drop_before(seq);
        self.refresh(touched)
    }

    /// Forgets all that came from the relay, as its log is another one now. Keeps what is not sent.
    #[must_use = "whoever shows the timeline needs the steps"]
    pub fn reset(&mut self) -> Vec<Diff> {
        self.facts.forget_log();
        self.lines.clear();
        let echoes: Touched = self.facts.echoes.keys().map(|order| Place::Echo(*order)).collect();
        self.refresh(echoes);
        vec![Diff::Reset { messages: self.messages().cloned().collect() }]
    }

    /// What has to be redacted so that nothing of a message stays: the entry and its edits, as far as they are loaded.
    pub fn removal_of(&self, id: &Target) -> Vec<Removal> {
        let own = self.facts.place_of(id);
        let places = own.into_iter().chain(self.facts.about(id));
        let entries = places.filter_map(|place| match place {
            Place::Sent(seq) => self.facts.entries.get(&seq),
            Place::Echo(_) => None,
        });
        let author = self.get(id).map(|message| message.sender);
        let holds_body = entries.filter_map(|entry| {
            let edit_of = match &entry.content {
                Content::Edit(edit) => Some(edit.target),
                Content::Text(_) | Content::Unknown if entry.id() == *id => None,
                _ => return None,
            };
            let removal = Removal { seq: entry.seq, digest: entry.digest, edit_of };
            (Some(entry.account) == author).then_some(removal)
        });
        holds_body.collect()
    }

    fn refresh(&mut self, mut touched: Touched) -> Vec<Diff> {
        let mut diffs = Diffs::default();
        let mut reread = BTreeSet::new();
        let oldest = self.lines.front().map_or(Place::Sent(Seq::ZERO), |line| line.place);
        let known = touched.split_off(&oldest);
        // What is older than all that is shown goes from the newest to the oldest, so that each step is at the beginning.
        for place in touched.iter().rev().chain(&known) {
            self.renew(*place, &mut diffs);
            if let Place::Sent(seq) = place {
                reread.insert(*seq);
            }
        }
        if !self.facts.receipts.is_empty() {
            self.reread(&reread, &mut diffs);
        }
        diffs.into_vec()
    }

    /// Looks at one line again.
    fn renew(&mut self, place: Place, diffs: &mut Diffs) {
        let len = self.lines.len();
        match (self.find(place), self.facts.message(place)) {
            (Ok(at), Some(mut message)) => {
                let Some(line) = self.lines.get_mut(at) else { return };
                message.receipts = std::mem::take(&mut line.message.receipts);
                if line.message == message {
                    line.message = message;
                } else {
                    line.message = message.clone();
                    diffs.set(at, len, message);
                }
            }
            (Ok(at), None) => {
                if let Some(line) = self.lines.remove(at) {
                    diffs.take(at, line.message.id);
                }
            }
            (Err(at), Some(message)) => {
                self.lines.insert(at, Line { place, message: message.clone() });
                diffs.put(at, len + 1, message);
            }
            (Err(_), None) => {}
        }
    }

    /// Puts receipts where they belong, after what stands at `seqs` has changed: a line that comes or goes takes those of
    /// the line before it, or leaves them to it.
    fn reread(&mut self, seqs: &BTreeSet<Seq>, diffs: &mut Diffs) {
        let mut lines = BTreeSet::new();
        for seq in seqs {
            match self.find(Place::Sent(*seq)) {
                Ok(at) => lines.extend([Some(at), at.checked_sub(1)]),
                Err(at) => lines.extend([at.checked_sub(1), None]),
            }
        }
        let len = self.lines.len();
        for at in lines.into_iter().flatten() {
            let next = self.lines.get(at + 1).and_then(|line| line.place.seq());
            let Some(line) = self.lines.get_mut(at) else { continue };
            let Some(seq) = line.place.seq() else { continue };
            let receipts = self.facts.receipts_at(seq, next);
            if line.message.receipts != receipts {
                line.message.receipts = receipts;
                diffs.set(at, len, line.message.clone());
            }
        }
    }

    /// A line got another place. If it stands where it stood, it only looks different.
    fn rename(&mut self, before: Place, now: Place) {
        let Ok(at) = self.find(before) else { return };
        let follows = at.checked_sub(1).and_then(|at| self.lines.get(at)).is_none_or(|line| line.place < now);
        let leads = self.lines.get(at + 1).is_none_or(|line| now < line.place);
        if let Some(line) = self.lines.get_mut(at).filter(|_| follows && leads) {
            line.place = now;
        }
    }

    fn find(&self, place: Place) -> Result<usize, usize> {
        self.lines.binary_search_by(|line| line.place.cmp(&place))
    }
}

impl Place {
    fn seq(self) -> Option<Seq> {
        match self {
            Self::Sent(seq) => Some(seq),
            Self::Echo(_) => None,
        }
    }
}
