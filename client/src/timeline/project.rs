//! From what is known to one line. Nothing here depends on the order in which it became known.

use super::echo::{Echo, EchoContent};
use super::facts::{Facts, Place, Thing};
use super::message::{Kind, Message, PREVIEW_CHARS_MAX, Pending, Preview, ReplyTo, State};
use super::verified::{Content, Verified};
use kith_protocol::event::{Reply, Target};
use kith_protocol::ids::{AccountId, Seq};

/// What a line says, without what others added to it.
struct Words<'a> {
    kind: Kind,
    text: &'a str,
    mentions: &'a [AccountId],
    reply_to: Option<Reply>,
    edited: bool,
    redacted: bool,
}

impl Facts {
    /// The line at `place`, without its receipts; `None` if nothing is shown there.
    pub(super) fn message(&self, place: Place) -> Option<Message> {
        let thing = self.thing(place)?;
        let id = thing.id();
        if self.place_of(&id) != Some(place) {
            return None;
        }
        let words = self.words(thing)?;
        let changes = match thing {
            Thing::Entry(Verified { content: Content::Control(changes), .. }) => changes.clone(),
            _ => Vec::new(),
        };
        let (sender, at, state) = match thing {
            Thing::Entry(entry) => (entry.account, entry.at, State::Sent),
            Thing::Echo(echo) => (echo.account, echo.at, echo.state),
        };
        Some(Message {
            id,
            seq: match place {
                Place::Sent(seq) => Some(seq),
                Place::Echo(_) => None,
            },
            sender,
            at,
            kind: words.kind,
            text: words.text.to_owned(),
            edited: words.edited,
            redacted: words.redacted,
            reply_to: words.reply_to.map(|reply| self.reply_to(&reply)),
            mentions: words.mentions.to_vec(),
            reactions: if words.redacted { Vec::new() } else { self.reactions.of(&id) },
            changes,
            state,
            pending: self.pending(&id),
            receipts: Vec::new(),
        })
    }

    /// Who has read up to the line at `seq` and not up to the one at `next`. A receipt for what is not loaded says nothing
    /// about what is: the same page looks the same from wherever it was reached.
    pub(super) fn receipts_at(&self, seq: Seq, next: Option<Seq>) -> Vec<AccountId> {
        let end = next.unwrap_or(Seq(u64::MAX));
        let mut accounts: Vec<AccountId> = self
            .receipts
            .within(seq..end)
            .filter(|(read, _)| self.holds(*read))
            .flat_map(|(_, accounts)| accounts.iter().copied())
            .collect();
        accounts.sort_unstable();
        accounts
    }

    fn words<'a>(&'a self, thing: Thing<'a>) -> Option<Words<'a>> {
        let id = thing.id();
        let gone = Words {
            kind: Kind::Text,
            text: "",
            mentions: &[],
            reply_to: None,
            edited: false,
            redacted: true,
        };
        let text = match thing {
            Thing::Entry(entry) => match &entry.content {
                Content::Invalid | Content::Redaction(_) => return None,
                Content::Control(_) => return Some(Words { kind: Kind::Control, redacted: false, ..gone }),
                // Once it is taken away the body does not count, held or not: all devices show the same.
                _ if self.taken(entry) => return (!self.was_edit(entry)).then_some(gone),
                Content::Redacted => return Some(gone),
                Content::Edit(_) => return None,
                Content::Unknown if self.going(&id) => return Some(gone),
                Content::Unknown => return Some(Words { kind: Kind::Unknown, redacted: false, ..gone }),
                Content::Text(text) => text,
            },
            Thing::Echo(Echo { content: EchoContent::Text(text), .. }) => text,
            Thing::Echo(_) => return None,
        };
        if self.going(&id) {
            return Some(gone);
        }
        let edit = self.edit_of(&id, thing.account());
        let (words, mentions) = edit.unwrap_or((text.text.as_str(), text.mentions.as_slice()));
        Some(Words {
            kind: Kind::Text,
            text: words,
            mentions,
            reply_to: text.reply_to,
            edited: edit.is_some(),
            redacted: false,
        })
    }

    /// The newest edit that counts: by the same account, not taken away. What is shown last is the newest.
    fn edit_of(&self, id: &Target, account: AccountId) -> Option<(&str, &[AccountId])> {
        self.about(id).rev().find_map(|place| {
            let thing = self.thing(place)?;
            let edit = match thing {
                Thing::Entry(entry) => match &entry.content {
                    Content::Edit(edit) if !self.taken(entry) => edit,
                    _ => return None,
                },
                Thing::Echo(Echo { content: EchoContent::Edit(edit), state, .. }) if !state.is_failed() => {
                    edit
                }
                Thing::Echo(_) => return None,
            };
            let counts = edit.target == *id
                && thing.account() == account
                && self.place_of(&thing.id()) == Some(place)
                && !self.going(&thing.id());
            counts.then_some((edit.text.as_str(), edit.mentions.as_slice()))
        })
    }

    /// Whether a redaction that counts names this entry.
    fn taken(&self, entry: &Verified) -> bool {
        self.redactions_of(entry).next().is_some()
    }

    /// Whether a redaction that counts says that this entry was an edit.
    fn was_edit(&self, entry: &Verified) -> bool {
        self.redactions_of(entry).any(|redaction| redaction.edit_of.is_some())
    }

    fn redactions_of(&self, entry: &Verified) -> impl Iterator<Item = &super::Redaction> {
        let seqs = self.redactions.get(&entry.seq).into_iter().flatten();
        seqs.filter_map(|seq| self.entries.get(seq)).filter_map(|by| match &by.content {
            Content::Redaction(redaction) if entry.yields_to(redaction, &by.account) => Some(redaction),
            _ => None,
        })
    }

    /// Whether a redaction of this message is on its way.
    fn going(&self, id: &Target) -> bool {
        self.echoes_about(id)
            .any(|echo| matches!(echo.content, EchoContent::Redaction(_)) && !echo.state.is_failed())
    }

    /// The newest change of this message that is not stored yet.
    fn pending(&self, id: &Target) -> Option<Pending> {
        let echo =
            self.echoes_about(id).filter(|echo| !matches!(echo.content, EchoContent::Text(_))).last()?;
        let redaction = matches!(echo.content, EchoContent::Redaction(_));
        (echo.state != State::Sent).then_some(Pending { redaction, id: echo.id, state: echo.state })
    }

    fn echoes_about(&self, id: &Target) -> impl Iterator<Item = &Echo> {
        self.about(id).filter_map(|place| match self.thing(place) {
            Some(Thing::Echo(echo)) if self.place_of(&echo.id) == Some(place) => Some(echo),
            _ => None,
        })
    }

    fn reply_to(&self, reply: &Reply) -> ReplyTo {
        let place = self.place_of(&reply.target);
        let thing = place.and_then(|place| self.thing(place));
        let hint = (reply.seq != Seq::ZERO).then_some(reply.seq);
        ReplyTo {
            id: reply.target,
            seq: match place {
                Some(Place::Sent(seq)) => Some(seq),
                _ => hint,
            },
            preview: thing.and_then(|thing| {
                let words = self.words(thing)?;
                let text = words.text.chars().take(PREVIEW_CHARS_MAX).collect();
                Some(Preview { sender: thing.account(), text, redacted: words.redacted })
            }),
        }
    }
}

impl Thing<'_> {
    fn account(self) -> AccountId {
        match self {
            Self::Entry(entry) => entry.account,
            Self::Echo(echo) => echo.account,
        }
    }
}
