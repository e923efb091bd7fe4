//! Answers from the store, for an account that may see what it asks for.

use super::conn::Conn;
use super::registry::{head_of, heads_frame};
use super::writes::{invite_frame, pushes_frame};
use crate::store::{AccountRow, Membership, Range, Reader, StoreError};
use bytes::Bytes;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{self, Head, Person, ServerFrame, Value};
use kith_protocol::ids::{AccountId, RoomId, Seq};
use kith_protocol::limits;
use std::collections::BTreeSet;

/// Control entries and registers in one answer; the byte bound of the frame holds them too.
const ITEMS_MAX: u32 = 500;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Part of a timeline.
    Page(frame::Fetch),
    /// Control entries.
    Control(frame::FetchControl),
    /// A chain.
    Chain(frame::FetchChain),
    /// Registers.
    Registers(frame::FetchRegisters),
    /// All heads.
    Heads(frame::Request),
    /// People.
    Lookup(frame::Lookup),
    /// Open invites.
    Invites(frame::Request),
    /// Where the account is told while it is away.
    Pushes(frame::Request),
    /// The heads of rooms whose pushes were dropped.
    Lagging(Vec<RoomId>),
}

impl Read {
    fn req(&self) -> u32 {
        match self {
            Self::Page(it) => it.req,
            Self::Control(it) => it.req,
            Self::Chain(it) => it.req,
            Self::Registers(it) => it.req,
            Self::Heads(it) | Self::Invites(it) | Self::Pushes(it) => it.req,
            Self::Lookup(it) => it.req,
            Self::Lagging(_) => 0,
        }
    }
}

/// Answers a question, on the connection that asked it. Returns how many entries of a timeline that took.
pub fn answer(store: &dyn Reader, conn: &Conn, read: &Read, now: u64) -> u64 {
    let mut fetched = 0;
    match frames(store, &conn.identity.account, read, now, &mut fetched) {
        Ok(frames) => frames.into_iter().for_each(|frame| conn.outbound.answer(frame)),
        Err(Refused::Code(code)) => conn.refuse(read.req(), code),
        Err(Refused::Store(error)) => {
            tracing::error!(%error, "a question could not be answered");
            conn.refuse(read.req(), ErrorCode::StorageFailed);
        }
    }
    fetched
}

/// Where all rooms of an account stand; it may read none of them further than that.
pub fn heads(store: &dyn Reader, account: &AccountId) -> Result<Vec<Head>, StoreError> {
    store.rooms_of(account)?.iter().map(|membership| head(store, membership)).collect()
}

enum Refused {
    Code(ErrorCode),
    Store(StoreError),
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn frames(
    store: &dyn Reader,
    account: &AccountId,
    read: &Read,
    now: u64,
    fetched: &mut u64,
) -> Result<Vec<Bytes>, Refused> {
    let one = |frame: ServerFrame| Ok(vec![frame.encode()]);
    match read {
        Read::Page(fetch) => {
            let page = page(store, account, fetch)?;
            *fetched = page.entries.len() as u64;
            one(ServerFrame::Page(page))
        }
        Read::Control(fetch) => one(control(store, account, fetch)?),
        Read::Chain(fetch) => {
            let entries = store.chain(&fetch.account, fetch.from)?;
            let (entries, more) = cut(entries, Bytes::len);
            one(ServerFrame::Chain(frame::Chain { req: fetch.req, account: fetch.account, entries, more }))
        }
        Read::Registers(fetch) => one(registers(store, account, fetch)?),
        Read::Heads(_) => Ok(heads_frames(&heads(store, account)?)),
        Read::Lagging(rooms) => {
            let mut found = Vec::new();
            for room in rooms {
                if let Some(membership) = store.membership(account, room)? {
                    found.push(head(store, &membership)?);
                }
            }
            Ok(vec![heads_frame(&found, false)])
        }
        Read::Pushes(request) => one(pushes_frame(store, request.req, account)?),
        Read::Lookup(lookup) => one(people(store, lookup)?),
        Read::Invites(request) => {
            let open = store.invites(now)?;
            let mine = open.iter().filter(|invite| invite.by == Some(*account));
            let invites = mine.map(invite_frame).collect();
            one(ServerFrame::Invites(frame::Invites { req: request.req, invites }))
        }
    }
}

/// Heads in frames of a bounded size, the last of which says so.
pub fn heads_frames(heads: &[Head]) -> Vec<Bytes> {
    let mut chunks = heads.chunks(limits::HEADS_PER_FRAME).peekable();
    let mut frames = Vec::new();
    while let Some(chunk) = chunks.next() {
        frames.push(heads_frame(chunk, chunks.peek().is_none()));
    }
    if frames.is_empty() {
        frames.push(heads_frame(&[], true));
    }
    frames
}

fn head(store: &dyn Reader, membership: &Membership) -> Result<Head, StoreError> {
    let mut head = head_of(&membership.room, store.head(&membership.room)?);
    if let Some(left) = membership.left {
        head.seq = left.seq;
        head.hash = left.hash;
        head.control_len = left.control_len;
        head.rev = kith_protocol::ids::Rev::ZERO;
        head.redacted = head.redacted.min(left.seq);
    }
    Ok(head)
}

fn membership(store: &dyn Reader, account: &AccountId, room: &RoomId) -> Result<Membership, Refused> {
    Ok(store.membership(account, room)?.ok_or(ErrorCode::NotFound)?)
}

fn page(store: &dyn Reader, account: &AccountId, fetch: &frame::Fetch) -> Result<frame::Page, Refused> {
    let until = membership(store, account, &fetch.room)?.left.map_or(Seq(u64::MAX), |left| left.seq.next());
    let range = Range {
        after: fetch.after,
        before: fetch.before.min(until),
        newest: fetch.newest,
        limit: fetch.limit.min(limits::PAGE_ENTRIES_MAX),
        bytes: limits::PAGE_BYTES,
    };
    let stretch = store.page(&fetch.room, range)?;
    Ok(frame::Page {
        req: fetch.req,
        room: fetch.room,
        first: stretch.first,
        entries: stretch.entries,
        more: stretch.more,
    })
}

fn control(
    store: &dyn Reader,
    account: &AccountId,
    fetch: &frame::FetchControl,
) -> Result<ServerFrame, Refused> {
    let until = membership(store, account, &fetch.room)?.left.map_or(Seq(u64::MAX), |left| left.seq);
    let mut found = store.control(&fetch.room, fetch.from, ITEMS_MAX)?;
    let full = found.len() >= ITEMS_MAX as usize;
    let all = found.len();
    found.retain(|(seq, _)| *seq <= until);
    let beyond = found.len() < all;
    let entries: Vec<_> = found.into_iter().map(|(seq, entry)| frame::Placed { seq, entry }).collect();
    let (entries, cut) = cut(entries, |placed| placed.entry.len());
    let more = cut || (full && !beyond);
    Ok(ServerFrame::Control(frame::Control { req: fetch.req, room: fetch.room, entries, more }))
}

fn registers(
    store: &dyn Reader,
    account: &AccountId,
    fetch: &frame::FetchRegisters,
) -> Result<ServerFrame, Refused> {
    if membership(store, account, &fetch.room)?.left.is_some() {
        return Err(ErrorCode::Denied.into());
    }
    let found = store.registers(&fetch.room, fetch.after, ITEMS_MAX)?;
    let full = found.len() >= ITEMS_MAX as usize;
    let values: Vec<_> = found.into_iter().map(|(rev, register)| Value { rev, register }).collect();
    let (values, cut) = cut(values, |value| value.register.len());
    let more = cut || full;
    Ok(ServerFrame::Registers(frame::Registers { req: fetch.req, room: fetch.room, values, more }))
}

fn people(store: &dyn Reader, lookup: &frame::Lookup) -> Result<ServerFrame, Refused> {
    if lookup.handles.len() + lookup.accounts.len() > limits::LOOKUP_MAX {
        return Err(ErrorCode::TooLarge.into());
    }
    let mut rows: Vec<AccountRow> = Vec::new();
    for handle in &lookup.handles {
        rows.extend(store.account_by_handle(handle)?);
    }
    for account in &lookup.accounts {
        rows.extend(store.account(account)?);
    }
    if let Some(prefix) = lookup.prefix.as_deref().filter(|prefix| is_searchable(prefix)) {
        rows.extend(store.search(prefix, 50)?);
    }
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(row.id));
    let person = |row: AccountRow| Person {
        account: row.id,
        handle: row.handle,
        name: row.name,
        chain_len: row.chain_len,
        integration: row.integration,
    };
    let accounts = rows.into_iter().map(person).collect();
    Ok(ServerFrame::Accounts(frame::Accounts { req: lookup.req, accounts }))
}

/// Whether a name could begin so.
fn is_searchable(prefix: &str) -> bool {
    let fits = !prefix.is_empty() && prefix.len() <= limits::DISPLAY_NAME_BYTES_MAX;
    fits && !prefix.chars().any(char::is_control)
}

/// Keeps what fits into a page, at least one; says whether something is left.
fn cut<T>(mut items: Vec<T>, len: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let mut bytes = 0;
    let fit = items
        .iter()
        .take_while(|item| {
            let fits = bytes < limits::PAGE_BYTES;
            bytes += len(item);
            fits
        })
        .count();
    let more = fit < items.len();
    items.truncate(fit);
    (items, more)
}
