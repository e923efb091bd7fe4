//! Programs that write into rooms. A program has a token and no key; the relay holds the key of an account of its own for
//! it, an integration, and signs with that. Room and rights are those of any account: a member adds it, or it opens a chat.

use super::Outcome;
use super::people::display_name;
use crate::relay::writer::{Job, Refusal, Writer, Written};
use crate::store::hooks::{HookKey, HookRow, HookWrite};
use crate::store::{AccountRow, AuditEvent, DeviceRow, RelayRole};
use kith_protocol::account::Account;
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{Event, Text};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;
use kith_protocol::limits;
use kith_protocol::room::{ControlOp, Room, RoomKind, direct_ops};

/// Integrations of one room that are in use: each is a member that everybody holds a chain of.
const HOOKS_PER_ROOM_MAX: usize = 50;
/// How long a key makes no second message.
const KEY_LIFETIME_MS: u64 = 24 * 60 * 60 * 1000;
/// Integrations of one name that get a handle: then the name does not tell them apart any more.
const HANDLES_MAX: u32 = 1000;

/// A new integration.
pub struct MakeHook {
    /// What it is called.
    pub name: String,
    /// Where its messages go.
    pub place: HookPlace,
    /// SHA-256 of its token.
    pub token: [u8; 32],
    /// Fresh ones.
    pub seeds: [u8; 64],
    /// The random part of a transaction id.
    pub random: [u8; 10],
}

/// Where an integration writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookPlace {
    /// Into this room, once somebody has added it there.
    Room(RoomId),
    /// To this person, in a chat of the two.
    Person(AccountId),
}

/// What a program writes.
pub struct Post {
    /// Who.
    pub hook: AccountId,
    /// Markdown.
    pub text: String,
    /// Whether all who read it are meant.
    pub everybody: bool,
    /// SHA-256 of what makes a second message the same one.
    pub key: Option<[u8; 32]>,
    /// The random part of a transaction id.
    pub random: [u8; 10],
}

impl Writer {
    pub(super) fn make_hook(&mut self, make: &MakeHook, job: &Job) -> Outcome {
        let name = display_name(&make.name)?;
        if let HookPlace::Room(room) = make.place {
            self.may_have_hook(&room)?;
        }
        if self.engine.read().totals()?.accounts >= self.limits.accounts as u64 {
            return Err(ErrorCode::LimitReached.into());
        }
        let keys = DeviceKeys::from_seeds_64(&make.seeds);
        let genesis = ChainEntry::genesis(&keys, DEVICE_NAME, job.now);
        let account = Account::genesis(&genesis).map_err(|_| ErrorCode::Malformed)?;
        let id = account.id();
        let handle = self.free_handle(&name)?;
        self.engine.put_account(&AccountRow {
            id,
            handle: handle.clone(),
            name,
            role: RelayRole::Member,
            disabled: false,
            created_at: job.now,
            chain_len: 1,
            integration: true,
        })?;
        self.engine.append_chain(&id, &genesis)?;
        self.engine.put_device(&keys.id(), DeviceRow { account: id, blocked: false })?;
        self.folds.put_account(account);
        let room = match make.place {
            HookPlace::Room(room) => room,
            HookPlace::Person(person) => {
                let room = RoomId::direct(&id, &person);
                let ops = direct_ops(id, person);
                let header =
                    self.hook_header(&keys, id, room, Kind::Control { index: 0, ops }, job, make.random)?;
                self.control(0, &Entry::sign(&header, b"", &keys), &job.from)?;
                room
            }
        };
        self.engine.put_hook(&HookWrite::Hook(HookRow {
            account: id,
            room,
            seeds: make.seeds,
            token: Some(make.token),
            by: job.from.by(),
            created_at: job.now,
            used_at: 0,
        }))?;
        let made = AuditEvent::HookMade { account: id.to_string(), room: room.to_string() };
        self.audit(job.now, job.from.by(), made)?;
        Ok(Written::Hooked(id, handle, room))
    }

    /// Any group may have one: it is of no use before one of the group's admins has added it there.
    fn may_have_hook(&mut self, room: &RoomId) -> Result<(), Refusal> {
        let fold = self.folds.room(self.engine.read(), room)?.ok_or(ErrorCode::NotFound)?;
        if fold.kind() != RoomKind::Group {
            return Err(ErrorCode::Denied.into());
        }
        let used = |hook: &HookRow| hook.room == *room && hook.token.is_some();
        if self.engine.read().hooks()?.iter().filter(|hook| used(hook)).count() >= HOOKS_PER_ROOM_MAX {
            return Err(ErrorCode::LimitReached.into());
        }
        Ok(())
    }

    /// From the name, and with a number if that is taken.
    fn free_handle(&mut self, name: &str) -> Result<String, Refusal> {
        let base = handle_of(name);
        for number in 1..=HANDLES_MAX {
            let handle = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            if self.engine.read().account_by_handle(&handle)?.is_none() {
                return Ok(handle);
            }
        }
        Err(ErrorCode::HandleTaken.into())
    }

    pub(super) fn revoke_hook(&mut self, id: &AccountId, random: [u8; 10], job: &Job) -> Outcome {
        let hook = self.engine.read().hook(id)?.ok_or(ErrorCode::NotFound)?;
        if hook.token.is_none() {
            return Ok(Written::Done);
        }
        let room = self.folds.room(self.engine.read(), &hook.room)?.cloned();
        if let Some(room) = room.filter(|room| room.kind() == RoomKind::Group && room.role(id).is_some()) {
            self.leave(&hook, &room, random, job)?;
        }
        self.engine.put_hook(&HookWrite::Hook(HookRow { token: None, seeds: [0; 64], ..hook }))?;
        self.audit(job.now, job.from.by(), AuditEvent::HookRevoked { account: id.to_string() })?;
        Ok(Written::Done)
    }

    fn leave(&mut self, hook: &HookRow, room: &Room, random: [u8; 10], job: &Job) -> Result<(), Refusal> {
        let keys = DeviceKeys::from_seeds_64(&hook.seeds);
        let kind = Kind::Control { index: room.control_len(), ops: vec![ControlOp::Remove(hook.account)] };
        let header = self.hook_header(&keys, hook.account, hook.room, kind, job, random)?;
        self.control(0, &Entry::sign(&header, b"", &keys), &job.from).map(drop)
    }

    pub(super) fn post(&mut self, post: &Post, job: &Job) -> Outcome {
        let hook = self.engine.read().hook(&post.hook)?.filter(|hook| hook.token.is_some());
        let hook = hook.ok_or(ErrorCode::NotFound)?;
        if self.engine.read().account(&hook.account)?.is_none_or(|row| row.disabled) {
            return Err(ErrorCode::Disabled.into());
        }
        let known =
            post.key.map(|key| self.engine.read().hook_key(&hook.account, &key)).transpose()?.flatten();
        let oldest = job.now.saturating_sub(KEY_LIFETIME_MS);
        // Also if the clock was set back meanwhile, but then not for ever.
        if let Some(known) = known.filter(|known| known.at.abs_diff(job.now) <= KEY_LIFETIME_MS) {
            return Ok(Written::Posted { room: hook.room, seq: known.seq, again: true });
        }
        let keys = DeviceKeys::from_seeds_64(&hook.seeds);
        let text = Text { everybody: post.everybody, ..Text::plain(post.text.clone()) };
        let header = self.hook_header(&keys, hook.account, hook.room, Kind::Message, job, post.random)?;
        let entry = Entry::sign(&header, &Event::Text(text).encode(), &keys);
        let Written::Acked(ack) = self.entry(&entry, &job.from, job.now)? else {
            return Err(ErrorCode::StorageFailed.into());
        };
        if let Some(key) = post.key {
            let key = HookKey { hook: hook.account, key, seq: ack.seq, at: job.now };
            self.engine.put_hook(&HookWrite::Key { key, forget_before: oldest })?;
        }
        self.engine.put_hook(&HookWrite::Hook(HookRow { used_at: job.now, ..hook }))?;
        Ok(Written::Posted { room: ack.room, seq: ack.seq, again: false })
    }

    /// What the integration knows is what the relay holds at this very place.
    fn hook_header(
        &mut self,
        keys: &DeviceKeys,
        account: AccountId,
        room: RoomId,
        kind: Kind,
        job: &Job,
        random: [u8; 10],
    ) -> Result<Header, Refusal> {
        let head = self.engine.head(&room)?;
        let control_head = self.folds.room(self.engine.read(), &room)?.map_or(Hash::ZERO, Room::control_head);
        Ok(Header {
            key_source: KEY_SOURCE_PLAIN,
            room,
            account,
            device: keys.id(),
            chain_len: 1,
            control_head,
            seen_seq: head.seq,
            seen_hash: if head.seq == Seq::ZERO { Hash::ZERO } else { head.hash },
            txn: TxnId::new(job.now, random),
            at: job.now,
            kind,
        })
    }
}

/// What is left of a name in a handle.
fn handle_of(name: &str) -> String {
    let mut handle = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => handle.push(c),
            _ if handle.is_empty() || handle.ends_with('-') => {}
            _ => handle.push('-'),
        }
    }
    handle.truncate(limits::HANDLE_BYTES_MAX - NUMBER_LEN);
    let handle = handle.trim_end_matches('-');
    if handle.is_empty() { "integration".to_owned() } else { handle.to_owned() }
}

/// A hyphen and the digits of [`HANDLES_MAX`].
const NUMBER_LEN: usize = 5;

/// What its one device is called.
const DEVICE_NAME: &str = "webhook";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_what_is_left_of_the_name() {
        assert_eq!(handle_of("Backup"), "backup");
        assert_eq!(handle_of(" Nightly  Build (CI) "), "nightly-build-ci");
        assert_eq!(handle_of("Überwachung"), "berwachung");
        assert_eq!(handle_of("監視"), "integration");
        assert!(handle_of(&"x".repeat(99)).len() + NUMBER_LEN <= limits::HANDLE_BYTES_MAX);
    }
}
