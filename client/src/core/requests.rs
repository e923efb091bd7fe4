//! What was asked of the relay, and what to do with the answer.

use super::control::ControlJob;
use super::error::RequestError;
use super::link_offer::{Answered, SlotStep};
use super::model::{Millis, Person};
use super::settings::ChainJob;
use super::sync::PagePlan;
use bytes::Bytes;
use kith_protocol::admin::AdminResponse;
use kith_protocol::frame::{Invite, Pushes};
use kith_protocol::ids::{AccountId, RegisterKey, Rev, RoomId, Seq};
use kith_protocol::recovery::RecoveryKey;
use std::collections::BTreeMap;

/// Names a request of the person's, until its [`Reply`] comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It is done.
    Done,
    /// A room, made or found.
    Room(RoomId),
    /// People, found.
    People(Vec<Person>),
    /// Invites: the new one, or all that are open.
    Invites(Vec<Invite>),
    /// Where this person is told while no device is connected.
    Pushes(Pushes),
    /// The link offer stands in its slot.
    Offered,
    /// The new device has answered the link offer.
    Answered(Answered),
    /// The new recovery key, in force.
    RecoveryKey(RecoveryKey),
    /// What the relay tells an admin.
    Administered(Box<AdminResponse>),
    /// Older entries came, or there are none.
    Filled,
}

/// Why a request was sent.
#[derive(Debug)]
pub(crate) enum Purpose {
    Join {
        attempt: u32,
    },
    /// `wanted`: where the room's end was thought to be.
    Page {
        room: RoomId,
        plan: PagePlan,
        wanted: Seq,
    },
    Control {
        room: RoomId,
    },
    Chain {
        account: AccountId,
    },
    Registers {
        room: RoomId,
        wanted: Rev,
    },
    Register {
        room: RoomId,
        key: RegisterKey,
        version: u64,
        raw: Bytes,
    },
    Genesis {
        room: RoomId,
        raw: Bytes,
    },
    ControlJob {
        job: ControlJob,
        raw: Bytes,
    },
    ChainJob {
        job: ChainJob,
        raw: Bytes,
    },
    /// Who somebody is, for the directory.
    Names,
    Lookup {
        ticket: Ticket,
        handle: Option<String>,
    },
    Profile {
        ticket: Ticket,
        name: Option<String>,
        handle: Option<String>,
    },
    Invites {
        ticket: Ticket,
    },
    Pushes {
        ticket: Ticket,
    },
    /// Which chats are muted.
    Muted,
    Done {
        ticket: Ticket,
    },
    /// What an admin asks, and what was heard of the answer.
    Administer {
        ticket: Ticket,
        heard: Vec<u8>,
    },
    Slot(SlotStep),
    Republish {
        room: RoomId,
        through: Seq,
        count: usize,
    },
    /// Own chain entries that a restored relay lacks.
    ChainAgain,
}

/// The requests under way.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: u32,
    tickets: u64,
    open: BTreeMap<u32, Purpose>,
    /// Refused because somebody else's change came first; tried again when that one is here.
    pub(crate) contended: Vec<ControlJob>,
    pub(crate) contended_chain: Vec<ChainJob>,
}

impl Requests {
    /// A number for a request.
    pub(crate) fn open(&mut self, purpose: Purpose) -> u32 {
        // 0 stands for "pushed".
        self.last = self.last.wrapping_add(1).max(1);
        self.open.insert(self.last, purpose);
        self.last
    }

    /// The request that this answers; `None` if it was given up.
    pub(crate) fn take(&mut self, req: u32) -> Option<Purpose> {
        self.open.remove(&req)
    }

    /// Whether names were asked for that have not come yet.
    pub(crate) fn names_under_way(&self) -> bool {
        self.open.values().any(|purpose| matches!(purpose, Purpose::Names))
    }

    /// Another purpose for a request under way.
    pub(crate) fn put(&mut self, req: u32, purpose: Purpose) {
        self.open.insert(req, purpose);
    }

    /// A new ticket.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Gives all up. Returns who waits.
    pub(crate) fn abandon(&mut self) -> Vec<Ticket> {
        let open = std::mem::take(&mut self.open).into_values().filter_map(|purpose| purpose.ticket());
        let contended = std::mem::take(&mut self.contended).into_iter().map(|job| job.ticket);
        let chain = std::mem::take(&mut self.contended_chain).into_iter().filter_map(|job| job.ticket);
        open.chain(contended).chain(chain).collect()
    }

    pub(crate) fn count(&self, which: impl Fn(&Purpose) -> bool) -> usize {
        self.open.values().filter(|purpose| which(purpose)).count()
    }
}

impl Purpose {
    /// Who waits for it.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::ControlJob { job, .. } => Some(job.ticket),
            Self::ChainJob { job, .. } => job.ticket,
            Self::Lookup { ticket, .. }
            | Self::Profile { ticket, .. }
            | Self::Invites { ticket }
            | Self::Administer { ticket, .. }
            | Self::Pushes { ticket }
            | Self::Done { ticket } => Some(*ticket),
            _ => None,
        }
    }
}

/// An answer to a person's request.
pub(crate) type Answer = (Ticket, Result<Reply, RequestError>);

/// When to try again after a passing refusal.
pub(crate) fn retry_at(now: Millis, retry_in_ms: u64) -> Millis {
    const AN_HOUR: u64 = 3_600_000;
    now + if retry_in_ms == 0 { super::limits::RETRY_MS } else { retry_in_ms.min(AN_HOUR) }
}
