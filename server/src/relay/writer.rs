//! Everything that is stored goes through here, in groups: each write is checked against what stands before it, and its
//! author hears of it only once the whole group is on disk.
//!
//! The writer keeps the folds of rooms and accounts in memory. If a group fails, they are forgotten and read anew: the
//! store is the truth.

use super::conn::{Conn, Identity, retry_in_ms};
use super::folds::Folds;
use super::writes::{PushPeople, Write};
use crate::retention;
use crate::store::pushes::{PushPerson, PushTarget};
use crate::store::retention::{RetentionWrite, Share};
use crate::store::{Engine, RoomHead, StoreError};
use bytes::Bytes;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{Ack, Acks, Announcement, Entries, Registers, Rejected, ServerFrame, Value};
use kith_protocol::ids::{AccountId, DeviceId, RoomId, Seq};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Registers of one owner in one room, unless the configuration says otherwise.
const REGISTERS_PER_OWNER_MAX: usize = 4096;
/// Rooms whose day is kept in memory.
const DAYS_KEPT_MAX: usize = 100_000;

/// Writes of a relay, one group after the other.
pub struct Writer {
    pub(super) engine: Box<dyn Engine>,
    pub(super) folds: Folds,
    pub(super) limits: WriteLimits,
    pub(super) registers_max: usize,
    pub(super) outcome: Committed,
    /// The day of the newest entry, for rooms that grew lately.
    days: HashMap<RoomId, u32>,
    pub(super) push_people: PushPeople,
}

/// What a relay allows to be stored.
#[derive(Debug, Clone)]
pub struct WriteLimits {
    /// Accounts on the relay.
    pub accounts: usize,
    /// Rooms that an account may be in of those that it has made.
    pub rooms_per_account: usize,
    /// Members of one room.
    pub members_per_room: usize,
    /// Live devices of one account.
    pub devices_per_account: usize,
    /// Bytes in a body.
    pub body_bytes: usize,
    /// What an account may hold that the operator has set nothing else for.
    pub share: Share,
}

/// One write and who asked for it.
pub struct Job {
    /// Who hears what came of it.
    pub from: Asker,
    /// What to write.
    pub write: Write,
    /// Milliseconds since 1970, when it came.
    pub now: u64,
}

/// Who asks for a write.
pub enum Asker {
    /// An identified connection.
    Conn(Arc<Conn>),
    /// Somebody who waits for the answer.
    Waiting {
        /// An admin; `None`: the operator, or a newcomer.
        by: Option<AccountId>,
        /// Takes the answer.
        reply: Reply,
    },
}

/// Takes what came of a write.
pub type Reply = Box<dyn FnOnce(Result<Written, ErrorCode>) + Send>;

/// What a write has yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// An entry stands in a timeline.
    Acked(Ack),
    /// A frame answers the request.
    Answer(ServerFrame),
    /// A newcomer was admitted.
    Admitted(Identity),
    /// An integration was made: its handle is this.
    Hooked(AccountId, String, RoomId),
    /// What a program wrote stands here; whether it did before.
    Posted {
        /// The room.
        room: RoomId,
        /// The place.
        seq: Seq,
        /// A message under the same key stood there already.
        again: bool,
    },
    /// To be pushed to these, marked as begun; nobody if there is nothing to tell any more.
    Pushing(Option<(PushPerson, Vec<PushTarget>)>),
    /// Nothing to say but that it is done.
    Done,
}

/// What a group has changed, to be told once it is on disk.
#[derive(Default)]
pub struct Committed {
    /// Answers, in the order of the writes.
    pub answers: Vec<(Asker, Result<Written, ErrorCode>, Origin)>,
    /// Timelines that grew.
    pub rooms: BTreeMap<RoomId, Growth>,
    /// Registers that changed, in order; the connection that did it needs no push.
    pub registers: Vec<(RoomId, Value, Option<u64>)>,
    /// Who came into or left a room, in order.
    pub moves: Vec<(AccountId, RoomId, Move)>,
    /// For whom something waits now, and how many seconds they want to be away before they are told.
    pub awaited: BTreeMap<AccountId, u32>,
    /// Chains that grew.
    pub chains: Vec<(AccountId, u32)>,
    /// Whether the store could be written; nothing if there was nothing to write.
    pub stored: Option<bool>,
    /// What is said to everybody now, if that has changed.
    pub announced: Option<Announcement>,
    /// Connections that end.
    pub closed: Vec<(AccountId, Option<DeviceId>, CloseCode)>,
}

/// What an answer needs to know of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An entry: its room, transaction and run.
    Entry(RoomId, kith_protocol::ids::TxnId, u32),
    /// A numbered request.
    Request(u32),
}

/// Came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Is a member now.
    In,
    /// No longer is.
    Out,
}

/// How a timeline grew in one group.
#[derive(Debug, Clone)]
pub struct Growth {
    /// Where it stands now.
    pub head: RoomHead,
    /// The place of the first new entry.
    pub first: Seq,
    /// The new entries.
    pub entries: Vec<Bytes>,
    /// The connection that wrote all of them, if it was one: its acks say it all.
    pub only_from: Option<u64>,
    /// Who came into or left the room, in order, and where it stood then.
    pub turns: Vec<(AccountId, Move, RoomHead)>,
}

impl Writer {
    /// A writer over an engine.
    pub fn new(engine: Box<dyn Engine>, limits: WriteLimits) -> Self {
        let registers_max = REGISTERS_PER_OWNER_MAX;
        Self {
            engine,
            folds: Folds::default(),
            limits,
            registers_max,
            outcome: Committed::default(),
            days: HashMap::new(),
            push_people: PushPeople::default(),
        }
    }

    /// Changes how many registers an account, or the room itself, may have in one room.
    pub fn set_registers_max(&mut self, per_owner: usize) {
        self.registers_max = per_owner;
    }

    /// Changes what is allowed from now on.
    pub fn set_limits(&mut self, limits: WriteLimits) {
        self.limits = limits;
    }

    /// The engine.
    pub fn engine(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    /// The engine, to be meddled with between groups.
    pub fn engine_mut(&mut self) -> &mut dyn Engine {
        self.engine.as_mut()
    }

    /// Notes where a day begins in the rooms that have grown.
    fn note_day(&mut self, day: u32) -> Result<(), StoreError> {
        if self.days.len() > DAYS_KEPT_MAX {
            self.days.clear();
        }
        for (room, growth) in &self.outcome.rooms {
            if self.days.insert(*room, day) != Some(day) {
                let first = growth.first;
                self.engine.put_retention(&RetentionWrite::Day { room: *room, day, first })?;
            }
        }
        Ok(())
    }

    /// Writes a group. When this returns, what it says is acknowledged is on disk.
    pub fn commit(&mut self, jobs: Vec<Job>) -> Committed {
        let mut answered = Vec::with_capacity(jobs.len());
        let begun = self.engine.begin();
        let mut failed = begun.err();
        let today = jobs.iter().map(|job| retention::day(job.now)).max().unwrap_or(0);
        for job in jobs {
            let origin = job.write.origin();
            let result = match &failed {
                Some(error) => Err(code_of(error)),
                None if is_stalled(&job.from, origin) => Err(ErrorCode::Stalled),
                None => match self.write(&job) {
                    Ok(written) => Ok(written),
                    Err(Refusal::Code(code)) => {
                        stall(&job.from, origin);
                        Err(code)
                    }
                    Err(Refusal::Store(error)) => {
                        let code = code_of(&error);
                        failed = Some(error);
                        Err(code)
                    }
                },
            };
            answered.push((job.from, result, origin));
        }
        if failed.is_none() {
            failed = self.note_day(today).and_then(|()| self.engine.commit()).err();
        }
        let mut outcome = std::mem::take(&mut self.outcome);
        let failed_to_store = failed.is_some();
        if let Some(error) = failed {
            tracing::error!(%error, writes = answered.len(), "a group of writes was not stored");
            self.engine.rollback();
            self.folds = Folds::default();
            self.days.clear();
            self.push_people.forget();
            outcome = Committed::default();
            for (from, result, origin) in &mut answered {
                stall(from, *origin);
                *result = Err(code_of(&error));
            }
        }
        outcome.stored = stored(failed_to_store, &outcome, &answered);
        outcome.answers = answered;
        outcome
    }
}

impl Committed {
    /// Tells the askers what came of their writes: entries of one connection in one frame.
    pub fn answer(&mut self) {
        let mut acks: BTreeMap<u64, (Arc<Conn>, Vec<Ack>)> = BTreeMap::new();
        for (from, result, origin) in self.answers.drain(..) {
            let conn = match from {
                Asker::Waiting { reply, .. } => {
                    reply(result);
                    continue;
                }
                Asker::Conn(conn) => conn,
            };
            if let Origin::Entry(..) = origin {
                conn.answered();
            }
            match (result, origin) {
                (Ok(Written::Acked(ack)), Origin::Entry(..)) => {
                    acks.entry(conn.id).or_insert_with(|| (conn, Vec::new())).1.push(ack);
                }
                (Err(code), Origin::Entry(room, txn, run)) => {
                    // Acks of what came before go first: the device takes answers in the order of its entries.
                    if let Some((conn, acks)) = acks.remove(&conn.id) {
                        conn.outbound.answer(ServerFrame::Acks(Acks { acks }).encode());
                    }
                    let rejected = Rejected { room, txn, run, code, retry_in_ms: retry_in_ms(code) };
                    conn.outbound.answer(ServerFrame::Rejected(rejected).encode());
                }
                (Ok(Written::Answer(frame)), _) => conn.outbound.answer(frame.encode()),
                (Ok(_), Origin::Request(req)) => {
                    conn.outbound.answer(ServerFrame::Done(kith_protocol::frame::Request { req }).encode());
                }
                (Ok(_), Origin::Entry(..)) => {}
                (Err(code), Origin::Request(req)) => conn.refuse(req, code),
            }
        }
        for (conn, acks) in acks.into_values() {
            conn.outbound.answer(ServerFrame::Acks(Acks { acks }).encode());
        }
    }

    /// The pushes, one encoding each: the room, the bytes, and the connection that needs none.
    pub fn pushes(&self) -> impl Iterator<Item = (RoomId, Bytes, Option<u64>, usize)> {
        let entries = self.rooms.iter().map(|(room, growth)| {
            let frame = Entries { room: *room, first: growth.first, entries: growth.entries.clone() };
            (*room, ServerFrame::Entries(frame).encode(), growth.only_from, growth.entries.len())
        });
        let registers = self.registers.iter().map(|(room, value, from)| {
            let frame = Registers { req: 0, room: *room, values: vec![value.clone()], more: false };
            (*room, ServerFrame::Registers(frame).encode(), *from, 1)
        });
        entries.chain(registers)
    }

    /// Notes an entry that was appended; `from` is the connection that learns of it by its answer.
    pub(super) fn grew(&mut self, room: RoomId, head: RoomHead, entry: &Bytes, from: Option<u64>) {
        let growth = self.rooms.entry(room).or_insert_with(|| Growth {
            head,
            first: head.seq,
            entries: Vec::new(),
            only_from: from,
            turns: Vec::new(),
        });
        growth.head = head;
        growth.entries.push(entry.clone());
        if growth.only_from != from {
            growth.only_from = None;
        }
    }

    /// Notes that an account came into or left a room with the entry that was just appended.
    pub(super) fn moved(&mut self, account: AccountId, room: RoomId, direction: Move, head: RoomHead) {
        self.moves.push((account, room, direction));
        if let Some(growth) = self.rooms.get_mut(&room) {
            growth.turns.push((account, direction, head));
        }
    }
}

impl Asker {
    /// The connection that asks, if it is one.
    pub(super) fn conn_id(&self) -> Option<u64> {
        match self {
            Self::Conn(conn) => Some(conn.id),
            Self::Waiting { .. } => None,
        }
    }

    /// The account that asks; `None`: the operator, or a newcomer.
    pub(super) fn by(&self) -> Option<AccountId> {
        match self {
            Self::Conn(conn) => Some(conn.identity.account),
            Self::Waiting { by, .. } => *by,
        }
    }
}

/// Why a write is not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This one alone.
    Code(ErrorCode),
    /// The store failed, and with it the whole group.
    Store(StoreError),
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A group of mere refusals and retries says nothing about the disk.
fn stored(
    failed: bool,
    outcome: &Committed,
    answers: &[(Asker, Result<Written, ErrorCode>, Origin)],
) -> Option<bool> {
    let grew = !(outcome.rooms.is_empty() && outcome.registers.is_empty() && outcome.chains.is_empty());
    let changed = || {
        answers
            .iter()
            .any(|(_, it, _)| matches!(it, Ok(Written::Done | Written::Admitted(_) | Written::Hooked(..))))
    };
    if failed { Some(false) } else { (grew || changed()).then_some(true) }
}

fn code_of(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::Full => ErrorCode::StorageFull,
        StoreError::Failed(_) => ErrorCode::StorageFailed,
    }
}

fn is_stalled(from: &Asker, origin: Origin) -> bool {
    matches!((from, origin), (Asker::Conn(conn), Origin::Entry(_, _, run)) if conn.is_stalled(run))
}

fn stall(from: &Asker, origin: Origin) {
    if let (Asker::Conn(conn), Origin::Entry(_, _, run)) = (from, origin) {
        conn.stall(run);
    }
}
