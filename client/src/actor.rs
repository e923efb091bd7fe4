//! The connection of one profile: dials, carries frames both ways, waits, dials again.
//!
//! ```text
//! run: dial -> connected -> (ended) -> wait -> dial -> ...      until told to stop
//! ```

use crate::client::worker::{Input, OUTPUTS_MAX, Output, now};
use crate::net::{Backoff, Connect, EndedLink, Incoming, Link, LinkError, Retry, WakeReceiver};
use bytes::Bytes;
use kith_protocol::error::CloseCode;
use kith_protocol::frame::ServerFrame;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// How often a link is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// A link that brings nothing for so long is dead: the relay pings every 30 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// A link that does not answer a ping for so long after a change of network or a sleep is dead.
const PROBE: Duration = Duration::from_secs(5);
/// After a refusal that is somebody's bug.
const FAULT_WAIT: Duration = Duration::from_mins(1);

/// First bytes of frames that are obeyed here.
const WELCOME: u8 = 2;
const RESTARTING: u8 = 50;

/// What an actor runs on.
pub(crate) struct Actor {
    pub(crate) connect: Arc<dyn Connect>,
    pub(crate) input: mpsc::Sender<Input>,
    pub(crate) wakes: WakeReceiver,
    /// Who waits to dial, dials.
    pub(crate) again: Arc<Notify>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// How a connection ended.
enum Ended {
    /// Told to.
    Stopped,
    /// A refusal that does not pass: not tried again by itself.
    Refused,
    /// Tried again after this.
    Retry(Retry),
    /// The relay said when to come back.
    ComeBack(Duration),
    /// The engine is gone.
    Abandoned,
}

/// Before the next dial, which somebody may ask for at any time.
struct Pause {
    /// How long; `None`: until it is asked for.
    wait: Option<Duration>,
    /// Whether a wake ends it.
    wakes: bool,
}

impl Actor {
    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::new();
        loop {
            if self.input.send(Input::Dialing).await.is_err() {
                return;
            }
            let connect = Arc::clone(&self.connect);
            let dialed = tokio::select! {
                // First: whoever wants to stop does not wait for a dial.
                () = stopped(&mut self.stop) => None,
                dialed = connect.connect() => Some(dialed),
            };
            let (pause, why) = match dialed {
                None => (None, None),
                Some(Err(error)) => {
                    tracing::info!(%error, "no link");
                    let wait = backoff.dial_failed(error.retry());
                    (Some(Pause { wait, wakes: true }), Some(error.to_string()))
                }
                Some(Ok(link)) => {
                    let opened = Instant::now();
                    let mut identified = false;
                    let ended = self.connected(link, &mut identified).await;
                    let ended_link = EndedLink { identified, lived: opened.elapsed() };
                    let pause = match ended {
                        Ended::Abandoned => return,
                        Ended::Stopped => None,
                        Ended::Refused => Some(Pause { wait: None, wakes: false }),
                        Ended::Retry(retry) => {
                            Some(Pause { wait: backoff.link_ended(ended_link, retry), wakes: true })
                        }
                        Ended::ComeBack(told) => {
                            Some(Pause { wait: Some(backoff.reconnect_in(told)), wakes: true })
                        }
                    };
                    (pause, None)
                }
            };
            let wait = pause.as_ref().and_then(|pause| pause.wait);
            let retry_at = wait.map(|wait| now() + wait.as_millis() as u64);
            if self.input.send(Input::Offline { retry_at, why }).await.is_err() {
                return;
            }
            let Some(pause) = pause else { return };
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return,
                // Another network, or a computer that slept: waiting makes no sense any more.
                _ = self.wakes.next(), if pause.wakes => {}
                () = self.again.notified() => {}
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    async fn connected(&mut self, mut link: Link, identified: &mut bool) -> Ended {
        let (out, mut outputs) = mpsc::channel(OUTPUTS_MAX);
        if self.input.send(Input::Connected(out)).await.is_err() {
            return Ended::Abandoned;
        }
        let mut come_back = None;
        let mut permit = None;
        let mut unwritten = false;
        let mut received = link.traffic().received;
        let mut heard_at = Instant::now();
        let mut look_at = Instant::now() + LOOK;
        let mut patience = SILENCE_MAX;
        loop {
            tokio::select! {
                biased;
                // An end comes before everything else.
                () = stopped(&mut self.stop) => {
                    link.close(1000, "").await;
                    return Ended::Stopped;
                }
                // What the engine has to say is little, and everybody waits for it.
                output = outputs.recv(), if link.has_room() => match output {
                    Some(Output::Frame(frame)) => {
                        if let Err(error) = link.feed(frame) {
                            return Ended::Retry(error.retry());
                        }
                        unwritten = true;
                    }
                    Some(Output::HangUp) | None => {
                        link.close(1000, "").await;
                        return Ended::Retry(Retry::Now);
                    }
                    Some(Output::Stop) => {
                        link.close(1000, "").await;
                        return Ended::Refused;
                    }
                },
                // Nothing is read for which the engine has no room: then the relay waits, and not our memory.
                reserved = self.input.clone().reserve_owned(), if permit.is_none() => match reserved {
                    Ok(reserved) => permit = Some(reserved),
                    Err(_) => return Ended::Abandoned,
                },
                carried = carry(&mut link, permit.is_some(), unwritten) => match carried {
                    Carried::Written(Ok(())) => unwritten = false,
                    Carried::Written(Err(error)) => return Ended::Retry(error.retry()),
                    Carried::Read(Some(Ok(Incoming::Binary(frame)))) => {
                        *identified |= frame.first() == Some(&WELCOME);
                        come_back = restarting(&frame).or(come_back);
                        if let Some(permit) = permit.take() {
                            permit.send(Input::Frame(frame));
                        }
                    }
                    Carried::Read(Some(Ok(Incoming::Closed { code, reason }))) => {
                        tracing::info!(code, reason, "the relay closed the link");
                        return self.closed(code, come_back).await;
                    }
                    Carried::Read(Some(Err(error))) => {
                        tracing::info!(%error, "the link broke");
                        return come_back.map_or(Ended::Retry(error.retry()), Ended::ComeBack);
                    }
                    Carried::Read(None) => {
                        return come_back.map_or(Ended::Retry(Retry::Now), Ended::ComeBack);
                    }
                },
                _ = self.wakes.next() => {
                    // It may be dead and not know: an answer to a ping tells.
                    if link.ping().is_err() {
                        return Ended::Retry(Retry::Now);
                    }
                    unwritten = true;
                    patience = PROBE;
                    heard_at = Instant::now();
                    look_at = heard_at + PROBE;
                }
                () = sleep_until(look_at) => {
                    let now = Instant::now();
                    let total = link.traffic().received;
                    if total != received {
                        received = total;
                        heard_at = now;
                        patience = SILENCE_MAX;
                    }
                    if now.duration_since(heard_at) >= patience {
                        tracing::info!("the link is silent");
                        return Ended::Retry(Retry::Now);
                    }
                    look_at = now + LOOK.min(patience);
                }
            }
        }
    }

    async fn closed(&mut self, code: u16, come_back: Option<Duration>) -> Ended {
        if code < 4000 {
            return come_back.map_or(Ended::Retry(Retry::Now), Ended::ComeBack);
        }
        let code = CloseCode::from(code);
        if self.input.send(Input::Closed(code)).await.is_err() {
            return Ended::Abandoned;
        }
        match code {
            // Replaced: somebody uses a copy of this device, and taking turns every second helps nobody.
            CloseCode::ProtocolError | CloseCode::TooLarge | CloseCode::Replaced => {
                Ended::Retry(Retry::After(FAULT_WAIT))
            }
            code if code.reconnects() => come_back.map_or(Ended::Retry(Retry::Now), Ended::ComeBack),
            _ => Ended::Refused,
        }
    }
}

/// What a link has done.
enum Carried {
    Read(Option<Result<Incoming, LinkError>>),
    Written(Result<(), LinkError>),
}

/// Reads if that is allowed; else writes what was fed, so that it goes out even while nothing may be read.
async fn carry(link: &mut Link, may_read: bool, unwritten: bool) -> Carried {
    if may_read {
        Carried::Read(link.next().await)
    } else if unwritten {
        Carried::Written(link.flush().await)
    } else {
        std::future::pending().await
    }
}

fn restarting(frame: &Bytes) -> Option<Duration> {
    if frame.first() != Some(&RESTARTING) {
        return None;
    }
    match ServerFrame::decode(frame) {
        Ok(ServerFrame::Restarting(restarting)) => Some(Duration::from_millis(restarting.reconnect_in_ms)),
        _ => None,
    }
}

/// Waits until somebody says stop, or nobody is left who could.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
