//! Rooms: where each stands, and who was a member at which place of its timeline.

use super::people::People;
use super::rows::{RoomRow, kind_byte, role_byte};
use crate::store::{Direction, ReadError, Span, Store, Tree, keys};
use kith_protocol::entry::Entry;
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq};
use kith_protocol::room::{ControlError, Policy, Role, Room};
use std::collections::BTreeMap;

/// A room in memory: its row, and its fold once somebody needed it.
#[derive(Debug, Default)]
pub(crate) struct RoomState {
    pub(crate) row: RoomRow,
    pub(crate) fold: Option<RoomFold>,
    /// Whether the row has to be written.
    pub(crate) dirty: bool,
    /// Whether whoever shows the list has to be told.
    pub(crate) told: bool,
    /// What is being asked of the relay for this room's catch-up.
    pub(crate) busy: bool,
    /// How the relay's log is being compared with ours, if it has to be.
    pub(crate) resync: Option<super::resync::Resync>,
    /// The hash that the relay says stands at this place: what is read anew has to come to it.
    pub(crate) proof: Option<(Seq, Hash)>,
}

impl RoomState {
    pub(crate) fn new(row: RoomRow) -> Self {
        Self { row, told: true, ..Self::default() }
    }

    /// Holds the rolling hash at a place against what the relay has said. `false` if it is another.
    pub(crate) fn proves(&mut self, seq: Seq, hash: Hash) -> bool {
        let proof = self.proof.take_if(|(at, _)| *at == seq);
        proof.is_none_or(|(_, said)| said == hash)
    }

    /// Puts into the row what the fold says. Returns whether something that counts as unread may stand before we joined.
    pub(crate) fn note_fold(&mut self, me: &AccountId) -> bool {
        let Some(fold) = &self.fold else { return false };
        let room = &fold.room;
        let before = self.row.clone();
        let row = &mut self.row;
        row.kind = kind_byte(room.kind());
        row.partner = room.partner(me);
        row.members = room.members().len() as u64;
        row.role = role_byte(room.role(me));
        row.joined = fold.joined(me).unwrap_or(row.joined);
        row.writable = room.may_post(me) && !room.needs_update();
        row.needs_update = room.needs_update();
        let joined_later = row.joined > before.joined.max(Seq(1));
        if *row != before {
            self.mark();
        }
        joined_later
    }

    /// The row has changed: it has to be written and shown.
    pub(crate) fn mark(&mut self) {
        self.dirty = true;
        self.told = false;
    }

    /// How many control entries are folded.
    pub(crate) fn control_len(&self) -> u32 {
        self.fold.as_ref().map_or(0, |fold| fold.room.control_len())
    }
}

/// The fold of a room's control entries, at every place of its timeline.
#[derive(Debug, Clone)]
pub(crate) struct RoomFold {
    pub(crate) room: Room,
    /// Digests of the control entries, by place.
    controls: BTreeMap<Seq, Hash>,
    /// From which place on an account has which role.
    roles: BTreeMap<AccountId, Vec<(Seq, Option<Role>)>>,
    policies: Vec<(Seq, Policy)>,
}

impl RoomFold {
    /// The room that begins with this entry.
    pub(crate) fn genesis(entry: &Entry, people: &People, seq: Seq) -> Result<Self, ControlError> {
        let author = people.get(&entry.header().account).ok_or(ControlError::Stranger)?;
        let room = Room::genesis(entry, author)?;
        let mut fold = Self {
            controls: BTreeMap::from([(seq, entry.digest())]),
            roles: BTreeMap::new(),
            policies: vec![(seq, room.policy())],
            room,
        };
        fold.note_roles(seq);
        Ok(fold)
    }

    /// Takes the next control entry.
    pub(crate) fn apply(&mut self, entry: &Entry, people: &People, seq: Seq) -> Result<(), ControlError> {
        let author = people.get(&entry.header().account).ok_or(ControlError::Stranger)?;
        self.room.apply(entry, author, seq)?;
        self.controls.insert(seq, entry.digest());
        if self.policies.last().is_none_or(|(_, policy)| *policy != self.room.policy()) {
            self.policies.push((seq, self.room.policy()));
        }
        self.note_roles(seq);
        Ok(())
    }

    /// Folds what the store holds.
    pub(crate) fn load(
        store: &dyn Store,
        people: &mut People,
        room: &RoomId,
    ) -> Result<Option<Self>, ReadError> {
        let rows =
            store.range(Tree::Control, &Span::prefix(keys::room(&room.0)), Direction::Forward, usize::MAX)?;
        let damaged = || ReadError::Damaged("the control entries of a room cannot be folded".into());
        let mut fold: Option<Self> = None;
        for (key, raw) in rows {
            let seq = Seq(keys::place(&key).ok_or_else(damaged)?);
            let entry = Entry::parse(raw.into()).map_err(|_| damaged())?;
            people.load(store, &entry.header().account)?;
            match fold.as_mut() {
                None => fold = Some(Self::genesis(&entry, people, seq).map_err(|_| damaged())?),
                Some(fold) => fold.apply(&entry, people, seq).map_err(|_| damaged())?,
            }
        }
        Ok(fold)
    }

    /// The digest of the control entry at this place, if there is one.
    pub(crate) fn control_at(&self, seq: Seq) -> Option<Hash> {
        self.controls.get(&seq).copied()
    }

    /// What an account might do behind the entry at `seq`.
    pub(crate) fn role_at(&self, account: &AccountId, seq: Seq) -> Option<Role> {
        let changes = self.roles.get(account)?;
        let before = changes.partition_point(|(from, _)| *from < seq);
        changes.get(before.checked_sub(1)?)?.1
    }

    /// Where an account became a member, the last time.
    pub(crate) fn joined(&self, account: &AccountId) -> Option<Seq> {
        let (mut member, mut joined) = (false, None);
        for (seq, role) in self.roles.get(account)? {
            if role.is_some() && !member {
                joined = Some(*seq);
            }
            member = role.is_some();
        }
        joined
    }

    /// Whether an account might write messages at `seq`.
    pub(crate) fn might_post(&self, account: &AccountId, seq: Seq) -> bool {
        let before = self.policies.partition_point(|(from, _)| *from < seq);
        let Some((_, policy)) = before.checked_sub(1).and_then(|at| self.policies.get(at)) else {
            return false;
        };
        self.role_at(account, seq) >= Some(policy.post)
    }

    /// Whether an account is a member, or once was.
    pub(crate) fn knows(&self, account: &AccountId) -> bool {
        self.roles.contains_key(account)
    }

    fn note_roles(&mut self, seq: Seq) {
        for (account, member) in self.room.members() {
            let changes = self.roles.entry(*account).or_default();
            if changes.last().is_none_or(|(_, role)| *role != Some(member.role)) {
                changes.push((seq, Some(member.role)));
            }
        }
        for (account, changes) in &mut self.roles {
            if self.room.role(account).is_none() && changes.last().is_some_and(|(_, role)| role.is_some()) {
                changes.push((seq, None));
            }
        }
    }
}
