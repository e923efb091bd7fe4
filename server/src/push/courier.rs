//! Brings what waits to those who are away: asks [`Rounds`] what is due, has the writer mark it, and sends it.

use super::outside::{Answer, Outside, SendError};
use super::rounds::{ACTS_MAX, Act, Rounds, pause, present_until};
use super::{Context, Push, new_key};
use crate::clock::Instant;
use crate::relay::conn::Conn;
use crate::relay::hub::Hub;
use crate::relay::writer::Written;
use crate::relay::writes::{PushEnd, PushWrite, TARGETS_MAX, Write};
use crate::store::pushes::{PushOut, PushPerson, PushTarget, TargetId};
use hyper::StatusCode;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{PushOf, PushSaid, ServerFrame};
use kith_protocol::ids::AccountId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// While so many requests are under way, no more are begun: each holds a socket for some half a minute at most. Many enough that
/// a few people whose hosts do not answer hold up nobody else.
const IN_FLIGHT_MAX: usize = 256;
/// The most that are under way, so many sockets: acts come up together, and each has a request for each place of a person.
pub(crate) const SOCKETS_MAX: usize = IN_FLIGHT_MAX + ACTS_MAX * TARGETS_MAX;
/// Tests that wait for the courier.
const TESTS_MAX: usize = 64;
/// While the store fails.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// What the courier is told by everybody else.
#[derive(Debug, Default)]
pub struct Letterbox {
    inside: Mutex<Letters>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Letters {
    /// Something came for these, and how long they want to be away.
    awaited: BTreeMap<AccountId, u32>,
    tests: Vec<(Arc<Conn>, PushOf)>,
}

impl Letterbox {
    /// Messages were stored for these.
    pub fn awaited(&self, awaited: BTreeMap<AccountId, u32>) {
        if !awaited.is_empty() {
            self.lock().awaited.extend(awaited);
            self.came.notify_one();
        }
    }

    /// A person wants to see whether a push arrives. Answered on the connection.
    pub fn test(&self, conn: &Arc<Conn>, of: PushOf) {
        let mut letters = self.lock();
        if letters.tests.len() >= TESTS_MAX {
            drop(letters);
            return conn.refuse(of.req, ErrorCode::RateLimited);
        }
        letters.tests.push((Arc::clone(conn), of));
        self.came.notify_one();
    }

    fn take(&self) -> Letters {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it is told to stop. `address`: the relay's, by which push services can reach its operator.
pub async fn run(hub: Arc<Hub>, address: String, stop: CancellationToken) {
    let Ok(outside) = tokio::task::spawn_blocking(Outside::new).await else { return };
    let work = async {
        let Some(vapid_key) = vapid_key(&hub).await else { return };
        let sender =
            Sender { hub: Arc::clone(&hub), outside, vapid_key: vapid_key.into(), address: address.into() };
        Courier::new(sender).run().await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// The relay's, made when it is first started. `None` when the relay is at its end.
async fn vapid_key(hub: &Hub) -> Option<Vec<u8>> {
    loop {
        match hub.run(|store| store.vapid_key()).await? {
            Ok(Some(key)) => return Some(key),
            Ok(None) => {
                if let Ok((key, _)) = new_key()
                    && hub.ask(Write::Push(PushWrite::VapidKey(key))).await.is_ok()
                {
                    continue;
                }
            }
            Err(error) => warn!(%error, "the store could not be read"),
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
}

struct Courier {
    sender: Sender,
    rounds: Rounds,
    /// Tries, and tests, of which nothing becomes.
    under_way: JoinSet<Option<Try>>,
}

/// What it takes to send something.
#[derive(Clone)]
struct Sender {
    hub: Arc<Hub>,
    outside: Outside,
    vapid_key: Arc<[u8]>,
    address: Arc<str>,
}

/// A try that has ended.
struct Try {
    target: PushTarget,
    out: PushOut,
    end: PushEnd,
    /// The pause before the next one.
    again: Option<Duration>,
}

impl Courier {
    fn new(sender: Sender) -> Self {
        let silence = sender.hub.live.load().limits.ping_interval().mul_f64(PINGS_MISSED);
        let rounds = Rounds::new(sender.hub.clock.now(), silence);
        Self { sender, rounds, under_way: JoinSet::new() }
    }

    async fn run(mut self) {
        self.take_up().await;
        loop {
            let hub = Arc::clone(&self.sender.hub);
            let next = self.rounds.next().filter(|_| self.under_way.len() < IN_FLIGHT_MAX);
            tokio::select! {
                // What has ended makes room for what comes.
                Some(ended) = self.under_way.join_next() => match ended {
                    Ok(Some(ended)) => self.end(ended).await,
                    Ok(None) => {}
                    Err(error) => error!(%error, "a push was given up"),
                },
                () = hub.push_letters.came.notified() => self.open(hub.push_letters.take()).await,
                () = until(next) => self.go().await,
            }
        }
    }

    /// What a relay has left that ended in between.
    async fn take_up(&mut self) {
        let Some(found) = self.sender.hub.run(|store| store.pushes()).await else { return };
        let now = self.sender.hub.clock.now();
        match found {
            Ok(found) => found.iter().for_each(|(person, targets)| self.rounds.take_up(now, person, targets)),
            Err(error) => warn!(%error, "what waits for people who are away is told with the next message"),
        }
    }

    async fn open(&mut self, letters: Letters) {
        let now = self.sender.hub.clock.now();
        for (account, after_s) in letters.awaited {
            self.rounds.noted(now, account, Duration::from_secs(after_s.into()));
        }
        for (conn, of) in letters.tests {
            match self.testable(conn.identity.account, &of).await {
                Ok(target) => self.test(conn, of.req, target),
                Err(code) => conn.refuse(of.req, code),
            }
        }
        self.go().await;
    }

    async fn testable(&self, account: AccountId, of: &PushOf) -> Result<PushTarget, ErrorCode> {
        if self.under_way.len() >= IN_FLIGHT_MAX {
            return Err(ErrorCode::RateLimited);
        }
        let found = self.sender.hub.run(move |store| store.push_targets(&account)).await;
        let targets = found.ok_or(ErrorCode::ShuttingDown)?.map_err(|error| {
            warn!(%error, "a place for pushes could not be read");
            ErrorCode::StorageFailed
        })?;
        targets.into_iter().find(|target| target.id[..] == of.target[..]).ok_or(ErrorCode::NotFound)
    }

    fn test(&mut self, conn: Arc<Conn>, req: u32, target: PushTarget) {
        let sender = self.sender.clone();
        self.under_way.spawn(async move {
            let failure = sender.test(&target).await.err();
            conn.outbound.answer(ServerFrame::PushSaid(PushSaid { req, failure }).encode());
            None
        });
    }

    /// Does what is due, if there is room for it.
    async fn go(&mut self) {
        if self.under_way.len() >= IN_FLIGHT_MAX {
            return;
        }
        let hub = Arc::clone(&self.sender.hub);
        let acts = self.rounds.due(hub.clock.now(), |account| hub.registry.seen(account));
        for act in acts {
            match act {
                Act::Drop(account) => self.write(PushWrite::Drop(account)).await,
                Act::Collect(account, paused) => {
                    let mut id = [0; 16];
                    if getrandom::fill(&mut id).is_err() {
                        // It comes up again.
                        continue;
                    }
                    let asked = hub.ask(Write::Push(PushWrite::Collect { account, paused, id })).await;
                    match asked {
                        Ok(Written::Pushing(Some((person, targets)))) => {
                            self.rounds.collected(hub.clock.now(), &account, &targets);
                            self.send_all(person, targets).await;
                        }
                        Ok(_) => self.rounds.came_back(&account),
                        // It comes up again.
                        Err(_) => {}
                    }
                }
                Act::Retry(account, target) => {
                    let asked = hub.ask(Write::Push(PushWrite::Begin(account, target))).await;
                    match asked {
                        Ok(Written::Pushing(Some((person, targets)))) => {
                            self.rounds.begun(&account, &targets);
                            self.send_all(person, targets).await;
                        }
                        Ok(_) => self.rounds.gone(&account, &target),
                        // It comes up again.
                        Err(_) => {}
                    }
                }
            }
        }
    }

    async fn send_all(&mut self, person: PushPerson, targets: Vec<PushTarget>) {
        let hub = &self.sender.hub;
        let (now, silence) = (hub.clock.now(), self.rounds.silence());
        // Somebody may have come back while this was marked.
        if present_until(hub.registry.seen(&person.account), now, silence).is_some() {
            self.rounds.came_back(&person.account);
            return self.write(PushWrite::Drop(person.account)).await;
        }
        for target in targets {
            let Some(out) = target.out else { continue };
            let (sender, show_sender) = (self.sender.clone(), person.wishes.show_sender);
            self.under_way.spawn(async move { Some(sender.deliver(target, out, show_sender).await) });
        }
    }

    async fn end(&mut self, ended: Try) {
        let Try { target, out, end, again } = ended;
        let (kind, _) = target.place.shown();
        self.sender.hub.metrics.push_sent(kind, end == PushEnd::Taken);
        if let PushEnd::Failed { why, .. } = &end {
            debug!(kind, tries = out.tries, again = again.is_some(), why, "a push did not arrive");
        }
        if end == PushEnd::Gone {
            info!(kind, "a place for pushes is gone, and forgotten");
        }
        self.write(PushWrite::End { account: target.account, target: target.id, id: out.id, end }).await;
        self.rounds.ended(self.sender.hub.clock.now(), &target.account, (target.id, out.id), again);
    }

    async fn write(&self, write: PushWrite) {
        if let Err(code) = self.sender.hub.ask(Write::Push(write)).await {
            debug!(?code, "what became of a push could not be noted");
        }
    }
}

impl Sender {
    async fn test(&self, target: &PushTarget) -> Result<(), String> {
        let mut id: TargetId = [0; 16];
        getrandom::fill(&mut id).map_err(|error| error.to_string())?;
        let push = Push { id, text: "This is a test".to_owned(), count: 0, sender: None };
        match self.post(target, &push).await {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(refused(answer.status)),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn deliver(&self, target: PushTarget, out: PushOut, show_sender: bool) -> Try {
        let sender = if show_sender { self.name_of(out.news.sender).await } else { None };
        let push =
            Push { id: out.id, text: text(out.news.count, sender.as_deref()), count: out.news.count, sender };
        let (end, again) = judge(&target, out.tries, self.post(&target, &push).await);
        Try { target, out, end, again }
    }

    async fn post(&self, target: &PushTarget, push: &Push) -> Result<Answer, SendError> {
        let now_s = self.hub.clock.unix_ms() / 1000;
        let context = Context { now_s, vapid_key: &self.vapid_key, subject: &self.address };
        let request = target.place.adapter().request(push, &context).map_err(SendError::Unmade)?;
        let allowed = self.hub.live.load().push.allow_networks.clone();
        self.outside.post(request, &allowed).await
    }

    /// Where the store does not say it, a push tells less.
    async fn name_of(&self, account: AccountId) -> Option<String> {
        let found = self.hub.run(move |store| store.account(&account)).await?;
        found.ok().flatten().map(|row| row.name)
    }
}

/// What an answer means, and the pause before the next try.
pub(crate) fn judge(
    target: &PushTarget,
    tries: u32,
    outcome: Result<Answer, SendError>,
) -> (PushEnd, Option<Duration>) {
    let adapter = target.place.adapter();
    let (why, unsure, wanted) = match outcome {
        Ok(answer) if answer.status.is_success() => return (PushEnd::Taken, None),
        Ok(answer) if adapter.is_gone(answer.status) => return (PushEnd::Gone, None),
        Ok(answer) => match answer.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                (refused(answer.status), false, answer.retry_after)
            }
            // Something in between failed: nobody knows how far it came.
            status if status.is_server_error() => (refused(status), true, answer.retry_after),
            status => return (PushEnd::Failed { why: refused(status), again: false, unsure: false }, None),
        },
        Err(error @ SendError::NoAnswer) => (error.to_string(), true, None),
        Err(error @ SendError::Unreached(_)) => (error.to_string(), false, None),
        // What the operator does not allow, or is no request at all, will not be otherwise in a minute.
        Err(error) => {
            return (PushEnd::Failed { why: error.to_string(), again: false, unsure: false }, None);
        }
    };
    let again = pause(tries, wanted).filter(|_| !unsure || adapter.may_repeat());
    (PushEnd::Failed { why, again: again.is_some(), unsure }, again)
}

fn refused(status: StatusCode) -> String {
    format!("the host refused it with status {}", status.as_u16())
}

fn text(count: u32, sender: Option<&str>) -> String {
    match (count, sender) {
        (1, None) => "New message".to_owned(),
        (count, None) => format!("{count} new messages"),
        (1, Some(name)) => format!("New message from {name}"),
        (count, Some(name)) => format!("{count} new messages, the last from {name}"),
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A healthy device is heard of after each ping, which comes after at most 1.2 intervals.
const PINGS_MISSED: f64 = 1.5;
