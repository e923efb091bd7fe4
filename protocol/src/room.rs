//! The fold of a room's control entries: who is a member, with which rights.
//!
//! A control entry is signed by a member's device and names the control entry before it, so all who hold the same head
//! hold the same members. The relay takes it only if it follows the newest one (compare-and-set); a client that is offered
//! anything else skips it.
//!
//! ```
//! use kith_protocol::account::Account;
//! use kith_protocol::chain::ChainEntry;
//! use kith_protocol::entry::{Entry, Header, Kind};
//! use kith_protocol::ids::{Hash, RoomId, Seq, TxnId};
//! use kith_protocol::keys::DeviceKeys;
//! use kith_protocol::room::{Role, Room, group_ops};
//!
//! let laptop = DeviceKeys::generate()?;
//! let alice = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 0))?;
//! let header = Header {
//!     key_source: 0,
//!     room: RoomId::ZERO,
//!     account: alice.id(),
//!     device: laptop.id(),
//!     chain_len: alice.len(),
//!     control_head: Hash::ZERO,
//!     seen_seq: Seq::ZERO,
//!     seen_hash: Hash::ZERO,
//!     txn: TxnId::new(0, [7; 10]),
//!     at: 0,
//!     kind: Kind::Control { index: 0, ops: group_ops(alice.id(), [9; 16], []) },
//! };
//! let room = Room::genesis(&Entry::sign(&header, b"", &laptop), &alice)?;
//! assert_eq!(room.role(&alice.id()), Some(Role::Owner));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::account::{Account, DeviceKind};
use crate::entry::{Entry, Kind};
use crate::ids::{AccountId, Hash, RoomId, Seq};
use crate::limits;
use crate::wire::{Reader, WireError};
use std::collections::BTreeMap;

const OP_CREATE: u8 = 1;
const OP_ADD: u8 = 2;
const OP_REMOVE: u8 = 3;
const OP_SET_ROLE: u8 = 4;
const OP_SET_POLICY: u8 = 5;

/// One change of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlOp {
    /// First in a genesis, and nowhere else.
    Create {
        /// What kind of room it is.
        kind: RoomKind,
        /// Random; makes each group's genesis, and so its name, its own. Zero where the members name the room.
        nonce: [u8; 16],
    },
    /// A new member.
    Add(AccountId, Role),
    /// A member goes, by their own will or another's.
    Remove(AccountId),
    /// A member's rights change.
    SetRole(AccountId, Role),
    /// Who may do what.
    SetPolicy(Policy),
    /// From a newer version: the room can only be read until the app is updated.
    Unknown(u8),
}

/// What kind of room it is. Fixed for ever by the genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomKind {
    /// Any number of people.
    Group,
    /// A chat of two. Nobody joins, nobody is removed.
    Direct,
    /// One account's own: read marks, drafts, settings, notes to self.
    Own,
}

/// What a member may do, the higher the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads and, by default, writes.
    Member,
    /// Also removes those of a lower role and redacts; by default also invites, up to their own role, and renames.
    Admin,
    /// Also changes roles, removes anybody, makes owners, and sets the policy.
    Owner,
}

/// The least role that an act takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// To write messages.
    pub post: Role,
    /// To add members.
    pub invite: Role,
    /// To set the room's name and topic.
    pub rename: Role,
}

impl Default for Policy {
    fn default() -> Self {
        Self { post: Role::Member, invite: Role::Admin, rename: Role::Admin }
    }
}

/// A person in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What they may do.
    pub role: Role,
    /// The control entry that added them.
    pub joined: Seq,
}

/// A room as its control entries say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    id: RoomId,
    kind: RoomKind,
    policy: Policy,
    members: BTreeMap<AccountId, Member>,
    /// Who left, and the entry that says so: they may read up to there.
    left: BTreeMap<AccountId, Seq>,
    len: u32,
    head: Hash,
    needs_update: bool,
}

/// Why a control entry does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// It does not follow the newest control entry: read that one and decide anew.
    #[error("the control entry does not follow the newest one")]
    Unlinked,
    /// Its author is no live device of the account.
    #[error("the control entry's author is not a live device of its account")]
    Stranger,
    /// The signature is wrong.
    #[error("the control entry's signature is wrong")]
    BadSignature,
    /// Its author may not do that.
    #[error("this takes a right that you do not have in this room")]
    Denied,
    /// An operation that makes no sense where it stands.
    #[error("the control entry asks for something that cannot be done")]
    Senseless,
}

impl Room {
    /// The room that begins with this entry. `author` is the fold of its author's chain, at least as long as the header says.
    pub fn genesis(entry: &Entry, author: &Account) -> Result<Self, ControlError> {
        let header = entry.header();
        let Kind::Control { index: 0, ops } = &header.kind else { return Err(ControlError::Unlinked) };
        if !header.control_head.is_zero() {
            return Err(ControlError::Unlinked);
        }
        check_author(entry, author)?;
        let Some((ControlOp::Create { kind, .. }, rest)) = ops.split_first() else {
            return Err(ControlError::Senseless);
        };
        let mut room = Self {
            id: entry.room(),
            kind: *kind,
            policy: Policy::default(),
            members: BTreeMap::new(),
            left: BTreeMap::new(),
            len: 1,
            head: entry.digest(),
            needs_update: false,
        };
        for op in rest {
            room.apply_op(op, Seq(1))?;
        }
        room.check_genesis(&header.room, &header.account)?;
        Ok(room)
    }

    /// Takes the next control entry, whole or not at all. `seq` is its place in the timeline.
    pub fn apply(&mut self, entry: &Entry, author: &Account, seq: Seq) -> Result<(), ControlError> {
        let header = entry.header();
        let Kind::Control { index, ops } = &header.kind else { return Err(ControlError::Unlinked) };
        if header.room != self.id || *index != self.len || header.control_head != self.head {
            return Err(ControlError::Unlinked);
        }
        check_author(entry, author)?;
        let role = self.role(&header.account).ok_or(ControlError::Denied)?;
        if ops.is_empty() {
            return Err(ControlError::Senseless);
        }
        let mut next = self.clone();
        for op in ops {
            next.permit(op, role, &header.account)?;
            next.apply_op(op, seq)?;
        }
        if !next.members.values().any(|member| member.role == Role::Owner) {
            next.inherit();
        }
        next.len += 1;
        next.head = entry.digest();
        *self = next;
        Ok(())
    }

    /// Its id.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// What kind of room it is.
    pub fn kind(&self) -> RoomKind {
        self.kind
    }

    /// Who may do what.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// How many control entries were folded.
    pub fn control_len(&self) -> u32 {
        self.len
    }

    /// The digest of the newest control entry.
    pub fn control_head(&self) -> Hash {
        self.head
    }

    /// Whether a control entry holds something that only a newer version understands: then the room can only be read.
    pub fn needs_update(&self) -> bool {
        self.needs_update
    }

    /// Who is in it, in the order of their ids.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&AccountId, &Member)> {
        self.members.iter()
    }

    /// What an account may do here; `None` if it is no member.
    pub fn role(&self, account: &AccountId) -> Option<Role> {
        self.members.get(account).map(|member| member.role)
    }

    /// The newest Seq that an account may read: everything for a member, up to their removal for one who left.
    pub fn readable_until(&self, account: &AccountId) -> Option<Seq> {
        if self.members.contains_key(account) { Some(Seq(u64::MAX)) } else { self.left.get(account).copied() }
    }

    /// Whether an account may write messages.
    pub fn may_post(&self, account: &AccountId) -> bool {
        self.role(account) >= Some(self.policy.post)
    }

    /// Whether an account may set the room's name and topic.
    pub fn may_rename(&self, account: &AccountId) -> bool {
        self.kind == RoomKind::Group && self.role(account) >= Some(self.policy.rename)
            || self.kind == RoomKind::Own && self.role(account).is_some()
    }

    /// Whether an account may take away a message of `author`'s.
    pub fn may_redact(&self, account: &AccountId, author: &AccountId) -> bool {
        match self.role(account) {
            None => false,
            Some(role) => account == author || (self.kind == RoomKind::Group && role >= Role::Admin),
        }
    }

    /// In a direct chat, the one who is not `account`.
    pub fn partner(&self, account: &AccountId) -> Option<AccountId> {
        (self.kind == RoomKind::Direct).then(|| self.members.keys().copied().find(|id| id != account))?
    }

    fn check_genesis(&self, named: &RoomId, author: &AccountId) -> Result<(), ControlError> {
        let accounts: Vec<&AccountId> = self.members.keys().collect();
        let sound = match (self.kind, accounts.as_slice()) {
            (RoomKind::Group, _) => named.is_zero() && self.role(author) == Some(Role::Owner),
            (RoomKind::Direct, [a, b]) => *named == RoomId::direct(a, b) && self.members.contains_key(author),
            (RoomKind::Own, [own]) => *named == RoomId::own(own) && *own == author,
            _ => false,
        };
        // Nobody has left what has just begun: a genesis opens the room to its members alone.
        let sound = sound && self.left.is_empty();
        // Where the members name the room, whoever comes first writes the same room: no roles, no policy of their own.
        let plain = self.kind == RoomKind::Group
            || (self.policy == Policy::default() && self.members.values().all(|m| m.role == Role::Member));
        if sound && plain { Ok(()) } else { Err(ControlError::Senseless) }
    }

    fn permit(&self, op: &ControlOp, role: Role, author: &AccountId) -> Result<(), ControlError> {
        if self.kind != RoomKind::Group {
            return Err(ControlError::Denied);
        }
        let permitted = match op {
            ControlOp::Create { .. } => return Err(ControlError::Senseless),
            ControlOp::Add(_, new) => role >= self.policy.invite && *new <= role,
            ControlOp::Remove(account) => {
                account == author
                    || (role >= Role::Admin && self.role(account) < Some(role))
                    || role == Role::Owner
            }
            ControlOp::SetRole(account, new) => {
                role == Role::Owner || (account == author && Some(*new) < self.role(author))
            }
            ControlOp::SetPolicy(_) => role == Role::Owner,
            // Whoever understands it decides; until then nobody writes here.
            ControlOp::Unknown(_) => true,
        };
        if permitted { Ok(()) } else { Err(ControlError::Denied) }
    }

    fn apply_op(&mut self, op: &ControlOp, seq: Seq) -> Result<(), ControlError> {
        match *op {
            ControlOp::Create { .. } => return Err(ControlError::Senseless),
            ControlOp::Add(account, role) => {
                if self.members.insert(account, Member { role, joined: seq }).is_some() {
                    return Err(ControlError::Senseless);
                }
                self.left.remove(&account);
            }
            ControlOp::Remove(account) => {
                self.members.remove(&account).ok_or(ControlError::Senseless)?;
                self.left.insert(account, seq);
            }
            ControlOp::SetRole(account, role) => {
                self.members.get_mut(&account).ok_or(ControlError::Senseless)?.role = role;
            }
            ControlOp::SetPolicy(policy) => self.policy = policy,
            ControlOp::Unknown(_) => self.needs_update = true,
        }
        Ok(())
    }

    /// A group never stays without an owner: the highest role left takes over, among equals who came first.
    fn inherit(&mut self) {
        let heir = self
            .members
            .iter()
            .min_by_key(|(id, member)| (std::cmp::Reverse(member.role), member.joined, **id))
            .map(|(id, _)| *id);
        if let Some(member) = heir.and_then(|id| self.members.get_mut(&id)) {
            member.role = Role::Owner;
        }
    }
}

fn check_author(entry: &Entry, author: &Account) -> Result<(), ControlError> {
    let header = entry.header();
    if author.id() != header.account {
        return Err(ControlError::Stranger);
    }
    let device = author
        .device_at(&header.device, header.chain_len)
        .filter(|device| device.kind == DeviceKind::Personal)
        .ok_or(ControlError::Stranger)?;
    entry.verify(&device.sign).map_err(|_| ControlError::BadSignature)
}

impl ControlOp {
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> u8 {
        match self {
            Self::Create { kind, nonce } => {
                out.push(match kind {
                    RoomKind::Group => 1,
                    RoomKind::Direct => 2,
                    RoomKind::Own => 3,
                });
                out.extend(nonce);
                OP_CREATE
            }
            Self::Add(account, role) => {
                out.extend(account.0);
                out.push(role.byte());
                OP_ADD
            }
            Self::Remove(account) => {
                out.extend(account.0);
                OP_REMOVE
            }
            Self::SetRole(account, role) => {
                out.extend(account.0);
                out.push(role.byte());
                OP_SET_ROLE
            }
            Self::SetPolicy(policy) => {
                out.extend([policy.post.byte(), policy.invite.byte(), policy.rename.byte()]);
                OP_SET_POLICY
            }
            Self::Unknown(tag) => *tag,
        }
    }

    pub(crate) fn parse(tag: u8, mut reader: Reader<'_>) -> Result<Self, WireError> {
        let op = match tag {
            OP_CREATE => {
                let kind = match reader.u8()? {
                    1 => RoomKind::Group,
                    2 => RoomKind::Direct,
                    3 => RoomKind::Own,
                    _ => return Err(WireError::Unknown("the kind of room")),
                };
                Self::Create { kind, nonce: reader.array()? }
            }
            OP_ADD => Self::Add(AccountId(reader.array()?), Role::parse(reader.u8()?)?),
            OP_REMOVE => Self::Remove(AccountId(reader.array()?)),
            OP_SET_ROLE => Self::SetRole(AccountId(reader.array()?), Role::parse(reader.u8()?)?),
            OP_SET_POLICY => Self::SetPolicy(Policy {
                post: Role::parse(reader.u8()?)?,
                invite: Role::parse(reader.u8()?)?,
                rename: Role::parse(reader.u8()?)?,
            }),
            _ => return Ok(Self::Unknown(tag)),
        };
        reader.end()?;
        Ok(op)
    }
}

impl Role {
    fn byte(self) -> u8 {
        match self {
            Self::Member => 1,
            Self::Admin => 2,
            Self::Owner => 3,
        }
    }

    fn parse(byte: u8) -> Result<Self, WireError> {
        match byte {
            1 => Ok(Self::Member),
            2 => Ok(Self::Admin),
            3 => Ok(Self::Owner),
            _ => Err(WireError::Unknown("the role")),
        }
    }
}

/// The genesis operations of a direct chat.
pub fn direct_ops(a: AccountId, b: AccountId) -> Vec<ControlOp> {
    let create = ControlOp::Create { kind: RoomKind::Direct, nonce: [0; 16] };
    vec![create, ControlOp::Add(a, Role::Member), ControlOp::Add(b, Role::Member)]
}

/// The genesis operations of an account's own room.
pub fn own_ops(account: AccountId) -> Vec<ControlOp> {
    let create = ControlOp::Create { kind: RoomKind::Own, nonce: [0; 16] };
    vec![create, ControlOp::Add(account, Role::Member)]
}

/// The genesis operations of a group: its maker owns it, `others` are members.
///
/// An entry holds at most [`limits::OPS_MAX`] operations; further members come with further control entries.
pub fn group_ops(
    owner: AccountId,
    nonce: [u8; 16],
    others: impl IntoIterator<Item = AccountId>,
) -> Vec<ControlOp> {
    let mut ops =
        vec![ControlOp::Create { kind: RoomKind::Group, nonce }, ControlOp::Add(owner, Role::Owner)];
    ops.extend(others.into_iter().filter(|other| *other != owner).map(|o| ControlOp::Add(o, Role::Member)));
    ops.truncate(limits::OPS_MAX);
    ops
}

#[cfg(test)]
mod tests;
