use super::directory::Directory;
use super::entropy::Entropy;
use super::error::{EngineError, Fault, RequestError};
use super::identity::{Identity, Relay};
use super::limits::EVENTS_MAX;
use super::link_offer::Offering;
use super::live::Live;
use super::model::Millis;
use super::notices::Notices;
use super::outbox::Outbox;
use super::people::People;
use super::pushes::MutedTold;
use super::registers::Pending;
use super::requests::{Answer, Purpose, Reply, Requests, Ticket};
use super::resync::Given;
use super::rooms::RoomState;
use super::rows::{ProfileRow, RoomRow, decode, encode};
use super::session::{INCARNATION, PROFILE, Session};
use super::sync::Sync;
use super::update::{RoomsDiff, Trouble, Update};
use crate::store::{Changes, Direction, MemoryStore, ReadError, Span, Store, Tree, keys};
use crate::vault::{DurableMap, MemoryVault};
use kith_protocol::frame::{Announcement, ClientFrame, ServerFrame};
use kith_protocol::ids::{AccountId, Incarnation, RoomId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What an engine runs on.
pub struct Parts {
    /// What the relay can give back.
    pub store: Box<dyn Store>,
    /// What it cannot.
    pub vault: Box<dyn DurableMap>,
    /// Who this device is.
    pub identity: Identity,
    /// Where random bytes come from.
    pub entropy: Entropy,
}

/// One account on one device: session, sync, outbox and what is shown of them.
#[expect(clippy::struct_excessive_bools, reason = "five facts that have nothing to do with each other")]
pub struct Engine {
    pub(crate) store: Box<dyn Store>,
    pub(crate) vault: Box<dyn DurableMap>,
    pub(crate) entropy: Entropy,
    pub(crate) me: Identity,
    pub(crate) profile: ProfileRow,
    pub(crate) muted_told: MutedTold,
    /// The types of our frames that the relay of this connection reads.
    pub(crate) relay_reads: BTreeSet<u8>,
    pub(crate) session: Session,
    /// The relay's logs that this store was filled from, and those that it has now.
    pub(crate) incarnation: Incarnation,
    pub(crate) heard_incarnation: Incarnation,
    pub(crate) people: People,
    pub(crate) directory: Directory,
    pub(crate) rooms: BTreeMap<RoomId, RoomState>,
    pub(crate) requests: Requests,
    pub(crate) sync: Sync,
    pub(crate) outbox: Outbox,
    pub(crate) pending: Pending,
    pub(crate) live: Live,
    pub(crate) notices: Notices,
    pub(crate) resyncing: bool,
    pub(crate) given: Given,
    pub(crate) offer: Option<Offering>,
    pub(crate) invited_to: Option<RoomId>,
    /// What an admin said last to everybody, as far as it was heard since the start.
    pub(crate) announced: Option<Announcement>,
    pub(crate) clock_offset_ms: i64,
    pub(crate) clock_told: bool,
    /// So long nobody needs to hear again that this device is here.
    pub(crate) seen_enough_until: Millis,
    /// The moment of the newest input.
    pub(super) latest: Millis,
    /// The connection has to be closed: the relay, or our disk, cannot go on just now.
    pub(crate) hang_up: bool,
    /// What this input changes in the store, committed at its end.
    pub(crate) changes: Changes,
    pub(crate) damaged: bool,
    /// What this input stores must outlive a power cut.
    pub(crate) must_last: bool,
    transmit: VecDeque<ClientFrame>,
    events: VecDeque<Update>,
    events_dropped: bool,
    replies: VecDeque<Answer>,
}

impl Engine {
    /// Takes up what store and vault hold. Needs no connection.
    pub fn new(parts: Parts) -> Result<Self, EngineError> {
        let mut engine = Self {
            store: parts.store,
            vault: parts.vault,
            entropy: parts.entropy,
            me: parts.identity,
            profile: ProfileRow::default(),
            muted_told: MutedTold::default(),
            relay_reads: BTreeSet::new(),
            session: Session::Disconnected,
            incarnation: Incarnation::ZERO,
            heard_incarnation: Incarnation::ZERO,
            people: People::default(),
            directory: Directory::default(),
            rooms: BTreeMap::new(),
            requests: Requests::default(),
            sync: Sync::default(),
            outbox: Outbox::default(),
            pending: Pending::default(),
            live: Live::default(),
            notices: Notices::default(),
            resyncing: false,
            given: Given::default(),
            offer: None,
            invited_to: None,
            announced: None,
            clock_offset_ms: 0,
            clock_told: false,
            seen_enough_until: 0,
            latest: 0,
            hang_up: false,
            changes: Changes::new(),
            damaged: false,
            must_last: false,
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            events_dropped: false,
            replies: VecDeque::new(),
        };
        engine.load()?;
        Ok(engine)
    }

    /// Takes a frame in.
    pub fn handle_frame(&mut self, now: Millis, frame: ServerFrame) {
        self.act(now, |engine| engine.on_frame(now, frame));
    }

    /// To be called when [`Self::poll_timeout`] says so.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.act(now, |engine| {
            engine.sync.wake(now);
            engine.outbox.wake(now);
            engine.pending.wake(now);
            engine.poll_slot(now);
            engine.tidy_outbox(now)
        });
    }

    /// The next frame to be sent.
    pub fn poll_transmit(&mut self) -> Option<ClientFrame> {
        self.transmit.pop_front()
    }

    /// The next thing to be told.
    pub fn poll_event(&mut self) -> Option<Update> {
        if std::mem::take(&mut self.events_dropped) {
            return Some(Update::Rooms(RoomsDiff::Reset));
        }
        self.events.pop_front()
    }

    /// The next answer to a request.
    pub fn poll_reply(&mut self) -> Option<(Ticket, Result<Reply, RequestError>)> {
        self.replies.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Millis> {
        let times = [self.sync.wake_at(), self.outbox.wake_at(), self.slot_at(), self.register_at()];
        times.into_iter().flatten().min()
    }

    /// Without a connection nothing is sent, at no time.
    fn register_at(&self) -> Option<Millis> {
        self.pending.wake_at().filter(|_| self.is_live())
    }

    /// Whether the connection has to be closed now, and dialed again after the usual wait. Asking forgets.
    pub fn take_hang_up(&mut self) -> bool {
        std::mem::take(&mut self.hang_up)
    }

    /// Whether the store turned out to be damaged: set it aside, and start a new engine on an empty one and the same vault.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Writes down what may wait until now. Called before the engine is dropped.
    pub fn shut_down(&mut self, now: Millis) {
        self.act(now, |engine| {
            engine.outbox.tidy_now();
            engine.tidy_outbox(now)
        });
        if let Err(error) = self.store.flush() {
            tracing::warn!(%error, "flush the local store");
        }
    }

    /// The relay of this account.
    pub fn relay(&self) -> &Relay {
        self.me.relay()
    }

    /// Lets go of store and vault, and goes on as another engine. If there is none, this one only answers that it is over.
    pub(crate) fn replace_with<E>(&mut self, next: impl FnOnce() -> Result<Self, E>) -> Result<(), E> {
        self.store = Box::new(MemoryStore::new());
        self.vault = Box::new(MemoryVault::new());
        *self = next()?;
        Ok(())
    }

    /// Runs one input to its end: what it changes is committed as one; then everybody is told, and what can be sent is.
    /// `false` if the disk refused: then nothing of it has happened in the store.
    pub(crate) fn act(&mut self, now: Millis, input: impl FnOnce(&mut Self) -> Result<(), Fault>) -> bool {
        self.note_time(now);
        let told = self.events.len();
        if let Err(fault) = input(self).and_then(|()| self.commit()) {
            self.events.truncate(told);
            self.recover(&fault);
            return false;
        }
        self.tell_rooms();
        if let Err(fault) = self.pump(now).and_then(|()| self.commit()) {
            self.recover(&fault);
        }
        self.tell_progress();
        true
    }

    /// A clock that was set back makes nothing wait longer: what waits for a moment is looked at now.
    fn note_time(&mut self, now: Millis) {
        if now < self.latest {
            self.sync.wake(Millis::MAX);
            self.outbox.wake_all(now);
            self.pending.wake_all();
            self.hasten_offer(now);
            self.seen_enough_until = 0;
        }
        self.latest = now;
    }

    pub(crate) fn commit(&mut self) -> Result<(), Fault> {
        for (id, room) in &mut self.rooms {
            if std::mem::take(&mut room.dirty) {
                self.changes.put(Tree::Rooms, keys::room(&id.0), encode(&room.row));
            }
        }
        if !self.changes.is_empty() {
            self.store.commit(std::mem::take(&mut self.changes))?;
        }
        if std::mem::take(&mut self.must_last) {
            self.store.sync()?;
        }
        // The store hands its last half second over only now and then: a process that is killed takes it along.
        if std::mem::take(&mut self.notices.unsure) {
            self.store.flush()?;
        }
        Ok(())
    }

    /// After the disk refused: memory goes back to what is on it, and the connection with it.
    fn recover(&mut self, fault: &Fault) {
        tracing::warn!(error = %fault, "what came in could not be stored");
        self.changes = Changes::new();
        self.tell(Update::Trouble(Trouble::Storage(fault.to_string())));
        self.reset_session();
        self.hang_up = true;
        self.damaged |= fault.is_damage();
        if let Err(error) = self.load() {
            tracing::warn!(%error, "read the local store again");
            self.damaged |= error.is_damage();
        }
    }

    fn load(&mut self) -> Result<(), EngineError> {
        self.people.clear();
        self.directory = Directory::load(&*self.store)?;
        self.live.clear();
        self.rooms.clear();
        self.profile = match self.store.get(Tree::Meta, &keys::meta(PROFILE))? {
            Some(row) => decode(&row)?,
            None => ProfileRow::default(),
        };
        if let Some(bytes) = self.store.get(Tree::Meta, &keys::meta(INCARNATION))? {
            self.incarnation = Incarnation::try_from(bytes.as_slice())
                .map_err(|_| ReadError::Damaged("the incarnation cannot be read".into()))?;
        }
        for (key, row) in self.store.range(Tree::Rooms, &Span::all(), Direction::Forward, usize::MAX)? {
            let id = RoomId::try_from(key.as_slice())
                .map_err(|_| ReadError::Damaged("a room's key cannot be read".into()))?;
            let row: RoomRow = decode(&row)?;
            self.rooms.insert(id, RoomState::new(row));
        }
        self.load_account(&self.me.account())?;
        self.outbox = Outbox::load(&*self.vault, &*self.store)?;
        self.pending = Pending::load(&*self.vault, &*self.store)?;
        self.settle_what_stands()?;
        self.load_notices()?;
        self.restore_own()?;
        Ok(())
    }

    /// Folds an account's chain; its length, 0 if nothing is known.
    pub(crate) fn load_account(&mut self, account: &AccountId) -> Result<u32, ReadError> {
        Ok(self.people.load(&*self.store, account)?.map_or(0, kith_protocol::account::Account::len))
    }

    fn on_frame(&mut self, now: Millis, frame: ServerFrame) -> Result<(), Fault> {
        match frame {
            ServerFrame::Hello(hello) => self.on_hello(now, &hello),
            ServerFrame::Welcome(welcome) => self.on_welcome(now, welcome)?,
            ServerFrame::Heads(heads) => self.on_heads(heads),
            ServerFrame::Entries(entries) => self.on_pushed(now, entries)?,
            ServerFrame::Acks(acks) => self.on_acks(now, &acks)?,
            ServerFrame::Rejected(rejected) => self.on_rejected(now, &rejected)?,
            ServerFrame::Registers(registers) => self.on_registers(registers)?,
            ServerFrame::Page(page) => self.on_page(now, page)?,
            ServerFrame::Control(control) => self.on_control(now, control)?,
            ServerFrame::Chain(chain) => self.on_chain(now, chain)?,
            ServerFrame::Appended(appended) => self.on_appended(now, &appended)?,
            ServerFrame::RegisterSet(set) => self.on_register_set(now, &set)?,
            ServerFrame::RegisterConflict(conflict) => self.on_register_conflict(conflict)?,
            ServerFrame::Accounts(accounts) => self.on_accounts(accounts),
            ServerFrame::Invites(invites) => {
                if let Some(Purpose::Invites { ticket }) = self.requests.take(invites.req) {
                    self.reply(ticket, Ok(Reply::Invites(invites.invites)));
                }
            }
            ServerFrame::Announcement(said) => self.on_announcement(said),
            ServerFrame::Administered(answer) => self.on_administered(answer),
            ServerFrame::Pushes(pushes) => self.on_pushes(pushes),
            ServerFrame::PushSaid(said) => self.on_push_said(said),
            ServerFrame::Slot(slot) => self.on_slot(&slot),
            ServerFrame::Done(done) => {
                let purpose = self.requests.take(done.req);
                self.on_done(now, purpose);
            }
            ServerFrame::Refused(refused) => self.on_refused(now, &refused)?,
            ServerFrame::ChainGrew(grew) => self.on_chain_grew(&grew)?,
            ServerFrame::Typing(typing) => self.on_typing(&typing),
            ServerFrame::Presences(presences) => self.on_presences(&presences),
            // Whoever owns the socket obeys these.
            ServerFrame::Restarting(_) | ServerFrame::Unknown(_) => {}
        }
        Ok(())
    }

    /// Sends what can be sent, and asks for what is missing.
    fn pump(&mut self, now: Millis) -> Result<(), Fault> {
        if !self.is_live() {
            return Ok(());
        }
        self.pump_sync(now)?;
        self.finish_resync();
        if self.sync_done() {
            self.caught_up(now)?;
            self.tell_muted(now);
            self.note_seen(now)?;
        }
        self.pump_outbox(now)?;
        self.pump_registers(now)
    }

    /// Forgets all that a connection carried.
    pub(crate) fn reset_session(&mut self) {
        if !matches!(self.session, Session::Stopped(_)) {
            self.session = Session::Disconnected;
        }
        self.transmit.clear();
        let requests = self.requests.abandon();
        for ticket in requests.into_iter().chain(self.sync.reset()) {
            self.reply(ticket, Err(RequestError::Lost));
        }
        self.outbox.reset();
        self.pending.reset();
        self.reset_notices();
        for room in self.rooms.values_mut() {
            room.busy = false;
            room.resync = None;
            room.proof = None;
        }
    }

    pub(crate) fn transmit(&mut self, frame: ClientFrame) {
        self.transmit.push_back(frame);
    }

    pub(crate) fn tell(&mut self, update: Update) {
        if self.events.len() >= EVENTS_MAX {
            self.events.clear();
            self.events_dropped = true;
        }
        self.events.push_back(update);
    }

    pub(crate) fn reply(&mut self, ticket: Ticket, answer: Result<Reply, RequestError>) {
        self.replies.push_back((ticket, answer));
    }

    /// Tells of rooms that look different in the list.
    fn tell_rooms(&mut self) {
        let changed: Vec<RoomId> =
            self.rooms.iter().filter(|(_, room)| !room.told).map(|(id, _)| *id).collect();
        for id in changed {
            if let Some(room) = self.rooms.get_mut(&id) {
                room.told = true;
            }
            // What cannot be read now was told of where it was read first.
            if let Ok(Some(summary)) = self.room(&id) {
                self.tell(Update::Rooms(RoomsDiff::Set(Box::new(summary))));
            }
        }
    }
}

impl From<Fault> for EngineError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Read(error) => Self::Read(error),
            Fault::Commit(error) => Self::Commit(error),
            Fault::Write(error) => Self::Write(error),
        }
    }
}
