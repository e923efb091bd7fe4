//! The life of a device under load.

use super::tally::Tally;
use crate::Outcome;
use crate::load::tls::{self, Socket};
use crate::time::Watch;
use crate::world::{self, Person};
use futures_util::{SinkExt, StreamExt};
use kith_protocol::frame::ServerFrame;
use kith_protocol::ids::{RoomId, TxnId};
use kith_protocol::keys::DeviceKeys;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// What holds for all devices.
pub(super) struct Plan {
    pub(super) to: SocketAddr,
    pub(super) connector: TlsConnector,
    /// How long a device stays, on average.
    pub(super) stay: Duration,
    /// How long it says nothing, on average.
    pub(super) say_every: Duration,
    /// Of messages: no two are the same.
    pub(super) numbers: AtomicU64,
    /// How many may connect at a time.
    pub(super) comings: Semaphore,
    /// Nobody says anything more.
    pub(super) quiet: CancellationToken,
    /// All go.
    pub(super) stop: CancellationToken,
}

/// One of a person's devices, and the room in which it writes.
pub(super) struct Device {
    person: Arc<Person>,
    device: usize,
    room: RoomId,
    unacked: BTreeMap<TxnId, Watch>,
}

impl Device {
    pub(super) fn new(person: Arc<Person>, device: usize, room: RoomId) -> Self {
        Self { person, device, room, unacked: BTreeMap::new() }
    }

    /// Comes, stays for a while, goes, and comes again, until all go.
    pub(super) async fn live(mut self, plan: Arc<Plan>, tally: Arc<Tally>) {
        while !plan.stop.is_cancelled() {
            match self.come(&plan).await {
                Ok(socket) => {
                    tally.came.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = self.stay(socket, &plan, &tally).await {
                        tally.error(format!("a connection ended: {error}"));
                        // It counts as sent and not acknowledged; nobody waits for it any more.
                        self.unacked.clear();
                    }
                    tally.went();
                }
                Err(error) => tally.error(format!("no connection: {error}")),
            }
            tokio::select! {
                () = plan.stop.cancelled() => {}
                () = tokio::time::sleep(AWAY) => {}
            }
        }
    }

    async fn come(&self, plan: &Plan) -> Outcome<Socket> {
        let _permit = plan.comings.acquire().await?;
        let keys = DeviceKeys::from_seeds_64(&self.person.devices[self.device].seeds());
        let identify = tls::identify(plan.connector.clone(), plan.to, self.person.account, keys);
        tokio::time::timeout(PATIENCE, identify).await.map_err(|_| "the relay did not answer in time")?
    }

    /// Until it is time to go and all that was said is stored.
    async fn stay(&mut self, mut socket: Socket, plan: &Plan, tally: &Tally) -> Outcome<()> {
        let mut leave = pin!(tokio::time::sleep(drawn(plan.stay)));
        let mut say = pin!(tokio::time::sleep(drawn(plan.say_every)));
        let (mut leaves, mut quiet) = (false, false);
        while !(leaves && self.unacked.is_empty()) {
            tokio::select! {
                // In this order: what was said is answered, and who is to be quiet says nothing more.
                biased;
                message = socket.next() => match message.ok_or("the relay hung up")?? {
                    Message::Binary(bytes) => self.hear(&ServerFrame::decode(&bytes)?, tally)?,
                    Message::Close(frame) => return Err(format!("the relay closed: {frame:?}").into()),
                    _ => {}
                },
                () = plan.quiet.cancelled(), if !quiet => quiet = true,
                () = &mut say, if !leaves && !quiet => {
                    say.as_mut().reset(tokio::time::Instant::now() + drawn(plan.say_every));
                    let number = plan.numbers.fetch_add(1, Ordering::Relaxed);
                    let entry = world::message(&self.person, self.device, self.room, number);
                    self.unacked.insert(entry.header().txn, Watch::start());
                    tally.send();
                    socket.send(Message::Binary(world::send(&entry))).await?;
                }
                () = &mut leave, if !leaves => leaves = true,
                () = plan.stop.cancelled(), if !leaves => leaves = true,
            }
        }
        socket.close(None).await?;
        let ended = async { while let Some(Ok(_)) = socket.next().await {} };
        tokio::time::timeout(PATIENCE, ended).await.map_err(|_| "the relay does not let go")?;
        Ok(())
    }

    fn hear(&mut self, frame: &ServerFrame, tally: &Tally) -> Outcome<()> {
        match frame {
            ServerFrame::Acks(acks) => {
                for ack in &acks.acks {
                    let sent = self.unacked.remove(&ack.txn).ok_or("what was not sent is acknowledged")?;
                    tally.ack(sent.elapsed());
                }
            }
            ServerFrame::Entries(entries) => {
                tally.delivered.fetch_add(entries.entries.len() as u64, Ordering::Relaxed);
            }
            ServerFrame::Rejected(rejected) => return Err(format!("rejected: {:?}", rejected.code).into()),
            ServerFrame::Refused(refused) => return Err(format!("refused: {:?}", refused.code).into()),
            _ => {}
        }
        Ok(())
    }
}

/// As what happens by itself, now and then: at any moment as likely as at any other.
fn drawn(mean: Duration) -> Duration {
    mean.mul_f64(-(1.0 - fastrand::f64()).ln()).min(mean * 20)
}

const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough for the relay to have noticed that it went.
const AWAY: Duration = Duration::from_secs(1);
