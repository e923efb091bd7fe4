//! [`Client`]: one account on one device, for programs.

mod account;
mod administration;
mod arrive;
mod desk;
mod error;
mod find;
mod messages;
mod offer;
mod people;
mod pushes;
mod rooms;
mod updates;
pub(crate) mod worker;

pub use arrive::Digits;
pub use error::{AckError, JoinError, LinkError, OpenError, RecoverError, SyncError};
pub use find::FoundIn;
pub use offer::LinkOffer;
pub use updates::{Next, Updates};

use crate::actor::Actor;
use crate::core::{
    Connection, Engine, Me, Millis, Progress, ReadFailed, Reply, RequestError, SendError, Ticket, Update,
};
use crate::home::{Access, Home};
use crate::net::{Connect, WakeWatch};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;
use worker::{INPUTS_MAX, Input, UPDATES_MAX, Worker};

/// How long an answer of the relay is waited for.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// One account on one device. Cheap to clone; all clones are the same client.
///
/// Reading and writing need no connection: what is written goes out once there is one ([`Client::connect`]). When the last
/// clone is dropped the engine stops; [`Client::shutdown`] waits for that.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    input: mpsc::Sender<Input>,
    updates: broadcast::Sender<Update>,
    connection: watch::Receiver<Connection>,
    way: Arc<dyn Connect>,
    dialing: Mutex<Option<Dialing>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The actor, while it runs.
struct Dialing {
    stop: watch::Sender<bool>,
    again: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
    _wakes: WakeWatch,
}

impl Client {
    /// Opens the account that lives in a home. Needs no connection, and makes none.
    pub async fn open(home: Home, mut access: Access) -> Result<Self, OpenError> {
        let opened = tokio::task::spawn_blocking(move || {
            let engine = home.unlock(&mut access)?.engine()?;
            Ok::<_, OpenError>((engine.ok_or(OpenError::NoAccount)?, access))
        });
        let ((engine, keys, troubles), access) = opened.await.map_err(|_| OpenError::Panicked)??;
        Self::start(engine, Some(keys), troubles, &access)
    }

    fn start(
        engine: Engine,
        keys: Option<crate::home::Keys>,
        troubles: Vec<crate::core::Trouble>,
        access: &Access,
    ) -> Result<Self, OpenError> {
        let way = access.way_to(engine.relay())?;
        Self::over(engine, keys, troubles, way)
    }

    /// A client over an engine and a way to its relay: for tests, and for stores of one's own.
    pub fn with_engine(engine: Engine, way: Arc<dyn Connect>) -> Result<Self, OpenError> {
        Self::over(engine, None, Vec::new(), way)
    }

    fn over(
        engine: Engine,
        keys: Option<crate::home::Keys>,
        troubles: Vec<crate::core::Trouble>,
        way: Arc<dyn Connect>,
    ) -> Result<Self, OpenError> {
        let (input, inputs) = mpsc::channel(INPUTS_MAX);
        let (updates, _) = broadcast::channel(UPDATES_MAX);
        let (state, connection) = watch::channel(Connection::Offline { retry_at: None, why: None });
        let worker = Worker::new(engine, keys, updates.clone(), state, troubles);
        let thread = Mutex::new(Some(worker.start(inputs).map_err(OpenError::Thread)?));
        let shared = Shared { input, updates, connection, way, dialing: Mutex::new(None), thread };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Connects, and stays connected until [`Self::disconnect`]: what waits goes out, what is new comes in. Returns at once;
    /// must be called within a tokio runtime. Where the next attempt is waited for, it is made now.
    pub fn connect(&self) {
        let mut dialing = self.dialing();
        if let Some(dialing) = dialing.as_ref().filter(|dialing| !dialing.task.is_finished()) {
            if matches!(self.connection(), Connection::Offline { .. } | Connection::Stopped(_)) {
                dialing.again.notify_one();
            }
            return;
        }
        let (stop, stopped) = watch::channel(false);
        let again = Arc::new(Notify::new());
        let wakes = WakeWatch::start();
        let actor = Actor {
            connect: Arc::clone(&self.shared.way),
            input: self.shared.input.clone(),
            wakes: wakes.subscribe(),
            again: Arc::clone(&again),
            stop: stopped,
        };
        *dialing = Some(Dialing { stop, again, task: tokio::spawn(actor.run()), _wakes: wakes });
    }

    /// Ends the connection, and makes no other.
    pub async fn disconnect(&self) {
        let dialing = self.dialing().take();
        if let Some(dialing) = dialing {
            dialing.stop.send_replace(true);
            // A task that panicked is over as well.
            let _ = dialing.task.await;
        }
    }

    /// Ends the connection, writes down what has to be, and lets go of the home.
    pub async fn shutdown(self) {
        self.disconnect().await;
        let (done, stopped) = oneshot::channel();
        if self.shared.input.send(Input::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// The connection as it is.
    pub fn connection(&self) -> Connection {
        self.shared.connection.borrow().clone()
    }

    /// Connects, and waits until the relay knows who we are. Why there was no connection before does not count.
    pub async fn online(&self, within: Duration) -> Result<(), SyncError> {
        let mut connection = self.shared.connection.clone();
        connection.mark_unchanged();
        self.connect();
        let settled = async {
            if *connection.borrow() == Connection::Online {
                return Ok(());
            }
            loop {
                connection.changed().await.map_err(|_| SyncError::Ended)?;
                match connection.borrow_and_update().clone() {
                    Connection::Online => return Ok(()),
                    Connection::Stopped(why) => return Err(SyncError::Stopped(why)),
                    Connection::Offline { why: Some(why), .. } => return Err(SyncError::Offline(why)),
                    Connection::Offline { .. } | Connection::Connecting => {}
                }
            }
        };
        timeout(within, settled).await.unwrap_or(Err(SyncError::TimedOut))
    }

    /// Connects and waits until this device holds all that the relay has, and the relay all that was written here.
    /// `told` hears how far it has come. Messages that were refused for good are not waited for.
    pub async fn sync_once(
        &self,
        within: Duration,
        told: impl FnMut(Progress),
    ) -> Result<Progress, SyncError> {
        let synced = async {
            self.online(within).await?;
            self.synced(told).await
        };
        timeout(within, synced).await.unwrap_or(Err(SyncError::TimedOut))
    }

    async fn synced(&self, mut told: impl FnMut(Progress)) -> Result<Progress, SyncError> {
        let mut updates = self.updates();
        // A push of what others wrote a moment ago may still be on its way: the heads tell. If they get lost with the
        // connection, the next one begins with them.
        let _ = self.request(|engine, _| engine.ask_heads()).await;
        loop {
            let progress = self.progress().await?;
            told(progress);
            if progress.done {
                return Ok(progress);
            }
            // Whatever happens next is a reason to look again, once for all that waits.
            let mut next = Some(updates.next().await.ok_or(SyncError::Ended)?);
            while let Some(update) = next {
                match update {
                    Next::Update(Update::Connection(Connection::Stopped(why))) => {
                        return Err(SyncError::Stopped(why));
                    }
                    Next::Update(Update::Connection(Connection::Offline { why: Some(why), .. })) => {
                        return Err(SyncError::Offline(why));
                    }
                    _ => next = updates.try_next(),
                }
            }
        }
    }

    /// How far the relay's log was read, and how much waits to be sent.
    pub async fn progress(&self) -> Result<Progress, ReadFailed> {
        self.ask(|engine, _| engine.progress()).await.ok_or(ReadFailed::Stopped)
    }

    /// What happens from now on.
    pub fn updates(&self) -> Updates {
        Updates::new(self.shared.updates.subscribe())
    }

    /// Who this is.
    pub async fn me(&self) -> Result<Me, ReadFailed> {
        self.ask(|engine, _| engine.me()).await.ok_or(ReadFailed::Stopped)
    }

    /// Runs something on the engine's thread; `None` if it has stopped.
    async fn ask<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Engine, Millis) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let command = Input::Command(Box::new(move |worker, now| {
            let _ = answer.send(f(&mut worker.engine, now));
        }));
        self.shared.input.send(command).await.ok()?;
        answered.await.ok()
    }

    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Engine) -> Result<T, ReadFailed> + Send + 'static,
    ) -> Result<T, ReadFailed> {
        self.ask(|engine, _| f(engine)).await.unwrap_or(Err(ReadFailed::Stopped))
    }

    async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Engine, Millis) -> Result<T, SendError> + Send + 'static,
    ) -> Result<T, SendError> {
        self.ask(f).await.unwrap_or(Err(SendError::Stopped))
    }

    /// Asks the relay for something, and waits for the answer.
    async fn request(
        &self,
        f: impl FnOnce(&mut Engine, Millis) -> Result<Ticket, RequestError> + Send + 'static,
    ) -> Result<Reply, RequestError> {
        let (answer, answered) = oneshot::channel();
        let command = Input::Command(Box::new(move |worker, now| match f(&mut worker.engine, now) {
            Ok(ticket) => worker.wait_for(ticket, answer),
            Err(error) => drop(answer.send(Err(error))),
        }));
        self.shared.input.send(command).await.map_err(|_| RequestError::Stopped)?;
        wait(answered, ANSWER_MAX).await
    }

    fn dialing(&self) -> std::sync::MutexGuard<'_, Option<Dialing>> {
        self.shared.dialing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("connection", &self.connection()).finish_non_exhaustive()
    }
}

type Answer = oneshot::Receiver<Result<Reply, RequestError>>;

async fn wait(answered: Answer, within: Duration) -> Result<Reply, RequestError> {
    match timeout(within, answered).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(RequestError::Lost),
        Err(_) => Err(RequestError::TimedOut),
    }
}
