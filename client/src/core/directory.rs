//! Who people are: handles and names, as the relay tells them. A handle that means another account than before is not
//! believed until the person says so.

use super::engine::Engine;
use super::error::{Fault, RequestError};
use super::model::{Millis, Person};
use super::requests::{Purpose, Reply, Ticket};
use super::rows::{PersonRow, decode, encode, kind_byte};
use super::update::{Trouble, Update};
use crate::store::{Changes, Direction, ReadError, Span, Store, Tree, keys};
use kith_protocol::frame::{Accounts, ClientFrame, Lookup, Person as Said, PresenceOf, Presences, Typing};
use kith_protocol::ids::{AccountId, RoomId};
use kith_protocol::limits::LOOKUP_MAX;
use kith_protocol::room::RoomKind;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of people.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    people: BTreeMap<AccountId, PersonRow>,
    handles: BTreeMap<String, AccountId>,
    /// Asked for on this connection.
    asked: BTreeSet<AccountId>,
}

impl Directory {
    pub(crate) fn load(store: &dyn Store) -> Result<Self, ReadError> {
        let mut directory = Self::default();
        for (key, value) in store.range(Tree::Directory, &Span::all(), Direction::Forward, usize::MAX)? {
            // One account id in 256 begins with the byte of an '@', and goes on like no handle.
            let handle = key.strip_prefix(b"@").filter(|rest| rest.iter().all(u8::is_ascii_graphic));
            if let Some(handle) = handle {
                let handle = String::from_utf8_lossy(handle).into_owned();
                if let Ok(account) = AccountId::try_from(value.as_slice()) {
                    directory.handles.insert(handle, account);
                }
            } else if let Ok(account) = AccountId::try_from(key.as_slice()) {
                directory.people.insert(account, decode(&value)?);
            }
        }
        Ok(directory)
    }

    pub(crate) fn person(&self, account: &AccountId) -> Person {
        let row = self.people.get(account).cloned().unwrap_or_default();
        Person { account: *account, handle: row.handle, name: row.name, integration: row.integration }
    }

    /// Notes what the relay says of a person; whether that is news.
    fn note(&mut self, said: &Said, changes: &mut Changes) -> bool {
        let row = PersonRow {
            handle: said.handle.clone(),
            name: said.name.clone(),
            chain_len: said.chain_len,
            integration: said.integration,
        };
        if !self.handles.contains_key(&row.handle) && !row.handle.is_empty() {
            self.handles.insert(row.handle.clone(), said.account);
            changes.put(Tree::Directory, keys::handle(&row.handle), said.account.0.to_vec());
        }
        let news = self
            .people
            .get(&said.account)
            .is_none_or(|known| PersonRow { chain_len: row.chain_len, ..known.clone() } != row);
        if news {
            changes.put(Tree::Directory, keys::account(&said.account.0), encode(&row));
            self.people.insert(said.account, row);
        }
        news
    }

    /// Whether this device has heard a name of somebody.
    pub(crate) fn knows(&self, account: &AccountId) -> bool {
        self.people.contains_key(account)
    }
}

impl Engine {
    /// Everybody that this device knows a name of.
    pub fn known_people(&self) -> BTreeMap<AccountId, Person> {
        let mut people: BTreeMap<AccountId, Person> =
            self.directory.people.keys().map(|account| (*account, self.directory.person(account))).collect();
        people.insert(self.me.account(), self.person(&self.me.account()));
        people
    }

    /// Whom a handle means, as far as this device knows.
    pub fn known_handle(&self, handle: &str) -> Option<Person> {
        let handle = plain_handle(handle);
        if handle == self.profile.handle {
            return Some(self.person(&self.me.account()));
        }
        self.directory.handles.get(&handle).map(|account| self.directory.person(account))
    }

    /// Asks the relay whom a handle means. The reply is [`Reply::People`] with one of them.
    pub fn lookup(&mut self, handle: &str) -> Result<Ticket, RequestError> {
        let handle = plain_handle(handle);
        let lookup = Lookup { handles: vec![handle.clone()], ..Lookup::default() };
        self.ask_people(lookup, Some(handle))
    }

    /// Asks the relay for people whose handle or name begins with this. The reply is [`Reply::People`].
    pub fn people(&mut self, prefix: &str) -> Result<Ticket, RequestError> {
        let lookup = Lookup { prefix: Some(plain_handle(prefix)), ..Lookup::default() };
        self.ask_people(lookup, None)
    }

    fn ask_people(&mut self, lookup: Lookup, handle: Option<String>) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let ticket = self.requests.ticket();
        let req = self.requests.open(Purpose::Lookup { ticket, handle });
        self.transmit(ClientFrame::Lookup(Lookup { req, ..lookup }));
        Ok(ticket)
    }

    /// The person says that a handle may mean another account from now on.
    pub fn accept_handle(&mut self, now: Millis, handle: &str) {
        let handle = plain_handle(handle);
        self.act(now, |engine| {
            if engine.directory.handles.remove(&handle).is_some() {
                engine.changes.remove(Tree::Directory, keys::handle(&handle));
            }
            Ok(())
        });
    }

    /// The direct chat with somebody: made on the relay with the first message.
    pub fn open_direct(&mut self, now: Millis, partner: AccountId) -> Result<RoomId, RequestError> {
        if partner == self.me.account() {
            return Err(RequestError::Yourself);
        }
        let id = RoomId::direct(&self.me.account(), &partner);
        self.act(now, |engine| {
            let at = engine.at(now);
            let room = engine.rooms.entry(id).or_default();
            if room.row.partner.is_none() {
                room.row.kind = kind_byte(RoomKind::Direct);
                room.row.partner = Some(partner);
                room.row.members = 2;
                room.row.role = 1;
                room.row.writable = true;
                room.row.active_at = at;
                room.mark();
                engine.ask_unknown([partner]);
            }
            Ok(())
        });
        Ok(id)
    }

    /// Asks anew for all names that are known: nobody tells of a change.
    pub(crate) fn ask_names(&mut self) {
        self.directory.asked.clear();
        let known: Vec<AccountId> = self.directory.people.keys().copied().collect();
        let partners: Vec<AccountId> = self.rooms.values().filter_map(|room| room.row.partner).collect();
        let inviter = self.me.inviter();
        self.ask_unknown(known.into_iter().chain(partners).chain(inviter));
    }

    /// Asks for names, once on each connection.
    pub(crate) fn ask_unknown(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        if !self.is_live() {
            return;
        }
        let me = self.me.account();
        let unknown: Vec<AccountId> =
            accounts.into_iter().filter(|id| *id != me && self.directory.asked.insert(*id)).collect();
        for accounts in unknown.chunks(LOOKUP_MAX) {
            let req = self.requests.open(Purpose::Names);
            self.transmit(ClientFrame::Lookup(Lookup {
                req,
                accounts: accounts.to_vec(),
                ..Lookup::default()
            }));
        }
    }

    /// A room has other members now.
    pub(crate) fn members_changed(&mut self, id: &RoomId) -> Result<(), Fault> {
        let fold = self.rooms.get(id).and_then(|room| room.fold.as_ref());
        let members: Vec<AccountId> =
            fold.map(|fold| fold.room.members().map(|(account, _)| *account).collect()).unwrap_or_default();
        let unknown: Vec<AccountId> =
            members.into_iter().filter(|account| !self.directory.knows(account)).collect();
        self.ask_unknown(unknown);
        self.apply_own_to(id)
    }

    pub(crate) fn on_accounts(&mut self, accounts: Accounts) {
        let Some(purpose) = self.requests.take(accounts.req) else { return };
        if let Purpose::Lookup { ticket, handle: Some(handle) } = purpose {
            let answer = self.looked_up(&handle, accounts.accounts);
            self.reply(ticket, answer);
            return;
        }
        let mut news = BTreeSet::new();
        for said in &accounts.accounts {
            if self.directory.note(said, &mut self.changes) {
                news.insert(said.account);
            }
        }
        for room in self.rooms.values_mut() {
            if room.row.partner.is_some_and(|partner| news.contains(&partner)) {
                room.told = false;
            }
        }
        if let Purpose::Lookup { ticket, handle: None } = purpose {
            let people = accounts.accounts.iter().map(|said| self.directory.person(&said.account)).collect();
            self.reply(ticket, Ok(Reply::People(people)));
        }
    }

    fn looked_up(&mut self, handle: &str, found: Vec<Said>) -> Result<Reply, RequestError> {
        let Some(said) = found.into_iter().find(|said| said.handle == handle) else {
            return Err(RequestError::NoSuchHandle(handle.to_owned()));
        };
        let now = said.account;
        if let Some(before) = self.directory.handles.get(handle).copied().filter(|before| *before != now) {
            let handle = handle.to_owned();
            self.tell(Update::Trouble(Trouble::HandleMoved { handle: handle.clone(), before, now }));
            return Err(RequestError::HandleMoved { handle, before, now });
        }
        self.directory.note(&said, &mut self.changes);
        Ok(Reply::People(vec![self.person(&now)]))
    }

    pub(crate) fn on_typing(&mut self, typing: &Typing) {
        if typing.account != self.me.account() {
            let person = self.person(&typing.account);
            self.tell(Update::Typing { room: typing.room, person });
        }
    }

    pub(crate) fn on_presences(&mut self, presences: &Presences) {
        for PresenceOf { account, online, away } in presences.people.iter().cloned() {
            self.tell(Update::Presence { account, online, away });
        }
    }
}

/// A handle as the relay keeps it: without `@`, in lower case.
fn plain_handle(handle: &str) -> String {
    let handle = handle.trim();
    handle.strip_prefix('@').unwrap_or(handle).to_lowercase()
}
