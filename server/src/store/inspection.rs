//! Whether a store holds what it says: each timeline dense, each hash as it rolls, each chain and each room as it folds.

use super::{AccountRow, Range, Reader, RoomHead, StoreError};
use crate::relay::folds::fold_account;
use kith_protocol::account::Account;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::ids::{AccountId, Hash, Rev, RoomId, Seq};
use kith_protocol::keys::DeviceKeys;
use kith_protocol::register::Register;
use kith_protocol::room::Room;
use std::collections::{BTreeMap, BTreeSet};

/// Problems that are told one by one: who sees twenty needs no more to know what to do.
const PROBLEMS_MAX: usize = 20;
/// Entries read at once.
const PAGE_ENTRIES: u32 = 1000;
const PAGE_BYTES: usize = 4 << 20;
const REGISTERS: u32 = 256;

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    pub accounts: u64,
    pub rooms: u64,
    pub entries: u64,
    pub registers: u64,
    /// Sentences for the operator; empty if all is well.
    pub problems: Vec<String>,
    /// How many more there are.
    pub further_problems: u64,
}

impl Inspection {
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text);
        } else {
            self.further_problems += 1;
        }
    }
}

/// Reads all of a store. An error means that it could not be read to its end.
pub fn inspect(store: &dyn Reader) -> Result<Inspection, StoreError> {
    let mut work = Work {
        store,
        inspection: Inspection::default(),
        accounts: BTreeMap::new(),
        members: BTreeMap::new(),
    };
    for row in store.search("", u32::MAX)? {
        work.account(&row)?;
    }
    for (id, head) in store.rooms()? {
        work.room(id, head)?;
    }
    work.hooks()?;
    Ok(work.inspection)
}

struct Work<'a> {
    store: &'a dyn Reader,
    inspection: Inspection,
    accounts: BTreeMap<AccountId, Account>,
    /// Who is in which room, as the directory says.
    members: BTreeMap<RoomId, BTreeSet<AccountId>>,
}

/// A timeline, as far as it was read.
#[derive(Default)]
struct Walk {
    seq: Seq,
    hash: Hash,
    redacted: Seq,
    control: Vec<Seq>,
    fold: Option<Room>,
}

impl Work<'_> {
    fn account(&mut self, row: &AccountRow) -> Result<(), StoreError> {
        self.inspection.accounts += 1;
        let handle = &row.handle;
        let account = match fold_account(self.store, &row.id) {
            Ok(Some(account)) if account.id() == row.id => account,
            Ok(Some(_)) => {
                self.inspection.problem(format!("the chain of @{handle} is that of another account"));
                return Ok(());
            }
            Ok(None) => {
                self.inspection.problem(format!("@{handle} has no chain"));
                return Ok(());
            }
            Err(error) => {
                self.inspection.problem(format!("the chain of @{handle} does not fold: {error}"));
                return Ok(());
            }
        };
        for (id, _) in account.devices() {
            if self.store.device(id)?.is_none_or(|device| device.account != row.id) {
                self.inspection.problem(format!("the device {id} of @{handle} is not in the directory"));
            }
        }
        for membership in self.store.rooms_of(&row.id)? {
            if membership.left.is_none() {
                self.members.entry(membership.room).or_default().insert(row.id);
            }
        }
        self.accounts.insert(row.id, account);
        Ok(())
    }

    fn room(&mut self, id: RoomId, head: RoomHead) -> Result<(), StoreError> {
        self.inspection.rooms += 1;
        let Some(walk) = self.timeline(id)? else { return Ok(()) };
        let said = [
            (walk.seq == head.seq, format!("holds {} entries of {}", walk.seq.0, head.seq.0)),
            (walk.hash == head.hash, "has entries that are not those that were stored".to_owned()),
            (walk.redacted == head.redacted, "has lost track of its newest redaction".to_owned()),
            (
                walk.control.len() == head.control_len as usize && self.control_index(id)? == walk.control,
                "has control entries that are not in its index".to_owned(),
            ),
        ];
        for (_, what) in said.into_iter().filter(|(holds, _)| !holds) {
            self.inspection.problem(format!("the room {id} {what}"));
        }
        let members: BTreeSet<AccountId> =
            walk.fold.iter().flat_map(Room::members).map(|(id, _)| *id).collect();
        if self.members.remove(&id).unwrap_or_default() != members {
            self.inspection.problem(format!("the room {id} has other members than the directory says"));
        }
        self.registers(id, head.rev)
    }

    /// Reads a timeline from its beginning; `None` if it cannot be read to its end, which is noted.
    fn timeline(&mut self, id: RoomId) -> Result<Option<Walk>, StoreError> {
        let mut walk = Walk::default();
        loop {
            let range = Range {
                after: walk.seq,
                before: Seq(u64::MAX),
                newest: false,
                limit: PAGE_ENTRIES,
                bytes: PAGE_BYTES,
            };
            let page = self.store.page(&id, range)?.entries;
            if page.is_empty() {
                return Ok(Some(walk));
            }
            for raw in page {
                let seq = walk.seq.next();
                let Ok(entry) = Entry::parse(raw) else {
                    self.inspection.problem(format!("the entry {} of the room {id} cannot be read", seq.0));
                    return Ok(None);
                };
                self.entry(id, seq, &entry, &mut walk)?;
                self.inspection.entries += 1;
                walk.hash = walk.hash.extend(&entry.digest());
                walk.seq = seq;
            }
        }
    }

    fn entry(&mut self, id: RoomId, seq: Seq, entry: &Entry, walk: &mut Walk) -> Result<(), StoreError> {
        let header = entry.header();
        let at = format!("the entry {} of the room {id}", seq.0);
        if entry.room() != id {
            self.inspection.problem(format!("{at} belongs to another room"));
        }
        if self.store.transaction(&header.device, &header.txn)? != Some((id, seq)) {
            self.inspection
                .problem(format!("{at} would be stored a second time: its transaction is not known"));
        }
        match &header.kind {
            Kind::Control { .. } => {
                let folded = self.accounts.get(&header.account).map(|author| match &mut walk.fold {
                    None => Room::genesis(entry, author).map(|room| walk.fold = Some(room)),
                    Some(room) => room.apply(entry, author, seq),
                });
                match folded {
                    None => self.inspection.problem(format!("{at} is by an account that is not there")),
                    Some(Err(error)) => self.inspection.problem(format!("{at} does not count: {error}")),
                    Some(Ok(())) => {}
                }
                walk.control.push(seq);
            }
            Kind::Redaction { .. } => walk.redacted = seq,
            Kind::Message | Kind::Unknown(_) => {}
        }
        Ok(())
    }

    fn control_index(&self, id: RoomId) -> Result<Vec<Seq>, StoreError> {
        Ok(self.store.control(&id, 0, u32::MAX)?.into_iter().map(|(seq, _)| seq).collect())
    }

    /// The key of each integration that is in use is that of its account.
    fn hooks(&mut self) -> Result<(), StoreError> {
        for hook in self.store.hooks()? {
            let device = DeviceKeys::from_seeds_64(&hook.seeds).id();
            let fits = self.accounts.get(&hook.account).is_some_and(|it| it.live(&device).is_some());
            if hook.token.is_some() && !fits {
                self.inspection.problem(format!("the integration {} has the key of no device", hook.account));
            }
        }
        Ok(())
    }

    fn registers(&mut self, id: RoomId, newest: Rev) -> Result<(), StoreError> {
        let mut after = Rev::ZERO;
        loop {
            let page = self.store.registers(&id, after, REGISTERS)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (rev, raw) in page {
                self.inspection.registers += 1;
                let fits = Register::parse(raw).is_ok_and(|register| {
                    let header = register.header();
                    let stored = self.store.register(&id, &header.owner(), &header.key);
                    header.room == id && stored.is_ok_and(|found| found.is_some_and(|(at, _)| at == rev))
                });
                if !fits || rev > newest {
                    self.inspection.problem(format!("the register {} of the room {id} is damaged", rev.0));
                }
            }
        }
    }
}
