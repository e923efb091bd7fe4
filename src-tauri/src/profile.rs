//! One profile of this computer: its engine, and what was told of it last.

use crate::convert::{self, Eyes};
use crate::failure::{self, Outcome};
use crate::ipc::{self, AppError, ProfileId, ProfileState};
use crate::names::Names;
use kith_client::timeline::Message;
use kith_client::{Client, LinkOffer, Me, RoomSummary, Trouble};
use kith_protocol::ids::{AccountId, DeviceId, RoomId, Seq};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;

/// A profile. Shared by commands and its pump.
pub(crate) struct Profile {
    id: ProfileId,
    state: Mutex<State>,
    /// The place that is offered to another device.
    pub(crate) offer: tokio::sync::Mutex<Option<LinkOffer>>,
    /// Waits for a device to take the offer.
    pub(crate) offer_task: Mutex<Option<JoinHandle<()>>>,
}

struct State {
    stage: ProfileState,
    client: Option<Client>,
    me: Option<Me>,
    names: Arc<Names>,
    connection: ipc::Connection,
    troubles: Vec<ipc::Trouble>,
    outbox: u32,
    rooms: BTreeMap<RoomId, ipc::RoomItem>,
    presence: BTreeMap<AccountId, (bool, bool)>,
    /// Rooms that the window shows.
    open: BTreeSet<RoomId>,
    pump: Option<JoinHandle<()>>,
}

/// What came of something that may change the list of rooms.
pub(crate) struct Renamed {
    pub(crate) people: Vec<ipc::Person>,
    pub(crate) me: bool,
}

impl Profile {
    pub(crate) fn new(id: ProfileId) -> Self {
        let state = State {
            stage: ProfileState::Opening,
            client: None,
            me: None,
            names: Arc::default(),
            connection: ipc::Connection::Offline { retry_at: None, why: None },
            troubles: Vec::new(),
            outbox: 0,
            rooms: BTreeMap::new(),
            presence: BTreeMap::new(),
            open: BTreeSet::new(),
            pump: None,
        };
        Self {
            id,
            state: Mutex::new(state),
            offer: tokio::sync::Mutex::new(None),
            offer_task: Mutex::new(None),
        }
    }

    pub(crate) fn id(&self) -> &ProfileId {
        &self.id
    }

    /// The engine, if the profile is open.
    pub(crate) fn client(&self) -> Outcome<Client> {
        self.state().client.clone().ok_or_else(failure::closed)
    }

    pub(crate) fn account(&self) -> Option<AccountId> {
        self.state().me.as_ref().map(|me| me.person.account)
    }

    pub(crate) fn device(&self) -> Option<DeviceId> {
        self.state().me.as_ref().map(|me| me.device)
    }

    pub(crate) fn names(&self) -> Arc<Names> {
        Arc::clone(&self.state().names)
    }

    /// Converts with the eyes of this account.
    pub(crate) fn seen<T>(&self, convert: impl FnOnce(Eyes<'_>) -> T) -> T {
        let (names, me) = {
            let state = self.state();
            (Arc::clone(&state.names), state.me.as_ref().map_or(AccountId::ZERO, |me| me.person.account))
        };
        convert(Eyes { profile: &self.id, me, names: &names })
    }

    /// The engine is there.
    pub(crate) async fn opened(&self, client: Client) -> Outcome {
        let me = client.me().await?;
        let names = Names::new(&client.known_people().await?);
        {
            let mut state = self.state();
            state.connection = convert::connection(&client.connection());
            state.stage = ProfileState::Open;
            state.me = Some(me);
            state.names = Arc::new(names);
            state.client = Some(client.clone());
        }
        self.reload_rooms().await?;
        let progress = client.progress().await?;
        self.state().outbox = u32::try_from(progress.outbox).unwrap_or(u32::MAX);
        Ok(())
    }

    /// It could not be opened, or takes a passphrase.
    pub(crate) fn closed(&self, stage: ProfileState) {
        self.state().stage = stage;
    }

    /// The task that takes in what the engine tells.
    pub(crate) fn pumped_by(&self, pump: JoinHandle<()>) {
        self.state().pump = Some(pump);
    }

    /// Ends the engine, and waits until everything is written down.
    pub(crate) async fn shut_down(&self) {
        let (client, pump) = {
            let mut state = self.state();
            state.rooms.clear();
            state.open.clear();
            (state.client.take(), state.pump.take())
        };
        let task = self.offer_task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
        }
        drop(self.offer.lock().await.take());
        if let Some(pump) = pump {
            pump.abort();
            let _ = pump.await;
        }
        if let Some(client) = client {
            client.shutdown().await;
        }
    }

    /// Reads all rooms anew.
    pub(crate) async fn reload_rooms(&self) -> Outcome<Vec<ipc::RoomItem>> {
        let rooms = self.client()?.rooms().await?;
        let items: Vec<ipc::RoomItem> = self.seen(|eyes| rooms.iter().map(|room| eyes.room(room)).collect());
        self.state().rooms = items.iter().map(|item| (item.id.0, item.clone())).collect();
        Ok(items)
    }

    /// A room is new, or has changed.
    pub(crate) fn room_set(&self, room: &RoomSummary) -> ipc::RoomItem {
        let item = self.seen(|eyes| eyes.room(room));
        self.state().rooms.insert(room.id, item.clone());
        item
    }

    pub(crate) fn room_removed(&self, room: &RoomId) {
        self.state().rooms.remove(room);
    }

    pub(crate) fn rooms(&self) -> Vec<ipc::RoomItem> {
        self.state().rooms.values().cloned().collect()
    }

    pub(crate) fn room(&self, room: &RoomId) -> Option<ipc::RoomItem> {
        self.state().rooms.get(room).cloned()
    }

    /// Asks the engine for all names; who has another one than before.
    pub(crate) async fn refresh_names(&self) -> Outcome<Renamed> {
        let client = self.client()?;
        let fresh = Names::new(&client.known_people().await?);
        let me = client.me().await?;
        let mut state = self.state();
        let people = fresh.news(&state.names);
        let renamed = state.me.as_ref() != Some(&me);
        state.me = Some(me);
        state.names = Arc::new(fresh);
        Ok(Renamed { people, me: renamed })
    }

    /// A page, with the names that it takes.
    pub(crate) async fn page(
        &self,
        messages: Vec<Message>,
        at_start: bool,
        at_end: bool,
    ) -> Outcome<ipc::Page> {
        if self.seen(|eyes| eyes.strangers_in(&messages)) {
            self.refresh_names().await?;
        }
        Ok(self.seen(|eyes| ipc::Page {
            lines: messages.iter().map(|message| eyes.line(message)).collect(),
            people: eyes.people_in(&messages),
            at_start,
            at_end,
        }))
    }

    /// As the window sees it.
    pub(crate) fn view(&self) -> ipc::Profile {
        let state = self.state();
        ipc::Profile {
            id: self.id.clone(),
            state: state.stage.clone(),
            me: state.me.as_ref().map(convert::me),
            connection: state.connection.clone(),
            troubles: state.troubles.clone(),
            outbox: state.outbox,
        }
    }

    /// Returns whether it is another one than before.
    pub(crate) fn connection_is(&self, connection: ipc::Connection) -> bool {
        let mut state = self.state();
        let before = std::mem::replace(&mut state.connection, connection);
        before != state.connection
    }

    /// What the person is called.
    pub(crate) fn name(&self) -> Option<String> {
        let name = |me: &Me| crate::names::plain(&me.person.name, NAME_CHARS_MAX);
        self.state().me.as_ref().map(name).filter(|name| !name.is_empty())
    }

    pub(crate) fn outbox_is(&self, outbox: usize) -> u32 {
        let outbox = u32::try_from(outbox).unwrap_or(u32::MAX);
        self.state().outbox = outbox;
        outbox
    }

    /// Something that the person should know. The same again takes the place of the earlier one.
    pub(crate) fn troubled(&self, trouble: &Trouble) -> ipc::Trouble {
        let trouble = convert::trouble(trouble);
        let mut state = self.state();
        let same = |other: &ipc::Trouble| {
            (other.kind, other.room, &other.handle) == (trouble.kind, trouble.room, &trouble.handle)
        };
        state.troubles.retain(|other| !same(other));
        state.troubles.push(trouble.clone());
        if state.troubles.len() > TROUBLES_MAX {
            state.troubles.remove(0);
        }
        trouble
    }

    /// What was said of a handle is settled.
    pub(crate) fn handle_settled(&self, handle: &str) {
        self.state().troubles.retain(|trouble| trouble.handle.as_deref() != Some(handle));
    }

    pub(crate) fn present(&self, account: AccountId, online: bool, away: bool) -> ipc::Presence {
        let mut state = self.state();
        if online {
            state.presence.insert(account, (online, away));
        } else {
            state.presence.remove(&account);
        }
        ipc::Presence { profile: self.id.clone(), account: account.into(), online, away }
    }

    /// Nobody is known to be there any more: without a connection nobody says so. Returns those who were.
    pub(crate) fn all_gone(&self) -> Vec<ipc::Presence> {
        let gone = std::mem::take(&mut self.state().presence);
        let presence = |account: AccountId| ipc::Presence {
            profile: self.id.clone(),
            account: account.into(),
            online: false,
            away: false,
        };
        gone.into_keys().map(presence).collect()
    }

    pub(crate) fn presence(&self) -> Vec<ipc::Presence> {
        let presence = |(account, (online, away)): (&AccountId, &(bool, bool))| ipc::Presence {
            profile: self.id.clone(),
            account: (*account).into(),
            online: *online,
            away: *away,
        };
        self.state().presence.iter().map(presence).collect()
    }

    /// The window shows a room.
    pub(crate) fn open_room(&self, room: RoomId) {
        self.state().open.insert(room);
    }

    /// It does not any more.
    pub(crate) fn close_room(&self, room: &RoomId) {
        self.state().open.remove(room);
    }

    /// There is no window any more.
    pub(crate) fn close_rooms(&self) {
        self.state().open.clear();
    }

    pub(crate) fn shows(&self, room: &RoomId) -> bool {
        self.state().open.contains(room)
    }

    /// The newest place of a room that this device holds.
    pub(crate) fn newest(&self, room: &RoomId) -> Seq {
        self.state().rooms.get(room).map_or(Seq::ZERO, |item| item.newest.into())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stage that fits a failure to open.
pub(crate) fn stage_of(error: AppError) -> ProfileState {
    match error.code {
        ipc::ErrorCode::PassphraseNeeded | ipc::ErrorCode::WrongPassphrase => ProfileState::Locked,
        _ => ProfileState::Failed { error },
    }
}

const NAME_CHARS_MAX: usize = 64;
/// Troubles that are kept: more, nobody reads.
const TROUBLES_MAX: usize = 20;
