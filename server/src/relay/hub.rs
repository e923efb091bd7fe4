//! The running relay: one writer thread, a few reader threads, and what all connections share.

use super::actor;
use super::conn::Conn;
use super::publish::publish;
use super::reads::{self, Read};
use super::registry::Registry;
use super::slots::Slots;
use super::writer::{Asker, Committed, Job, WriteLimits, Writer, Written};
use super::writes::{PushWrite, Write};
use crate::clock::{Clock, Instant};
use crate::config::{Config, Live};
use crate::listen::Peer;
use crate::metrics::Metrics;
use crate::push::courier::Letterbox;
use crate::rate::Buckets;
use crate::refusals::{self, Whom};
use crate::store::{Engine, Reader, StoreError};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{Administer, Restarting, ServerFrame};
use kith_protocol::ids::{AccountId, Incarnation};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Writes that wait for the next group: what a hundred busy devices have in flight.
const JOBS_MAX: usize = 4096;
/// Writes in one group: bounds how long the first of them waits for the last.
const GROUP_MAX: usize = 1024;
/// Threads that read beside the writer; more would only wait for the same disk.
const READERS: usize = 2;
/// Requests of admins that wait for the operator: a person clicks one at a time.
const ASKED_MAX: usize = 64;
/// However often somebody asks, a store that failed is not tried more often.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Questions that wait for a reader.
const READS_MAX: usize = 1024;

/// What all connections of a relay share.
pub struct Hub {
    /// The identity of the logs.
    pub incarnation: Incarnation,
    /// Who is connected.
    pub registry: Registry,
    /// Where devices meet to be linked.
    pub slots: Slots,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where time comes from.
    pub clock: Clock,
    /// The configuration.
    pub live: Live,
    /// What the courier is told.
    pub push_letters: Letterbox,
    /// Writes of each account over all its connections.
    pub account_rates: Mutex<Buckets<AccountId>>,
    /// Where the operator takes what admins ask, once it is there.
    asked: OnceLock<mpsc::Sender<Asked>>,
    jobs: mpsc::Sender<Job>,
    readers: Vec<mpsc::Sender<Question>>,
    unwell: AtomicBool,
    /// When it was last tried whether the store can be written again.
    probed: Mutex<Option<Instant>>,
}

/// What an admin asks over a connection.
pub struct Asked {
    /// Where the answer goes.
    pub conn: Arc<Conn>,
    /// The request.
    pub ask: Administer,
}

/// A hub and its threads.
pub type Started = (Arc<Hub>, Threads);

/// The threads of a hub; they end once the hub is dropped.
pub struct Threads(Vec<thread::JoinHandle<()>>);

/// For room in a queue that is full.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

enum Question {
    Answer(Arc<Conn>, Read),
    Run(Work),
}

type Work = Box<dyn FnOnce(&dyn Reader) + Send>;

impl Hub {
    /// Starts the threads over an engine.
    pub fn start(
        engine: Box<dyn Engine>,
        live: Live,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Result<Started, StoreError> {
        let incarnation = engine.incarnation();
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let (mut readers, mut sources) = (Vec::new(), Vec::new());
        for _ in 0..READERS {
            let (sender, questions) = mpsc::channel(READS_MAX);
            readers.push(sender);
            sources.push((engine.reader()?, questions));
        }
        let limits = write_limits(&live.load());
        let link_slots = live.load().limits.link_slots as usize;
        let accounts_max = live.load().limits.max_accounts as usize;
        let hub = Arc::new(Self {
            incarnation,
            registry: Registry::default(),
            slots: Slots::new(link_slots),
            metrics,
            clock,
            live,
            push_letters: Letterbox::default(),
            account_rates: Mutex::new(Buckets::new(accounts_max)),
            asked: OnceLock::new(),
            jobs,
            readers,
            unwell: AtomicBool::new(false),
            probed: Mutex::default(),
        });
        let mut threads = Vec::new();
        // Threads hold the hub weakly: it ends when the last connection has let go of it.
        let weak = Arc::downgrade(&hub);
        let writer = Writer::new(engine, limits);
        threads.push(spawn("writer", move || write(writer, queue, &weak)));
        for (reader, questions) in sources {
            let (clock, metrics) = (hub.clock, Arc::clone(&hub.metrics));
            threads.push(spawn("reader", move || read(reader.as_ref(), questions, clock, &metrics)));
        }
        Ok((hub, Threads(threads)))
    }

    /// Hands a write of a connection's to the writer. Nothing else may come from the connection before the wait is over.
    pub fn write(&self, conn: &Arc<Conn>, write: Write) -> Option<Wait> {
        if matches!(write, Write::Entry(..)) {
            conn.sent();
        }
        queue(&self.jobs, Job { from: Asker::Conn(Arc::clone(conn)), write, now: self.clock.unix_ms() })
    }

    /// A device of this account came, and sees what waited.
    pub fn came(&self, account: AccountId) {
        let from = Asker::Waiting { by: None, reply: Box::new(drop) };
        let write = Write::Push(PushWrite::Drop(account));
        // With a full queue something may be told of that is no news any more.
        let _ = self.jobs.try_send(Job { from, write, now: self.clock.unix_ms() });
    }

    /// Writes for the operator, and waits for what comes of it.
    pub async fn ask(&self, write: Write) -> Result<Written, ErrorCode> {
        self.ask_for(None, write).await
    }

    /// Writes for an admin, or for the operator.
    pub async fn ask_for(&self, by: Option<AccountId>, write: Write) -> Result<Written, ErrorCode> {
        let (reply, answer) = oneshot::channel();
        let reply = Box::new(move |result| {
            // Whoever asked may have gone; the write stands all the same.
            let _ = reply.send(result);
        });
        let from = Asker::Waiting { by, reply };
        let job = Job { from, write, now: self.clock.unix_ms() };
        self.jobs.send(job).await.map_err(|_| ErrorCode::ShuttingDown)?;
        answer.await.map_err(|_| ErrorCode::ShuttingDown)?
    }

    /// What admins ask, for the operator to answer. To be taken once.
    pub fn asked(&self) -> mpsc::Receiver<Asked> {
        let (sender, asked) = mpsc::channel(ASKED_MAX);
        let first = self.asked.set(sender).is_ok();
        debug_assert!(first, "one operator answers");
        asked
    }

    /// Hands what an admin asks to the operator; counted like a question until it is answered.
    pub fn administer(&self, conn: &Arc<Conn>, ask: Administer) {
        let Some(operator) = self.asked.get() else { return conn.refuse(ask.req, ErrorCode::Unsupported) };
        conn.asked();
        let asked = Asked { conn: Arc::clone(conn), ask };
        if let Err(error) = operator.try_send(asked) {
            let code = match error {
                TrySendError::Full(_) => ErrorCode::RateLimited,
                TrySendError::Closed(_) => ErrorCode::ShuttingDown,
            };
            conn.told();
            let asked = error.into_inner();
            conn.refuse(asked.ask.req, code);
        }
    }

    /// Hands a question of a connection's to a reader; answers come in the order of the questions. As with a write.
    pub fn read(&self, conn: &Arc<Conn>, read: Read) -> Option<Wait> {
        conn.asked();
        let reader = &self.readers[conn.id as usize % self.readers.len()];
        queue(reader, Question::Answer(Arc::clone(conn), read))
    }

    /// Runs something beside a reader, and waits for it; `None` when the relay is at its end.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Reader) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |reader: &dyn Reader| {
            let _ = reply.send(work(reader));
        });
        let reader = self.readers.iter().max_by_key(|reader| reader.capacity())?;
        reader.send(Question::Run(work)).await.ok()?;
        answer.await.ok()
    }

    /// Runs one connection to its end.
    pub fn serve<S>(
        self: Arc<Self>,
        socket: tokio_tungstenite::WebSocketStream<S>,
        peer: Peer,
    ) -> impl Future<Output = ()> + Send
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    {
        // Before the future is made: each async function would hold a second copy of it.
        let socket = Box::new(socket);
        async move {
            actor::run(self, socket, &peer).await;
        }
    }

    /// Tells all devices when to come back, and ends their connections once that is written.
    pub fn shut_down(&self, reconnect_in: Duration) {
        let reconnect_in_ms = u64::try_from(reconnect_in.as_millis()).unwrap_or(u64::MAX);
        let frame = ServerFrame::Restarting(Restarting { reconnect_in_ms }).encode();
        self.registry.tell_all(&frame, Some(CloseCode::Restarting));
    }

    /// Pays for one message of an integration's, if that can be paid for.
    pub fn hook_may_write(&self, hook: AccountId) -> bool {
        let mut rates = self.account_rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.take(hook, self.clock.now(), self.live.load().limits.hook_messages(), 1).is_ok()
    }

    /// Whether the last group of writes could be stored.
    pub fn is_well(&self) -> bool {
        !self.unwell.load(Ordering::Relaxed)
    }

    /// The same, but tried anew if it could not: while nobody writes, nothing else would notice that there is room again.
    pub async fn try_is_well(&self) -> bool {
        if self.is_well() {
            return true;
        }
        let now = self.clock.now();
        let due = {
            let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
            let due = probed.is_none_or(|at| now >= at + PROBE_EVERY);
            if due {
                *probed = Some(now);
            }
            due
        };
        if due {
            // The answer is what the writer makes of it, in time or not.
            let _ = tokio::time::timeout(PROBE_EVERY, self.ask(Write::Probe)).await;
        }
        self.is_well()
    }

    fn publish(&self, mut committed: Committed, writes: usize) {
        if let Some(stored) = committed.stored
            && self.unwell.swap(!stored, Ordering::Relaxed) == stored
        {
            self.metrics.refusing_writes.set(i64::from(!stored));
        }
        self.metrics.commit_writes.observe(writes as f64);
        for (asker, result, _) in &committed.answers {
            match result {
                Ok(Written::Acked(_) | Written::Posted { again: false, .. }) => {
                    self.metrics.acks.inc();
                }
                Err(code) => self.refused(asker, *code),
                Ok(_) => {}
            }
        }
        let grown: u64 = committed.rooms.values().map(|growth| growth.entries.len() as u64).sum();
        self.metrics.appends.inc_by(grown + committed.chains.len() as u64);
        self.metrics.register_writes.inc_by(committed.registers.len() as u64);
        let awaited = std::mem::take(&mut committed.awaited);
        let told = publish(&self.registry, committed);
        self.push_letters.awaited(awaited);
        self.metrics.pushes.inc_by(told.queued);
        self.metrics.pushes_dropped.inc_by(told.dropped);
    }

    fn refused(&self, asker: &Asker, code: ErrorCode) {
        let label = refusals::of_request(code);
        match asker {
            // What stalls behind a refused entry is not refused for itself.
            Asker::Conn(conn) if code != ErrorCode::Stalled => {
                let whom = Whom::Device(conn.identity.account, conn.identity.device);
                self.metrics.refused_to(whom, label, self.clock.unix_ms());
            }
            _ => self.metrics.refused(label),
        }
    }
}

impl Threads {
    /// Waits for what is queued to be written. Only after every handle to the hub is gone.
    pub fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a thread of the relay has panicked");
            }
        }
    }
}

fn write(mut writer: Writer, mut queue: mpsc::Receiver<Job>, hub: &std::sync::Weak<Hub>) {
    let mut group = Vec::new();
    loop {
        group.clear();
        let count = queue.blocking_recv_many(&mut group, GROUP_MAX);
        if count == 0 {
            return;
        }
        let hub = hub.upgrade();
        let started = hub.as_ref().map(|hub| {
            let config = hub.live.load();
            writer.set_limits(write_limits(&config));
            writer.set_registers_max(config.limits.registers_per_account_and_room as usize);
            hub.clock.now()
        });
        let mut committed = writer.commit(std::mem::take(&mut group));
        match (hub, started) {
            (Some(hub), Some(started)) => {
                hub.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
                hub.publish(committed, count);
            }
            _ => committed.answer(),
        }
        // Now that everybody has their answer: what is put off until here makes nobody wait but who comes next.
        while writer.engine_mut().rest(queue.is_empty()) && queue.is_empty() {}
    }
}

fn read(reader: &dyn Reader, mut questions: mpsc::Receiver<Question>, clock: Clock, metrics: &Metrics) {
    while let Some(question) = questions.blocking_recv() {
        match question {
            Question::Answer(conn, read) => {
                if matches!(read, Read::Page(_)) {
                    metrics.fetches.inc();
                }
                conn.told();
                let entries = reads::answer(reader, &conn, &read, clock.unix_ms());
                metrics.fetched_entries.inc_by(entries);
            }
            Question::Run(work) => work(reader),
        }
    }
}

/// Queues at once if there is room, as there nearly always is: only what finds none pays for the state of a wait.
fn queue<T: Send + 'static>(to: &mpsc::Sender<T>, item: T) -> Option<Wait> {
    // A closed queue means that the relay is at its end; the connection hears of that by itself.
    let Err(TrySendError::Full(item)) = to.try_send(item) else { return None };
    let to = to.clone();
    Some(Box::pin(async move {
        let _ = to.send(item).await;
    }))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(run).expect("the system has a thread to give at the start")
}

fn write_limits(config: &Config) -> WriteLimits {
    let limits = &config.limits;
    WriteLimits {
        accounts: limits.max_accounts as usize,
        rooms_per_account: limits.rooms_per_account as usize,
        members_per_room: limits.members_per_room as usize,
        devices_per_account: limits.devices_per_account as usize,
        body_bytes: limits.max_body_bytes as usize,
        share: config.storage.share(),
    }
}
