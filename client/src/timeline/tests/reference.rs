//! The rules once more, written the plain way: everything looked through for everything.

use super::*;
use std::collections::BTreeMap;

/// What is known, without any index.
#[derive(Default, Clone)]
pub(super) struct Known {
    pub(super) entries: BTreeMap<Seq, Verified>,
    /// With their seqs, if they were acknowledged.
    pub(super) echoes: Vec<(Echo, Option<Seq>)>,
    pub(super) reactions: BTreeMap<(Target, AccountId, String), (Rev, bool)>,
    pub(super) chosen: BTreeMap<(Target, AccountId, String), bool>,
    pub(super) receipts: BTreeMap<AccountId, (Rev, Seq)>,
}

impl Known {
    pub(super) fn insert(&mut self, entry: &Verified) {
        self.echoes.retain(|(echo, _)| echo.id != entry.id());
        if entry.content == Content::Redacted || !self.entries.contains_key(&entry.seq) {
            self.entries.insert(entry.seq, entry.clone());
        }
    }

    pub(super) fn register(&mut self, value: &RegisterValue) {
        match &value.setting {
            Setting::Reaction(it) => {
                let held = self.reactions.entry((it.target, value.account, it.emoji.clone())).or_default();
                *held = (*held).max((value.rev, it.on));
            }
            Setting::Receipt(it) => {
                let held = self.receipts.entry(value.account).or_default();
                *held = (*held).max((value.rev, it.seq));
            }
            _ => unreachable!("not made here"),
        }
    }

    pub(super) fn lines(&self) -> Vec<Message> {
        let entries = self.entries.values().filter_map(|entry| self.entry_line(entry));
        let mut lines: Vec<Message> = entries.collect();
        for (echo, seq) in &self.echoes {
            let EchoContent::Text(text) = &echo.content else { continue };
            let mut line = self.text_line(echo.id, echo.account, echo.at, text);
            line.seq = *seq;
            line.state = echo.state;
            lines.push(line);
        }
        let order = |line: &Message| {
            self.echoes.iter().find(|(echo, _)| echo.id == line.id).map(|(echo, _)| echo.order)
        };
        lines.sort_by_key(|line| (line.seq.is_none(), line.seq, order(line)));
        let previews: Vec<Message> = lines.clone();
        for line in &mut lines {
            if let Some(reply) = &mut line.reply_to {
                let target = previews.iter().find(|line| line.id == reply.id);
                let known = self.entries.values().map(|entry| (entry.id(), Some(entry.seq)));
                let mut known = known.chain(self.echoes.iter().map(|(echo, seq)| (echo.id, *seq)));
                let known = known.find(|(id, _)| *id == reply.id).and_then(|(_, seq)| seq);
                reply.seq = target.and_then(|line| line.seq).or(known).or(reply.seq);
                reply.preview = target.map(|line| Preview {
                    sender: line.sender,
                    text: line.text.clone(),
                    redacted: line.redacted,
                });
            }
        }
        for (account, (_, seq)) in &self.receipts {
            let acked = self.echoes.iter().any(|(_, acked)| acked == &Some(*seq));
            if self.entries.contains_key(seq) || acked {
                let last = lines.iter_mut().rfind(|line| line.seq.is_some_and(|line| line <= *seq));
                if let Some(line) = last {
                    line.receipts.push(*account);
                }
            }
        }
        lines
    }

    fn entry_line(&self, entry: &Verified) -> Option<Message> {
        let blank = self.blank(entry.id(), entry.account, entry.at);
        let blank = Message { seq: Some(entry.seq), ..blank };
        let by = self.redactions(entry);
        let gone = Message { redacted: true, reactions: Vec::new(), ..blank.clone() };
        match &entry.content {
            Content::Redaction(_) | Content::Invalid => None,
            Content::Control(changes) => {
                Some(Message { kind: Kind::Control, changes: changes.clone(), ..blank })
            }
            _ if by.iter().any(|redaction| redaction.edit_of.is_some()) => None,
            _ if !by.is_empty() => Some(gone),
            Content::Redacted => Some(gone),
            Content::Unknown if self.going(entry.id()) => Some(gone),
            Content::Unknown => Some(Message { kind: Kind::Unknown, ..blank }),
            Content::Edit(_) => None,
            Content::Text(text) => Some(Message {
                seq: Some(entry.seq),
                ..self.text_line(entry.id(), entry.account, entry.at, text)
            }),
        }
    }

    fn redactions(&self, entry: &Verified) -> Vec<&Redaction> {
        let counts = |by: &&Verified| match &by.content {
            Content::Redaction(it) => {
                it.target == entry.seq
                    && it.digest == entry.digest
                    && (by.account == entry.account || it.moderates)
            }
            _ => false,
        };
        let redactions = self.entries.values().filter(counts).map(|by| match &by.content {
            Content::Redaction(redaction) => redaction,
            _ => unreachable!("filtered"),
        });
        redactions.collect()
    }

    fn text_line(&self, id: Target, account: AccountId, at: u64, text: &Text) -> Message {
        let blank = self.blank(id, account, at);
        if self.going(id) {
            return Message { redacted: true, reactions: Vec::new(), ..blank };
        }
        let mut edits: Vec<(bool, u64, &Edit)> = Vec::new();
        for entry in self.entries.values() {
            if let Content::Edit(edit) = &entry.content
                && entry.account == account
                && self.redactions(entry).is_empty()
                && !self.going(entry.id())
            {
                edits.push((false, entry.seq.0, edit));
            }
        }
        for (echo, seq) in &self.echoes {
            if let EchoContent::Edit(edit) = &echo.content
                && echo.account == account
                && !echo.state.is_failed()
                && !self.going(echo.id)
            {
                edits.push((seq.is_none(), seq.map_or(echo.order, |seq| seq.0), edit));
            }
        }
        edits.retain(|(_, _, edit)| edit.target == id);
        edits.sort_by_key(|(unsent, place, _)| (*unsent, *place));
        let newest = edits.last().map(|(_, _, edit)| edit);
        Message {
            text: newest.map_or(&text.text, |edit| &edit.text).clone(),
            mentions: newest.map_or(&text.mentions, |edit| &edit.mentions).clone(),
            edited: newest.is_some(),
            reply_to: text.reply_to.map(|reply| ReplyTo {
                id: reply.target,
                seq: (reply.seq != Seq::ZERO).then_some(reply.seq),
                preview: None,
            }),
            ..blank
        }
    }

    fn blank(&self, id: Target, account: AccountId, at: u64) -> Message {
        Message {
            id,
            seq: None,
            sender: account,
            at,
            kind: Kind::Text,
            text: String::new(),
            edited: false,
            redacted: false,
            reply_to: None,
            mentions: Vec::new(),
            reactions: self.reactions_to(id),
            changes: Vec::new(),
            state: State::Sent,
            pending: self.pending(id),
            receipts: Vec::new(),
        }
    }

    fn going(&self, id: Target) -> bool {
        let goes = |echo: &Echo| echo.content == EchoContent::Redaction(id) && !echo.state.is_failed();
        self.echoes.iter().any(|(echo, _)| goes(echo))
    }

    fn pending(&self, id: Target) -> Option<Pending> {
        let mut newest: Option<&Echo> = None;
        for (echo, seq) in &self.echoes {
            let about = match &echo.content {
                EchoContent::Text(_) => false,
                EchoContent::Edit(edit) => edit.target == id,
                EchoContent::Redaction(target) => *target == id,
            };
            if about && seq.is_none() && newest.is_none_or(|newest| newest.order < echo.order) {
                newest = Some(echo);
            }
        }
        let redaction = |echo: &Echo| matches!(echo.content, EchoContent::Redaction(_));
        newest.map(|echo| Pending { redaction: redaction(echo), id: echo.id, state: echo.state })
    }

    fn reactions_to(&self, id: Target) -> Vec<Reactions> {
        let mut all: BTreeMap<(AccountId, String), u64> = BTreeMap::new();
        for ((target, account, emoji), (rev, on)) in &self.reactions {
            if *target == id && *on {
                all.insert((*account, emoji.clone()), rev.0);
            }
        }
        for ((target, account, emoji), on) in &self.chosen {
            if *target == id {
                let key = (*account, emoji.clone());
                if *on {
                    all.entry(key).or_insert(u64::MAX);
                } else {
                    all.remove(&key);
                }
            }
        }
        let mut all: Vec<(u64, AccountId, String)> =
            all.into_iter().map(|((account, emoji), rev)| (rev, account, emoji)).collect();
        all.sort();
        let mut emoji: Vec<String> = Vec::new();
        for (_, _, one) in &all {
            if !emoji.contains(one) {
                emoji.push(one.clone());
            }
        }
        let chose = |emoji: &String| all.iter().filter(|one| one.2 == *emoji).map(|one| one.1).collect();
        emoji.iter().map(|one| Reactions { emoji: one.clone(), accounts: chose(one) }).collect()
    }
}
