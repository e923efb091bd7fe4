//! The thread of one profile: owns the engine, takes in what comes from the connection and from handles, and gives out what
//! follows. Disk and signatures block, so this is no async task.

use crate::core::{Connection, Engine, Millis, Reply, RequestError, RoomsDiff, Ticket, Trouble, Update};
use crate::home::Keys;
use crate::timeline::State;
use bytes::Bytes;
use kith_protocol::error::CloseCode;
use kith_protocol::frame::ServerFrame;
use kith_protocol::ids::{Seq, TxnId};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, SystemTime};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Inputs that wait: frames of some pages, and the commands of impatient people.
pub(crate) const INPUTS_MAX: usize = 64;
/// Frames that wait to be written to the link.
pub(crate) const OUTPUTS_MAX: usize = 64;
/// Updates that a slow reader may leave unread before it is told to ask again.
pub(crate) const UPDATES_MAX: usize = 4096;
/// Inputs taken in before what follows from them is given out.
const BATCH: usize = 16;

/// What comes in.
pub(crate) enum Input {
    /// A connection is being tried.
    Dialing,
    /// A connection stands; what is to be sent goes here.
    Connected(mpsc::Sender<Output>),
    /// A message of the relay.
    Frame(Bytes),
    /// The relay closed the connection.
    Closed(CloseCode),
    /// There is no connection.
    Offline { retry_at: Option<Millis>, why: Option<String> },
    /// Something that a handle asks for.
    Command(Command),
    /// The end.
    Stop(oneshot::Sender<()>),
}

/// Runs on the thread.
pub(crate) type Command = Box<dyn FnOnce(&mut Worker, Millis) + Send>;

/// What goes to the owner of the link.
pub(crate) enum Output {
    /// To be sent.
    Frame(Bytes),
    /// Ends the link; another one is tried after the usual wait.
    HangUp,
    /// Ends the link for good.
    Stop,
}

/// What came of a message: its place, or where it is; `None`: it is not known.
pub(crate) type AckAnswer = Result<Seq, Option<State>>;

/// The engine and those who wait for it.
pub(crate) struct Worker {
    pub(crate) engine: Engine,
    keys: Option<Keys>,
    tickets: BTreeMap<Ticket, oneshot::Sender<Result<Reply, RequestError>>>,
    acks: BTreeMap<TxnId, Vec<oneshot::Sender<AckAnswer>>>,
    updates: broadcast::Sender<Update>,
    connection: watch::Sender<Connection>,
    /// What went wrong before anybody listened: told once somebody does.
    troubles: Vec<Trouble>,
    out: Option<mpsc::Sender<Output>>,
    /// Room in `out` that is waited for.
    room: Option<Pin<Box<dyn Future<Output = Reserved> + Send>>>,
}

type Reserved = Result<mpsc::OwnedPermit<Output>, mpsc::error::SendError<()>>;

impl Worker {
    pub(crate) fn new(
        engine: Engine,
        keys: Option<Keys>,
        updates: broadcast::Sender<Update>,
        connection: watch::Sender<Connection>,
        troubles: Vec<Trouble>,
    ) -> Self {
        Self {
            troubles,
            engine,
            keys,
            tickets: BTreeMap::new(),
            acks: BTreeMap::new(),
            updates,
            connection,
            out: None,
            room: None,
        }
    }

    /// Starts the thread.
    pub(crate) fn start(self, inputs: mpsc::Receiver<Input>) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("kith engine".into()).spawn(move || self.run(inputs))
    }

    fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let signal = Arc::new(Signal { thread: thread::current(), raised: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&signal));
        let mut cx = Context::from_waker(&waker);
        let mut waited = false;
        loop {
            let mut taken = 0;
            while taken < BATCH {
                match inputs.poll_recv(&mut cx) {
                    Poll::Ready(Some(Input::Stop(done))) => {
                        self.engine.shut_down(now());
                        self.give_out(&mut cx);
                        drop(self);
                        // Whoever waited may be gone.
                        let _ = done.send(());
                        return;
                    }
                    Poll::Ready(Some(input)) => self.take_in(input),
                    Poll::Ready(None) => {
                        self.engine.shut_down(now());
                        return;
                    }
                    Poll::Pending => break,
                }
                taken += 1;
            }
            let time = now();
            // After the wait the engine is asked even if the clock says that it is too early: it may have been set back.
            if std::mem::take(&mut waited) || self.engine.poll_timeout().is_some_and(|at| at <= time) {
                self.engine.handle_timeout(time);
            }
            self.give_out(&mut cx);
            if self.engine.is_damaged() && !self.start_anew() {
                return;
            }
            if taken < BATCH && !signal.raised.swap(false, Ordering::Acquire) {
                match self.engine.poll_timeout() {
                    Some(at) => {
                        thread::park_timeout(Duration::from_millis(at.saturating_sub(now())));
                        waited = !signal.raised.load(Ordering::Acquire);
                    }
                    None => thread::park(),
                }
            }
        }
    }

    fn take_in(&mut self, input: Input) {
        let time = now();
        match input {
            Input::Command(command) => command(self, time),
            Input::Dialing => self.tell(Update::Connection(Connection::Connecting)),
            Input::Connected(out) => {
                self.out = Some(out);
                self.room = None;
                self.engine.connected(time);
            }
            Input::Frame(bytes) => match ServerFrame::decode(&bytes) {
                Ok(frame) => self.engine.handle_frame(time, frame),
                Err(error) => {
                    tracing::warn!(%error, "the relay sent what is no frame");
                    self.send_out(Output::HangUp);
                }
            },
            Input::Closed(code) => self.engine.closed(time, code),
            Input::Offline { retry_at, why } => {
                self.out = None;
                self.room = None;
                self.engine.disconnected(time);
                if self.engine.stopped().is_none() {
                    self.tell(Update::Connection(Connection::Offline { retry_at, why }));
                }
            }
            Input::Stop(_) => {}
        }
    }

    /// Tells what happened, answers who waits, sends what is to be sent.
    fn give_out(&mut self, cx: &mut Context<'_>) {
        if self.updates.receiver_count() > 0 {
            for trouble in std::mem::take(&mut self.troubles) {
                self.tell(Update::Trouble(trouble));
            }
        }
        while let Some(update) = self.engine.poll_event() {
            self.tell(update);
        }
        while let Some((ticket, answer)) = self.engine.poll_reply() {
            if let Some(waiting) = self.tickets.remove(&ticket) {
                let _ = waiting.send(answer);
            }
        }
        if self.engine.stopped().is_some() {
            self.send_out(Output::Stop);
        } else if self.engine.take_hang_up() {
            self.send_out(Output::HangUp);
        }
        self.transmit(cx);
    }

    fn transmit(&mut self, cx: &mut Context<'_>) {
        while let Some(out) = &self.out {
            let out = out.clone();
            let room = self.room.get_or_insert_with(|| Box::pin(out.reserve_owned()));
            let Poll::Ready(reserved) = room.as_mut().poll(cx) else { return };
            self.room = None;
            match (reserved, self.engine.poll_transmit()) {
                (Ok(permit), Some(frame)) => drop(permit.send(Output::Frame(frame.encode()))),
                (Ok(_), None) => return,
                (Err(_), _) => self.out = None,
            }
        }
    }

    fn send_out(&mut self, output: Output) {
        // If there is no room the link is stuck, and ends by itself.
        if let Some(out) = self.out.take() {
            self.room = None;
            let _ = out.try_send(output);
        }
    }

    pub(crate) fn tell(&mut self, update: Update) {
        match &update {
            Update::Connection(connection) => {
                let _ = self.connection.send_replace(connection.clone());
            }
            Update::Acked { txn, seq, .. } => self.answer_ack(txn, Ok(*seq)),
            Update::SendFailed { txn, code, .. } => {
                self.answer_ack(txn, Err(Some(State::Failed { code: *code })));
            }
            _ => {}
        }
        // Nobody listens: nothing to tell.
        let _ = self.updates.send(update);
    }

    fn answer_ack(&mut self, txn: &TxnId, answer: AckAnswer) {
        for waiting in self.acks.remove(txn).unwrap_or_default() {
            let _ = waiting.send(answer);
        }
    }

    /// Somebody waits for an answer.
    pub(crate) fn wait_for(&mut self, ticket: Ticket, answer: oneshot::Sender<Result<Reply, RequestError>>) {
        self.tickets.retain(|_, waiting| !waiting.is_closed());
        self.tickets.insert(ticket, answer);
    }

    /// Somebody waits for a message to be stored.
    pub(crate) fn wait_for_ack(&mut self, txn: TxnId, answer: oneshot::Sender<AckAnswer>) {
        self.acks.retain(|_, waiting| {
            waiting.retain(|sender| !sender.is_closed());
            !waiting.is_empty()
        });
        self.acks.entry(txn).or_default().push(answer);
    }

    /// The store is damaged: goes on with a new one, to be filled by the relay. `false` if that cannot be.
    fn start_anew(&mut self) -> bool {
        let Some(keys) = self.keys.take() else { return false };
        self.send_out(Output::HangUp);
        self.tickets.clear();
        let mut troubles = Vec::new();
        // Vault and store are held by the old engine, and one process alone may hold them.
        let outcome = self.engine.replace_with(|| keys.start_anew(&mut troubles));
        self.keys = Some(keys);
        match outcome {
            Ok(()) => {
                for trouble in troubles {
                    self.tell(Update::Trouble(trouble));
                }
                self.tell(Update::Rooms(RoomsDiff::Reset));
                true
            }
            Err(error) => {
                tracing::error!(%error, "the local store cannot be replaced");
                self.tell(Update::Trouble(Trouble::Storage(error.to_string())));
                false
            }
        }
    }
}

/// Wakes the thread.
struct Signal {
    thread: Thread,
    raised: AtomicBool,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// This moment, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters the engine")]
pub(crate) fn now() -> Millis {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
