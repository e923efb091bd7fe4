//! People who are away are told that something came: what waits for them is noted in the same group as the message, and
//! marked as on its way before it goes out.

use super::{Outcome, asker};
use crate::push::{self, Place};
use crate::relay::writer::{Job, Refusal, Writer, Written};
use crate::store::pushes::{News, PushOut, PushPerson, PushRow, PushTarget, PushWishes, TargetId};
use crate::store::{Reader, StoreError};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame;
use kith_protocol::ids::{AccountId, RoomId};
use kith_protocol::room::Room;
use std::collections::HashMap;

/// Each costs a request for every push.
pub const TARGETS_MAX: usize = 8;
/// Longer than anybody waits for an answer; at most that is remembered of somebody who has gone.
const AFTER_S_MAX: u32 = 7 * 24 * 60 * 60;
/// As many as an account may have rooms.
const MUTED_MAX: usize = 2_000;

/// Something about pushes.
pub enum PushWrite {
    /// A person's wishes.
    Wish(frame::SetPush),
    /// A new place.
    Add {
        /// The request.
        req: u32,
        /// Its fresh name.
        id: TargetId,
        /// Where.
        place: Place,
    },
    /// A place less.
    Remove(frame::PushOf),
    /// What waits for a person goes to all of their targets, but for those that have a pause: marked as begun.
    Collect {
        /// Who.
        account: AccountId,
        /// These have a pause.
        paused: Vec<TargetId>,
        /// A fresh name for the push.
        id: [u8; 16],
    },
    /// Another try begins.
    Begin(AccountId, TargetId),
    /// A try has ended.
    End {
        /// Whose.
        account: AccountId,
        /// Where.
        target: TargetId,
        /// Which push.
        id: [u8; 16],
        /// How.
        end: PushEnd,
    },
    /// The person was there: nothing waits for them any more.
    Drop(AccountId),
    /// The key by which push services know the relay.
    VapidKey(Vec<u8>),
}

impl PushWrite {
    /// The number of the request; 0 for those of the relay itself.
    pub fn req(&self) -> u32 {
        match self {
            Self::Wish(set) => set.req,
            Self::Add { req, .. } => *req,
            Self::Remove(of) => of.req,
            Self::Collect { .. } | Self::Begin(..) | Self::End { .. } | Self::Drop(_) | Self::VapidKey(_) => {
                0
            }
        }
    }
}

/// How a try has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEnd {
    /// It was taken.
    Taken,
    /// It was not, and why.
    Failed {
        /// A sentence.
        why: String,
        /// It is tried again.
        again: bool,
        /// It may have arrived.
        unsure: bool,
    },
    /// The place is no more.
    Gone,
}

/// Those who have a target, as the store has them.
#[derive(Debug, Default)]
pub struct PushPeople(Option<HashMap<AccountId, Known>>);

#[derive(Debug)]
struct Known {
    person: PushPerson,
    targets: Vec<PushTarget>,
}

impl PushPeople {
    /// Reads them anew when they are next needed.
    pub fn forget(&mut self) {
        self.0 = None;
    }

    fn all(&mut self, store: &dyn Reader) -> Result<&mut HashMap<AccountId, Known>, StoreError> {
        if self.0.is_none() {
            let known = |(person, targets): (PushPerson, _)| (person.account, Known { person, targets });
            self.0 = Some(store.pushes()?.into_iter().map(known).collect());
        }
        Ok(self.0.get_or_insert_default())
    }

    fn of(&mut self, store: &dyn Reader, account: &AccountId) -> Result<Option<&mut Known>, StoreError> {
        Ok(self.all(store)?.get_mut(account))
    }

    /// The same, for somebody who begins to wish something.
    fn of_new(&mut self, store: &dyn Reader, account: AccountId) -> Result<&mut Known, StoreError> {
        let nobody = || PushPerson { account, wishes: PushWishes::default(), waiting: None };
        Ok(self.all(store)?.entry(account).or_insert_with(|| Known { person: nobody(), targets: Vec::new() }))
    }
}

impl Known {
    fn is_waited_for(&self) -> bool {
        self.person.waiting.is_some() || self.targets.iter().any(|target| target.out.is_some())
    }

    fn target(&mut self, id: &TargetId) -> Option<&mut PushTarget> {
        self.targets.iter_mut().find(|target| target.id == *id)
    }
}

impl Writer {
    pub(super) fn push(&mut self, write: &PushWrite, job: &Job) -> Outcome {
        match write {
            PushWrite::Wish(set) => self.wish(set, asker(&job.from)?.identity.account, job.now),
            PushWrite::Add { req, id, place } => {
                let account = asker(&job.from)?.identity.account;
                let target = PushTarget {
                    id: *id,
                    account,
                    place: place.clone(),
                    created_at: job.now,
                    failure: None,
                    out: None,
                };
                self.add_target(*req, target)
            }
            PushWrite::Remove(of) => {
                let target = of.target[..].try_into().map_err(|_| ErrorCode::NotFound)?;
                let removed = self.remove_target(&asker(&job.from)?.identity.account, &target)?;
                if removed { Ok(Written::Done) } else { Err(ErrorCode::NotFound.into()) }
            }
            PushWrite::Collect { account, paused, id } => self.collect(account, paused, *id),
            PushWrite::Begin(account, target) => self.begin_try(account, target),
            PushWrite::End { account, target, id, end } => self.end_try(account, target, id, end),
            PushWrite::Drop(account) => {
                self.is_there(account)?;
                Ok(Written::Pushing(None))
            }
            PushWrite::VapidKey(key) => {
                self.engine.put_push(&PushRow::VapidKey(key.clone()))?;
                Ok(Written::Done)
            }
        }
    }

    /// Notes a message for all of its room who want to hear of it and did not write it.
    pub(super) fn note_push(&mut self, room: &RoomId, sender: &AccountId, now: u64) -> Result<(), Refusal> {
        let people = self.push_people.all(self.engine.read())?;
        if people.is_empty() {
            return Ok(());
        }
        let Some(fold) = self.folds.room(self.engine.read(), room)? else { return Ok(()) };
        for account in listeners(people, fold) {
            let Some(known) = people.get_mut(&account).filter(|it| !it.targets.is_empty()) else { continue };
            if account == *sender || known.person.wishes.is_muted(room, now) {
                continue;
            }
            let news = News { count: 1, sender: *sender };
            known.person.waiting = Some(known.person.waiting.map_or(news, |waiting| waiting.and(news)));
            self.engine.put_push(&PushRow::Waiting(account, known.person.waiting))?;
            self.outcome.awaited.insert(account, known.person.wishes.after_s);
        }
        Ok(())
    }

    /// A person's device has said something: whatever waits for them, they can see there.
    pub(super) fn is_there(&mut self, account: &AccountId) -> Result<(), Refusal> {
        let known = self.push_people.of(self.engine.read(), account)?;
        let Some(known) = known.filter(|known| known.is_waited_for()) else { return Ok(()) };
        known.person.waiting = None;
        self.engine.put_push(&PushRow::Waiting(*account, None))?;
        for target in known.targets.iter_mut().filter(|target| target.out.is_some()) {
            target.out = None;
            self.engine.put_push(&PushRow::Target(target.clone()))?;
        }
        Ok(())
    }

    fn wish(&mut self, set: &frame::SetPush, account: AccountId, now: u64) -> Outcome {
        let known = self.push_people.of_new(self.engine.read(), account)?;
        let wishes = &mut known.person.wishes;
        if let Some(after_s) = set.after_s {
            wishes.after_s = after_s.min(AFTER_S_MAX);
        }
        if let Some(show_sender) = set.show_sender {
            wishes.show_sender = show_sender;
        }
        if let Some(muted) = &set.muted {
            let muted = muted.iter().filter(|it| it.until > now).map(|it| (it.room, it.until));
            wishes.muted = muted.take(MUTED_MAX).collect();
        }
        self.engine.put_push(&PushRow::Person(known.person.clone()))?;
        Ok(Written::Done)
    }

    fn add_target(&mut self, req: u32, target: PushTarget) -> Outcome {
        let account = target.account;
        let known = self.push_people.of_new(self.engine.read(), account)?;
        if known.targets.len() >= TARGETS_MAX {
            return Err(ErrorCode::LimitReached.into());
        }
        self.engine.put_push(&PushRow::Person(known.person.clone()))?;
        self.engine.put_push(&PushRow::Target(target.clone()))?;
        known.targets.push(target);
        Ok(Written::Answer(pushes_frame(self.engine.read(), req, &account)?))
    }

    /// Whether there was one.
    fn remove_target(&mut self, account: &AccountId, id: &TargetId) -> Result<bool, Refusal> {
        let Some(known) = self.push_people.of(self.engine.read(), account)? else { return Ok(false) };
        let Some(place) = known.targets.iter().position(|target| target.id == *id) else { return Ok(false) };
        known.targets.remove(place);
        self.engine.put_push(&PushRow::TargetGone(*id))?;
        if known.targets.is_empty() && known.person.waiting.take().is_some() {
            self.engine.put_push(&PushRow::Waiting(*account, None))?;
        }
        Ok(true)
    }

    fn collect(&mut self, account: &AccountId, paused: &[TargetId], id: [u8; 16]) -> Outcome {
        if self.engine.read().account(account)?.is_none_or(|row| row.disabled) {
            self.is_there(account)?;
            return Ok(Written::Pushing(None));
        }
        let Some(known) = self.push_people.of(self.engine.read(), account)? else {
            return Ok(Written::Pushing(None));
        };
        let Some(news) = known.person.waiting.take() else { return Ok(Written::Pushing(None)) };
        self.engine.put_push(&PushRow::Waiting(*account, None))?;
        let mut going = Vec::new();
        for target in &mut known.targets {
            let goes = !paused.contains(&target.id);
            // What may have arrived is not told again.
            let old = target.out.filter(|old| !old.may_have_arrived());
            let news = old.map_or(news, |old| old.news.and(news));
            let tries = target.out.map_or(0, |old| old.tries) + u32::from(goes);
            target.out = Some(PushOut { id, news, tries, begun: goes, unsure: false });
            self.engine.put_push(&PushRow::Target(target.clone()))?;
            if goes {
                going.push(target.clone());
            }
        }
        Ok(Written::Pushing(Some((known.person.clone(), going))))
    }

    fn begin_try(&mut self, account: &AccountId, target: &TargetId) -> Outcome {
        let Some(known) = self.push_people.of(self.engine.read(), account)? else {
            return Ok(Written::Pushing(None));
        };
        let person = known.person.clone();
        let Some(target) = known.target(target) else { return Ok(Written::Pushing(None)) };
        let Some(out) = &mut target.out else { return Ok(Written::Pushing(None)) };
        // Nobody knows whether it arrived, and the receiver would not know it for a second copy.
        let is_lost = out.may_have_arrived() && !target.place.adapter().may_repeat();
        if is_lost {
            target.out = None;
        } else {
            out.unsure |= out.begun;
            out.begun = true;
            out.tries += 1;
        }
        self.engine.put_push(&PushRow::Target(target.clone()))?;
        Ok(Written::Pushing((!is_lost).then(|| (person, vec![target.clone()]))))
    }

    fn end_try(&mut self, account: &AccountId, target: &TargetId, id: &[u8; 16], end: &PushEnd) -> Outcome {
        if *end == PushEnd::Gone {
            self.remove_target(account, target)?;
            return Ok(Written::Done);
        }
        let known = self.push_people.of(self.engine.read(), account)?;
        let Some(target) = known.and_then(|known| known.target(target)) else { return Ok(Written::Done) };
        let (failure, keep, unsure) = match end {
            PushEnd::Failed { why, again, unsure } => (Some(why.clone()), *again, *unsure),
            PushEnd::Taken | PushEnd::Gone => (None, false, false),
        };
        target.failure = failure;
        // Another may be there already, or none: the person came back.
        if let Some(out) = target.out.filter(|out| out.id == *id) {
            target.out = keep.then_some(PushOut { begun: false, unsure: unsure || out.unsure, ..out });
        }
        self.engine.put_push(&PushRow::Target(target.clone()))?;
        Ok(Written::Done)
    }
}

/// Who of a room may want to be told: the shorter of the two lists is gone through.
fn listeners(people: &HashMap<AccountId, Known>, room: &Room) -> Vec<AccountId> {
    let members = room.members();
    if members.len() < people.len() {
        members.map(|(account, _)| *account).filter(|account| people.contains_key(account)).collect()
    } else {
        people.keys().copied().filter(|account| room.role(account).is_some()).collect()
    }
}

/// What a person is told of their targets: nothing that is a secret.
pub fn pushes_frame(
    store: &dyn Reader,
    req: u32,
    account: &AccountId,
) -> Result<frame::ServerFrame, StoreError> {
    let wishes = store.push_person(account)?.map(|person| person.wishes).unwrap_or_default();
    let vapid_key = store.vapid_key()?.and_then(|key| push::public_key(&key).ok()).unwrap_or_default();
    let targets = store.push_targets(account)?.into_iter().map(|target| {
        let (kind, host) = target.place.shown();
        frame::PushPlace {
            id: target.id.to_vec().into(),
            kind: kind.to_owned(),
            host,
            created_at: target.created_at,
            failure: target.failure,
        }
    });
    Ok(frame::ServerFrame::Pushes(frame::Pushes {
        req,
        after_s: wishes.after_s,
        show_sender: wishes.show_sender,
        vapid_key: vapid_key.into(),
        targets: targets.collect(),
    }))
}

#[cfg(test)]
mod tests;
